//! A place for one item, with the one word that decides who gets it.

use crate::sys::atomic::{AtomicPtr, Ordering};
use crate::sys::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// Three words whose meaning is known to whoever knows the tag.
pub(crate) type Body = MaybeUninit<[*mut (); 3]>;

/// What travels: a tag that says what it is, and a body. Dropping an item drops nothing; its owner must.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    tag: NonNull<()>,
    body: Body,
}

// SAFETY: an item is the memory of a value that its maker declared to be Send; the queue only moves it.
unsafe impl Send for Item {}

impl Item {
    /// `tag` must be an even address: a cell keeps its state in the lowest bit.
    #[inline]
    pub(crate) fn new(tag: NonNull<()>, body: Body) -> Self {
        debug_assert!(tag.addr().get() & QUEUED == 0);
        Self { tag, body }
    }

    #[inline]
    pub(crate) fn into_parts(self) -> (NonNull<()>, Body) {
        (self.tag, self.body)
    }
}

/// The lowest bit of the state word. Set: the item waits to be claimed. Clear: it was claimed, or never was.
const QUEUED: usize = 1;

/// One state word (the tag and the `QUEUED` bit) and one body.
///
/// States: *taken* → `fill` → *queued* → `claim` → *taken*. Only the cell's producer fills, and only after everybody
/// has let go of the segment's previous lap; anybody who holds the segment may claim, and one exchange succeeds.
///
/// # Memory ordering
///
/// `fill`'s release store pairs with `claim`'s acquire exchange: the winner sees the body.
#[derive(Debug)]
pub(crate) struct Cell {
    word: AtomicPtr<()>,
    body: UnsafeCell<Body>,
}

impl Cell {
    pub(super) fn new() -> Self {
        Self { word: AtomicPtr::new(std::ptr::null_mut()), body: UnsafeCell::new(Body::uninit()) }
    }

    /// # Safety
    ///
    /// 1. The caller is the only producer of this cell. 2. Nobody has held it since its last item was claimed.
    #[inline]
    pub(super) unsafe fn fill(&self, item: Item) {
        // SAFETY: by 1 and 2 nobody else looks at the body until the word says QUEUED.
        self.body.with_mut(|body| unsafe { body.write(item.body) });
        self.word.store(item.tag.as_ptr().map_addr(|tag| tag | QUEUED), Ordering::Release);
    }

    /// Takes the item, unless somebody else has.
    ///
    /// # Safety
    ///
    /// 1. The caller holds the segment: it is not recycled before this returns.
    #[inline]
    pub(super) unsafe fn claim(&self) -> Option<Item> {
        let word = self.word.load(Ordering::Relaxed);
        if word.addr() & QUEUED == 0 {
            return None;
        }
        let taken = word.map_addr(|word| word & !QUEUED);
        self.word.compare_exchange(word, taken, Ordering::Acquire, Ordering::Relaxed).ok()?;
        // SAFETY: the exchange succeeded once for this item, and by 1 the producer does not refill the cell meanwhile.
        let body = self.body.with(|body| unsafe { body.read() });
        Some(Item { tag: NonNull::new(taken)?, body })
    }
}
