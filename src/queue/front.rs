//! A locked queue with two ends, for the few items that go before all others.

use super::arena::OutOfMemory;
use super::cell::Item;
use super::segment::{Place, SLOTS, SegmentRef};
use super::store::Store;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::hint;
use crate::sys::lock::Lock;
use std::collections::VecDeque;
use std::mem;

/// A locked queue of places, used as a stack unless items are [appended](Self::append). The items lie in segments like
/// all others, so that an id finds them too; a place whose item was cancelled stays as a stale hint, until it is popped
/// and skipped.
///
/// # Memory ordering
///
/// `word` is changed under the lock; its release store pairs with the acquire load of whoever looks before it locks.
#[derive(Debug)]
pub(crate) struct Front {
    /// The number of places and what else there is to look for: one word to look at for all.
    word: CachePadded<AtomicUsize>,
    counted: AtomicU64,
    stack: Lock<Stack>,
}

// Of the word.
/// Something elsewhere goes before all items, too.
const ANNOUNCED: usize = 1;
/// Some of the lookers are called.
const CALLING: usize = 2;
/// More items are about to be appended.
const MORE: usize = 4;
const PLACE: usize = 8;

#[derive(Debug, Default)]
struct Stack {
    /// The next one last.
    places: VecDeque<Place>,
    announced: bool,
    calling: bool,
    more: bool,
    open: OpenSegment,
    /// The stack never looks empty again.
    halted: bool,
}

impl Front {
    pub(crate) fn new() -> Self {
        Self {
            word: CachePadded::new(AtomicUsize::new(0)),
            counted: AtomicU64::new(0),
            stack: Lock::new(Stack::default()),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }

    /// Whether there is something for whoever looks: not if some of them are called, and that is all.
    pub(crate) fn has_offers(&self) -> bool {
        self.word.load(Ordering::Acquire) & !CALLING != 0
    }

    /// Whether there are items, whatever is announced.
    pub(crate) fn has_items(&self) -> bool {
        self.word.load(Ordering::Acquire) >= PLACE
    }

    /// Whether something elsewhere is to be looked for before all other items, too.
    pub(crate) fn announces(&self) -> bool {
        self.word.load(Ordering::Acquire) & ANNOUNCED != 0
    }

    /// From now on, or no more, lookers are to see whether they are called.
    pub(crate) fn call(&self, somebody: bool) {
        let mut stack = self.stack.lock();
        stack.calling = somebody;
        self.word.store(stack.word(), Ordering::Release);
    }

    pub(crate) fn announce(&self, something: bool) {
        let mut stack = self.stack.lock();
        stack.announced = something;
        self.word.store(stack.word(), Ordering::Release);
    }

    /// Whether more items are about to be appended by whoever looks for them.
    pub(crate) fn promises(&self) -> bool {
        self.word.load(Ordering::Acquire) & MORE != 0
    }

    pub(crate) fn promise(&self, more: bool) {
        let mut stack = self.stack.lock();
        stack.more = more;
        self.word.store(stack.word(), Ordering::Release);
    }

    /// How many items were ever pushed.
    pub(crate) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Acquire)
    }

    /// Puts an item before all others and returns its id.
    pub(crate) fn push(&self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        let mut stack = self.stack.lock();
        make_room(&mut stack.places)?;
        let place = stack.open.place(store)?;
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
            let Ok(place) = make_room(&mut stack.places).and_then(|()| stack.open.place(store)) else { break };
            // SAFETY: as in `push`.
            unsafe { place.fill(item) };
            stack.places.push_front(place);
            accepted(place.id());
            left -= 1;
        }
        if left > 0 {
            self.counted.fetch_sub(left, Ordering::Relaxed); // Of what never came.
        }
        self.word.store(stack.word(), Ordering::Release);
    }

    /// Takes the first item: the one that was pushed last, or else the one that was appended first.
    pub(crate) fn pop(&self, store: &Store) -> Option<(u64, Item)> {
        let mut stack = self.stack.lock();
        let mut found = None;
        while found.is_none()
            && let Some(place) = stack.places.pop_back()
        {
            // SAFETY: 1. the place was on the stack, the lock is held; 2. the hold is given back below.
            let taken = unsafe { store.claim(place) };
            // SAFETY: 1. as above.
            found = taken.map(|taken| (place.id(), unsafe { taken.copy() }));
            store.give_back(place.segment, 1);
        }
        self.word.store(stack.word(), Ordering::Release);
        let surplus = surplus(&mut stack.places);
        drop(stack);
        drop(surplus);
        found
    }

    /// From now on the stack never looks empty: whoever looks here before every item comes to a halt. Waits for nobody:
    /// the lock's holder may be this very thread, or not exist in this process.
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
    /// What lookers see.
    fn word(&self) -> usize {
        if self.halted {
            return usize::MAX;
        }
        let bit = |set: bool, bit: usize| if set { bit } else { 0 };
        let bits = bit(self.announced, ANNOUNCED) | bit(self.calling, CALLING) | bit(self.more, MORE);
        (self.places.len() * PLACE) | bits
    }
}

/// Makes sure that a locked queue has room for one place more.
pub(super) fn make_room(places: &mut VecDeque<Place>) -> Result<(), OutOfMemory> {
    places.try_reserve(1).map_err(|_| OutOfMemory)
}

/// The memory of an empty queue of places, if only many places need it: for the caller to drop without the lock.
pub(super) fn surplus(places: &mut VecDeque<Place>) -> VecDeque<Place> {
    const KEPT: usize = 1024;
    if places.is_empty() && places.capacity() > KEPT { mem::take(places) } else { VecDeque::new() }
}

/// The segment that new items of a locked queue go to, and how many of its slots are used.
#[derive(Debug, Default)]
pub(super) struct OpenSegment(Option<(SegmentRef, usize)>);

impl OpenSegment {
    /// The next place. The caller has its queue's lock.
    pub(super) fn place(&mut self, store: &Store) -> Result<Place, OutOfMemory> {
        let (segment, slot) = match self.0 {
            Some(open) => open,
            None => (store.take(0)?, 0),
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
