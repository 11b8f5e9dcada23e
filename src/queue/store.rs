//! The segments of one pool: recycled memory, and the way from an id to a cell.

use super::arena::{Arena, OutOfMemory, Spare};
use super::cell::{Claim, Item, Taken};
use super::oldest::Oldest;
use super::registry::{Registry, SHARDS};
use super::segment::{self, Place, SLOT_BITS, SLOTS, SegmentRef};
use crate::sys::CachePadded;
use crate::sys::lock::{Lock, LockGuard};
use crate::sys::unique;
use std::collections::BinaryHeap;

/// Gives out segments, takes them back, and finds an item by its id.
#[derive(Debug)]
pub(crate) struct Store {
    /// Each queue takes from one, so that queues which are busy at the same time do not meet.
    arenas: [CachePadded<Lock<Arena>>; SHARDS],
    spare: Spare,
    registry: Registry,
    oldest: Lock<Oldest>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let arenas = std::array::from_fn(|number| CachePadded::new(Lock::new(Arena::new(number))));
        Self { arenas, spare: Spare::default(), registry: Registry::new(), oldest: Lock::default() }
    }

    fn arena(&self, number: usize) -> LockGuard<'_, Arena> {
        self.arenas[number % SHARDS].lock()
    }

    fn put(&self, segment: SegmentRef) {
        self.arena(segment.home.arena).put(segment, &self.spare);
    }

    /// A segment that begins a new lap, for the queue with this number.
    pub(super) fn take(&self, queue: usize) -> Result<SegmentRef, OutOfMemory> {
        let segment = self.arena(queue).take(&self.spare)?;
        let block = unique::number();
        // SAFETY: 1. the arena gives a segment to one.
        unsafe { segment.begin_lap(block) };
        if let Err(refused) = self.registry.insert(block, segment) {
            self.put(segment);
            return Err(refused);
        }
        Ok(segment)
    }

    /// Gives back `holds` on a segment, and recycles it after the last one.
    #[inline]
    pub(super) fn give_back(&self, segment: SegmentRef, holds: usize) {
        if segment.give_back(holds) {
            self.recycle(segment);
        }
    }

    #[cold]
    fn recycle(&self, segment: SegmentRef) {
        // First out of the registry, so that whoever still looks at a cell by id is waited for.
        self.registry.remove(segment.block());
        self.put(segment);
    }

    /// Whether there is memory to [`trim`](Self::trim).
    pub(crate) fn has_surplus(&self) -> bool {
        self.spare.is_surplus()
    }

    /// Gives memory that only a burst would need back to the system.
    pub(crate) fn trim(&self) {
        self.arenas.iter().for_each(|arena| arena.lock().trim(&self.spare));
    }

    /// Ends the lap of a segment that was taken and never shared.
    pub(super) fn put_unused(&self, segment: SegmentRef) {
        self.recycle(segment);
    }

    /// Owner: takes the item at `place`, unless it was revoked.
    ///
    /// # Safety
    ///
    /// 1. The caller owns the place: it lies in a range, or on a stack, that only the caller takes from. 2. The hold on
    ///    it has not been given back.
    #[inline(always)]
    pub(crate) unsafe fn claim(&self, place: Place) -> Option<Taken> {
        // SAFETY: the caller's 1 and 2.
        match unsafe { place.claim() } {
            Claim::Won(taken) => Some(taken),
            // SAFETY: the caller's 1 and 2; the claim above was contested.
            Claim::Contested => unsafe { self.claim_contested(place) },
        }
    }

    /// # Safety
    ///
    /// As for [`claim`](Self::claim), which was contested.
    #[cold]
    unsafe fn claim_contested(&self, place: Place) -> Option<Taken> {
        if place.is_hole() {
            return None;
        }
        // SAFETY: 1 and 2 are the caller's; 3. the shard's lock pins the segment.
        self.registry.pinned(place.block(), |_| unsafe { place.claim_pinned() })
    }

    /// The number of the lane that the item with this id lies in, or lay in, if it is known.
    pub(crate) fn lane_of(&self, id: u64) -> Option<usize> {
        self.registry.pinned(id >> SLOT_BITS, |segment| segment.lane()).map(|(lane, _)| lane)
    }

    /// Takes the item with this id, if `is_alone` says of the number of its lane and its position there that only
    /// revokers can come to it.
    pub(super) fn take_out(&self, id: u64, is_alone: impl FnOnce(usize, u64) -> bool) -> Option<Item> {
        let slot = id as usize % SLOTS;
        self.registry.pinned(id >> SLOT_BITS, |segment| {
            let (lane, base) = segment.lane()?;
            if !is_alone(lane, base + slot as u64) {
                return None;
            }
            // SAFETY: 1. and 2. nobody owns the slot, and 3. the shard's lock pins the segment and keeps revokers out.
            let taken = unsafe { Place { segment, slot }.claim_pinned() }?;
            // SAFETY: 1. as above.
            Some(unsafe { taken.copy() })
        })
    }

    /// Takes the item with this id, if it is still queued.
    pub(crate) fn revoke(&self, id: u64) -> Option<Item> {
        let slot = id as usize % SLOTS;
        self.registry.pinned(id >> SLOT_BITS, |segment| {
            let mut found = None;
            let place = Place { segment, slot };
            // SAFETY: the shard's lock pins the segment and keeps other revokers out.
            unsafe { segment::revoke(std::iter::once(place), |_, item| found = Some(item)) };
            found
        })
    }

    /// Takes the queued item with the lowest id: the oldest of its lane, and about the oldest of all.
    pub(crate) fn revoke_oldest(&self) -> Option<(u64, Item)> {
        self.oldest.lock().take(|| self.blocks(), |block| self.revoke_first(block))
    }

    /// Blocks that are in a lap, ascending. Where a lane has several, none is missing but the last.
    fn blocks(&self) -> Vec<u64> {
        // A lane takes the next block when the last one can be found. What is numbered after this may be found before
        // an older one of its lane, in another shard, that was not there yet when this looked.
        let end = unique::next();
        let mut blocks = self.registry.blocks();
        blocks.retain(|&block| block < end);
        blocks.sort_unstable();
        blocks
    }

    /// Takes the first item that is queued in a block; and says whether there is no other one, nor will be.
    fn revoke_first(&self, block: u64) -> (Option<(u64, Item)>, bool) {
        let look = |segment| {
            let last = Place { segment, slot: SLOTS - 1 };
            let is_full = last.was_filled(); // Before the look at the others, which were filled by then.
            let mut places = (0..SLOTS).map(|slot| Place { segment, slot }).filter(Place::is_queued);
            let first = places.find_map(|place| {
                let mut found = None;
                // SAFETY: the shard's lock pins the segment and keeps other revokers out.
                unsafe { segment::revoke(std::iter::once(place), |id, item| found = Some((id, item))) };
                found
            });
            let is_last = first.as_ref().is_none_or(|&(id, _)| id == last.id());
            Some((first, is_full && is_last))
        };
        self.registry.pinned(block, look).unwrap_or((None, true))
    }

    /// Whether the item with this id is queued. Exact for one that was queued before: false once somebody has it.
    pub(crate) fn is_queued(&self, id: u64) -> bool {
        let look = |segment| Some(Place { segment, slot: id as usize % SLOTS }.is_queued());
        self.registry.pinned(id >> SLOT_BITS, look).unwrap_or(false)
    }

    /// Takes every item that is queued at this moment, and gives each with its id to `revoked`, which holds no lock up.
    pub(crate) fn revoke_all(&self, mut revoked: impl FnMut(u64, Item)) {
        for block in self.registry.blocks() {
            let found = self.registry.pinned(block, |segment| {
                let mut found = Vec::new();
                let places = (0..SLOTS).map(|slot| Place { segment, slot });
                // SAFETY: the shard's lock pins the segment and keeps other revokers out.
                unsafe { segment::revoke(places, |id, item| found.push((id, item))) };
                Some(found)
            });
            found.into_iter().flatten().for_each(|(id, item)| revoked(id, item));
        }
    }

    /// The ids of the items that nobody has come to yet, ascending.
    pub(crate) fn queued(&self) -> Vec<u64> {
        let blocks = BinaryHeap::from(self.registry.blocks()).into_sorted_vec();
        let queued_in = |block| {
            self.registry.pinned(block, |segment| {
                let places = (0..SLOTS).map(|slot| Place { segment, slot });
                Some(places.filter(|place| place.is_queued()).map(Place::id).collect::<Vec<_>>())
            })
        };
        blocks.into_iter().filter_map(queued_in).flatten().collect()
    }
}
