//! What the locked queues have in common: they hold places, and the items lie in segments.

use super::arena::OutOfMemory;
use super::cell::Item;
use super::segment::{Place, SLOTS, SegmentRef};
use super::store::Store;
use std::collections::VecDeque;
use std::mem;

/// Makes sure that a queue has room for one more place. The caller has the queue's lock.
#[inline]
pub(super) fn make_room(places: &mut VecDeque<Place>, store: &Store) -> Result<(), OutOfMemory> {
    if places.len() < places.capacity() { Ok(()) } else { grow(places, store) }
}

/// Drops the places of items that were taken out, and takes more memory only if that leaves the queue half full: both
/// are rare.
#[cold]
fn grow(places: &mut VecDeque<Place>, store: &Store) -> Result<(), OutOfMemory> {
    let full = places.len();
    if store.has_revoked() {
        places.retain(|place| {
            let waits = place.is_queued();
            if !waits {
                store.give_back(place.segment, 1);
            }
            waits
        });
    }
    let more = if places.len() < full / 2 { 1 } else { full + 1 - places.len() };
    places.try_reserve(more).map_err(|_| OutOfMemory)
}

/// The memory of an empty queue, if it is more than a queue keeps: for the caller to drop after the lock.
pub(super) fn surplus(places: &mut VecDeque<Place>) -> VecDeque<Place> {
    const KEPT: usize = 1024;
    if places.is_empty() && places.capacity() > KEPT { mem::take(places) } else { VecDeque::new() }
}

/// Takes the first item that was not revoked of those in the places that `next` removes, and its id.
///
/// # Safety
///
/// 1. Nobody else takes from the queue of `next`.
pub(super) unsafe fn claim_first(store: &Store, mut next: impl FnMut() -> Option<Place>) -> Option<(u64, Item)> {
    loop {
        let place = next()?;
        // SAFETY: 1. the caller's 1; 2. the hold is given back below.
        let taken = unsafe { store.claim(place) };
        // SAFETY: 1. as above.
        let found = taken.map(|taken| (place.id(), unsafe { taken.copy() }));
        store.give_back(place.segment, 1);
        if found.is_some() {
            return found;
        }
    }
}

/// The segment that new items of a queue go to, and how many of its slots are used.
#[derive(Debug, Default)]
pub(super) struct OpenSegment(Option<(SegmentRef, usize)>);

impl OpenSegment {
    /// The next place. The caller has the lock of its queue, which is that of a group with this number, or of none.
    pub(super) fn place(&mut self, store: &Store, group: u64) -> Result<Place, OutOfMemory> {
        let (segment, slot) = match self.0 {
            Some(open) => open,
            None => (store.take(0, group)?, 0),
        };
        if slot + 1 < SLOTS {
            self.0 = Some((segment, slot + 1));
        } else {
            self.0 = None;
            store.give_back(segment, 1);
        }
        Ok(Place { segment, slot })
    }

    /// Gives back the memory that no item has used.
    pub(super) fn close(&mut self, store: &Store) {
        if let Some((segment, used)) = self.0.take() {
            store.give_back(segment, SLOTS - used + 1);
        }
    }
}
