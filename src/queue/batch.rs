//! The run of items one consumer is working through, whose rest others may take.

use super::segment::{Place, Range, Segment, SegmentRef};
use super::store::Store;
use crate::sys::atomic::{AtomicPtr, AtomicUsize, Ordering};
use crate::sys::lock::Lock;
use std::ptr;

/// A consumer's range of claimed slots. The owner walks it from the front without a lock; a thief takes the back half
/// under the lock. Both may try for a slot near the middle: the cell's exchange decides. Protocol: `README.md`, "Batch".
///
/// # Memory ordering
///
/// The lock orders installs, splits and retirements among each other. `next` and `end` decide nothing, so the owner's
/// walk needs no order: every slot it tries is held by the owner's own first slot until the batch is retired.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The first slot of the range; with it the segment is held until the range is replaced.
    start: Lock<usize>,
    segment: AtomicPtr<Segment>,
    next: AtomicUsize,
    end: AtomicUsize,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            start: Lock::new(0),
            segment: AtomicPtr::new(ptr::null_mut()),
            next: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
        }
    }

    /// Owner: takes a range over and returns its first place, which no thief can take from it. The range
    /// before it was retired.
    pub(crate) fn install(&self, range: Range) -> Place {
        let mut start = self.start.lock();
        *start = range.start;
        self.segment.store(range.segment.as_ptr(), Ordering::Relaxed);
        self.next.store(range.start + 1, Ordering::Release);
        self.end.store(range.end, Ordering::Release);
        Place { segment: range.segment, slot: range.start }
    }

    /// Owner: the next place to try, or `None` when the range is used up.
    #[inline]
    pub(crate) fn next(&self) -> Option<Place> {
        let slot = self.next.load(Ordering::Relaxed);
        if slot >= self.end.load(Ordering::Relaxed) {
            return None;
        }
        self.next.store(slot + 1, Ordering::Release);
        self.segment().map(|segment| Place { segment, slot })
    }

    /// Owner: gives back the holds of a range that is used up. Does nothing if it was given back before.
    pub(crate) fn retire(&self, store: &Store) {
        let Some(segment) = self.segment() else { return };
        let mut start = self.start.lock();
        let holds = self.end.load(Ordering::Relaxed) - *start;
        *start = 0;
        self.segment.store(ptr::null_mut(), Ordering::Relaxed);
        self.next.store(0, Ordering::Relaxed);
        self.end.store(0, Ordering::Relaxed);
        drop(start);
        store.give_back(segment, holds);
    }

    /// How many places nobody has tried yet, more or less: a hint that is exact once the owner stands still.
    #[inline]
    pub(crate) fn rest(&self) -> usize {
        let end = self.end.load(Ordering::Acquire);
        end.saturating_sub(self.next.load(Ordering::Acquire))
    }

    /// Thief: takes the back half of the rest, rounded up, with the holds on it. The owner keeps at least the slot
    /// it is at, so its segment stays held while it walks on with an `end` it read before.
    pub(crate) fn split(&self) -> Option<Range> {
        if self.rest() == 0 {
            return None;
        }
        let _start = self.start.lock();
        let end = self.end.load(Ordering::Relaxed);
        let rest = self.rest();
        if rest == 0 {
            return None;
        }
        let middle = end - rest.div_ceil(2);
        self.end.store(middle, Ordering::Release);
        self.segment().map(|segment| Range { segment, start: middle, end })
    }

    fn segment(&self) -> Option<SegmentRef> {
        // SAFETY: the pointer is null or a segment that this batch holds.
        unsafe { SegmentRef::from_ptr(self.segment.load(Ordering::Relaxed)) }
    }
}
