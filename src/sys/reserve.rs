//! Memory that a burst leaves for the next one.
//!
//! The C library returns what is freed at the end of its heap to the system, and takes it back page by page. Where a
//! burst needs megabytes in small blocks, that is half of its time. So freed blocks are kept until a worker
//! [has rested](trim) for a while.

use super::CachePadded;
use super::hint;
use super::process::Global;
use super::token;
use std::alloc::{self, Layout};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Bytes that are kept at most.
const MOST: usize = 64 << 20;

/// If no more bytes than this are in use, nothing is kept: the C library does not return so few to the system.
const BURST: usize = 256 << 10;

/// No larger block is kept.
const LARGEST: usize = 64 << 10;

const SHELVES: usize = 16;

/// How many kinds of blocks lie on a shelf at the same time.
const KINDS: usize = 4;

/// Whether blocks are kept at all. Not in models, which check who may free a block, nor under AddressSanitizer, which
/// checks that nobody uses it afterwards.
const KEEPS: bool = !cfg!(any(loom, ftpool_asan));

/// Each thread has a shelf where it looks first, so threads seldom meet. A shelf in use is passed over: nobody waits,
/// not even in the child of a fork, where the user may not exist.
static ALL: [CachePadded<Global<Shelf>>; SHELVES] = [const { CachePadded::new(Global::new(Shelf::EMPTY)) }; SHELVES];

/// Bytes that are kept. Changed under the shelf's lock, so that it never falls below what lies on the shelves.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Bytes of all blocks, kept or not.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// Whether blocks are kept: since the last [`trim`] more than [`BURST`] bytes were in use.
static KEEPING: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
struct Shelf([Stack; KINDS]);

/// Free blocks of one kind.
#[derive(Debug)]
struct Stack {
    layout: Layout,
    top: Option<NonNull<Free>>,
}

/// How a free block begins.
#[derive(Debug)]
struct Free {
    below: Option<NonNull<Free>>,
}

// SAFETY: a free block is nobody's but the stack's.
unsafe impl Send for Stack {}

/// Memory for a block, uninitialised; calls [`alloc::handle_alloc_error`] if there is none. The layout has room for a
/// pointer.
pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    if KEPT.load(Ordering::Relaxed) > 0
        && let Some(block) = shelves().find_map(|shelf| shelf.try_lock()?.take(layout))
    {
        return block;
    }
    if ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed) > BURST && KEEPS {
        KEEPING.store(true, Ordering::Relaxed);
    }
    // SAFETY: the size is not zero.
    let block = unsafe { alloc::alloc(layout) };
    NonNull::new(block).unwrap_or_else(|| alloc::handle_alloc_error(layout))
}

/// Frees a block, or keeps it.
///
/// # Safety
///
/// 1. `block` came from `allocate(layout)`. 2. Nobody uses it any more.
pub(crate) unsafe fn free(block: NonNull<u8>, layout: Layout) {
    let is_kept = KEEPING.load(Ordering::Relaxed)
        && layout.size() <= LARGEST
        && KEPT.load(Ordering::Relaxed) < MOST
        && shelves().take(2).any(|shelf| shelf.try_lock().is_some_and(|mut shelf| shelf.put(block, layout)));
    if !is_kept {
        // SAFETY: the caller's 1 and 2, and it is on no shelf.
        unsafe { release(block, layout) };
    }
}

/// Returns a block to the system's allocator.
///
/// # Safety
///
/// As for [`free`].
unsafe fn release(block: NonNull<u8>, layout: Layout) {
    ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
    // SAFETY: by 1 it was allocated with this layout.
    unsafe { alloc::dealloc(block.as_ptr(), layout) };
}

/// Whether [`trim`] may find something, now or later.
pub(crate) fn needs_trim() -> bool {
    KEEPING.load(Ordering::Relaxed)
}

/// Frees all that is kept, and keeps nothing until the next burst.
pub(crate) fn trim() {
    KEEPING.store(false, Ordering::Relaxed);
    for mut shelf in ALL.iter().filter_map(|shelf| shelf.try_lock()) {
        for stack in &mut shelf.0 {
            while let Some(block) = stack.pop() {
                // SAFETY: it was allocated with the stack's layout, and nobody else has it.
                unsafe { release(block, stack.layout) };
            }
        }
    }
}

/// All shelves, the calling thread's first.
fn shelves() -> impl Iterator<Item = &'static Global<Shelf>> {
    let own = token::place(token::of_this_thread(), SHELVES.ilog2());
    (0..SHELVES).map(move |offset| &*ALL[(own + offset) % SHELVES])
}

impl Shelf {
    const EMPTY: Self = Self([const { Stack { layout: Layout::new::<Free>(), top: None } }; KINDS]);

    fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.iter_mut().find(|stack| stack.layout == layout)?.pop()
    }

    /// False if too many kinds of blocks lie here already.
    fn put(&mut self, block: NonNull<u8>, layout: Layout) -> bool {
        let same = self.0.iter().position(|stack| stack.layout == layout);
        let Some(number) = same.or_else(|| self.0.iter().position(|stack| stack.top.is_none())) else { return false };
        let stack = &mut self.0[number];
        stack.layout = layout;
        let block = block.cast::<Free>();
        // SAFETY: the block is writable, nobody else has it, and it has room for a pointer.
        unsafe { block.write(Free { below: stack.top }) };
        stack.top = Some(block);
        KEPT.fetch_add(layout.size(), Ordering::Relaxed);
        true
    }
}

impl Stack {
    fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = self.top?;
        // SAFETY: `put` has written it, and nobody else has had the block since.
        self.top = unsafe { block.read() }.below;
        KEPT.fetch_sub(self.layout.size(), Ordering::Relaxed);
        if let Some(next) = &self.top {
            // SAFETY: as above.
            hint::will_write(unsafe { next.as_ref() });
        }
        Some(block.cast())
    }
}

#[cfg(test)]
mod tests {
    use super::{Free, KINDS, Shelf, allocate, free, trim};
    use std::alloc::Layout;
    use std::ptr::NonNull;
    use std::thread;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 64).expect("a small power of two")
    }

    #[test]
    fn a_shelf_gives_out_only_blocks_of_the_kind_that_is_wanted() {
        let mut shelf = Shelf::EMPTY;
        let mut blocks: Vec<_> = (0..=KINDS).map(|_| Box::new(Free { below: None })).collect();
        let blocks: Vec<NonNull<u8>> = blocks.iter_mut().map(|block| NonNull::from(&mut **block).cast()).collect();
        let kind = |number: usize| layout(64 * (number + 1));
        for (number, &block) in blocks.iter().enumerate() {
            assert_eq!(shelf.put(block, kind(number)), number < KINDS);
        }
        assert_eq!(shelf.take(kind(KINDS)), None);
        assert_eq!(shelf.take(kind(1)), Some(blocks[1]));
        assert_eq!(shelf.take(kind(1)), None);
        assert!(shelf.put(blocks[KINDS], kind(KINDS)), "there is room for another kind");
        assert_eq!(shelf.take(kind(KINDS)), Some(blocks[KINDS]));
    }

    /// While others trim.
    #[test]
    fn no_block_has_two_owners() {
        const ROUNDS: u64 = 2000;
        let work = |thread: u64| {
            let mut owned = Vec::new();
            for round in 0..ROUNDS {
                let layout = layout(64 << (round % 3));
                let (block, sign) = (allocate(layout).cast::<u64>(), thread * ROUNDS + round);
                // SAFETY: the block is this thread's, and large enough.
                unsafe { block.write(sign) };
                owned.push((block, sign, layout));
                if owned.len() > round as usize % 100 {
                    for (block, sign, layout) in owned.drain(..) {
                        // SAFETY: the block was written, and is this thread's.
                        assert_eq!(unsafe { block.read() }, sign);
                        // SAFETY: 1. it was allocated with this layout; 2. it is used no more.
                        unsafe { free(block.cast(), layout) };
                    }
                }
                if round.is_multiple_of(300) {
                    trim();
                }
            }
            for (block, _, layout) in owned {
                // SAFETY: as above.
                unsafe { free(block.cast(), layout) };
            }
        };
        thread::scope(|scope| (0..4).for_each(|thread| drop(scope.spawn(move || work(thread)))));
        trim();
    }
}
