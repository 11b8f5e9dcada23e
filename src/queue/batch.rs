//! The run of items that one consumer is working through, whose rest thieves may take.

use super::segment::{Place, Range, Segment, SegmentRef};
use super::store::Store;
use crate::sys::atomic::{AtomicPtr, AtomicUsize, Ordering};
use crate::sys::fence;
use crate::sys::lock::Lock;
use std::ptr;

/// A consumer's range of slots. The owner advances from the front with plain stores; a thief takes the back half under
/// the lock. A range of one has no rest, and needs no lock. Protocol and proof: `README.md`, "Batch".
///
/// # Memory ordering
///
/// The lock orders installs, splits and retirements among each other. The owner's step and a thief's split are ordered
/// by the asymmetric fence pair; what lies in the slots was acquired with the range.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The first slot of the range; with it the segment is held until the range is replaced.
    start: Lock<usize>,
    segment: AtomicPtr<Segment>,
    next: AtomicUsize,
    end: AtomicUsize,
    /// The segment of a range of one place, which only the owner needs to know: then the other fields are not used.
    lone: AtomicPtr<Segment>,
}

impl Batch {
    /// Owner: takes a range over and returns its first place, which no thief can take from it. The range
    /// before it was retired.
    #[inline]
    pub(crate) fn install(&self, range: Range) -> Place {
        if range.len() == 1 {
            self.lone.store(range.segment.as_ptr(), Ordering::Relaxed);
        } else {
            self.publish(&range);
        }
        Place { segment: range.segment, slot: range.start }
    }

    /// Makes the range visible to thieves.
    fn publish(&self, range: &Range) {
        let mut start = self.start.lock();
        *start = range.start;
        self.segment.store(range.segment.as_ptr(), Ordering::Relaxed);
        self.next.store(range.start + 1, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Release);
    }

    /// Owner: the next place, which is its alone, or `None` when the range is used up.
    #[inline(always)]
    pub(crate) fn next(&self) -> Option<Place> {
        let slot = self.next.load(Ordering::Relaxed);
        if slot >= self.end.load(Ordering::Relaxed) {
            return None;
        }
        self.next.store(slot + 1, Ordering::Relaxed); // B1
        fence::light(); // B2
        if slot < self.end.load(Ordering::Relaxed) || self.is_mine(slot) {
            let segment = self.segment().expect("a range has a segment");
            return Some(Place { segment, slot });
        }
        None
    }

    /// B4. Race with a thief: before it moved `end` → the place is this owner's, after → the thief's. The thief
    /// decides, and sets `end` accordingly before it releases the lock.
    #[cold]
    fn is_mine(&self, slot: usize) -> bool {
        let _start = self.start.lock();
        let end = self.end.load(Ordering::Relaxed);
        if slot >= end {
            self.next.store(end, Ordering::Relaxed);
        }
        slot < end
    }

    /// Owner: gives back the holds of a range that is used up, and returns how many. None if it was given back before.
    #[inline]
    pub(crate) fn retire(&self, store: &Store) -> usize {
        let Some(lone) = Self::held(&self.lone) else { return self.retire_published(store) };
        self.lone.store(ptr::null_mut(), Ordering::Relaxed);
        store.give_back(lone, 1);
        1
    }

    fn retire_published(&self, store: &Store) -> usize {
        let Some(segment) = self.segment() else { return 0 };
        let mut start = self.start.lock();
        let holds = self.end.load(Ordering::Relaxed) - *start;
        *start = 0;
        self.segment.store(ptr::null_mut(), Ordering::Relaxed);
        self.next.store(0, Ordering::Relaxed);
        self.end.store(0, Ordering::Relaxed);
        drop(start);
        store.give_back(segment, holds);
        holds
    }

    /// How many places the owner has not reached: a hint that is exact while the owner does not advance.
    #[inline]
    pub(crate) fn rest(&self) -> usize {
        let end = self.end.load(Ordering::Acquire);
        end.saturating_sub(self.next.load(Ordering::Acquire))
    }

    /// Thief: takes the back half of the rest, rounded up, with the holds on it. The owner keeps at least its current
    /// slot.
    pub(crate) fn split(&self) -> Option<Range> {
        if self.rest() == 0 {
            return None;
        }
        let _start = self.start.lock();
        let rest = self.rest(); // T0
        if rest == 0 {
            return None;
        }
        let end = self.end.load(Ordering::Relaxed);
        let wanted = end - rest.div_ceil(2);
        self.end.store(wanted, Ordering::Relaxed); // T1
        fence::heavy(); // T2
        let next = self.next.load(Ordering::Relaxed); // T3
        // The owner may have advanced before it could observe `wanted`: what it has passed, or will decide about under
        // the lock that is held here, is its own.
        let middle = wanted.max(next).min(end);
        self.end.store(middle, Ordering::Relaxed); // T4
        let segment = self.segment()?;
        (middle < end).then_some(Range { segment, start: middle, end })
    }

    fn segment(&self) -> Option<SegmentRef> {
        Self::held(&self.segment)
    }

    /// The segment of one of the two pointers, which the batch holds.
    #[inline(always)]
    fn held(pointer: &AtomicPtr<Segment>) -> Option<SegmentRef> {
        // SAFETY: the pointer is null or a segment that the batch holds.
        unsafe { SegmentRef::from_ptr(pointer.load(Ordering::Relaxed)) }
    }
}
