//! How a worker leaves a pool that goes on. Protocol: `README.md`, "Leaving".

use super::worker::{Readiness, Worker};
use crate::sys::fence;

impl Worker {
    /// Whether this worker has run as many jobs as it may.
    #[inline]
    pub(super) fn is_worn_out(&self) -> bool {
        let most = self.core.settings.jobs_per_worker;
        most.is_some_and(|most| self.station.finished() - self.born.get() >= most)
    }

    /// Whether this worker takes no more jobs for now.
    #[inline]
    pub(super) fn must_stop(&self) -> bool {
        self.is_worn_out() || self.core.crew.has_surplus()
    }

    /// Leaves a pool that goes on, and makes sure that somebody comes to what is left behind. False if this worker
    /// stays, because there would be nobody else, or because it is called.
    #[cold]
    pub(super) fn depart(&self) -> bool {
        self.free_spent();
        self.core.maybe_quiet();
        // A hook is users' code: nobody must rely on this worker meanwhile.
        if self.searching.get() {
            self.stop_searching();
        }
        if !self.stop() {
            return true;
        }
        if !self.core.crew.leave(self.number) {
            self.readiness.set(Readiness::Fresh);
            return false;
        }
        fence::heavy(); // As F1 to F3: submitters may have relied on this searcher.
        if self.core.is_over() {
            self.core.crew.wake_all(); // The others sleep and must see it, too.
        }
        let refused = self.core.has_visible_work() && self.core.recruit().is_err();
        if refused && self.core.crew.come_back(self.number) {
            self.born.set(self.station.finished());
            self.readiness.set(Readiness::Fresh);
            return false;
        }
        true
    }
}
