//! A place for one item, with the one word that decides who gets it.

use crate::sys::atomic::{AtomicPtr, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::fence;
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

/// An item that was claimed, where it lies. It stays there until the hold on its slot is given back. Moved about in
/// pieces and read as a whole, an item stalls the processor: 8 ns a job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) tag: NonNull<()>,
    pub(crate) body: *const Body,
}

impl Taken {
    /// An item that lies somewhere else than in a cell.
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
/// Somebody has taken the item out, or there never was one.
const TAKEN: usize = 0b00;
/// The item waits.
const QUEUED: usize = 0b01;
/// Somebody who came by the item's id has it, or is about to find out that its owner was faster.
const REVOKED: usize = 0b10;

/// One state word (the tag and two bits) and one body.
///
/// A queued cell has one *owner*, the consumer whose range it lies in, and any number of *revokers*, who come by its id
/// one at a time. The owner claims without an atomic exchange: it announces itself in the segment's `started` byte and
/// looks at the word; a revoker marks the word and looks at the byte. Protocol and proof: `README.md`, "Claim".
///
/// # Memory ordering
///
/// `fill`'s release store pairs with a revoker's acquire exchange; the owner sees the body because it acquired the
/// position. Announcement and mark are ordered by the asymmetric fence pair.
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
    /// A revoker is at work, or was: only the lock that revokers hold can tell.
    Contested,
}

impl Cell {
    pub(super) fn new() -> Self {
        Self { word: AtomicPtr::new(std::ptr::null_mut()), body: UnsafeCell::new(Body::uninit()) }
    }

    /// # Safety
    ///
    /// 1. The caller is the only producer of this cell. 2. Nobody has held it since its last item was taken.
    #[inline(always)]
    pub(super) unsafe fn fill(&self, item: Item) {
        // SAFETY: by 1 and 2 nobody else looks at the body until the word says QUEUED.
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
            // SAFETY: by 1 the cell is not refilled, and a revoker that marks it now sees the announcement.
            Claim::Won(unsafe { self.take(word) })
        } else {
            Claim::Contested
        }
    }

    /// Owner, when no revoker is at work any more: takes the item, unless it was revoked.
    ///
    /// # Safety
    ///
    /// 1. The caller is the cell's owner, holds the segment, and keeps revokers out.
    pub(super) unsafe fn claim_uncontested(&self) -> Option<Taken> {
        let word = self.word.load(Ordering::Relaxed); // K4
        // SAFETY: by 1 nobody else touches the cell.
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

    /// Whether the item was taken before its owner came to own it.
    pub(super) fn is_taken(&self) -> bool {
        self.word.load(Ordering::Relaxed).addr() & STATE == TAKEN
    }

    /// No item was ever here. The caller has the cell to itself.
    pub(super) fn forget(&self) {
        self.word.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Whether there is, or was, an item since [`forget`](Self::forget). Acquire: pairs with `fill`, and what its
    /// producer filled before is visible. Who sees an owner's store instead may miss some of that for a moment.
    pub(super) fn was_filled(&self) -> bool {
        self.word.load(Ordering::Acquire).addr() & !STATE != 0
    }

    /// Whether the item waits, as far as one can see who does not claim it.
    pub(super) fn is_queued(&self) -> bool {
        self.word.load(Ordering::Relaxed).addr() & STATE == QUEUED
    }

    /// Revoker, who has marked the item and then seen no announcement: takes it.
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

    /// Revoker, who has marked the item and then seen the owner's announcement: leaves it to the owner.
    pub(super) fn unmark(&self) {
        let word = self.word.load(Ordering::Relaxed);
        let queued = word.map_addr(|word| word & !STATE | QUEUED);
        if word.addr() & STATE == REVOKED {
            // Fails if the owner has taken the item meanwhile, which is as well.
            let _ = self.word.compare_exchange(word, queued, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
