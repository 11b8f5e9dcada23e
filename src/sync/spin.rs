//! Waiting awake, for a little while.

use crate::sys::hint;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::time::{Duration, Instant};

per_thread! {
    /// How long waiting awake has been worth it lately, in nanoseconds; and how often in turn it was not even tried.
    LUCK: Cell<(u32, u32)> = Cell::new((MOST, 0))
}

/// About as long as going to sleep and being woken: who spins no longer loses at most half.
const MOST: u32 = 4000;
/// The time in which another core lets go of a short critical section.
const LEAST: u32 = 250;
/// Where not even that was worth it, it is tried again once in so many waits, and then for as long as ever: a section that
/// is longer than the least would never be found out otherwise.
const ONCE_IN: u32 = 32;
/// Pauses between two looks, so that many spinners leave the word's cache line alone most of the time.
const PAUSES: u32 = 3;

/// Spins for twice as long as was worth it lately, counted in time: a pause takes from 10 to 50 ns, as the core likes.
/// Threads that had no luck, because there are more of them than cores, soon go to sleep at once.
#[derive(Debug)]
pub(crate) struct Spin {
    began: Option<Instant>,
    pauses: u32,
}

impl Spin {
    pub(crate) fn new() -> Self {
        Self { began: (hint::may_spin() && is_worth_it()).then(Instant::now), pauses: 1 }
    }

    /// Passes some time. False, and at once, when it is time to sleep.
    pub(crate) fn again(&mut self) -> bool {
        let Some(began) = self.began else { return false };
        (0..self.pauses).for_each(|_| hint::spin());
        self.pauses = (self.pauses * 2).min(PAUSES);
        let luck = luck();
        let limit = if luck == 0 { MOST } else { (2 * luck + LEAST).min(MOST) };
        if began.elapsed() < Duration::from_nanos(limit.into()) {
            return true;
        }
        remember(if luck > LEAST { luck - luck / 4 } else { 0 });
        self.began = None;
        false
    }

    /// It was worth it.
    pub(crate) fn succeeded(&self) {
        if let Some(began) = self.began {
            let took = began.elapsed().as_nanos().clamp(1, MOST.into()) as u32;
            let luck = luck();
            remember(match luck {
                0 => took,
                _ if took > luck => luck + (took - luck).div_ceil(4),
                _ => luck - (luck - took) / 8,
            });
        }
    }
}

fn is_worth_it() -> bool {
    let (luck, skipped) = LUCK.try_with(Cell::get).unwrap_or_default();
    let skips = luck == 0 && skipped < ONCE_IN;
    let _ = LUCK.try_with(|place| place.set((luck, if skips { skipped + 1 } else { 0 })));
    !skips
}

/// Threads whose thread-locals are gone have no luck.
fn luck() -> u32 {
    LUCK.try_with(Cell::get).unwrap_or_default().0
}

fn remember(luck: u32) {
    let _ = LUCK.try_with(|place| place.set((luck, 0)));
}
