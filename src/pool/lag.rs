//! Whether a worker at its producer's heels lets the producer get ahead.

use crate::sys::hint;
use crate::sys::size::LAG;
use std::cell::Cell;

/// A run of fewer jobs is small: the worker is at the producer's heels, where both pay for every cache line they share.
const SMALL: usize = 64;

/// So many jobs at a time are worth the wait: more than a producer hands out who waits for the results of a few.
const ENOUGH: usize = 24;

/// Small runs after which no time is given, at most: some producers never get ahead, because they wait for what the
/// jobs bring.
const MOST: u32 = 255;

/// A worker's habit of waiting for [`LAG`] after a small run, as long as that leads to larger ones (`README.md`, "At
/// the producer's heels").
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Small runs after which it was not worth it in the end: so many are let pass until the next try.
    passes: Cell<u32>,
    /// How many of them are left.
    left: Cell<u32>,
    kept: Cell<bool>,
}

impl Lag {
    pub(super) fn is_due_after(run: usize) -> bool {
        (1..SMALL).contains(&run)
    }

    /// Lets some time pass, if that was worth it lately.
    pub(super) fn keep(&self) {
        if self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
        } else if hint::may_spin() {
            hint::linger(LAG);
            self.kept.set(true);
        }
    }

    /// So many jobs are visible in the lane that the worker looks at next.
    pub(super) fn judge(&self, visible: usize) {
        if self.kept.take() {
            let passes = if visible < ENOUGH { MOST.min(2 * self.passes.get() + 1) } else { 0 };
            self.passes.set(passes);
            self.left.set(passes);
        }
    }
}
