//! Storms: more timers are due than one check may touch. Protocol: `TIMERS.md`, "Storms".

use super::{State, Timers};
use crate::pool::core::Core;
use crate::pool::producer;
use crate::sys::atomic::{AtomicU64, Ordering};

/// Counts of storms. Each counts as a pending job, so that the pool is not quiescent before all that is due was queued.
///
/// # Memory ordering
///
/// Changed under the timers' lock; the releasing increments pair with the acquiring loads of quiescence.
#[derive(Debug, Default)]
pub(in crate::pool) struct Storms {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Storms {
    pub(in crate::pool) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    pub(in crate::pool) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }
}

impl Timers {
    /// Begins or ends a storm (W1 and W2, W7 and W8). What a storm has queued must be counted before its end.
    pub(super) fn set_storm(&self, core: &Core, state: &mut State, storm: bool) {
        if storm == state.storm {
            return;
        }
        state.storm = storm;
        if storm {
            core.storms.begun.fetch_add(1, Ordering::Release);
            core.front.promise(true);
        } else {
            core.front.promise(false);
            core.storms.ended.fetch_add(1, Ordering::Release);
            self.alarm.unpark();
        }
    }
}

impl Core {
    /// Ends a storm by queueing all that is due by now, before queued jobs are cancelled or the pool is closed.
    #[cold]
    pub(in crate::pool) fn finish_storm(&self) {
        let Some(timers) = self.known_timers() else { return };
        let now = timers.clock.now();
        loop {
            let mut state = timers.state.lock();
            if !state.storm {
                return;
            }
            // SAFETY: 1. queues and the timers run no user code under their locks.
            let mut visit = unsafe { producer::visit(self) };
            let (_, more) = self.fire_some(timers, &mut state, &mut visit.lane, now);
            if !more {
                timers.set_storm(self, &mut state, false);
                drop(state);
                drop(visit);
                self.check_high_mark();
                return self.ended_elsewhere();
            }
        }
    }
}
