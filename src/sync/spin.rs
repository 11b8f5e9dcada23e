//! Spinning before a sleep, for as long as that pays. Reasons: `README.md`, "Spinning".

use crate::sys::hint;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What a thread waits for. Each kind of wait has a history of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The end of a critical section, or something equally short.
    Section,
    /// The end of something that another thread does.
    Completion,
    /// New work.
    Arrival,
}

per_thread! {
    /// How long successful spins took lately, in pauses, and the number of failures since the last success. Once
    /// spinning is useless: 0, and the number of waits since the last try.
    HISTORY: [Cell<(u32, u32)>; 3] = [const { Cell::new((u32::MAX, 0)) }; 3]
}

per_thread! {
    /// How long the shortest sleep took lately, in nanoseconds.
    SHORTEST_SLEEP: Cell<u32> = Cell::new(*SLEEP.start())
}

/// The shortest time lately from a wake-up until the thread ran, in nanoseconds.
static WAKE_UP: AtomicU32 = AtomicU32::new(*SLEEP.start() / 2);

/// How often threads were asked to [try again](try_again).
static CHANGES: AtomicU32 = AtomicU32::new(0);

per_thread! {
    /// How many of [`CHANGES`] this thread has seen.
    SEEN: Cell<u32> = Cell::new(0)
}

/// What going to sleep and being woken may take, in nanoseconds: little on bare metal, much where a hypervisor has to
/// deliver the interrupt. A thread that spins no longer than that loses at most half.
const SLEEP: RangeInclusive<u32> = 4_000..=64_000;
/// How long a thread without work spins, in nanoseconds.
const SEARCH: u32 = 10_000;
/// The shortest spin, in nanoseconds: less is negligible beside a sleep.
const MIN_SPIN: u32 = 2_000;
/// After so many consecutive failures spinning is useless. One means little: the holder may have lost its core, and
/// then all waiters fail once.
const FAILURES: u32 = 8;
/// Where spinning is useless, it is tried once in so many waits, for the longest time: shorter spins would never reach
/// the end of a section that is longer.
const TRY_ONCE_IN: u32 = 32;
/// Pauses before the second check, in which the owner of the word's cache line can complete a few short sections.
const FIRST_PAUSES: u32 = 4;
/// The end of the wait is noticed late by one pause, or by this fraction of the wait: long waits read the cache line
/// seldom.
const MAX_DELAY: u32 = 64;

/// Spins for up to twice as long as successful spins took lately; not at all after many failures, as when there are
/// more threads than cores. Counts pauses, since reading the clock takes as long as a short section.
#[derive(Debug)]
pub(super) struct Spin {
    awaited: Awaited,
    paused: u32,
    limit: u32,
}

impl Spin {
    pub(super) fn new(awaited: Awaited) -> Self {
        Self { awaited, paused: 0, limit: if hint::may_spin() { awaited.limit() } else { 0 } }
    }

    /// As [`new`](Self::new), but spins for the longest time, unless spinning is useless.
    pub(super) fn long(awaited: Awaited) -> Self {
        let spin = Self::new(awaited);
        Self { limit: if spin.limit > 0 { awaited.most() } else { 0 }, ..spin }
    }

    /// Pauses before the next check. False, and without a pause, when it is time to sleep.
    pub(super) fn again(&mut self) -> bool {
        if self.paused < self.limit {
            let pauses = if self.paused == 0 { FIRST_PAUSES } else { (self.paused / MAX_DELAY).max(1) };
            (0..pauses).for_each(|_| hint::spin());
            self.paused += pauses;
            return true;
        }
        if self.limit > 0 {
            self.limit = 0;
            let (typical, failures) = self.awaited.history();
            let useless = typical == 0 || failures + 1 == FAILURES;
            self.awaited.remember(if useless { (0, 0) } else { ((typical - typical / 4).max(1), failures + 1) });
        }
        false
    }

    /// The wait has ended. A success of spinning, unless it ended before the first pause.
    pub(super) fn succeeded(&self) {
        if self.paused == 0 {
            return;
        }
        let (took, (typical, _)) = (self.paused, self.awaited.history());
        let typical = match typical {
            0 => took,
            _ if took > typical => typical + (took - typical).div_ceil(4),
            _ => typical - (typical - took) / 8,
        };
        self.awaited.remember((typical, 0));
    }
}

impl Awaited {
    /// The longest spin this time, in pauses.
    fn limit(self) -> u32 {
        let ((typical, skipped), most) = (self.history(), self.most());
        if typical > 0 {
            return (2 * typical).max(hint::pauses_in(MIN_SPIN)).min(most);
        }
        let skips = skipped < TRY_ONCE_IN && !is_new();
        self.remember((0, if skips { skipped + 1 } else { 0 }));
        if skips { 0 } else { most }
    }

    /// For a thread whose thread-locals are destroyed spinning is useless.
    fn history(self) -> (u32, u32) {
        let (typical, count) = HISTORY.try_with(|all| all[self as usize].get()).unwrap_or_default();
        (typical.min(self.most()), count)
    }

    /// The longest spin that may pay, in pauses.
    fn most(self) -> u32 {
        let sleep = match self {
            Self::Section => SHORTEST_SLEEP.try_with(Cell::get).unwrap_or(*SLEEP.start()),
            Self::Arrival => SEARCH,
            // The thread it waits for may have to be woken, too.
            Self::Completion => (2 * WAKE_UP.load(Ordering::Relaxed)).min(*SLEEP.end()),
        };
        hint::pauses_in(sleep)
    }

    fn remember(self, history: (u32, u32)) {
        let _ = HISTORY.try_with(|all| all[self as usize].set(history));
    }
}

/// Spinning may help again: a thread has found a core of its own. Where it was useless, it is tried once.
pub(super) fn try_again() {
    CHANGES.fetch_add(1, Ordering::Relaxed);
}

/// Whether [`try_again`] was called since this thread last asked.
fn is_new() -> bool {
    let changes = CHANGES.load(Ordering::Relaxed);
    SEEN.try_with(|seen| seen.replace(changes) != changes).unwrap_or(false)
}

/// Sleeps, and remembers how long that took.
pub(super) fn timed_sleep(sleep: impl FnOnce()) {
    if !hint::may_spin() {
        return sleep();
    }
    let began = Instant::now();
    sleep();
    let took = began.elapsed().as_nanos().clamp((*SLEEP.start()).into(), (*SLEEP.end()).into()) as u32;
    let _ = SHORTEST_SLEEP.try_with(|shortest| shortest.set(took.min(shortest.get() + shortest.get() / 8)));
}

/// Remembers that a thread ran `took` after it was woken.
pub(crate) fn note_wake_up(took: Duration) {
    let lately = WAKE_UP.load(Ordering::Relaxed);
    let took = took.as_nanos().clamp((*SLEEP.start() / 2).into(), (*SLEEP.end()).into()) as u32;
    WAKE_UP.store(took.min(lately + lately.div_ceil(8)), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::{Awaited, FAILURES, Spin, TRY_ONCE_IN, try_again};
    use crate::sys::hint;

    #[test]
    fn a_thread_tries_again_when_another_one_has_changed_its_core() {
        if !hint::may_spin() {
            return;
        }
        let spins = || {
            let mut spin = Spin::new(Awaited::Completion);
            let spins = spin.again();
            while spin.again() {}
            spins
        };
        assert!((0..FAILURES + TRY_ONCE_IN).any(|_| !spins()), "it is useless by now");
        try_again();
        assert!(spins());
    }
}
