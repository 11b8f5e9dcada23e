//! Waiting awake, for a little while.

use crate::sys::hint;

/// Rounds of spinning, each twice as long as the one before, so that many spinners leave the word's cache line alone
/// most of the time. Together they take about as long as going to sleep and being woken.
#[derive(Debug)]
pub(crate) struct Spin {
    round: u32,
}

impl Spin {
    pub(crate) fn new() -> Self {
        Self { round: 0 }
    }

    /// Passes some time. False, and at once, when it is time to sleep.
    pub(crate) fn again(&mut self) -> bool {
        if self.round >= hint::spin_rounds() {
            return false;
        }
        (0..1 << self.round).for_each(|_| hint::spin());
        self.round += 1;
        true
    }
}
