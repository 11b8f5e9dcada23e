//! How late sleeps end.

use crate::sys::hint;
use std::time::Duration;

/// What is waited for without sleeping takes no longer than this.
const MOST: u64 = Duration::from_micros(100).as_nanos() as u64;

/// How late the sleeps of a thread end, in nanoseconds: the kernel must notice, and wake a core. Who knows it asks for so much
/// less. It falls at once and grows slowly: so it is about what the earliest one of ten was late, most sleeps end when the moment
/// has come, and the others a few microseconds before.
#[derive(Debug, Default)]
pub(super) struct Lateness(u64);

impl Lateness {
    /// Nothing where waiting would keep the only core from everybody else.
    pub(super) fn expected(&self) -> u64 {
        if hint::may_spin() { self.0 } else { 0 }
    }

    /// A sleep has ended so late.
    pub(super) fn note(&mut self, late: u64) {
        let late = late.min(MOST);
        match late.checked_sub(self.0) {
            Some(more) => self.0 += more / 16,
            None => self.0 -= (self.0 - late) / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lateness, MOST};

    #[test]
    fn what_is_expected_is_less_than_what_mostly_comes() {
        let mut lateness = Lateness::default();
        let (mut before, mut early) = (0, 0);
        for sleep in 0..10_000_u64 {
            let late = 50_000 + sleep * 7919 % 10_000;
            before += u64::from(sleep >= 100 && late < lateness.0);
            early += lateness.0.saturating_sub(late);
            lateness.note(late);
        }
        assert!(lateness.0 > 49_000, "{}", lateness.0);
        assert!(before < 4_000, "{before} of 10000 sleeps end before the moment");
        assert!(early / 10_000 < 1_000, "{early} ns are waited for in 10000 sleeps");
    }

    #[test]
    fn one_sleep_that_ends_late_changes_little_and_one_that_does_not_changes_much() {
        let mut lateness = Lateness::default();
        lateness.note(u64::MAX);
        assert_eq!(lateness.0, MOST / 16);
        (0..1000).for_each(|_| lateness.note(u64::MAX));
        assert!(lateness.0 <= MOST);
        (0..20).for_each(|_| lateness.note(0));
        assert!(lateness.0 < 10, "{}", lateness.0);
    }
}
