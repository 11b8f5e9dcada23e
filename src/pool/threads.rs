//! The threads of a pool's workers, until somebody has waited for the end of each.

use crate::sys::join;
use crate::sys::lock::Lock;
use crate::sys::thread::JoinHandle;

/// Threads are joined one at a time. Protocol: `README.md`, "Close".
#[derive(Debug, Default)]
pub(super) struct Threads(Lock<State>);

#[derive(Debug, Default)]
struct State {
    /// Those that nobody joins.
    kept: Vec<JoinHandle<()>>,
    /// Whether somebody joins another one.
    joins: bool,
}

impl Threads {
    /// A thread was started. Those that have ended meanwhile are let go of.
    pub(super) fn add(&self, thread: JoinHandle<()>) {
        let mut state = self.0.lock();
        join::let_go_of_ended(&mut state.kept);
        state.kept.push(thread);
    }

    /// A thread for the caller to join, or `Some(None)` if all have ended; `None` while somebody else joins one.
    pub(super) fn next(&self) -> Option<Option<JoinHandle<()>>> {
        let mut state = self.0.lock();
        if state.joins {
            return None;
        }
        let next = state.kept.pop();
        state.joins = next.is_some();
        Some(next)
    }

    /// What the caller joined has ended, or is given back because that takes too long.
    pub(super) fn joined(&self, late: Option<JoinHandle<()>>) {
        let mut state = self.0.lock();
        state.joins = false;
        state.kept.extend(late);
    }
}
