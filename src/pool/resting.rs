//! A worker without work: it tidies up, looks a little longer, sleeps, and may be the one that leaves at the end.

use super::worker::Worker;
use crate::sync::{Deadline, Parker};
use crate::sys::hint;
use crate::sys::size::LOOKS;
use std::time::Duration;

/// A pool at rest for this long gives memory back that only a burst would need.
const BURST_IS_OVER: Duration = Duration::from_millis(200);

impl Worker {
    /// Looks a little longer, then sleeps until there is something to do. False if that took too long to stay.
    pub(super) fn rest(&self) -> bool {
        if !self.spent.borrow().is_empty() {
            self.free_spent();
        }
        if self.core.orphans.any() {
            self.reap();
            if !self.searching.get() {
                return true; // There is more to do.
            }
        }
        self.core.maybe_quiet();
        if self.core.crew.has_surplus() {
            return self.stand_by();
        }
        for _ in 0..LOOKS {
            if self.core.has_visible_work() || self.station.is_called() {
                return true;
            }
            hint::spin();
        }
        let reason = || self.core.has_visible_work() || self.station.is_called() || self.core.is_over();
        self.core.crew.park(self.number, reason, |parker| self.sleep(parker))
    }

    /// Drops outcomes that nobody will read: users' code, but no job.
    #[cold]
    pub(super) fn reap(&self) {
        if self.searching.get() {
            self.stop_searching();
        }
        self.reaps.set(true);
        self.core.orphans.reap();
        self.reaps.set(false);
        self.failure.take();
        self.ended();
    }

    /// Sleeps until it gets a token. After a burst it wakes once by itself, when it seems over, to give memory back. False if
    /// there is still no token when it has slept too long to stay.
    pub(super) fn sleep(&self, parker: &Parker) -> bool {
        let end = self.core.settings.idle_timeout.map_or(Deadline::NEVER, Deadline::after);
        if self.core.store.has_surplus() {
            if parker.park_until(Deadline::after(BURST_IS_OVER)) {
                return true;
            }
            self.core.store.trim();
        }
        parker.park_until(end)
    }

    /// The others sleep and must see that all is over, too.
    pub(super) fn leave(&self) {
        self.free_spent();
        self.core.maybe_quiet();
        self.core.crew.wake_all();
        self.stop();
        if self.core.orphans.any() {
            self.reap();
            self.start_searching();
        }
        let leaves = self.core.crew.leave(self.number);
        debug_assert!(leaves, "a call that is not answered is a job that is not finished");
        self.core.left.notify();
    }
}
