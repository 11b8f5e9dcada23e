//! A locked queue whose two ends do not disturb each other: for the items of a group.

use super::arena::OutOfMemory;
use super::cell::Item;
use super::front::{OpenSegment, make_room, surplus};
use super::segment::Place;
use super::store::Store;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::lock::{Lock, LockGuard};
use std::collections::VecDeque;
use std::mem;

/// A queue of places, in two halves with a lock each: items come in at the back, and go out at the front. When the
/// front is used up, whoever takes items makes the back the front. The items lie in segments like all others, so that
/// an id finds them too; a place whose item was cancelled stays as a stale hint, until it is popped and skipped.
///
/// Lock order: front, back.
///
/// # Memory ordering
///
/// Each half's length is stored (release) under its lock. When the halves are exchanged the front's is stored before
/// the back's; a look without the locks loads them (acquire) the other way round, so it finds what is on its way.
#[derive(Debug)]
pub(crate) struct TwoLockQueue {
    front: CachePadded<Half<()>>,
    back: CachePadded<Half<OpenSegment>>,
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
    pub(crate) fn new() -> Self {
        Self { front: CachePadded::new(Half::default()), back: CachePadded::new(Half::default()) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.back.len.load(Ordering::Acquire) == 0 && self.front.len.load(Ordering::Acquire) == 0
    }

    /// Whether more is at hand for whoever has just taken an item: does not look at what others write, if so.
    pub(crate) fn has_next(&self) -> bool {
        self.front.len.load(Ordering::Acquire) > 0 || !self.is_empty()
    }

    /// How many items wait that were not cancelled.
    pub(crate) fn count(&self) -> usize {
        let (front, back) = (self.front.row.lock(), self.back.row.lock());
        front.places.iter().chain(&back.places).filter(|place| place.is_queued()).count()
    }

    /// Whether any item waits that was not cancelled.
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
        make_room(&mut back.places)?;
        let place = back.open.place(store)?;
        // SAFETY: 1. the lock makes this the only producer; 2. the lap began after every hold was given back.
        unsafe { place.fill(item) };
        back.places.push_back(place);
        self.back.announce(&back);
        Ok(place.id())
    }

    /// Puts an item before all others and returns its id.
    pub(crate) fn push(&self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        let mut front = self.front.row.lock();
        make_room(&mut front.places)?;
        let mut back = self.back.row.lock();
        let place = back.open.place(store)?;
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
        let mut found = None;
        while found.is_none()
            && let Some(place) = self.next(&mut front)
        {
            // SAFETY: 1. the place was in the queue, the lock is held; 2. the hold is given back below.
            let taken = unsafe { store.claim(place) };
            // SAFETY: 1. as above.
            found = taken.map(|taken| (place.id(), unsafe { taken.copy() }));
            store.give_back(place.segment, 1);
        }
        self.front.announce(&front);
        let surplus = surplus(&mut front.places);
        drop(front);
        drop(surplus);
        found
    }

    fn next(&self, front: &mut LockGuard<'_, Row<()>>) -> Option<Place> {
        if front.places.is_empty() {
            let _surplus = surplus(&mut front.places); // It was full of stale hints.
            let mut back = self.back.row.lock();
            mem::swap(&mut front.places, &mut back.places);
            self.front.announce(front);
            self.back.announce(&back);
        }
        front.places.pop_front()
    }
}
