//! When consumers come to a lane: at once, or after letting its producer get ahead.

use crate::sys::atomic::{AtomicU64, Ordering};
use crate::sys::clock::Clock;
use crate::sys::size::real_or_modelled;
use std::time::Duration;

/// How long a lane is left alone: long enough for a busy producer to fill a large batch, and far shorter than waking a
/// thread takes.
pub(crate) const LAG: Duration = Duration::from_nanos(real_or_modelled(1300, 0));

/// If fewer items than this are visible, consumers are as fast as the producer, and both contend for the same cache
/// lines.
const FEW: usize = 256;

/// So many items make the wait worthwhile: more than a producer submits that waits for the results of a few.
const ENOUGH: usize = 24;

/// A try lasts for so many rests: a producer whose lane was contended speeds up slowly.
const TRY: u64 = 4;

/// The most checks without a try: some producers never get ahead, because they wait for the items' results.
const MOST: u32 = 255;

/// Decides whether a lane is left alone for [`LAG`] or two after few items were found in it: as long as that leads to
/// more (`README.md`, "Pace"). Under the lane's lock.
#[derive(Debug, Default)]
pub(super) struct Habit {
    /// The lane is left alone, and nothing was taken since.
    rests: bool,
    /// There was enough after the lane had been left alone.
    flows: bool,
    /// How many checks that find few are passed without a try, since the last tries did not succeed.
    passes: u32,
    /// How many of these are left.
    to_pass: u32,
}

impl Habit {
    /// The pace after a consumer has found `visible` items.
    pub(super) fn after(&mut self, visible: usize) -> Pace {
        if self.rests {
            self.flows = visible >= ENOUGH;
            self.passes = if self.flows { 0 } else { MOST.min(2 * self.passes + 1) };
            self.to_pass = self.passes;
        } else if visible >= ENOUGH {
            self.to_pass = 0;
        }
        // A single one, repeatedly, means a producer that waits for each, and would go to sleep over a rest.
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
    /// They check whether there are items.
    Open,
    /// They leave it alone for a moment, to see whether more comes then.
    Tried,
    /// More comes all the time: one consumer at a time checks, and takes what there is.
    Flows,
    /// The same, but they leave it alone for a moment.
    Rests,
}

/// A lane's pace. It only says when to come, so nothing else depends on when it is seen.
#[derive(Debug, Default)]
pub(super) struct PaceWord {
    /// Until when the lane is left alone, in nanoseconds; the lowest bit says that it flows.
    until: AtomicU64,
}

const FLOWS: u64 = 1;

impl PaceWord {
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
    fn a_producer_that_gets_ahead_is_left_alone_repeatedly() {
        let mut habit = Habit::default();
        assert_eq!(habit.after(2), Pace::Tried);
        assert_eq!(habit.after(ENOUGH), Pace::Rests, "much was there then");
        assert_eq!(habit.after(FEW - 1), Pace::Rests);
        assert_eq!(habit.after(FEW), Pace::Flows, "there is no need to wait for more");
        assert_eq!(habit.after(1), Pace::Rests, "it was not left alone before");
        assert_eq!(habit.after(ENOUGH - 1), Pace::Open, "it came to nothing");
    }

    #[test]
    fn a_producer_that_waits_is_left_alone_ever_more_seldom() {
        let mut habit = Habit::default();
        assert_eq!(tries(&mut habit, 1 + 2 + 4 + 8, 2), 4);
        tries(&mut habit, 4 * MOST, 2);
        let late = tries(&mut habit, 4 * (MOST + 1), 2);
        assert!((3..=4).contains(&late), "and not more seldom than that: {late}");
    }

    #[test]
    fn a_producer_of_one_item_at_a_time_is_never_left_alone() {
        assert_eq!(tries(&mut Habit::default(), 1000, 1), 0);
    }

    #[test]
    fn a_lane_that_has_enough_without_having_been_left_alone_is_tried_at_once() {
        let mut habit = Habit::default();
        tries(&mut habit, 1000, 2);
        assert_eq!(habit.after(ENOUGH), Pace::Tried);
        assert_eq!(Habit::default().after(FEW), Pace::Open, "there is much to do");
    }
}
