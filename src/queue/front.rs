//! A locked queue with two ends, for the few items that go before all others.

use super::arena::OutOfMemory;
use super::cell::Item;
use super::places::{OpenSegment, claim_first, make_room, surplus};
use super::segment::{NO_GROUP, Place};
use super::store::Store;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::hint;
use crate::sys::lock::Lock;
use std::collections::VecDeque;

/// A locked queue of places, used as a stack unless items are [appended](Self::append_all). The items lie in segments
/// like all others, so an id finds them too; a place whose item was revoked stays as a stale hint, until it is popped
/// and skipped.
///
/// # Memory ordering
///
/// `word` is changed under the lock; its release store pairs with the acquire loads of threads that check it without.
#[derive(Debug, Default)]
pub(crate) struct Front {
    /// The number of places and the bits below, so that consumers check everything with one load.
    word: CachePadded<AtomicUsize>,
    counted: AtomicU64,
    stack: Lock<Stack>,
}

// Of the word.
/// Another queue also goes before all items.
const ANNOUNCED: usize = 1;
/// Some consumers are called.
const CALLING: usize = 2;
/// More items are about to be appended.
const MORE: usize = 4;
const PLACE: usize = 8;

#[derive(Debug, Default)]
struct Stack {
    /// The next one last.
    places: VecDeque<Place>,
    /// Those of the word.
    bits: usize,
    open: OpenSegment,
    /// The stack never appears empty again.
    halted: bool,
}

impl Front {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }

    /// Whether there is something for any consumer: not if all there is are calls to some of them.
    pub(crate) fn has_offers(&self) -> bool {
        self.word.load(Ordering::Acquire) & !CALLING != 0
    }

    /// Whether there are items, whatever the bits say.
    pub(crate) fn has_items(&self) -> bool {
        self.word.load(Ordering::Acquire) >= PLACE
    }

    /// Whether another queue also goes before all items.
    pub(crate) fn announces(&self) -> bool {
        self.word.load(Ordering::Acquire) & ANNOUNCED != 0
    }

    pub(crate) fn announce(&self, announced: bool) {
        self.set(ANNOUNCED, announced);
    }

    /// Whether consumers have to check whether they are called.
    pub(crate) fn call(&self, some: bool) {
        self.set(CALLING, some);
    }

    /// Whether more items are about to be appended by the consumers themselves.
    pub(crate) fn promises(&self) -> bool {
        self.word.load(Ordering::Acquire) & MORE != 0
    }

    pub(crate) fn promise(&self, more: bool) {
        self.set(MORE, more);
    }

    fn set(&self, bit: usize, to: bool) {
        let mut stack = self.stack.lock();
        stack.bits = if to { stack.bits | bit } else { stack.bits & !bit };
        self.word.store(stack.word(), Ordering::Release);
    }

    /// How many items were ever pushed.
    pub(crate) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Acquire)
    }

    /// Puts an item before all others and returns its id.
    pub(crate) fn push(&self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        let mut stack = self.stack.lock();
        make_room(&mut stack.places, store)?;
        let place = stack.open.place(store, NO_GROUP)?;
        self.counted.fetch_add(1, Ordering::Relaxed);
        // SAFETY: 1. the lock makes this the only producer; 2. the lap began after every hold was given back.
        unsafe { place.fill(item) };
        stack.places.push_back(place);
        self.word.store(stack.word(), Ordering::Release);
        Ok(place.id())
    }

    /// Puts items behind all others, in their order; calls `accepted` with the id of each, and stops where memory runs
    /// out.
    pub(crate) fn append_all(
        &self,
        store: &Store,
        items: impl ExactSizeIterator<Item = Item>,
        mut accepted: impl FnMut(u64),
    ) {
        let mut stack = self.stack.lock();
        let all = items.len() as u64;
        self.counted.fetch_add(all, Ordering::Relaxed);
        let mut left = all;
        for item in items {
            let room = make_room(&mut stack.places, store);
            let Ok(place) = room.and_then(|()| stack.open.place(store, NO_GROUP)) else { break };
            // SAFETY: as in `push`.
            unsafe { place.fill(item) };
            stack.places.push_front(place);
            accepted(place.id());
            left -= 1;
        }
        if left > 0 {
            self.counted.fetch_sub(left, Ordering::Relaxed); // They were counted, but not appended.
        }
        self.word.store(stack.word(), Ordering::Release);
    }

    /// Takes the first item: the one that was pushed last, or else the one that was appended first.
    pub(crate) fn pop(&self, store: &Store) -> Option<(u64, Item)> {
        let mut stack = self.stack.lock();
        // SAFETY: 1. the lock is held, so nobody else takes from the stack.
        let found = unsafe { claim_first(store, || stack.places.pop_back()) };
        self.word.store(stack.word(), Ordering::Release);
        let surplus = surplus(&mut stack.places);
        drop(stack);
        drop(surplus);
        found
    }

    /// From now on the stack never appears empty, so consumers that check it before every item notice. Gives up waiting
    /// for the lock after a while: its holder may be this very thread, or not exist in this process.
    pub(crate) fn halt(&self) {
        const ATTEMPTS: usize = 1000;
        for _ in 0..ATTEMPTS {
            if let Some(mut stack) = self.stack.try_lock() {
                stack.halted = true;
                return self.word.store(stack.word(), Ordering::Release);
            }
            hint::yield_now();
        }
        self.word.store(usize::MAX, Ordering::Release);
    }
}

impl Stack {
    fn word(&self) -> usize {
        if self.halted { usize::MAX } else { (self.places.len() * PLACE) | self.bits }
    }
}
