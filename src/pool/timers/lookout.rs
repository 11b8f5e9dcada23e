//! The lookout: an idle worker that sleeps for the timers, and runs the first due job itself. Protocol: `TIMERS.md`,
//! "Lookout".

use super::{ClockKind, GRACE, State, Timers};
use crate::pool::station::Station;
use crate::pool::worker::Worker;
use crate::sync::{Deadline, Parker, Roused};
use crate::sys::{CachePadded, thread};
use std::sync::Arc;

/// After so many sleeps in a row that ended with nothing but jobs of timers, a worker becomes the lookout although no
/// other sleeps.
const TIMER_SLEEPS: u32 = 2;

/// Whether a worker that sleeps is the lookout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::pool) enum LookoutState {
    #[default]
    Off,
    /// It becomes the lookout, unless another worker is.
    Ready,
    On,
    /// It is the lookout, and has woken because a timer is due.
    Due,
}

/// The worker that sleeps for the timers of the monotonic clock.
#[derive(Debug)]
pub(super) struct Lookout {
    station: Arc<CachePadded<Station>>,
    /// Until when the sleeper sleeps, by the same clock.
    sleeper_until: u64,
}

/// The thread that must be woken for an earlier timer.
#[derive(Debug)]
pub(super) enum WakeTarget {
    Sleeper,
    Lookout(Arc<CachePadded<Station>>),
}

impl Timers {
    /// U2. Called after the lock.
    #[cold]
    pub(super) fn ring(&self, target: &WakeTarget) {
        match target {
            WakeTarget::Sleeper => self.alarm.unpark(),
            WakeTarget::Lookout(station) => station.parker.nudge(),
        }
    }

    /// The lookout was woken for something else: L4.
    pub(in crate::pool) fn leave_lookout(&self) {
        let ring = self.state.lock().end_lookout(0);
        if ring {
            self.alarm.unpark();
        }
    }
}

impl State {
    /// U1. The thread that must be woken for a timer that is due then; `None` if it wakes in time anyway, or was
    /// already told.
    #[inline]
    #[must_use]
    pub(super) fn wake_target_for(&mut self, kind: ClockKind, due: u64) -> Option<WakeTarget> {
        let until = &mut self.asleep_until[kind as usize];
        if due >= *until {
            return None;
        }
        *until = due; // U1
        Some(self.wake_target(kind))
    }

    #[cold]
    fn wake_target(&self, kind: ClockKind) -> WakeTarget {
        match &self.lookout {
            Some(lookout) if kind == ClockKind::Monotonic => WakeTarget::Lookout(Arc::clone(&lookout.station)),
            _ => WakeTarget::Sleeper,
        }
    }

    /// L0. Makes a worker the lookout, unless another one is. Returns when the next timer is due.
    pub(in crate::pool) fn become_lookout(&mut self, station: &Arc<CachePadded<Station>>) -> Option<u64> {
        if self.lookout.as_ref().is_some_and(|lookout| !Arc::ptr_eq(&lookout.station, station)) {
            return None;
        }
        if self.storm {
            let _ = self.end_lookout(0);
            return None;
        }
        let until = &mut self.asleep_until[ClockKind::Monotonic as usize];
        let sleeper_until = *until;
        self.lookout.get_or_insert_with(|| Lookout { station: Arc::clone(station), sleeper_until });
        let next = self.next_timer(ClockKind::Monotonic);
        self.asleep_until[ClockKind::Monotonic as usize] = next; // L0
        Some(next)
    }

    /// L4. Ends the lookout. True if the sleeper must be woken, because it sleeps for longer than `grace` after the
    /// next timer.
    #[must_use]
    pub(super) fn end_lookout(&mut self, grace: u64) -> bool {
        let Some(lookout) = self.lookout.take() else { return false };
        let next = self.next_timer(ClockKind::Monotonic);
        let wake = next.saturating_add(grace) < lookout.sleeper_until;
        self.asleep_until[ClockKind::Monotonic as usize] = if wake { next } else { lookout.sleeper_until };
        wake // L4
    }

    /// T0: whether what is due is left to the lookout.
    pub(super) fn relies_on_lookout(&mut self, now: u64) -> bool {
        self.lookout.is_some() && self.by_wall == 0 && self.next_timer(ClockKind::Monotonic).saturating_add(GRACE) > now
    }

    /// T1: records until when the sleeper sleeps, by kind of clock.
    pub(super) fn set_sleeper_until(&mut self, until: [u64; 2]) {
        match &mut self.lookout {
            None => self.asleep_until = until,
            Some(lookout) => {
                lookout.sleeper_until = until[ClockKind::Monotonic as usize];
                self.asleep_until[ClockKind::Wall as usize] = until[ClockKind::Wall as usize];
            }
        }
    }

    /// Whether the sleeper must be woken for a deadline.
    #[must_use]
    pub(super) fn is_before_sleeper_wakes(&mut self, due: u64) -> bool {
        let until = match &mut self.lookout {
            None => &mut self.asleep_until[ClockKind::Monotonic as usize],
            Some(lookout) => &mut lookout.sleeper_until,
        };
        let earlier = due < *until;
        if earlier {
            *until = due;
        }
        earlier
    }
}

impl Worker {
    /// Called before a sleep: whether this worker is to be the lookout. Waking a thread from a timed sleep takes
    /// longer, so only a worker below other sleepers is, or one that was needed only for jobs of timers.
    pub(in crate::pool) fn prepare_lookout(&self) -> bool {
        let Some(timers) =
            self.core.known_timers().filter(|timers| !timers.clock.is_manual() && !self.core.is_closed())
        else {
            return false;
        };
        let suits = self.core.crew.census.read().idle() > 0 || self.timer_sleeps.get() >= TIMER_SLEEPS;
        let ready = suits && timers.state.lock().lookout.is_none();
        self.lookout_state.set(if ready { LookoutState::Ready } else { LookoutState::Off });
        ready
    }

    /// Sleeps until a token comes; false at the deadline, or when a timer is due.
    pub(in crate::pool) fn sleep_for_timers(&self, parker: &Parker, end: Deadline) -> bool {
        if self.lookout_state.get() == LookoutState::Off {
            parker.park_until(end)
        } else {
            self.sleep_as_lookout(parker, end)
        }
    }

    fn sleep_as_lookout(&self, parker: &Parker, end: Deadline) -> bool {
        let timers = self.core.timers();
        loop {
            let Some(due) = timers.state.lock().become_lookout(&self.station) else {
                self.lookout_state.set(LookoutState::Off);
                return parker.park_until(end);
            };
            self.lookout_state.set(LookoutState::On);
            if due <= timers.clock.now() {
                self.lookout_state.set(LookoutState::Due);
                return false;
            }
            let precisely = (due != u64::MAX).then(thread::sleep_precisely);
            let mut lateness = self.lateness.get();
            let roused = timers.sleep_until(parker, due, end, &mut lateness); // L1, L2
            self.lateness.set(lateness);
            drop(precisely);
            match roused {
                Some(Roused::ByToken) => return true,
                Some(Roused::ByNudge) => {}
                None if end.has_passed() => return false,
                None => {}
            }
        }
    }

    /// L4, called after every sleep. True if a timer has woken this worker, so that there is work although it got no
    /// token.
    pub(in crate::pool) fn after_sleep(&self) -> bool {
        match self.lookout_state.replace(LookoutState::Off) {
            LookoutState::Off | LookoutState::Ready => false,
            LookoutState::On => {
                self.core.timers().leave_lookout();
                false
            }
            LookoutState::Due => {
                self.core.fire_as_lookout();
                true
            }
        }
    }
}
