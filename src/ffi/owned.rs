//! A job's argument that somebody frees.

use super::callback::{Free, ftpool_free_fn};
use super::check::Call;
use super::ftpool_status;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// A call whose argument is freed when it is dropped, if the job it is part of was accepted. Only the submitter learns
/// whether it was, and maybe after the job's end: the later of the two frees.
pub(super) struct Owned {
    call: Call,
    fate: Option<Arc<Fate>>,
}

/// What submitter and job share.
pub(super) struct Fate {
    free: Free,
    call: Call,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    accepted: bool,
    dropped: bool,
}

impl Owned {
    pub(super) fn new(call: Call, free: ftpool_free_fn) -> Self {
        let fate = Free::new(free).map(|free| Arc::new(Fate { free, call, known: Mutex::default() }));
        Self { call, fate }
    }

    pub(super) fn run(&self) -> *mut c_void {
        self.call.run()
    }

    /// Submits a job that owns this. If it is refused the argument stays the caller's.
    pub(super) fn submit<T>(self, submit: impl FnOnce(Self) -> Result<T, ftpool_status>) -> Result<T, ftpool_status> {
        let fate = self.fate.clone();
        let verdict = submit(self);
        if let (Some(fate), Ok(_)) = (fate, &verdict) {
            fate.learn(|known| known.accepted = true);
        }
        verdict
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(fate) = &self.fate {
            fate.learn(|known| known.dropped = true);
        }
    }
}

impl Fate {
    fn learn(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        let free = known.accepted && known.dropped;
        drop(known);
        if free {
            self.free.call(self.call.argument());
        }
    }
}
