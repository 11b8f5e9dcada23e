//! Numbers that are handed out once in the life of the process.

use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(loom))]
static NEXT: AtomicU64 = AtomicU64::new(1);
#[cfg(not(loom))]
static NEXT_PAGE: AtomicU64 = AtomicU64::new(0);

// The process is one execution of a model, so that each gets the same numbers.
#[cfg(loom)]
loom::lazy_static! {
    static ref NEXT: AtomicU64 = AtomicU64::new(1);
    static ref NEXT_PAGE: AtomicU64 = AtomicU64::new(0);
}

/// A number that this process has not seen before and will not see again. Never 0.
///
/// One number a nanosecond would last 584 years.
pub(crate) fn number() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// All numbers that were given out are lower.
pub(crate) fn next() -> u64 {
    NEXT.load(Ordering::Relaxed)
}

/// The same for numbers that are used up far more slowly, and have fewer bits to be told in.
pub(crate) fn page() -> u64 {
    NEXT_PAGE.fetch_add(1, Ordering::Relaxed)
}
