//! A locked queue whose two ends have a lock each: for the items of a group.

use super::arena::OutOfMemory;
use super::cell::Item;
use super::places::{OpenSegment, claim_first, make_room, surplus};
use super::segment::Place;
use super::store::Store;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::lock::{Lock, LockGuard};
use std::collections::VecDeque;
use std::mem;

/// A queue of places, in two halves with a lock each: items are appended at the back and taken from the front. A
/// consumer that finds the front empty exchanges the halves. The items lie in segments like all others, so an id finds
/// them too; a place whose item was revoked stays as a stale hint, until it is popped and skipped.
///
/// Lock order: front, back.
///
/// # Memory ordering
///
/// Each half's length is stored (release) under its lock. When the halves are exchanged the front's is stored before
/// the back's; a check without the locks loads them (acquire) in the opposite order, so it misses nothing in transit.
#[derive(Debug)]
pub(crate) struct TwoLockQueue {
    front: CachePadded<Half<()>>,
    back: CachePadded<Half<OpenSegment>>,
    group: u64,
}

#[derive(Debug, Default)]
struct Half<T> {
    len: AtomicUsize,
    row: Lock<Row<T>>,
}

#[derive(Debug, Default)]
struct Row<T> {
    places: VecDeque<Place>,
    /// Where new items lie.
    open: T,
}

impl<T> Half<T> {
    fn announce(&self, row: &LockGuard<'_, Row<T>>) {
        self.len.store(row.places.len(), Ordering::Release);
    }
}

impl TwoLockQueue {
    /// For the items of the group with this number, which is not 0.
    pub(crate) fn new(group: u64) -> Self {
        Self { front: CachePadded::new(Half::default()), back: CachePadded::new(Half::default()), group }
    }

    pub(crate) fn group(&self) -> u64 {
        self.group
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.back.len.load(Ordering::Acquire) == 0 && self.front.len.load(Ordering::Acquire) == 0
    }

    /// Whether there is another item, for a consumer that has just taken one: if the front has more, the cache line
    /// that producers write to is not read.
    pub(crate) fn has_next(&self) -> bool {
        self.front.len.load(Ordering::Acquire) > 0 || !self.is_empty()
    }

    /// How many items are queued that were not revoked.
    pub(crate) fn count(&self) -> usize {
        let (front, back) = (self.front.row.lock(), self.back.row.lock());
        front.places.iter().chain(&back.places).filter(|place| place.is_queued()).count()
    }

    /// Whether any item is queued that was not revoked.
    pub(crate) fn has_any(&self) -> bool {
        let (front, back) = (self.front.row.lock(), self.back.row.lock());
        front.places.iter().chain(&back.places).any(|place| place.is_queued())
    }

    /// Gives back the memory that no item has used; nothing is pushed any more.
    pub(crate) fn retire(&self, store: &Store) {
        self.back.row.lock().open.close(store);
    }

    /// Puts an item behind all others and returns its id.
    pub(crate) fn append(&self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        let mut back = self.back.row.lock();
        make_room(&mut back.places, store)?;
        let place = back.open.place(store, self.group)?;
        // SAFETY: 1. the lock makes this the only producer; 2. the lap began after every hold was given back.
        unsafe { place.fill(item) };
        back.places.push_back(place);
        self.back.announce(&back);
        Ok(place.id())
    }

    /// Puts an item before all others and returns its id.
    pub(crate) fn push(&self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        let mut front = self.front.row.lock();
        make_room(&mut front.places, store)?;
        let mut back = self.back.row.lock();
        let place = back.open.place(store, self.group)?;
        // SAFETY: as in `append`.
        unsafe { place.fill(item) };
        drop(back);
        front.places.push_front(place);
        self.front.announce(&front);
        Ok(place.id())
    }

    /// Takes the first item.
    pub(crate) fn pop(&self, store: &Store) -> Option<(u64, Item)> {
        let mut front = self.front.row.lock();
        // SAFETY: 1. the front's lock is held, so nobody else takes from the queue.
        let found = unsafe { claim_first(store, || self.next(&mut front)) };
        self.front.announce(&front);
        let surplus = surplus(&mut front.places);
        drop(front);
        drop(surplus);
        found
    }

    fn next(&self, front: &mut LockGuard<'_, Row<()>>) -> Option<Place> {
        if front.places.is_empty() {
            let _surplus = surplus(&mut front.places); // Large, if it was full of stale hints.
            let mut back = self.back.row.lock();
            mem::swap(&mut front.places, &mut back.places);
            self.front.announce(front);
            self.back.announce(&back);
        }
        front.places.pop_front()
    }
}
