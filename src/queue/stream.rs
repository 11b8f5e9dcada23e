//! An unbounded queue with one writer and one reader, neither of which ever waits.

use crate::sys::atomic::{AtomicPtr, AtomicU64, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::reserve;
use crate::sys::size::real_or_modelled;
use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// Entries in a chunk.
const CHUNK: usize = real_or_modelled(128, 2);

/// A list of chunks: the writer fills the last, the reader empties the first. Positions count from 0 and never wrap.
///
/// # Memory ordering
///
/// The writer's release store of `tail` pairs with the reader's acquire load: entries and links below it are visible.
/// An emptied chunk is returned through `spare` by a pair of exchanges (release, acquire), so the writer refills it
/// after the reader's last access.
#[derive(Debug)]
pub(super) struct Stream<T> {
    tail: AtomicU64,
    /// Accessed by the writer only.
    last: UnsafeCell<*mut Chunk<T>>,
    /// Set by the writer before the first entry is visible.
    first: AtomicPtr<Chunk<T>>,
    spare: AtomicPtr<Chunk<T>>,
}

/// The entries come first, so that none spans two cache lines if their size allows it.
#[derive(Debug)]
#[repr(C)]
struct Chunk<T> {
    entries: [UnsafeCell<MaybeUninit<T>>; CHUNK],
    next: AtomicPtr<Chunk<T>>,
}

/// How far the reader has read.
#[derive(Debug)]
pub(super) struct Position<T> {
    head: u64,
    chunk: *mut Chunk<T>,
}

/// Adjacent entries of a chunk that the reader has found, and is taking.
#[derive(Debug)]
pub(super) struct Run<T> {
    chunk: *mut Chunk<T>,
    next: usize,
    end: usize,
}

// SAFETY: entries are sent from the writer's thread to the reader's, and never shared.
unsafe impl<T: Send> Sync for Stream<T> {}
// SAFETY: as above; chunks belong to the stream.
unsafe impl<T: Send> Send for Stream<T> {}
// SAFETY: a position points into a stream, which may be read from any thread.
unsafe impl<T: Send> Send for Position<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Run<T> {}

impl<T> Position<T> {
    /// The beginning of a stream.
    pub(super) const START: Self = Self { head: 0, chunk: ptr::null_mut() };

    /// Whether a chunk was read to its end.
    #[inline]
    pub(super) fn is_at_an_end(&self) -> bool {
        (self.head as usize).is_multiple_of(CHUNK)
    }
}

impl<T> Run<T> {
    pub(super) const EMPTY: Self = Self { chunk: ptr::null_mut(), next: 0, end: 0 };

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.end - self.next
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        // SAFETY: there is an entry, so `find` has set the chunk; by its 2 the chunk is alive.
        let cell = unsafe { &(*self.chunk).entries[self.next] };
        self.next += 1;
        // SAFETY: the writer has written the slot, and by 1 of `find` no other thread reads it.
        let entry = cell.with(|cell| unsafe { cell.read() });
        // SAFETY: the entry was written.
        Some(unsafe { entry.assume_init() })
    }
}

impl<T> Stream<T> {
    pub(super) fn new() -> Self {
        Self {
            tail: AtomicU64::new(0),
            last: UnsafeCell::new(ptr::null_mut()),
            first: AtomicPtr::new(ptr::null_mut()),
            spare: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// How many entries were ever written.
    #[inline]
    pub(super) fn written(&self) -> u64 {
        self.tail.load(Ordering::Acquire)
    }

    /// # Safety
    ///
    /// 1. No other thread writes meanwhile.
    #[inline(always)]
    pub(super) unsafe fn write(&self, entry: T) {
        let tail = self.tail.load(Ordering::Relaxed);
        let slot = tail as usize % CHUNK;
        let chunk = if slot == 0 {
            self.extend(tail)
        } else {
            // SAFETY: by 1 no other thread accesses the field.
            let last = self.last.with(|last| unsafe { *last });
            // SAFETY: it was set when the chunk was linked.
            unsafe { NonNull::new_unchecked(last) }
        };
        // SAFETY: the writer's last chunk is alive: the reader leaves it only for the next one.
        let cell = unsafe { &chunk.as_ref().entries[slot] };
        // SAFETY: by 1 no other thread writes to the slot, and the reader accesses it only below the tail.
        cell.with_mut(|cell| unsafe { (*cell).write(entry) });
        self.tail.store(tail + 1, Ordering::Release);
    }

    /// Links a chunk for the slots from `tail` on. Called by the writer.
    #[cold]
    fn extend(&self, tail: u64) -> NonNull<Chunk<T>> {
        let spare = NonNull::new(self.spare.swap(ptr::null_mut(), Ordering::Acquire));
        let next = spare.unwrap_or_else(Chunk::new);
        // SAFETY: only the writer, which calls this, accesses the field.
        let last = self.last.with_mut(|last| unsafe { last.replace(next.as_ptr()) });
        if tail == 0 {
            self.first.store(next.as_ptr(), Ordering::Relaxed);
        } else {
            // SAFETY: the chunk is alive: the reader leaves it only by the link that is stored here.
            unsafe { &*last }.next.store(next.as_ptr(), Ordering::Relaxed);
        }
        next
    }

    /// The entries from the position on that were written, of one chunk.
    ///
    /// # Safety
    ///
    /// 1. `position` began as `START`, was used with this stream only, and is its only one. 2. All entries found with
    ///    it before were taken, and the stream outlives the ones that are found now.
    pub(super) unsafe fn find(&self, position: &mut Position<T>) -> Run<T> {
        let written = (self.tail.load(Ordering::Acquire) - position.head) as usize;
        if written == 0 {
            return Run::EMPTY;
        }
        let next = position.head as usize % CHUNK;
        if next == 0 {
            // SAFETY: 1. the caller's 1 and 2, and there is an entry at the position, the first of a chunk.
            unsafe { self.advance(position) };
        }
        let end = CHUNK.min(next + written);
        position.head += (end - next) as u64;
        Run { chunk: position.chunk, next, end }
    }

    /// Leaves an emptied chunk for the next one.
    ///
    /// # Safety
    ///
    /// 1. As for `find`, and an entry at the position was written, in a new chunk.
    #[cold]
    unsafe fn advance(&self, position: &mut Position<T>) {
        let Some(left) = NonNull::new(position.chunk) else {
            position.chunk = self.first.load(Ordering::Relaxed);
            return;
        };
        // SAFETY: by 1 the chunk is the reader's, which has not left it.
        let chunk = unsafe { left.as_ref() };
        position.chunk = chunk.next.load(Ordering::Relaxed);
        chunk.next.store(ptr::null_mut(), Ordering::Relaxed);
        if let Some(second) = NonNull::new(self.spare.swap(left.as_ptr(), Ordering::AcqRel)) {
            // SAFETY: 1. it came from `new`; 2. all its entries were taken, and the writer cannot take it any more.
            unsafe { Chunk::free(second) };
        }
    }

    /// Drops the chunks.
    ///
    /// # Safety
    ///
    /// 1. As for `find`, which finds nothing more. 2. The stream is not used afterwards.
    pub(super) unsafe fn destroy(&self, position: &mut Position<T>) {
        // Where nothing was written there is no chunk; where all was read, the reader is in the last one.
        let chunks = [position.chunk, self.spare.swap(ptr::null_mut(), Ordering::Acquire)];
        for chunk in chunks.into_iter().filter_map(NonNull::new) {
            // SAFETY: 1. it came from `new`; 2. by the caller's 2.
            unsafe { Chunk::free(chunk) };
        }
        position.chunk = ptr::null_mut();
    }
}

impl<T> Chunk<T> {
    /// Initialised in place: a stack may not have room for so many values, which may be large.
    fn new() -> NonNull<Self> {
        let chunk = reserve::allocate(Layout::new::<Self>()).cast::<Self>();
        let place = chunk.as_ptr();
        // SAFETY: within the memory of the chunk.
        let entries = unsafe { &raw mut (*place).entries }.cast::<UnsafeCell<MaybeUninit<T>>>();
        for number in 0..CHUNK {
            // SAFETY: the array has this many entries.
            let entry = unsafe { entries.add(number) };
            // SAFETY: it is writable memory of the chunk.
            unsafe { entry.write(UnsafeCell::new(MaybeUninit::uninit())) };
        }
        // SAFETY: within the memory of the chunk.
        let next = unsafe { &raw mut (*place).next };
        // SAFETY: it is writable memory of the chunk.
        unsafe { next.write(AtomicPtr::new(ptr::null_mut())) };
        chunk
    }

    /// # Safety
    ///
    /// 1. `chunk` came from `new`. 2. No entry is left in it, and nobody uses it any more.
    unsafe fn free(chunk: NonNull<Self>) {
        // SAFETY: by 1 and 2; entries are not dropped.
        unsafe { chunk.drop_in_place() };
        // SAFETY: 1. by 1 it was allocated with this layout; 2. by 2.
        unsafe { reserve::free(chunk.cast(), Layout::new::<Self>()) };
    }
}
