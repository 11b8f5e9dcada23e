//! Arguments of timed C jobs that are freed by an arg_free.

use super::callback::{Free, ftpool_free_fn};
use super::check::Call;
use super::ftpool_status;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// A call that owns its argument. The argument is freed once the job was accepted and the call dropped, by the later of
/// the two: the submitter learns that the job was accepted maybe after the job's end.
pub(super) struct Owned {
    call: Call,
    argument: Option<Arc<Argument>>,
}

/// The argument as submitter and job share it.
struct Argument {
    free: Free,
    call: Call,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accepted: bool,
    dropped: bool,
}

impl Owned {
    pub(super) fn new(call: Call, free: ftpool_free_fn) -> Self {
        let argument = Free::new(free).map(|free| Arc::new(Argument { free, call, state: Mutex::default() }));
        Self { call, argument }
    }

    pub(super) fn run(&self) -> *mut c_void {
        self.call.run()
    }

    /// Submits a job that owns this. If it is refused, the argument stays the caller's.
    pub(super) fn submit<T>(self, submit: impl FnOnce(Self) -> Result<T, ftpool_status>) -> Result<T, ftpool_status> {
        let argument = self.argument.clone();
        let submitted = submit(self);
        if let (Some(argument), Ok(_)) = (argument, &submitted) {
            argument.update(|state| state.accepted = true);
        }
        submitted
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(argument) = &self.argument {
            argument.update(|state| state.dropped = true);
        }
    }
}

impl Argument {
    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let free = state.accepted && state.dropped;
        drop(state);
        if free {
            self.free.call(self.call.argument());
        }
    }
}
