//! An unbounded queue with one writer and one reader, neither of whom ever waits.

use crate::sys::atomic::{AtomicPtr, AtomicU64, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::size::CHUNK;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// A list of chunks: the writer fills the last, the reader empties the first. Positions count from 0 and never wrap.
///
/// # Memory ordering
///
/// The writer's release store of `tail` pairs with the reader's acquire load: entries and links below it are visible.
/// An emptied chunk goes back through `spare` by a pair of exchanges (release, acquire), so that the writer refills it
/// after the reader's last look.
#[derive(Debug)]
pub(super) struct Stream<T> {
    tail: AtomicU64,
    /// The writer's own.
    last: UnsafeCell<*mut Chunk<T>>,
    /// Set by the writer before the first entry is visible.
    first: AtomicPtr<Chunk<T>>,
    spare: AtomicPtr<Chunk<T>>,
}

#[derive(Debug)]
struct Chunk<T> {
    next: AtomicPtr<Chunk<T>>,
    entries: [UnsafeCell<MaybeUninit<T>>; CHUNK],
}

/// How far the reader has come.
#[derive(Debug)]
pub(super) struct Position<T> {
    head: u64,
    /// The tail as it was last seen.
    seen: u64,
    chunk: *mut Chunk<T>,
}

// SAFETY: entries travel from the writer's thread to the reader's, and nobody looks at one that is on its way.
unsafe impl<T: Send> Sync for Stream<T> {}
// SAFETY: as above; chunks belong to the stream.
unsafe impl<T: Send> Send for Stream<T> {}
// SAFETY: a position points into a stream that the other rules allow to be read from any thread.
unsafe impl<T: Send> Send for Position<T> {}

impl<T> Position<T> {
    /// Where every stream begins.
    pub(super) const START: Self = Self { head: 0, seen: 0, chunk: ptr::null_mut() };

    /// Whether a chunk was read to its end.
    #[inline]
    pub(super) fn is_at_an_end(&self) -> bool {
        (self.head as usize).is_multiple_of(CHUNK)
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
    /// 1. Nobody else writes meanwhile.
    #[inline(always)]
    pub(super) unsafe fn write(&self, entry: T) {
        let tail = self.tail.load(Ordering::Relaxed);
        let slot = tail as usize % CHUNK;
        let chunk = if slot == 0 {
            self.extend(tail)
        } else {
            // SAFETY: by 1 the field is the caller's.
            let last = self.last.with(|last| unsafe { *last });
            // SAFETY: it was set when the chunk's first slot was written.
            unsafe { NonNull::new_unchecked(last) }
        };
        // SAFETY: the writer's last chunk is alive: the reader leaves it only for the next one.
        let cell = unsafe { &chunk.as_ref().entries[slot] };
        // SAFETY: by 1, and the reader looks at the slot only below the tail.
        cell.with_mut(|cell| unsafe { (*cell).write(entry) });
        self.tail.store(tail + 1, Ordering::Release);
    }

    /// Links a chunk for the slots from `tail` on. Called by the writer.
    #[cold]
    fn extend(&self, tail: u64) -> NonNull<Chunk<T>> {
        let spare = NonNull::new(self.spare.swap(ptr::null_mut(), Ordering::Acquire));
        let next = spare.unwrap_or_else(|| NonNull::from(Box::leak(Chunk::new())));
        // SAFETY: the writer's own field.
        let last = self.last.with_mut(|last| unsafe { last.replace(next.as_ptr()) });
        if tail == 0 {
            self.first.store(next.as_ptr(), Ordering::Relaxed);
        } else {
            // SAFETY: the reader leaves the last chunk only by the link that is being made.
            unsafe { &*last }.next.store(next.as_ptr(), Ordering::Relaxed);
        }
        next
    }

    /// The next entry, if one was written.
    ///
    /// # Safety
    ///
    /// 1. `position` began as `START`, was used with this stream only, and is its only one.
    #[inline(always)]
    pub(super) unsafe fn read(&self, position: &mut Position<T>) -> Option<T> {
        if position.head == position.seen {
            position.seen = self.tail.load(Ordering::Acquire);
            if position.head == position.seen {
                return None;
            }
        }
        let slot = position.head as usize % CHUNK;
        if slot == 0 {
            // SAFETY: by 1; there is an entry at the position, so there is a chunk for it.
            unsafe { self.advance(position) };
        }
        // SAFETY: the position is below the tail, so its chunk was linked, and the reader has not left it.
        let cell = unsafe { &(*position.chunk).entries[slot] };
        // SAFETY: the writer is done with the slot, and by 1 nobody else reads it.
        let entry = cell.with(|cell| unsafe { cell.read() });
        position.head += 1;
        // SAFETY: the entry was written.
        Some(unsafe { entry.assume_init() })
    }

    /// Leaves an emptied chunk for the next one.
    ///
    /// # Safety
    ///
    /// 1. As for `read`, and an entry at the position was written, in a new chunk.
    #[cold]
    unsafe fn advance(&self, position: &mut Position<T>) {
        let Some(left) = NonNull::new(position.chunk) else {
            position.chunk = self.first.load(Ordering::Relaxed);
            return;
        };
        // SAFETY: by 1 the chunk is the reader's.
        let chunk = unsafe { left.as_ref() };
        position.chunk = chunk.next.load(Ordering::Relaxed);
        chunk.next.store(ptr::null_mut(), Ordering::Relaxed);
        if let Some(second) = NonNull::new(self.spare.swap(left.as_ptr(), Ordering::AcqRel)) {
            // SAFETY: it came from `Box::leak`, and the exchange made it the reader's.
            drop(unsafe { Box::from_raw(second.as_ptr()) });
        }
    }

    /// Drops what was not read, and the chunks.
    ///
    /// # Safety
    ///
    /// 1. As for `read`. 2. Nobody uses the stream afterwards.
    pub(super) unsafe fn destroy(&self, position: &mut Position<T>) {
        // SAFETY: by 1.
        while unsafe { self.read(position) }.is_some() {}
        // Where nothing was written there is no chunk; where all was read, the reader is in the last one.
        for chunk in [position.chunk, self.spare.swap(ptr::null_mut(), Ordering::Acquire)] {
            if !chunk.is_null() {
                // SAFETY: it came from `Box::leak`; by 2 nobody else has it.
                drop(unsafe { Box::from_raw(chunk) });
            }
        }
        position.chunk = ptr::null_mut();
    }
}

impl<T> Chunk<T> {
    fn new() -> Box<Self> {
        Box::new(Self {
            next: AtomicPtr::new(ptr::null_mut()),
            entries: std::array::from_fn(|_| UnsafeCell::new(MaybeUninit::uninit())),
        })
    }
}
