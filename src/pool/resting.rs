//! What a worker without work does: it frees memory, checks for work a little longer, sleeps, and leaves at the pool's
//! end.

use super::timers::LookoutState;
use super::worker::Worker;
use crate::queue::Lane;
use crate::sync::{Deadline, Parker, awake};
use crate::sys::hint;
use crate::sys::reserve;
use crate::sys::size::real_or_modelled;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// A shorter sleep does not mean a lull: the next job may come as soon, and spinning would have been better. In models
/// every sleep is long.
const LONG_SLEEP: Duration = Duration::from_micros(real_or_modelled(50, 0));

/// After so long a sleep, memory that only a burst needs is returned to the system.
const TRIM_AFTER: Duration = Duration::from_millis(200);

/// Nanoseconds between two checks, per other searcher: each check takes a cache line from the producer or the worker
/// that writes it.
const CHECK_INTERVAL_NANOS: u32 = 300;

/// One check in so many covers everything, others' batches included.
const FULL_CHECK_EVERY: u32 = 16;

/// What a worker remembers of its last sleep.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastSleep {
    /// The station's count of finished jobs at the time.
    pub(super) finished: u64,
    pub(super) was_long: bool,
    /// How many jobs of timers the worker had run.
    ticks: u64,
}

impl LastSleep {
    /// For a worker that has not slept yet.
    pub(super) fn new(finished: u64) -> Self {
        Self { finished, was_long: false, ticks: 0 }
    }
}

impl Worker {
    /// Checks for work a little longer, then sleeps until it is woken. False if the worker has slept too long, and is
    /// to leave.
    pub(super) fn rest(&self) -> bool {
        if !self.retired.borrow().is_empty() {
            self.free_retired();
        }
        if self.core.orphans.any() {
            self.reap();
        }
        self.core.notify_quiet();
        if self.core.crew.has_surplus() {
            return self.stand_by();
        }
        // Race: it took no work because of a surplus, and another worker has stood by since.
        self.start_searching();
        let lull = self.is_lull();
        if !lull && self.check_on() {
            return true;
        }
        let reason = || self.is_wanted() || self.core.is_over();
        let sleep = |parker: &Parker| self.sleep(|end| self.sleep_for_timers(parker, end));
        self.count_timer_sleeps();
        let at_bottom = self.prepare_lookout();
        let woken = self.core.crew.park(self.number, at_bottom, lull, reason, sleep);
        self.after_sleep() || woken
    }

    fn count_timer_sleeps(&self) {
        let (jobs, ticks) = (self.since_sleep(), self.ticks.get() - self.last_sleep.get().ticks);
        if jobs > 0 {
            self.timer_sleeps.set(if ticks == jobs { self.timer_sleeps.get().saturating_add(1) } else { 0 });
        }
    }

    fn is_wanted(&self) -> bool {
        self.sees_work() || self.station.is_called()
    }

    /// Checks for work for some microseconds. Meanwhile this worker is searching, so no submit makes a system call
    /// (`README.md`, "Before a sleep").
    fn check_on(&self) -> bool {
        let (checks, passes) = (Cell::new(0_u32), Cell::new(0));
        let ready = || {
            if passes.get() > 0 {
                passes.set(passes.get() - 1);
                return false;
            }
            let others = self.core.crew.census.read().searching().saturating_sub(1);
            passes.set(others as u32 * hint::pauses_in(CHECK_INTERVAL_NANOS));
            checks.set(checks.get().wrapping_add(1));
            if checks.get().is_multiple_of(FULL_CHECK_EVERY) { self.is_wanted() } else { self.is_invited() }
        };
        awake::look_on(ready, || self.core.lanes.counted())
    }

    /// As [`is_wanted`](Self::is_wanted), without other workers' batches and the lanes that are left alone.
    fn is_invited(&self) -> bool {
        self.core.has_queued_work(self.round.turn(), Lane::invites) || self.station.is_called()
    }

    /// Drops outcomes that nobody will read. Their destructors are user code, but not a job.
    #[cold]
    pub(super) fn reap(&self) {
        if self.searching.get() {
            self.stop_searching();
        }
        self.reaping.set(true);
        self.core.orphans.reap();
        self.reaping.set(false);
        self.failure.take();
        self.station.set_running(false);
        self.start_searching(); // In any case: the start hook is called when a search ends.
    }

    /// Whether the pool is in a lull: this worker has run one job since a long sleep, and all others sleep. The next
    /// job will not come at once, and the thread that submits or waits may need this core, because systems like to wake
    /// a thread on its waker's core.
    pub(super) fn is_lull(&self) -> bool {
        self.last_sleep.get().was_long && self.since_sleep() == 1 && self.core.crew.census.read().others_sleep()
    }

    /// Jobs finished since the last sleep.
    pub(super) fn since_sleep(&self) -> u64 {
        self.station.finished() - self.last_sleep.get().finished
    }

    /// Sleeps until it gets a token. After a burst it wakes once to return memory to the system. False if there is no
    /// token when the idle timeout is over.
    pub(super) fn sleep(&self, sleep_until: impl Fn(Deadline) -> bool) -> bool {
        let end = self.core.settings.idle_timeout.map_or(Deadline::NEVER, Deadline::after);
        let began = Instant::now();
        self.station.wake_cpu.ask_for_waker(!self.last_sleep.get().was_long);
        let woken = self.sleep_and_trim(sleep_until, end);
        let was_long = self.idle_time(began) >= LONG_SLEEP;
        if woken && !was_long && self.station.wake_cpu.shares_wakers_cpu() {
            awake::took_turns();
        }
        self.last_sleep.set(LastSleep { finished: self.station.finished(), was_long, ticks: self.ticks.get() });
        woken
    }

    /// How long it slept until it was woken, without the time that waking up took.
    fn idle_time(&self, began: Instant) -> Duration {
        match self.station.take_woken_at() {
            Some(woken_at) => {
                awake::note_wake_up(woken_at.elapsed());
                woken_at.saturating_duration_since(began)
            }
            None => began.elapsed(),
        }
    }

    fn sleep_and_trim(&self, sleep_until: impl Fn(Deadline) -> bool, end: Deadline) -> bool {
        if self.core.store.has_surplus() || reserve::needs_trim() {
            if sleep_until(Deadline::after(TRIM_AFTER).min(end)) {
                return true;
            }
            if self.lookout_state.get() == LookoutState::Due {
                return false;
            }
            self.core.store.trim();
            reserve::trim();
        }
        sleep_until(end)
    }

    /// Leaves a pool that has ended, and wakes the sleepers, which must observe the end, too.
    pub(super) fn leave(&self) {
        self.free_retired();
        self.core.notify_quiet();
        self.core.crew.wake_all();
        if !self.prepare_to_leave() {
            return;
        }
        let leaves = self.core.crew.leave(self.number);
        debug_assert!(leaves, "a call that is not answered is a job that is not finished");
        self.core.left.notify();
    }
}
