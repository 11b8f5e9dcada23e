//! How a worker leaves a pool that stays open. Protocol: `README.md`, "Leaving".

use super::worker::{HookState, Worker};
use crate::sys::fence;

impl Worker {
    /// Whether this worker has run as many jobs as one worker may.
    #[inline]
    pub(super) fn has_reached_job_limit(&self) -> bool {
        let most = self.core.settings.jobs_per_worker;
        most.is_some_and(|most| self.station.finished() - self.finished_at_start.get() >= most)
    }

    /// Whether this worker takes no jobs for now.
    #[inline]
    pub(super) fn must_stop(&self) -> bool {
        self.has_reached_job_limit() || self.core.crew.has_surplus()
    }

    /// Leaves an open pool, and recruits for visible work. False if this worker stays: it has a call, or it is the only
    /// worker and no thread can be started.
    #[cold]
    pub(super) fn depart(&self) -> bool {
        self.free_retired();
        self.core.notify_quiet();
        // D1: the stop hook is user code, so no submitter may rely on this worker meanwhile.
        if self.searching.get() {
            self.stop_searching();
        }
        if !self.prepare_to_leave() {
            return true;
        }
        if !self.core.crew.leave(self.number) {
            self.hook_state.set(HookState::NotStarted);
            return false;
        }
        fence::heavy(); // D4. As F1 to F3: submitters may have relied on this searcher.
        if self.core.is_over() {
            self.core.crew.wake_all(); // The others sleep, and must observe it, too.
        }
        let refused = self.core.has_visible_work() && self.core.recruit().is_err();
        if refused && self.core.crew.rejoin(self.number) {
            self.finished_at_start.set(self.station.finished());
            self.hook_state.set(HookState::NotStarted);
            return false;
        }
        true
    }
}
