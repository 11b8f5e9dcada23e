//! Numbers that are used once in the life of the process.

use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(loom))]
static NEXT: AtomicU64 = AtomicU64::new(1);
#[cfg(not(loom))]
static NEXT_PAGE: AtomicU64 = AtomicU64::new(0);

// Per execution of a model, so that each gets the same numbers.
#[cfg(loom)]
loom::lazy_static! {
    static ref NEXT: AtomicU64 = AtomicU64::new(1);
    static ref NEXT_PAGE: AtomicU64 = AtomicU64::new(0);
}

/// A number that this process has not used before and will not use again. Never 0. At one per nanosecond they would
/// last for 584 years.
pub(crate) fn number() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// All numbers that were returned so far are lower than this.
pub(crate) fn next() -> u64 {
    NEXT.load(Ordering::Relaxed)
}

/// A number of a second, independent sequence, which is used up far more slowly and has fewer bits. May be 0.
pub(crate) fn page() -> u64 {
    NEXT_PAGE.fetch_add(1, Ordering::Relaxed)
}
