//! Learns how late sleeps end.

use crate::sys::hint;
use std::time::Duration;

/// The most that a thread spins at the end of a sleep, in nanoseconds.
const MOST: u64 = Duration::from_micros(100).as_nanos() as u64;

/// By how many nanoseconds a thread's sleeps end late, which it subtracts from the next sleep. Estimates the median of
/// recent sleeps: half of them then end in time, and the others a few microseconds early.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pool) struct Lateness(u64);

impl Lateness {
    /// How late the next sleep is expected to end; 0 on a single core, where spinning would block all others.
    pub(super) fn expected(&self) -> u64 {
        if hint::may_spin() { self.0 } else { 0 }
    }

    /// Records that a sleep has ended so late.
    pub(super) fn note(&mut self, late: u64) {
        let late = late.min(MOST);
        match late.checked_sub(self.0) {
            Some(more) => self.0 += more / 8,
            None => self.0 -= (self.0 - late) / 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lateness, MOST};

    #[test]
    fn the_expectation_is_about_the_median() {
        let mut lateness = Lateness::default();
        let (mut before, mut early) = (0, 0);
        for sleep in 0..10_000_u64 {
            let late = 50_000 + sleep * 7919 % 10_000;
            before += u64::from(sleep >= 100 && late < lateness.0);
            early += lateness.0.saturating_sub(late);
            lateness.note(late);
        }
        assert!((53_000..57_000).contains(&lateness.0), "{}", lateness.0);
        assert!(before < 6_000, "{before} of 10000 sleeps end early");
        assert!(early / 10_000 < 2_000, "{early} ns of spinning in 10000 sleeps");
    }

    #[test]
    fn one_sleep_that_ends_much_later_or_earlier_changes_little() {
        let mut lateness = Lateness::default();
        lateness.note(u64::MAX);
        assert_eq!(lateness.0, MOST / 8);
        (0..1000).for_each(|_| lateness.note(u64::MAX));
        assert!(lateness.0 <= MOST);
        (0..100).for_each(|_| lateness.note(0));
        assert!(lateness.0 < 10, "{}", lateness.0);
    }
}
