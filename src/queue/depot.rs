//! Where the memory of segments comes from and goes back to.

use super::segment::{Segment, SegmentRef};
use crate::sys::pages::Pages;
use crate::sys::size::SLAB_BYTES;
use std::ptr::NonNull;

/// The system has no more memory to give.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

const SEGMENTS_PER_SLAB: usize = SLAB_BYTES / size_of::<Segment>();
const _: () = assert!(SEGMENTS_PER_SLAB > 1);

/// Slabs that are kept although no segment of theirs is in use, for the next burst; more than that goes back to the
/// system at once.
const KEPT_FOR_A_BURST: usize = 32;

/// As many are kept when there is time to give the others back.
const KEPT_AT_REST: usize = 2;

/// Segments carved from slabs. Those of the lowest slabs are handed out first, so that the others empty and go. To give
/// a segment back takes no memory: there may be none.
#[derive(Debug, Default)]
pub(super) struct Depot {
    /// `None` where one went back to the system.
    slabs: Vec<Option<Slab>>,
    /// No slab below this number has a segment to give.
    lowest: usize,
    /// Slabs none of whose segments is in use.
    spare: usize,
}

#[derive(Debug)]
struct Slab {
    /// Segments that were given back: the last one, which is linked to the one before.
    free: Option<SegmentRef>,
    in_use: usize,
    carved: usize,
    pages: Pages,
}

impl Depot {
    /// A segment that nobody else has.
    pub(super) fn take(&mut self) -> Result<SegmentRef, OutOfMemory> {
        let open = self.slabs.iter().skip(self.lowest).position(|slab| slab.as_ref().is_some_and(Slab::is_open));
        let number = match open {
            Some(offset) => self.lowest + offset,
            None => self.add_slab().ok_or(OutOfMemory)?,
        };
        self.lowest = number;
        let slab = self.slabs[number].as_mut().expect("an open slab exists");
        if slab.is_spare() {
            self.spare -= 1;
        }
        Ok(slab.take(number))
    }

    /// Takes back a segment of this depot that nobody uses any more.
    pub(super) fn put(&mut self, segment: SegmentRef) {
        let number = segment.slab;
        let slab = self.slabs[number].as_mut().expect("a segment's slab exists");
        slab.put(segment);
        self.lowest = self.lowest.min(number);
        if !slab.is_spare() {
            return;
        }
        self.spare += 1;
        if self.spare > KEPT_FOR_A_BURST {
            self.release(number);
        }
    }

    pub(super) fn has_surplus(&self) -> bool {
        self.spare > KEPT_AT_REST
    }

    /// Gives back to the system what is not needed at rest.
    pub(super) fn trim(&mut self) {
        for number in (0..self.slabs.len()).rev() {
            if self.has_surplus() && self.slabs[number].as_ref().is_some_and(Slab::is_spare) {
                self.release(number);
            }
        }
    }

    fn release(&mut self, number: usize) {
        self.slabs[number] = None;
        self.spare -= 1;
    }

    fn add_slab(&mut self) -> Option<usize> {
        // The first slab grows page by page: most pools never fill it.
        let huge = !self.slabs.is_empty();
        self.slabs.try_reserve(1).ok()?;
        let slab = Slab { free: None, in_use: 0, carved: 0, pages: Pages::map(SLAB_BYTES, huge)? };
        let vacant = self.slabs.iter().position(Option::is_none);
        let number = vacant.unwrap_or(self.slabs.len());
        if vacant.is_none() {
            self.slabs.push(None);
        }
        self.slabs[number] = Some(slab);
        self.spare += 1;
        Some(number)
    }
}

impl Slab {
    fn is_spare(&self) -> bool {
        self.in_use == 0
    }

    fn is_open(&self) -> bool {
        self.in_use < SEGMENTS_PER_SLAB
    }

    /// For an open slab.
    fn take(&mut self, number: usize) -> SegmentRef {
        self.in_use += 1;
        match self.free {
            Some(segment) => {
                self.free = segment.next();
                segment
            }
            None => self.carve(number),
        }
    }

    fn put(&mut self, segment: SegmentRef) {
        segment.link(self.free);
        self.free = Some(segment);
        self.in_use -= 1;
    }

    fn carve(&mut self, number: usize) -> SegmentRef {
        // SAFETY: fewer than SEGMENTS_PER_SLAB are carved, so the address lies within the pages.
        let place: NonNull<Segment> = unsafe { self.pages.start().cast().add(self.carved) };
        self.carved += 1;
        // SAFETY: the address is aligned, pages are and a segment's size is a multiple of its alignment; the pages are
        // zeroed, and nobody else was given this part of them.
        unsafe { Segment::carve(place, number) };
        // SAFETY: the segment lives until the slab goes, and the slab goes when no segment of it is in use.
        unsafe { SegmentRef::new(place) }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        for index in 0..self.carved {
            // SAFETY: the first `carved` segments of the pages were written.
            let segment: NonNull<Segment> = unsafe { self.pages.start().cast().add(index) };
            // SAFETY: 1. the segment is initialised; 2. nobody uses it any more, the slab is going away.
            unsafe { segment.drop_in_place() };
        }
    }
}
