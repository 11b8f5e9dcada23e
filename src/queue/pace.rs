//! When consumers come to a lane: at once, or after they have let its producer get ahead.

use crate::sys::atomic::{AtomicU64, Ordering};
use crate::sys::clock::Clock;
use crate::sys::size::real_or_modelled;
use std::time::Duration;

/// How long a lane is let alone: long enough for a producer in full flight to fill a large batch, and far shorter than
/// waking anybody takes.
pub(crate) const LAG: Duration = Duration::from_nanos(real_or_modelled(1300, 0));

/// Where fewer items than this are visible, consumers are at the producer's heels: both pay for every cache line they
/// share.
const FEW: usize = 256;

/// So many items are worth the wait: more than a producer hands out who waits for the results of a few.
const ENOUGH: usize = 24;

/// A try lasts for so many rests: a producer whose lane consumers have been fighting over gets going slowly.
const TRY: u64 = 4;

/// Looks that found few after which the lane is not let alone, at most: some producers never get ahead, because they
/// wait for what the items bring.
const MOST: u32 = 255;

/// The habit of letting a lane alone for [`LAG`] or two after few items were found in it, as long as that leads to more
/// (`README.md`, "Pace"). Consumers keep it under the lane's lock.
#[derive(Debug, Default)]
pub(super) struct Habit {
    /// The lane is let alone, and nobody has taken from it since.
    rests: bool,
    /// Much was there when it had been let alone.
    flows: bool,
    /// Looks that found few after which it was not worth it in the end: so many are let pass until the next try.
    passes: u32,
    /// How many of them are to come.
    to_pass: u32,
}

impl Habit {
    /// So many items are visible, and somebody takes of them now. What consumers do then.
    pub(super) fn after(&mut self, visible: usize) -> Pace {
        if self.rests {
            self.flows = visible >= ENOUGH;
            self.passes = if self.flows { 0 } else { MOST.min(2 * self.passes + 1) };
            self.to_pass = self.passes;
        } else if visible >= ENOUGH {
            self.to_pass = 0;
        }
        // A single one, again and again, is somebody who waits for each, and goes to sleep over a rest.
        let few = visible < FEW && (self.flows || visible > 1);
        self.rests = few && self.to_pass == 0;
        if few {
            self.to_pass = self.to_pass.saturating_sub(1);
        }
        match (self.flows, self.rests) {
            (false, false) => Pace::Open,
            (false, true) => Pace::Tried,
            (true, false) => Pace::Flows,
            (true, true) => Pace::Rests,
        }
    }

    pub(super) fn flows(&self) -> bool {
        self.flows
    }
}

/// How consumers treat a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// They look whether there is something.
    Open,
    /// They let it alone for a moment, to see whether more comes then.
    Tried,
    /// More comes all the time: one at a time has a look, and takes what there is.
    Flows,
    /// The same, but for a moment they let it alone.
    Rests,
}

/// A lane's pace. It only says when to come, so nothing else depends on when it is seen.
#[derive(Debug)]
pub(super) struct PaceWord {
    /// Until when the lane is left alone, in nanoseconds; the lowest bit says that it flows.
    until: AtomicU64,
}

const FLOWS: u64 = 1;

impl PaceWord {
    pub(super) fn new() -> Self {
        Self { until: AtomicU64::new(0) }
    }

    pub(super) fn get(&self) -> Pace {
        let until = self.until.load(Ordering::Relaxed);
        let rests = until > FLOWS && Clock::system().now() < until;
        match (until & FLOWS, rests) {
            (FLOWS, true) => Pace::Rests,
            (FLOWS, false) => Pace::Flows,
            (_, true) => Pace::Tried,
            (_, false) => Pace::Open,
        }
    }

    pub(super) fn set(&self, pace: Pace) {
        let end = |rests: u64| (Clock::system().now() + rests * LAG.as_nanos() as u64) & !FLOWS;
        let until = match pace {
            Pace::Open => 0,
            Pace::Tried => end(TRY),
            Pace::Flows => FLOWS,
            Pace::Rests => end(2) | FLOWS,
        };
        if until != self.until.load(Ordering::Relaxed) {
            self.until.store(until, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, FEW, Habit, MOST, Pace};

    fn tries(habit: &mut Habit, looks: u32, visible: usize) -> u32 {
        (0..looks).filter(|_| habit.after(visible) == Pace::Tried).count() as u32
    }

    #[test]
    fn a_producer_that_gets_ahead_is_let_alone_again_and_again() {
        let mut habit = Habit::default();
        assert_eq!(habit.after(2), Pace::Tried);
        assert_eq!(habit.after(ENOUGH), Pace::Rests, "much was there then");
        assert_eq!(habit.after(FEW - 1), Pace::Rests);
        assert_eq!(habit.after(FEW), Pace::Flows, "nobody need wait for more");
        assert_eq!(habit.after(1), Pace::Rests, "it was not let alone before");
        assert_eq!(habit.after(ENOUGH - 1), Pace::Open, "it came to nothing");
    }

    #[test]
    fn a_producer_that_waits_is_let_alone_more_and_more_seldom() {
        let mut habit = Habit::default();
        assert_eq!(tries(&mut habit, 1 + 2 + 4 + 8, 2), 4);
        tries(&mut habit, 4 * MOST, 2);
        let late = tries(&mut habit, 4 * (MOST + 1), 2);
        assert!((3..=4).contains(&late), "and not more seldom than that: {late}");
    }

    #[test]
    fn a_producer_of_one_item_at_a_time_is_never_let_alone() {
        assert_eq!(tries(&mut Habit::default(), 1000, 1), 0);
    }

    #[test]
    fn a_lane_that_has_enough_without_having_been_let_alone_is_tried_at_once() {
        let mut habit = Habit::default();
        tries(&mut habit, 1000, 2);
        assert_eq!(habit.after(ENOUGH), Pace::Tried);
        assert_eq!(Habit::default().after(FEW), Pace::Open, "there is much to do");
    }
}
