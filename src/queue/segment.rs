//! A run of cells that is filled once, emptied once and then recycled as a whole.

use super::cell::{Cell, Claim, Item, Taken};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, ZEROED_IS_NEW, clear};
use crate::sys::size::real_or_modelled;
use crate::sys::{fence, hint};
use std::hint::assert_unchecked;
use std::iter;
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// log2 of the cells in a segment.
pub(super) const SLOT_BITS: u32 = real_or_modelled(8, 1);

/// Cells in a segment.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;

/// No group has this number.
pub(super) const NO_GROUP: u64 = 0;

/// The holds that must be given back before a segment is recycled: one for each slot, and that of the queue it is in.
const HOLDS: usize = SLOTS + 1;

/// A lap is one use of a segment, from `begin_lap` until all holds were given back. Each has a block number of its own,
/// so an item's id, block × `SLOTS` + slot, is never used twice in a process.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(super) home: Home,
    block: AtomicU64,
    next: AtomicPtr<Segment>,
    /// The number of the group whose items lie in it; 0 if it is no group's.
    group: AtomicU64,
    /// The number of the lane that it is part of, plus 1; 0 if it is in no lane.
    lane: AtomicUsize,
    /// The position of the first cell in that lane.
    base: AtomicU64,
    given_back: CachePadded<AtomicUsize>,
    /// Whether a slot's owner has announced that it takes the item.
    started: CachePadded<[AtomicBool; SLOTS]>,
    cells: CachePadded<[Cell; SLOTS]>,
}

/// The arena and the slab that a segment's memory belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    pub(super) arena: usize,
    pub(super) slab: usize,
}

impl Segment {
    fn new(home: Home) -> Self {
        Self {
            home,
            block: AtomicU64::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            group: AtomicU64::new(NO_GROUP),
            lane: AtomicUsize::new(0),
            base: AtomicU64::new(0),
            given_back: CachePadded::new(AtomicUsize::new(0)),
            started: CachePadded::new(std::array::from_fn(|_| AtomicBool::new(false))),
            cells: CachePadded::new(std::array::from_fn(|_| Cell::new())),
        }
    }

    /// Makes a segment in zeroed memory, of which as little as possible is written.
    ///
    /// # Safety
    ///
    /// 1. `memory` is writable, zeroed, large enough and aligned for a segment, and not used by others.
    pub(super) unsafe fn carve(memory: NonNull<Self>, home: Home) {
        if ZEROED_IS_NEW {
            // SAFETY: by 1 the field lies within the memory.
            let field = unsafe { &raw mut (*memory.as_ptr()).home };
            // SAFETY: by 1; the rest is as `new` would make it: zero words, false bytes, a null pointer.
            unsafe { field.write(home) };
        } else {
            // SAFETY: by 1.
            unsafe { memory.write(Self::new(home)) };
        }
    }

    /// Begins a lap, for the items of a group or of [none](NO_GROUP). Sharing the segment publishes these stores.
    ///
    /// # Safety
    ///
    /// 1. No other thread accesses the segment now.
    pub(super) unsafe fn begin_lap(&self, block: u64, group: u64) {
        self.block.store(block, Ordering::Relaxed);
        self.group.store(group, Ordering::Relaxed);
        self.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.lane.store(0, Ordering::Relaxed);
        self.given_back.store(0, Ordering::Relaxed);
        self.cells[SLOTS - 1].forget();
        // SAFETY: the caller's 1.
        unsafe { clear(&self.started[..]) };
    }

    #[inline]
    pub(super) fn block(&self) -> u64 {
        self.block.load(Ordering::Relaxed)
    }

    /// The number of the group whose items lie here, if any.
    pub(super) fn group(&self) -> Option<u64> {
        Some(self.group.load(Ordering::Relaxed)).filter(|&group| group != NO_GROUP)
    }

    /// Makes it part of a lane, at most once in a lap.
    pub(super) fn join(&self, lane: usize, base: u64) {
        self.base.store(base, Ordering::Relaxed);
        self.lane.store(lane + 1, Ordering::Release);
    }

    /// The number of the lane that it is part of, if any, and the position of its first cell there.
    pub(super) fn lane(&self) -> Option<(usize, u64)> {
        let lane = self.lane.load(Ordering::Acquire).checked_sub(1)?;
        Some((lane, self.base.load(Ordering::Relaxed)))
    }

    /// Gives `count` holds back; true for the call that gives the last one, which then owns the segment.
    ///
    /// Acquire and release: the segment is recycled after everything that its holders did with it.
    #[must_use]
    pub(super) fn give_back(&self, count: usize) -> bool {
        self.given_back.fetch_add(count, Ordering::AcqRel) + count == HOLDS
    }
}

/// A segment of a store. It may be copied; it is dereferenced only by threads that hold the segment, or pin it.
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

    pub(super) fn link(self, next: Option<SegmentRef>) {
        self.next.store(next.map_or(ptr::null_mut(), |next| next.0.as_ptr()), Ordering::Release);
    }

    /// The segment linked behind this one.
    pub(super) fn next(self) -> Option<SegmentRef> {
        NonNull::new(self.next.load(Ordering::Acquire)).map(SegmentRef)
    }

    pub(super) fn places(self) -> impl Iterator<Item = Place> {
        (0..SLOTS).map(move |slot| Place { segment: self, slot })
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

/// The first id of a block.
pub(crate) fn first_id(block: u64) -> u64 {
    block << SLOT_BITS
}

/// One slot of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(super) segment: SegmentRef,
    pub(super) slot: usize,
}

impl Place {
    #[inline]
    pub(crate) fn id(self) -> u64 {
        let id = self.segment.block() << SLOT_BITS | self.slot as u64;
        // SAFETY: a lap's block number is never 0. This saves every submit a check of the id that it got.
        unsafe { assert_unchecked(id != 0) };
        id
    }

    /// Whether the item is queued and its owner has not announced itself. A hint, unless the caller claims the item.
    pub(super) fn is_queued(&self) -> bool {
        !self.started().load(Ordering::Relaxed) && self.cell().is_queued()
    }

    /// # Safety
    ///
    /// As for [`Cell::fill`].
    #[inline]
    pub(super) unsafe fn fill(self, item: Item) {
        // SAFETY: the caller's obligations are the cell's.
        unsafe { self.segment.cells[self.slot].fill(item) };
    }

    /// Owner: takes the item that lies here, unless a revoker is at work.
    ///
    /// # Safety
    ///
    /// 1. The caller owns the slot: it lies in a range, or on a stack, that only the caller takes from. 2. The hold on
    ///    it has not been given back.
    #[inline(always)]
    pub(super) unsafe fn claim(self) -> Claim {
        // SAFETY: the caller's 1 and 2; the closure makes the announcement.
        unsafe { self.cell().claim(|| self.started().store(true, Ordering::Relaxed)) }
    }

    /// Owner, while revokers are excluded: takes the item, unless it was revoked.
    ///
    /// # Safety
    ///
    /// As for [`claim`](Self::claim), and: 3. the caller pins the segment.
    pub(super) unsafe fn claim_pinned(self) -> Option<Taken> {
        // SAFETY: the caller's 1 to 3.
        unsafe { self.cell().claim_uncontested() }
    }

    /// Owner, after a contested claim: whether the item was taken out of its lane.
    pub(super) fn is_hole(&self) -> bool {
        self.cell().is_taken()
    }

    /// Takes the item that lies here, if it is queued and its owner has not taken it.
    ///
    /// # Safety
    ///
    /// 1. The caller pins the segment, and is its only revoker.
    pub(super) unsafe fn revoke(self) -> Option<Item> {
        let mut revoked = None;
        // SAFETY: the caller's 1.
        unsafe { revoke(iter::once(self), |_, item| revoked = Some(item)) };
        revoked
    }

    pub(super) fn block(self) -> u64 {
        self.segment.block()
    }

    /// Whether this place was filled in this lap. For the last place of a segment.
    pub(super) fn was_filled(self) -> bool {
        self.cell().was_filled()
    }

    /// For producers that fill one cell after another: the cell this far ahead was used in an earlier lap, so its line
    /// is in another core's cache. Measured: half the time of a submit while consumers keep up.
    #[inline(always)]
    pub(super) fn prepare_later(self) {
        const AHEAD: usize = 32;
        hint::will_write(&self.segment.cells[(self.slot + AHEAD) % SLOTS]);
    }

    fn cell(&self) -> &Cell {
        &self.segment.cells[self.slot]
    }

    fn started(&self) -> &AtomicBool {
        &self.segment.started[self.slot]
    }
}

/// Takes those of the places whose items are queued and not taken by their owners yet. One heavy fence serves all.
///
/// # Safety
///
/// 1. The caller pins the places' segment, and is its only revoker.
pub(super) unsafe fn revoke(places: impl Iterator<Item = Place>, mut revoked: impl FnMut(u64, Item)) {
    let marked: Vec<Place> =
        places.filter(|place| !place.started().load(Ordering::Relaxed) && place.cell().mark()).collect();
    if marked.is_empty() {
        return;
    }
    fence::heavy(); // X2
    for place in marked {
        if place.started().load(Ordering::Relaxed) {
            place.cell().unmark(); // X4
        } else {
            // SAFETY: 1. marked above, and no announcement after the fence; 2. the caller's 1.
            revoked(place.id(), unsafe { place.cell().take_marked() }); // X3
        }
    }
}

/// Slots `start..end` of a segment: the holds on them belong to the range.
#[derive(Debug)]
pub(crate) struct Range {
    pub(super) segment: SegmentRef,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Range {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}
