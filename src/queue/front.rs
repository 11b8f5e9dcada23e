//! A last-in-first-out stack for the few items that go before all others.

use super::cell::Item;
use super::segment::{Place, SLOTS, SegmentRef};
use super::store::{OutOfMemory, Store};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::hint;
use crate::sys::lock::Lock;

/// A locked stack of places. The items lie in segments like all others, so that an id finds them too; a place whose
/// item was cancelled stays on the stack as a stale hint, until it is popped and skipped.
///
/// # Memory ordering
///
/// `len` is changed under the lock; its release store pairs with the acquire load of whoever looks before it locks.
#[derive(Debug)]
pub(crate) struct Front {
    len: CachePadded<AtomicUsize>,
    counted: AtomicU64,
    stack: Lock<Stack>,
}

#[derive(Debug, Default)]
struct Stack {
    places: Vec<Place>,
    /// The segment that new items go to, and how many of its slots are used.
    open: Option<(SegmentRef, usize)>,
    /// The stack never looks empty again.
    halted: bool,
}

impl Front {
    pub(crate) fn new() -> Self {
        Self {
            len: CachePadded::new(AtomicUsize::new(0)),
            counted: AtomicU64::new(0),
            stack: Lock::new(Stack::default()),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }

    /// How many items were ever pushed.
    pub(crate) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Acquire)
    }

    /// Puts an item before all others and returns its id.
    pub(crate) fn push(&self, store: &Store, item: Item) -> Result<u64, OutOfMemory> {
        let mut stack = self.stack.lock();
        let place = stack.open_place(store)?;
        self.counted.fetch_add(1, Ordering::Relaxed);
        // SAFETY: 1. the lock makes this the only producer; 2. the lap began after every hold was given back.
        unsafe { place.fill(item) };
        stack.places.push(place);
        self.len.store(stack.len(), Ordering::Release);
        Ok(place.id())
    }

    /// Takes the item that was pushed last.
    pub(crate) fn pop(&self, store: &Store) -> Option<(u64, Item)> {
        let mut stack = self.stack.lock();
        let mut found = None;
        while found.is_none()
            && let Some(place) = stack.places.pop()
        {
            // SAFETY: 1. the place was on the stack, the lock is held; 2. the hold is given back below.
            found = unsafe { store.claim(place) }.map(|item| (place.id(), item));
            store.give_back(place.segment, 1);
        }
        self.len.store(stack.len(), Ordering::Release);
        found
    }

    /// From now on the stack never looks empty: whoever looks here before every item comes to a halt. Waits for nobody:
    /// the lock's holder may be this very thread, or not exist in this process.
    pub(crate) fn halt(&self) {
        const ATTEMPTS: usize = 1000;
        for _ in 0..ATTEMPTS {
            if let Some(mut stack) = self.stack.try_lock() {
                stack.halted = true;
                return self.len.store(stack.len(), Ordering::Release);
            }
            hint::yield_now();
        }
        self.len.store(usize::MAX, Ordering::Release);
    }
}

impl Stack {
    /// What lookers see.
    fn len(&self) -> usize {
        if self.halted { usize::MAX } else { self.places.len() }
    }

    fn open_place(&mut self, store: &Store) -> Result<Place, OutOfMemory> {
        let (segment, slot) = match self.open {
            Some(open) => open,
            None => (store.take()?, 0),
        };
        if slot + 1 < SLOTS {
            self.open = Some((segment, slot + 1));
        } else {
            self.open = None;
            store.give_back(segment, 1);
        }
        Ok(Place { segment, slot })
    }
}
