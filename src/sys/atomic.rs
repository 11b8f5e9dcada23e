//! Atomic words: the standard ones, or the model checker's.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};

pub(crate) use std::sync::atomic::Ordering;

/// Whether zeroed memory is as good as atomics made of zeroes.
pub(crate) const ZEROED_IS_NEW: bool = cfg!(not(loom));

/// One more, by the only one who counts; returns how many. What was done before is seen by whoever sees it counted.
#[inline]
pub(crate) fn count(counter: &AtomicU64) -> u64 {
    count_up(counter, 1)
}

/// As [`count`], several at once.
#[inline]
pub(crate) fn count_up(counter: &AtomicU64, by: usize) -> u64 {
    let count = counter.load(Ordering::Relaxed) + by as u64;
    counter.store(count, Ordering::Release);
    count
}

/// Sets flags to false, by a few wide stores, which the compiler does not make of atomic ones.
///
/// # Safety
///
/// 1. Nobody else uses them meanwhile.
pub(crate) unsafe fn clear(flags: &[AtomicBool]) {
    #[cfg(loom)]
    flags.iter().for_each(|flag| flag.store(false, Ordering::Relaxed));
    // SAFETY: the memory of the flags, which is that of cells; by 1 nobody else uses it; zero is false.
    #[cfg(not(loom))]
    unsafe {
        flags.as_ptr().cast_mut().write_bytes(0, flags.len());
    }
}
