//! The segments of one pool: recycled memory, and the way from an id to a cell.

use super::arena::{Arena, OutOfMemory, Spare};
use super::cell::{Claim, Item, Taken};
use super::oldest::Oldest;
use super::registry::{Registry, SHARDS};
use super::segment::{Place, SLOT_BITS, SLOTS, SegmentRef, revoke};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::lock::{Lock, LockGuard};
use crate::sys::unique;

/// Gives out segments, takes them back, and finds an item by its id.
#[derive(Debug)]
pub(crate) struct Store {
    /// Each queue takes from one of them, so queues that are busy at the same time do not contend.
    arenas: [CachePadded<Lock<Arena>>; SHARDS],
    spare: Spare,
    registry: Registry,
    oldest: Lock<Oldest>,
    /// Whether any item was ever revoked: as long as none was, no queue has places to drop.
    has_revoked: AtomicBool,
}

impl Store {
    pub(crate) fn new() -> Self {
        let arenas = std::array::from_fn(|number| CachePadded::new(Lock::new(Arena::new(number))));
        Self {
            arenas,
            spare: Spare::default(),
            registry: Registry::new(),
            oldest: Lock::default(),
            has_revoked: AtomicBool::new(false),
        }
    }

    fn arena(&self, number: usize) -> LockGuard<'_, Arena> {
        self.arenas[number % SHARDS].lock()
    }

    fn put(&self, segment: SegmentRef) {
        self.arena(segment.home.arena).put(segment, &self.spare);
    }

    /// Whether the next segment of the queue with this number takes memory that was never used.
    pub(super) fn must_grow(&self, queue: usize) -> bool {
        self.arena(queue).must_grow()
    }

    /// A segment that begins a new lap, for the queue with this number, and for the items of that group or of none.
    pub(super) fn take(&self, queue: usize, group: u64) -> Result<SegmentRef, OutOfMemory> {
        let segment = self.arena(queue).take(&self.spare)?;
        let block = unique::number();
        // SAFETY: 1. the arena gives a segment to one.
        unsafe { segment.begin_lap(block, group) };
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

    /// Ends the lap of a segment that no other thread holds.
    #[cold]
    pub(super) fn recycle(&self, segment: SegmentRef) {
        // First, because it waits for the threads that access a cell of the segment by id.
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

    /// What `look` finds in the place with this id, whose segment is pinned meanwhile; `None` for a stale id.
    fn pinned<R>(&self, id: u64, look: impl FnOnce(Place) -> Option<R>) -> Option<R> {
        let slot = id as usize % SLOTS;
        self.registry.pinned(id >> SLOT_BITS, |segment| look(Place { segment, slot }))
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

    /// Takes the item with this id, if it is still queued. If it lies in a lane, `hold` gets the number of that and the
    /// position there: what it returns keeps consumers away from the item meanwhile. Otherwise a heavy fence decides
    /// between them and the caller. If it is a group's, `leave` gets the number of that, before the item is taken.
    pub(crate) fn take_out<G, L>(
        &self,
        id: u64,
        hold: impl FnOnce(usize, u64) -> Option<G>,
        leave: impl FnOnce(u64) -> L,
    ) -> Option<(Item, Option<L>)> {
        let mut left = None; // If the item is another's in the end, this is dropped without the shard's lock.
        let item = self.pinned(id, |place| {
            let group = place.segment.group();
            if group.is_some() && !place.is_queued() {
                return None;
            }
            left = group.map(leave);
            let Some(_held) = place.segment.lane().and_then(|(lane, base)| hold(lane, base + place.slot as u64)) else {
                self.has_revoked.store(true, Ordering::Relaxed);
                // SAFETY: 1. the shard's lock pins the segment and excludes other revokers.
                return unsafe { place.revoke() };
            };
            // SAFETY: 1. and 2. no consumer can reach the slot; 3. the shard's lock pins the segment and excludes
            // revokers.
            let taken = unsafe { place.claim_pinned() }?;
            // SAFETY: 1. as above.
            Some(unsafe { taken.copy() })
        });
        Some((item?, left))
    }

    pub(super) fn has_revoked(&self) -> bool {
        self.has_revoked.load(Ordering::Relaxed)
    }

    /// Takes the queued item with the lowest id: the oldest of its lane, and about the oldest of all. `take_out` takes
    /// the item with an id, if it is still queued.
    pub(crate) fn take_oldest<T>(&self, take_out: impl Fn(u64) -> Option<T>) -> Option<(u64, T)> {
        self.oldest.lock().take(|| self.blocks(), |block| self.take_first(block, &take_out))
    }

    /// The blocks that are in a lap, ascending. If a lane has several of them, only its last ones may be missing.
    pub(super) fn blocks(&self) -> Vec<u64> {
        // Shards are read one after another, so a block may be seen while an older one of its lane, in a shard that was
        // read before, is not. Such a block is numbered after this: a lane takes one when the one before is registered.
        let end = unique::next();
        let mut blocks = self.registry.blocks();
        blocks.retain(|&block| block < end);
        blocks.sort_unstable();
        blocks
    }

    /// Takes the first item that is queued in a block. The flag says whether the block is used up: no other item is
    /// queued in it, nor will be.
    fn take_first<T>(&self, block: u64, take_out: impl Fn(u64) -> Option<T>) -> (Option<(u64, T)>, bool) {
        loop {
            let (first, used_up) = self.first_queued(block);
            let Some(id) = first else { return (None, used_up) };
            if let Some(item) = take_out(id) {
                return (Some((id, item)), used_up);
            }
            // Another thread has it, so it does not count as queued any more.
        }
    }

    /// The id of the first item that is queued in a block, and the flag.
    fn first_queued(&self, block: u64) -> (Option<u64>, bool) {
        let look = |segment: SegmentRef| {
            let last = Place { segment, slot: SLOTS - 1 };
            let is_full = last.was_filled(); // Checked before the other places, which are all filled if this one is.
            let first = segment.places().find(Place::is_queued).map(Place::id);
            Some((first, is_full && first.is_none_or(|id| id == last.id())))
        };
        self.registry.pinned(block, look).unwrap_or((None, true))
    }

    /// Whether the item with this id is queued. Exact for one that was queued before: false once it was taken.
    pub(crate) fn is_queued(&self, id: u64) -> bool {
        self.pinned(id, |place| Some(place.is_queued())) == Some(true)
    }

    /// Takes every item that is queued at this moment, and passes each with its id to `revoked`, without a lock. For a
    /// group's, `leave` gets the number of that: before any is taken, and then for each.
    pub(crate) fn revoke_all<L>(&self, leave: impl Fn(u64) -> L, mut revoked: impl FnMut(u64, Item, Option<L>)) {
        self.has_revoked.store(true, Ordering::Relaxed);
        for block in self.registry.blocks() {
            let found = self.registry.pinned(block, |segment| {
                let group = segment.group();
                let before = group.map(&leave);
                let mut found = Vec::new();
                // SAFETY: 1. the shard's lock pins the segment and excludes other revokers.
                unsafe { revoke(segment.places(), |id, item| found.push((id, item, group.map(&leave)))) };
                Some((found, before))
            });
            let Some((found, before)) = found else { continue };
            drop(before);
            found.into_iter().for_each(|(id, item, left)| revoked(id, item, left));
        }
    }

    /// The ids of the queued items, ascending.
    pub(crate) fn queued(&self) -> Vec<u64> {
        let mut blocks = self.registry.blocks();
        blocks.sort_unstable();
        let queued_in = |block| {
            self.registry.pinned(block, |segment| {
                Some(segment.places().filter(Place::is_queued).map(Place::id).collect::<Vec<_>>())
            })
        };
        blocks.into_iter().filter_map(queued_in).flatten().collect()
    }
}
