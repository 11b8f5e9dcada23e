//! The one thread that sleeps until something is due.

use super::Fired;
use super::{Face, State, Timers};
use crate::pool::core::Core;
use crate::pool::unwind;
use crate::sync::Deadline;
use crate::sys::thread;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// While timers of both clocks wait and the monotonic one comes first, a change of the wall clock is noticed this late.
const GLANCE: Duration = Duration::from_secs(1);

impl Core {
    /// Makes sure that somebody sleeps for the timers. A manual clock needs nobody.
    pub(super) fn ensure_sleeper(self: &Arc<Self>, timers: &Timers, state: &mut State) -> io::Result<()> {
        if state.has_sleeper || timers.clock.is_manual() {
            return Ok(());
        }
        let core = Arc::clone(self);
        let body = move || unwind::abort_on_panic(|| core.sleep_and_fire());
        let thread = thread::start(self.thread_name_of("timer"), self.settings.stack_size, body)?;
        self.threads.lock().push(thread);
        state.has_sleeper = true;
        Ok(())
    }

    /// The sleeper's life.
    fn sleep_and_fire(self: &Arc<Self>) {
        thread::sleep_precisely();
        loop {
            match self.fire_as_sleeper() {
                Fired::Until(until) => self.timers().sleep(until),
                Fired::Closed => return,
            }
        }
    }
}

impl Timers {
    /// Sleeps until then, or until the alarm rings.
    fn sleep(&self, until: [u64; 2]) {
        let [monotonic, wall] = until;
        let left = monotonic.saturating_sub(self.now(Face::Monotonic));
        if wall != u64::MAX && wall.saturating_sub(self.now(Face::Wall)) <= left {
            self.alarm.park_for_wall(Duration::from_nanos(wall));
            return;
        }
        let glance = if wall == u64::MAX { u64::MAX } else { GLANCE.as_nanos() as u64 };
        let due = monotonic.min(self.now(Face::Monotonic).saturating_add(glance));
        self.alarm
            .park_until(self.clock.instant(due).filter(|_| due != u64::MAX).map_or(Deadline::NEVER, Deadline::from));
    }
}
