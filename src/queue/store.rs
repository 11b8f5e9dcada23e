//! The segments of one pool: recycled memory, and the way from an id to a cell.

use super::cell::Item;
use super::depot::Depot;
use super::registry::Registry;
use super::segment::{Place, SLOTS, SegmentRef};
use crate::sys::lock::Lock;
use crate::sys::size::SLOT_BITS;
use crate::sys::unique;

/// The system has no more memory to give.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// Gives out segments, takes them back, and finds an item by its id.
#[derive(Debug)]
pub(crate) struct Store {
    depot: Lock<Depot>,
    registry: Registry,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { depot: Lock::new(Depot::default()), registry: Registry::new() }
    }

    /// A segment that begins a new lap.
    pub(super) fn take(&self) -> Result<SegmentRef, OutOfMemory> {
        let segment = self.depot.lock().take().ok_or(OutOfMemory)?;
        let block = unique::number();
        segment.begin_lap(block);
        self.registry.insert(block, segment);
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
        self.depot.lock().put(segment);
    }

    /// Ends the lap of a segment that was taken and never shared.
    pub(super) fn put_unused(&self, segment: SegmentRef) {
        self.recycle(segment);
    }

    /// Takes the item with this id, if it is still queued.
    pub(crate) fn claim_by_id(&self, id: u64) -> Option<Item> {
        let slot = id as usize % SLOTS;
        self.registry.pinned(id >> SLOT_BITS, |segment| {
            // SAFETY: the shard's lock is held, and a segment leaves its shard before it is recycled.
            unsafe { Place { segment, slot }.claim() }
        })
    }

    /// Takes every item that is queued at this moment, with its id.
    pub(crate) fn claim_all(&self) -> Vec<(u64, Item)> {
        let mut claimed = Vec::new();
        self.registry.for_each_pinned(|segment| {
            for slot in 0..SLOTS {
                let place = Place { segment, slot };
                // SAFETY: the shard's lock is held, and a segment leaves its shard before it is recycled.
                if let Some(item) = unsafe { place.claim() } {
                    claimed.push((place.id(), item));
                }
            }
        });
        claimed
    }
}
