//! Waiting awake, for a little while.

use crate::sys::hint;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What a thread waits for. Its luck with the one says nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The end of a critical section, or what comes as soon.
    Section,
    /// The end of something that another thread does.
    Completion,
    /// The next thing to do.
    Arrival,
}

per_thread! {
    /// How long waiting awake has been worth it lately, in pauses; and how often in turn it was not, or was not even
    /// tried.
    LUCK: [Cell<(u32, u32)>; 3] = [const { Cell::new((u32::MAX, 0)) }; 3]
}

per_thread! {
    /// How long a sleep took at least lately, in nanoseconds.
    NAP: Cell<u32> = Cell::new(*SLEEP.start())
}

/// How long it took lately, at least, from a wake-up until the thread ran, in nanoseconds.
static WAKE_UP: AtomicU32 = AtomicU32::new(*SLEEP.start() / 2);

/// What going to sleep and being woken may cost, in nanoseconds: little on bare metal, much where a hypervisor has to
/// send the interrupt. Who spins no longer than a sleep would have taken loses at most half.
const SLEEP: RangeInclusive<u32> = 4_000..=64_000;
/// How long a thread without anything to do looks for something.
const LOOK: u32 = 10_000;
/// What a try takes at least, in nanoseconds: less saves nothing beside a sleep.
const LEAST: u32 = 2_000;
/// A holder that has lost its core makes all others wait in vain, once. Only so many failures in turn say that nothing
/// helps.
const FAILURES: u32 = 8;
/// Where not even that was worth it, it is tried again once in so many waits, and then for as long as ever: a section
/// that is longer than the least would never be found out otherwise.
const ONCE_IN: u32 = 32;
/// Pauses before the second look: meanwhile the owner of the word's cache line can go through a few short sections.
const FIRST: u32 = 4;
/// What is waited for is noticed late by a pause, or by one part in so many of the wait: spinners that have been
/// waiting for long leave the cache line alone most of the time.
const LATE: u32 = 64;

/// Spins for twice as long as was worth it lately. Threads that had no luck, because there are more of them than cores,
/// soon go to sleep at once. Counts pauses, since reading the clock would take as long as the wait for a short section.
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

    /// Spins for as long as may ever be worth it, unless it never was lately.
    pub(super) fn long(awaited: Awaited) -> Self {
        let spin = Self::new(awaited);
        Self { limit: if spin.limit > 0 { awaited.most() } else { 0 }, ..spin }
    }

    /// Passes some time. False, and at once, when it is time to sleep.
    pub(super) fn again(&mut self) -> bool {
        if self.paused < self.limit {
            let pauses = if self.paused == 0 { FIRST } else { (self.paused / LATE).max(1) };
            (0..pauses).for_each(|_| hint::spin());
            self.paused += pauses;
            return true;
        }
        if self.limit > 0 {
            self.limit = 0;
            let (luck, failures) = self.awaited.luck();
            let hopeless = luck == 0 || failures + 1 == FAILURES;
            self.awaited.remember(if hopeless { (0, 0) } else { ((luck - luck / 4).max(1), failures + 1) });
        }
        false
    }

    /// What was waited for has come; if that took a while, it was worth it.
    pub(super) fn succeeded(&self) {
        if self.paused == 0 {
            return;
        }
        let (took, (luck, _)) = (self.paused, self.awaited.luck());
        let luck = match luck {
            0 => took,
            _ if took > luck => luck + (took - luck).div_ceil(4),
            _ => luck - (luck - took) / 8,
        };
        self.awaited.remember((luck, 0));
    }
}

impl Awaited {
    /// How many pauses to spend this time.
    fn limit(self) -> u32 {
        let ((luck, skipped), most) = (self.luck(), self.most());
        if luck > 0 {
            return (2 * luck).max(hint::pauses_in(LEAST)).min(most);
        }
        let skips = skipped < ONCE_IN;
        self.remember((0, if skips { skipped + 1 } else { 0 }));
        if skips { 0 } else { most }
    }

    /// Threads whose thread-locals are gone have no luck.
    fn luck(self) -> (u32, u32) {
        let (luck, tries) = LUCK.try_with(|places| places[self as usize].get()).unwrap_or_default();
        (luck.min(self.most()), tries)
    }

    /// How many pauses are worth a sleep.
    fn most(self) -> u32 {
        let sleep = match self {
            Self::Section => NAP.try_with(Cell::get).unwrap_or(*SLEEP.start()),
            Self::Arrival => LOOK,
            // Whom it waits for may have to be woken.
            Self::Completion => (2 * WAKE_UP.load(Ordering::Relaxed)).min(*SLEEP.end()),
        };
        hint::pauses_in(sleep)
    }

    fn remember(self, luck: (u32, u32)) {
        let _ = LUCK.try_with(|places| places[self as usize].set(luck));
    }
}

/// Sleeps, and remembers how long that took.
pub(super) fn asleep(sleep: impl FnOnce()) {
    if !hint::may_spin() {
        return sleep();
    }
    let began = Instant::now();
    sleep();
    let took = began.elapsed().as_nanos().clamp((*SLEEP.start()).into(), (*SLEEP.end()).into()) as u32;
    let _ = NAP.try_with(|nap| nap.set(took.min(nap.get() + nap.get() / 8)));
}

/// A thread was asleep, and ran so long after it was woken.
pub(crate) fn note_wake_up(took: Duration) {
    let lately = WAKE_UP.load(Ordering::Relaxed);
    let took = took.as_nanos().clamp((*SLEEP.start() / 2).into(), (*SLEEP.end()).into()) as u32;
    WAKE_UP.store(took.min(lately + lately.div_ceil(8)), Ordering::Relaxed);
}
