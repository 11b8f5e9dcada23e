//! More timers are due than are queued at once.

use super::{State, Timers};
use crate::pool::core::Core;
use crate::pool::producer;
use crate::sys::atomic::{AtomicU64, Ordering};

/// How many storms there were. Each counts as a pending job, so that a pool is not quiet before all that is due was
/// counted.
///
/// # Memory ordering
///
/// Changed under the timers' lock; as for all that quiescence sums, the releasing exchanges pair with acquiring loads.
#[derive(Debug)]
pub(in crate::pool) struct Storms {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Default for Storms {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), ended: AtomicU64::new(0) }
    }
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
    /// More is due than is queued at once, or not any more. What was queued meanwhile is counted by now.
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
    /// Queues all that is due by now, if workers have not come to it yet: it is about to be cancelled or run.
    #[cold]
    pub(in crate::pool) fn calm_storm(&self) {
        let Some(timers) = self.known_timers() else { return };
        let now = timers.clock.now();
        loop {
            let mut state = timers.state.lock();
            if !state.storm {
                return;
            }
            // SAFETY: 1. queues run no user's code, nor do the timers under their lock.
            let mut visit = unsafe { producer::visit(self) };
            if !self.round(timers, &mut state, &mut visit.lane, now, &mut 0) {
                timers.set_storm(self, &mut state, false);
                drop(state);
                drop(visit);
                self.queue_may_have_risen();
                return self.ended_elsewhere();
            }
        }
    }
}
