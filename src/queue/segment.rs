//! A run of cells that is filled once, emptied once and then recycled as a whole.

use super::cell::{Cell, Item};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use crate::sys::size::SLOT_BITS;
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// Cells in a segment.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;

/// What must be given back before a segment is recycled: every slot, and the hold of the queue it is part of.
const HOLDS: usize = SLOTS + 1;

/// A lap is one use of a segment, from `begin_lap` until every hold was given back. It has a block number of its own,
/// so an item's id, block × `SLOTS` + slot, is never used twice in a process.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Which slab of the depot the memory belongs to.
    pub(super) slab: usize,
    block: AtomicU64,
    next: AtomicPtr<Segment>,
    given_back: CachePadded<AtomicUsize>,
    cells: CachePadded<[Cell; SLOTS]>,
}

impl Segment {
    pub(super) fn new(slab: usize) -> Self {
        Self {
            slab,
            block: AtomicU64::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            given_back: CachePadded::new(AtomicUsize::new(0)),
            cells: CachePadded::new(std::array::from_fn(|_| Cell::new())),
        }
    }

    /// Nobody but the caller has the segment now; sharing it publishes these stores.
    pub(super) fn begin_lap(&self, block: u64) {
        self.block.store(block, Ordering::Relaxed);
        self.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.given_back.store(0, Ordering::Relaxed);
    }

    pub(super) fn block(&self) -> u64 {
        self.block.load(Ordering::Relaxed)
    }

    /// Gives `count` holds back; true for the call that gives the last one, which then owns the segment.
    ///
    /// Acquire and release: whoever recycles the segment does so after everything its holders did with it.
    #[must_use]
    pub(super) fn give_back(&self, count: usize) -> bool {
        self.given_back.fetch_add(count, Ordering::AcqRel) + count == HOLDS
    }
}

/// A segment of a store. Copies are free; whoever dereferences one holds the segment or is its only user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRef(NonNull<Segment>);

// SAFETY: segments are shared between threads; every access to one is atomic or guarded by its state words.
unsafe impl Send for SegmentRef {}

impl SegmentRef {
    /// # Safety
    ///
    /// 1. `segment` points to a live segment, which outlives every copy of this reference.
    pub(super) unsafe fn new(segment: NonNull<Segment>) -> Self {
        Self(segment)
    }

    pub(super) fn link(self, next: SegmentRef) {
        self.next.store(next.0.as_ptr(), Ordering::Release);
    }

    /// The segment linked behind this one.
    pub(super) fn next(self) -> Option<SegmentRef> {
        NonNull::new(self.next.load(Ordering::Acquire)).map(SegmentRef)
    }

    pub(super) fn as_ptr(self) -> *mut Segment {
        self.0.as_ptr()
    }

    /// # Safety
    ///
    /// 1. `pointer` is null or came from `as_ptr` of a segment that lives.
    pub(super) unsafe fn from_ptr(pointer: *mut Segment) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }
}

impl Deref for SegmentRef {
    type Target = Segment;

    #[inline(always)]
    fn deref(&self) -> &Segment {
        // SAFETY: the obligation of `new`.
        unsafe { self.0.as_ref() }
    }
}

/// One slot of a segment that the holder of this value may look into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(super) segment: SegmentRef,
    pub(super) slot: usize,
}

impl Place {
    #[inline]
    pub(crate) fn id(self) -> u64 {
        self.segment.block() << SLOT_BITS | self.slot as u64
    }

    /// # Safety
    ///
    /// As for [`Cell::fill`].
    #[inline]
    pub(super) unsafe fn fill(self, item: Item) {
        // SAFETY: the caller's obligations are the cell's.
        unsafe { self.segment.cells[self.slot].fill(item) };
    }

    /// Takes the item that lies here, unless somebody else has.
    ///
    /// # Safety
    ///
    /// 1. The caller has not given back its hold on this slot.
    #[inline]
    pub(crate) unsafe fn claim(self) -> Option<Item> {
        // SAFETY: the hold keeps the segment from being recycled.
        unsafe { self.segment.cells[self.slot].claim() }
    }
}

/// Slots `start..end` of a segment: the holds on them belong to whoever has the range.
#[derive(Debug)]
pub(crate) struct Range {
    pub(super) segment: SegmentRef,
    pub(super) start: usize,
    pub(super) end: usize,
}
