//! Loops that collect values, each written to its final place.

use super::call_sites::Site;
use super::core::Core;
use super::unwind::Payload;
use super::{loops, trial};
use crate::sys::lock::Lock;
use std::ops::Range;
use std::sync::Arc;
use std::{mem, ptr};

/// The values of `map` for 0 to `length` − 1, computed in a [loop](loops).
pub(crate) fn run<R: Send>(
    core: &Arc<Core>,
    length: usize,
    map: impl Fn(usize) -> R + Sync,
) -> Result<Vec<R>, Payload> {
    let buffer = Buffer::new(length);
    // SAFETY: 1. and 2. chunks of a loop lie in it and do not overlap.
    let chunk = |items| unsafe { buffer.fill(items, &map) };
    if let Some(rest) = trial::try_out(Site::of(&chunk), 0..length, 0, false, chunk) {
        loops::run(core, rest, &chunk)?;
    }
    // SAFETY: 1. the loop has run all items.
    Ok(unsafe { buffer.into_values() })
}

/// A buffer that several threads fill with values. Drops the written values, unless they are taken out.
struct Buffer<R> {
    /// Owns the memory; its length is 0 until the end.
    values: Vec<R>,
    first: *mut R,
    length: usize,
    /// The items whose values were written, if values need to be dropped.
    written: Lock<Vec<Range<usize>>>,
}

// SAFETY: 1. each value is written by one thread, and read after all writes have ended; 2. `R: Send`; 3. the lock
// guards the rest.
unsafe impl<R: Send> Sync for Buffer<R> {}

impl<R> Buffer<R> {
    fn new(length: usize) -> Self {
        let mut values = Vec::with_capacity(length);
        Self { first: values.as_mut_ptr(), values, length, written: Lock::new(Vec::new()) }
    }

    /// # Safety
    ///
    /// 1. The items are below the buffer's length. 2. No other call fills one of them.
    #[inline]
    unsafe fn fill(&self, items: Range<usize>, map: impl Fn(usize) -> R) {
        // SAFETY: the caller's 1.
        let mut written = Written { first: unsafe { self.first.add(items.start) }, length: 0 };
        for item in items.clone() {
            let value = map(item);
            // SAFETY: by the caller's 1: no more values are written than there are items.
            let place = unsafe { written.first.add(written.length) };
            // SAFETY: the caller's 2.
            unsafe { place.write(value) };
            written.length += 1;
        }
        mem::forget(written);
        if mem::needs_drop::<R>() {
            self.written.lock().push(items);
        }
    }

    /// # Safety
    ///
    /// 1. All items were filled.
    unsafe fn into_values(mut self) -> Vec<R> {
        self.written.lock().clear();
        let mut values = mem::take(&mut self.values);
        // SAFETY: the caller's 1.
        unsafe { values.set_len(self.length) };
        values
    }
}

impl<R> Drop for Buffer<R> {
    fn drop(&mut self) {
        for items in self.written.lock().drain(..) {
            // SAFETY: 1. filled items lie within the buffer.
            let first = unsafe { self.first.add(items.start) };
            drop(Written { first, length: items.len() });
        }
    }
}

/// Consecutive values, which are dropped with this.
struct Written<R> {
    first: *mut R,
    length: usize,
}

impl<R> Drop for Written<R> {
    fn drop(&mut self) {
        // SAFETY: 1. `length` values were written from `first` on; 2. nothing else refers to them.
        unsafe { ptr::slice_from_raw_parts_mut(self.first, self.length).drop_in_place() };
    }
}
