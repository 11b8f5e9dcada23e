//! Loops over a slice that may change its items.

use super::call_sites::Site;
use super::core::Core;
use super::unwind::Payload;
use super::{loops, trial};
use std::ops::Range;
use std::sync::Arc;

/// A slice that is split among threads.
struct Parts<T>(*mut T);

// SAFETY: 1. each item is accessed by one thread at a time; 2. `T: Send`.
unsafe impl<T: Send> Sync for Parts<T> {}

impl<T> Parts<T> {
    /// # Safety
    ///
    /// 1. The range lies in the slice, which is borrowed for `'a`. 2. No other part overlaps it.
    unsafe fn part<'a>(&self, range: Range<usize>) -> &'a mut [T] {
        // SAFETY: the caller's 1.
        let first = unsafe { self.0.add(range.start) };
        // SAFETY: the caller's 1 and 2.
        unsafe { std::slice::from_raw_parts_mut(first, range.len()) }
    }
}

/// A [loop](loops) over parts of a slice, which `body` may change.
pub(crate) fn run<T: Send>(core: &Arc<Core>, items: &mut [T], body: impl Fn(&mut [T]) + Sync) -> Result<(), Payload> {
    let (length, parts) = (items.len(), Parts(items.as_mut_ptr()));
    let parts = &parts;
    // SAFETY: 1. chunks lie in the slice, which is borrowed until the loop has ended; 2. chunks of a loop do not
    // overlap.
    let chunk = |range| body(unsafe { parts.part(range) });
    match trial::try_out(Site::of(&chunk), 0..length, 0, true, chunk) {
        Some(rest) => loops::run(core, rest, &chunk),
        None => Ok(()),
    }
}
