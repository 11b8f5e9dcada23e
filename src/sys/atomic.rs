//! Atomic words: the standard ones, or the model checker's.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};

pub(crate) use std::sync::atomic::Ordering;

/// Whether zeroed memory holds valid atomics with the value 0.
pub(crate) const ZEROED_IS_NEW: bool = cfg!(not(loom));

/// Adds 1, as the only thread that changes the counter, and returns the sum. Release: pairs with an acquire load of it.
#[inline]
pub(crate) fn count(counter: &AtomicU64) -> u64 {
    count_up(counter, 1)
}

/// As [`count`], but adds `by`.
#[inline]
pub(crate) fn count_up(counter: &AtomicU64, by: usize) -> u64 {
    let count = counter.load(Ordering::Relaxed) + by as u64;
    counter.store(count, Ordering::Release);
    count
}

/// Sets flags to false by a few wide stores. (The compiler does not combine atomic ones.)
///
/// # Safety
///
/// 1. No other thread accesses them meanwhile.
pub(crate) unsafe fn clear(flags: &[AtomicBool]) {
    #[cfg(loom)]
    flags.iter().for_each(|flag| flag.store(false, Ordering::Relaxed));
    // SAFETY: atomics may be written through a shared reference, by 1 no other thread accesses these, and 0 is false.
    #[cfg(not(loom))]
    unsafe {
        flags.as_ptr().cast_mut().write_bytes(0, flags.len());
    }
}
