//! The threads of a pool that are still to be joined.

use crate::sys::join;
use crate::sys::lock::Lock;
use crate::sys::thread::JoinHandle;

/// Threads are joined one at a time. Protocol: `README.md`, "Close".
#[derive(Debug, Default)]
pub(super) struct Threads(Lock<State>);

#[derive(Debug, Default)]
struct State {
    /// Threads that no caller joins at the moment.
    kept: Vec<JoinHandle<()>>,
    /// Whether a caller joins one.
    joins: bool,
}

impl Threads {
    /// Adds a new thread, and drops those that have ended.
    pub(super) fn add(&self, thread: JoinHandle<()>) {
        let mut state = self.0.lock();
        join::let_go_of_ended(&mut state.kept);
        state.kept.push(thread);
    }

    /// Returns a thread for the caller to join, or `Some(None)` if all have ended; `None` while another caller joins
    /// one.
    pub(super) fn next(&self) -> Option<Option<JoinHandle<()>>> {
        let mut state = self.0.lock();
        if state.joins {
            return None;
        }
        let next = state.kept.pop();
        state.joins = next.is_some();
        Some(next)
    }

    /// Called after a join; gives the thread back if it is `late`.
    pub(super) fn joined(&self, late: Option<JoinHandle<()>>) {
        let mut state = self.0.lock();
        state.joins = false;
        state.kept.extend(late);
    }
}
