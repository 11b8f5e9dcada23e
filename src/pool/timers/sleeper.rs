//! The sleeper: the thread that sleeps for the timers.

use super::Fired;
use super::lateness::Lateness;
use super::{ClockKind, State, Timers};
use crate::pool::core::Core;
use crate::pool::{current, unwind};
use crate::sync::{Deadline, Parker, Roused};
use crate::sys::{hint, thread};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// While timers of both clocks wait, the wall clock is checked this often.
const WALL_CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Core {
    /// Starts the sleeper, unless it exists or the clock is manual.
    #[inline]
    pub(super) fn ensure_sleeper(self: &Arc<Self>, timers: &Timers, state: &mut State) -> io::Result<()> {
        if state.has_sleeper || timers.clock.is_manual() { Ok(()) } else { self.start_sleeper(state) }
    }

    #[cold]
    fn start_sleeper(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let core = Arc::clone(self);
        let body = move || unwind::abort_on_panic(|| core.sleep_and_fire());
        let thread = thread::start(self.thread_name("timer"), self.settings.stack_size, body)?;
        self.threads.add(thread);
        state.has_sleeper = true;
        Ok(())
    }

    /// Whether the sleeper exists.
    pub(in crate::pool) fn has_sleeper(&self) -> bool {
        self.known_timers().is_some_and(|timers| timers.state.lock().has_sleeper)
    }

    /// The system has refused a thread for visible work: the sleeper, if it exists, tries again until it gets one.
    #[cold]
    pub(in crate::pool) fn let_sleeper_retry(&self) {
        if let Some(timers) = self.known_timers() {
            timers.alarm.unpark();
        }
    }

    /// The body of the sleeper's thread.
    fn sleep_and_fire(self: &Arc<Self>) {
        current::belong_to(self);
        let _precisely = thread::sleep_precisely();
        let mut lateness = Lateness::default();
        loop {
            match self.fire_as_sleeper() {
                Fired::Until(until) => self.timers().sleep(until, &mut lateness),
                Fired::BehindLookout(until) => self.timers().sleep(until, &mut Lateness::default()),
                Fired::Closed => return self.left.notify(),
            }
        }
    }
}

/// How long to sleep by the monotonic clock before checking whether the wall clock has reached `due`. A sleep by the
/// wall clock would last too long for the other timers if that clock were set back.
fn wall_check(due: u64, now: u64) -> u64 {
    due.saturating_sub(now).min(WALL_CHECK_INTERVAL.as_nanos() as u64)
}

impl Timers {
    /// Sleeps until then, or until the alarm's token comes.
    fn sleep(&self, until: [u64; 2], lateness: &mut Lateness) {
        let [monotonic, wall] = until;
        if monotonic == u64::MAX && wall != u64::MAX {
            self.alarm.park_for_wall(Duration::from_nanos(wall));
            return;
        }
        let wall_check = if wall == u64::MAX { u64::MAX } else { wall_check(wall, self.now(ClockKind::Wall)) };
        let due = monotonic.min(self.now(ClockKind::Monotonic).saturating_add(wall_check));
        self.sleep_until(&self.alarm, due, Deadline::NEVER, lateness);
    }

    /// Sleeps until shortly before a moment of the monotonic clock, and spins for the rest. Returns what has roused the
    /// thread; `None` if nothing did before `due` or `end`.
    pub(super) fn sleep_until(
        &self,
        parker: &Parker,
        due: u64,
        end: Deadline,
        lateness: &mut Lateness,
    ) -> Option<Roused> {
        let aim = due.saturating_sub(lateness.expected());
        if aim > self.now(ClockKind::Monotonic) {
            let instant = self.clock.instant(aim).filter(|_| due != u64::MAX);
            let limit = instant.map_or(Deadline::NEVER, Deadline::from);
            let roused = parker.park_lightly(limit.min(end)); // T2
            if roused.is_some() || !limit.has_passed() {
                return roused;
            }
            lateness.note(self.now(ClockKind::Monotonic).saturating_sub(aim));
        }
        while self.now(ClockKind::Monotonic) < due && !parker.is_roused() {
            hint::spin(); // T3
        }
        None
    }
}
