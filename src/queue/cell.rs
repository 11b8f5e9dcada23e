//! A place for one item, with the word that decides which thread gets it.

use crate::sys::atomic::{AtomicPtr, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::fence;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A word of a body. It may hold anything, in part or not at all.
pub(crate) type Word = MaybeUninit<*mut ()>;

/// Three words, whose meaning depends on the tag.
pub(crate) type Body = [Word; 3];

/// A tag that says what the item is, and a body. Dropping an item drops nothing; its owner must do that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    tag: NonNull<()>,
    body: Body,
}

// SAFETY: an item is the memory of a value that is `Send`, as its maker guarantees; queues only move it.
unsafe impl Send for Item {}

impl Item {
    /// `tag` must be a multiple of 4: a cell keeps its state in the lowest bits.
    #[inline]
    pub(crate) fn new(tag: NonNull<()>, body: Body) -> Self {
        debug_assert!(tag.addr().get() & STATE == 0);
        Self { tag, body }
    }

    #[inline]
    pub(crate) fn into_parts(self) -> (NonNull<()>, Body) {
        (self.tag, self.body)
    }
}

/// A claimed item, still in its cell, where it stays until the hold on its slot is given back. (Copying an item in
/// words and then reading it as a whole stalls the processor: 8 ns a job.)
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) tag: NonNull<()>,
    pub(crate) body: *const Body,
}

impl Taken {
    /// An item that is not in a cell.
    #[inline]
    pub(crate) fn elsewhere(item: &Item) -> Self {
        Self { tag: item.tag, body: &raw const item.body }
    }

    /// # Safety
    ///
    /// 1. The hold on the slot has not been given back, or the item lies elsewhere and is alive.
    pub(crate) unsafe fn copy(self) -> Item {
        // SAFETY: by 1.
        Item { tag: self.tag, body: unsafe { self.body.read() } }
    }
}

/// The two lowest bits of the state word.
const STATE: usize = 0b11;
/// The item was taken, or there never was one.
const TAKEN: usize = 0b00;
/// The item is queued.
const QUEUED: usize = 0b01;
/// A revoker has the item, or is about to find out that its owner was faster.
const REVOKED: usize = 0b10;

/// One state word (the tag and two bits) and one body.
///
/// A queued cell has one *owner*, the consumer in whose range it lies, and any number of *revokers*, which come by its
/// id, one at a time. The owner claims without an atomic exchange: it announces itself in the segment's `started` byte
/// and reads the word; a revoker marks the word and reads the byte. Protocol and proof: `README.md`, "Claim".
///
/// # Memory ordering
///
/// `fill`'s release store pairs with a revoker's acquire exchange; to the owner the body is visible because it acquired
/// the position. Announcement and mark are ordered by the asymmetric fence pair.
#[derive(Debug)]
pub(crate) struct Cell {
    word: AtomicPtr<()>,
    body: UnsafeCell<Body>,
}

/// What an owner found.
#[must_use]
pub(super) enum Claim {
    /// The item is the owner's.
    Won(Taken),
    /// A revoker is at work, or was: only a check under the lock that revokers hold can tell.
    Contested,
}

impl Cell {
    pub(super) fn new() -> Self {
        Self { word: AtomicPtr::new(std::ptr::null_mut()), body: UnsafeCell::new([Word::uninit(); 3]) }
    }

    /// # Safety
    ///
    /// 1. The caller is the only producer of this cell. 2. No thread has held it since its last item was taken.
    #[inline(always)]
    pub(super) unsafe fn fill(&self, item: Item) {
        // SAFETY: by 1 and 2 no other thread accesses the body until the word says QUEUED.
        self.body.with_mut(|body| unsafe { body.write(item.body) });
        self.word.store(item.tag.as_ptr().map_addr(|tag| tag | QUEUED), Ordering::Release);
    }

    /// Owner: takes the item, after it has announced itself.
    ///
    /// # Safety
    ///
    /// 1. The caller is the cell's owner, and holds the segment. 2. `announce` makes the announcement.
    #[inline(always)]
    pub(super) unsafe fn claim(&self, announce: impl FnOnce()) -> Claim {
        announce(); // K1
        fence::light(); // K2
        let word = self.word.load(Ordering::Relaxed); // K3
        if word.addr() & STATE == QUEUED {
            // SAFETY: 1. checked above; by 1 the cell is not refilled, and a revoker that marks it now observes the
            // announcement and leaves the item.
            Claim::Won(unsafe { self.take(word) })
        } else {
            Claim::Contested
        }
    }

    /// Owner, when no revoker is at work any more: takes the item, unless it was revoked.
    ///
    /// # Safety
    ///
    /// 1. The caller is the cell's owner, holds the segment, and excludes revokers.
    pub(super) unsafe fn claim_uncontested(&self) -> Option<Taken> {
        let word = self.word.load(Ordering::Relaxed); // K4
        // SAFETY: 1. checked here; by 1 no other thread accesses the cell.
        (word.addr() & STATE == QUEUED).then(|| unsafe { self.take(word) })
    }

    /// # Safety
    ///
    /// 1. The word says QUEUED, and the item is the caller's.
    #[inline(always)]
    unsafe fn take(&self, word: *mut ()) -> Taken {
        let tag = word.map_addr(|word| word & !STATE);
        self.word.store(tag.map_addr(|tag| tag | TAKEN), Ordering::Relaxed);
        // SAFETY: by 1 the word holds the tag of an item, which is not null.
        Taken { tag: unsafe { NonNull::new_unchecked(tag) }, body: self.body.with(|body| body) }
    }

    /// Revoker: marks a queued item. False if there is none.
    pub(super) fn mark(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        let marked = word.map_addr(|word| word & !STATE | REVOKED);
        word.addr() & STATE == QUEUED
            && self.word.compare_exchange(word, marked, Ordering::Acquire, Ordering::Relaxed).is_ok() // X1
    }

    /// Whether the item was taken already, so that there is only a hole.
    pub(super) fn is_taken(&self) -> bool {
        self.word.load(Ordering::Relaxed).addr() & STATE == TAKEN
    }

    /// Makes the cell as new. No other thread accesses it now.
    pub(super) fn forget(&self) {
        self.word.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Whether there is, or was, an item since [`forget`](Self::forget). Acquire: pairs with `fill`, so what its
    /// producer filled before is visible. (If the owner's store is read instead, some of that may be missed for a
    /// moment.)
    pub(super) fn was_filled(&self) -> bool {
        self.word.load(Ordering::Acquire).addr() & !STATE != 0
    }

    /// Whether the item is queued. A hint, unless the caller claims the item.
    pub(super) fn is_queued(&self) -> bool {
        self.word.load(Ordering::Relaxed).addr() & STATE == QUEUED
    }

    /// Revoker, after marking the item and observing no announcement: takes it.
    ///
    /// # Safety
    ///
    /// 1. `mark` succeeded, and after a heavy fence there was no announcement. 2. The segment is held.
    pub(super) unsafe fn take_marked(&self) -> Item {
        let tag = self.word.load(Ordering::Relaxed).map_addr(|word| word & !STATE);
        // SAFETY: by 1 the item is the caller's, since its owner will find the mark, and its body was written.
        let body = self.body.with(|body| unsafe { body.read() });
        // SAFETY: by 1 the word holds the tag of an item, which is not null.
        Item { tag: unsafe { NonNull::new_unchecked(tag) }, body }
    }

    /// Revoker, after marking the item and observing the owner's announcement: leaves it to the owner.
    pub(super) fn unmark(&self) {
        let word = self.word.load(Ordering::Relaxed);
        let queued = word.map_addr(|word| word & !STATE | QUEUED);
        if word.addr() & STATE == REVOKED {
            // Fails if the owner has taken the item meanwhile, which is equally correct.
            let _ = self.word.compare_exchange(word, queued, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
