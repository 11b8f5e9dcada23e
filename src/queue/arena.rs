//! An arena of segments: where their memory is allocated and freed.

use super::segment::{Home, Segment, SegmentRef};
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::pages::Pages;
use crate::sys::size::real_or_modelled;
use std::ptr::NonNull;

/// The system has no more memory.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// Bytes that are requested from the system at a time: a huge page.
const SLAB_BYTES: usize = real_or_modelled(2 << 20, 1 << 14);

/// Bytes of the first slab of an arena.
const FIRST_SLAB_BYTES: usize = real_or_modelled(128 << 10, SLAB_BYTES);

const SEGMENTS_PER_SLAB: usize = SLAB_BYTES / size_of::<Segment>();

/// The first slab of an arena is backed page by page, and stays: most pools never fill it.
const SEGMENTS_OF_FIRST_SLAB: usize = FIRST_SLAB_BYTES / size_of::<Segment>();

/// How many segments at a time an arena grows by: after so many it asks whether that is [needed](Arena::must_grow).
const SEGMENTS_PER_STEP: usize = 8;
const _: () = assert!(SEGMENTS_PER_SLAB > 1 && SEGMENTS_OF_FIRST_SLAB > 1);

/// How many unused slabs, not counting first ones, all arenas of a pool together keep for the next burst; others are
/// returned to the system at once.
const KEPT_FOR_A_BURST: usize = 32;

/// How many of them are kept when the pool is idle.
const KEPT_AT_REST: usize = 2;

/// The number of slabs of a pool without a segment in use, not counting first ones, shared by its arenas.
#[derive(Debug, Default)]
pub(super) struct Spare(AtomicUsize);

impl Spare {
    fn more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn exceeds(&self, kept: usize) -> bool {
        self.0.load(Ordering::Relaxed) > kept
    }

    /// Whether there are more than are needed at rest.
    pub(super) fn is_surplus(&self) -> bool {
        self.exceeds(KEPT_AT_REST)
    }
}

/// Segments carved from slabs. Those of the lowest slabs are handed out first, so that the others become empty and are
/// returned to the system. Giving a segment back allocates nothing: there may be no memory.
#[derive(Debug)]
pub(super) struct Arena {
    number: usize,
    /// `None` where a slab was returned to the system.
    slabs: Vec<Option<Slab>>,
    /// No slab below this number has a free segment.
    lowest: usize,
}

#[derive(Debug)]
struct Slab {
    /// A linked list of the segments that were given back.
    free: Option<SegmentRef>,
    in_use: usize,
    carved: usize,
    segments: usize,
    /// Whether it is its arena's first, which is never returned to the system and so never counts as spare.
    stays: bool,
    pages: Pages,
}

impl Arena {
    pub(super) fn new(number: usize) -> Self {
        Self { number, slabs: Vec::new(), lowest: 0 }
    }

    /// Whether the next segment begins a piece of memory that was never used.
    pub(super) fn must_grow(&self) -> bool {
        !self.slabs.iter().skip(self.lowest).flatten().any(Slab::has_room)
    }

    /// Allocates a segment.
    pub(super) fn take(&mut self, spare: &Spare) -> Result<SegmentRef, OutOfMemory> {
        let open = self.slabs.iter().skip(self.lowest).position(|slab| slab.as_ref().is_some_and(Slab::is_open));
        let number = match open {
            Some(offset) => self.lowest + offset,
            None => self.add_slab(spare).ok_or(OutOfMemory)?,
        };
        self.lowest = number;
        let slab = self.slabs[number].as_mut().expect("an open slab exists");
        if slab.is_spare() {
            spare.less();
        }
        Ok(slab.take(Home { arena: self.number, slab: number }))
    }

    /// Frees a segment of this arena.
    pub(super) fn put(&mut self, segment: SegmentRef, spare: &Spare) {
        let number = segment.home.slab;
        let slab = self.slabs[number].as_mut().expect("a segment's slab exists");
        slab.put(segment);
        self.lowest = self.lowest.min(number);
        if !slab.is_spare() {
            return;
        }
        spare.more();
        if spare.exceeds(KEPT_FOR_A_BURST) {
            self.release(number, spare);
        }
    }

    /// Returns to the system what an idle pool does not need.
    pub(super) fn trim(&mut self, spare: &Spare) {
        for number in (0..self.slabs.len()).rev() {
            if spare.is_surplus() && self.slabs[number].as_ref().is_some_and(Slab::is_spare) {
                self.release(number, spare);
            }
        }
    }

    fn release(&mut self, number: usize, spare: &Spare) {
        self.slabs[number] = None;
        spare.less();
    }

    fn add_slab(&mut self, spare: &Spare) -> Option<usize> {
        self.slabs.try_reserve(1).ok()?;
        if self.slabs.is_empty() {
            self.slabs.push(Some(Slab::first()?));
            return Some(0);
        }
        let slab = Slab::further()?;
        let vacant = self.slabs.iter().position(Option::is_none);
        let number = vacant.unwrap_or(self.slabs.len());
        if vacant.is_none() {
            self.slabs.push(None);
        }
        self.slabs[number] = Some(slab);
        spare.more();
        Some(number)
    }
}

impl Slab {
    fn first() -> Option<Self> {
        let pages = Pages::map(FIRST_SLAB_BYTES, false)?;
        Some(Self { free: None, in_use: 0, carved: 0, segments: SEGMENTS_OF_FIRST_SLAB, stays: true, pages })
    }

    fn further() -> Option<Self> {
        let pages = Pages::map(SLAB_BYTES, true)?;
        Some(Self { free: None, in_use: 0, carved: 0, segments: SEGMENTS_PER_SLAB, stays: false, pages })
    }

    fn is_spare(&self) -> bool {
        self.in_use == 0 && !self.stays
    }

    fn is_open(&self) -> bool {
        self.in_use < self.segments
    }

    /// Whether it has a segment that was used before, or one of the piece that is being carved.
    fn has_room(&self) -> bool {
        self.is_open() && (self.free.is_some() || !self.carved.is_multiple_of(SEGMENTS_PER_STEP))
    }

    /// The slab must be open.
    fn take(&mut self, home: Home) -> SegmentRef {
        self.in_use += 1;
        match self.free {
            Some(segment) => {
                self.free = segment.next();
                segment
            }
            None => self.carve(home),
        }
    }

    fn put(&mut self, segment: SegmentRef) {
        segment.link(self.free);
        self.free = Some(segment);
        self.in_use -= 1;
    }

    fn carve(&mut self, home: Home) -> SegmentRef {
        // SAFETY: not all of the slab's segments are carved, so the address lies within the pages.
        let place: NonNull<Segment> = unsafe { self.pages.start().cast().add(self.carved) };
        self.carved += 1;
        // SAFETY: 1. the address is aligned, because pages are and a segment's size is a multiple of its alignment; the
        // pages are zeroed, and this part of them is handed out once.
        unsafe { Segment::carve(place, home) };
        // SAFETY: 1. the segment lives as long as the slab, which is dropped when no segment of it is in use.
        unsafe { SegmentRef::new(place) }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        for index in 0..self.carved {
            // SAFETY: the first `carved` segments of the pages were written.
            let segment: NonNull<Segment> = unsafe { self.pages.start().cast().add(index) };
            // SAFETY: the segment was initialised, and the slab is dropped when no segment of it is in use.
            unsafe { segment.drop_in_place() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, KEPT_AT_REST, KEPT_FOR_A_BURST, SEGMENTS_OF_FIRST_SLAB, SEGMENTS_PER_SLAB, Spare};

    #[test]
    fn arenas_keep_no_more_together_than_one_would() {
        let spare = Spare::default();
        let mut arenas = [0, 1, 2].map(Arena::new);
        let all = SEGMENTS_OF_FIRST_SLAB + KEPT_FOR_A_BURST * SEGMENTS_PER_SLAB;
        let taken = arenas.each_mut().map(|arena| (0..all).map(|_| arena.take(&spare).unwrap()).collect::<Vec<_>>());
        assert!(!spare.is_surplus());
        for (arena, segments) in arenas.iter_mut().zip(taken) {
            segments.into_iter().for_each(|segment| arena.put(segment, &spare));
            assert!(!spare.exceeds(KEPT_FOR_A_BURST));
        }
        assert!(spare.exceeds(KEPT_FOR_A_BURST - 1));
        arenas.iter_mut().for_each(|arena| arena.trim(&spare));
        assert!(spare.exceeds(KEPT_AT_REST - 1) && !spare.is_surplus());
        let mapped = |arena: &Arena| arena.slabs.iter().flatten().count();
        assert_eq!(arenas.iter().map(mapped).sum::<usize>(), arenas.len() + KEPT_AT_REST);
    }
}
