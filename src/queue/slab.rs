//! Nodes that stay where they are, and are found by ids.

use super::arena::OutOfMemory;
use super::registry::BlockHasher;
use super::stable_vec::StableVec;
use crate::sys::cell::UnsafeCell;
use crate::sys::{hint, unique};
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::mem;
use std::ptr::NonNull;

/// Nodes in a page, as a power of two.
const PAGE_BITS: u32 = 8;
const PAGE: usize = 1 << PAGE_BITS;

/// Bits of an id that count how often its node was used.
const USE_BITS: u32 = 20;
const MOST_USES: u32 = 1 << USE_BITS;

/// A bit that all ids of slabs have, and no id of a segment's cell: block numbers never get that high.
const MARKED: u64 = 1 << 63;
const MOST_PAGES: u64 = 1 << (63 - PAGE_BITS - USE_BITS);

/// A node's state, in the `word` of its metadata, between its uses (the lowest bits) and its mark (the highest).
const STATE: u32 = 0b11 << STATE_SHIFT;
const STATE_SHIFT: u32 = USE_BITS + 1;
const FREE: u32 = 0 << STATE_SHIFT;
/// In use, but in no wheel.
const OUT: u32 = 1 << STATE_SHIFT;
/// The bit that the states of nodes in a wheel have in common.
const WAITING: u32 = 2 << STATE_SHIFT;
const MARK_SHIFT: u32 = 24;

/// A node of a slab. A copy that outlives the node refers to the next user of its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node(pub(super) u32);

/// Which of up to two wheels over a slab's nodes. A node records its wheel, so that a stale entry of one wheel is not
/// taken for a node that moved to the other one, where it is due at the same number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    First = 2,
    Second = 3,
}

impl Side {
    fn state(self) -> u32 {
        (self as u32) << STATE_SHIFT
    }
}

/// A wheel's data about a node.
#[derive(Debug)]
pub(super) struct Meta {
    /// When it is due, while it is in a wheel; else a number that the user has [noted](Slab::note).
    pub(super) due: Cell<u64>,
    /// Among nodes that are due at the same time the lowest comes first. In a free node: the next free one.
    pub(super) sequence: Cell<u32>,
    /// Its uses, its state, its mark.
    word: Cell<u32>,
}

impl Meta {
    fn uses(&self) -> u32 {
        self.word.get() & ((1 << STATE_SHIFT) - 1)
    }

    fn is(&self, state: u32) -> bool {
        self.word.get() & STATE == state
    }

    fn set(&self, state: u32) {
        self.word.set(self.word.get() & !STATE | state);
    }

    /// Whether the node is in this wheel, and due at `due`.
    #[inline]
    pub(super) fn waits_for(&self, side: Side, due: u64) -> bool {
        self.is(side.state()) && self.due.get() == due
    }

    /// Moves it to this wheel, or out of the one that it is in.
    pub(super) fn set_waiting(&self, side: Option<Side>) {
        self.set(side.map_or(OUT, Side::state));
    }
}

#[derive(Debug)]
struct Page {
    /// Never used by another page of the process.
    number: u64,
    /// How many nodes were used as often as an id can count.
    retired: usize,
}

/// A node's memory. Made of cells, because only shared references may exist while a lent value is in use.
#[derive(Debug)]
struct Entry<T> {
    value: UnsafeCell<T>,
    meta: Meta,
}

/// A pointer to the value of a node that is in no wheel, for the thread that has the right to take it. The slab's user
/// must neither access the value nor remove the node before it was taken.
#[derive(Debug)]
pub(crate) struct Lent<T>(NonNull<T>);

// SAFETY: it sends a value, which is `Send`, to another thread.
unsafe impl<T: Send> Send for Lent<T> {}
// SAFETY: the slab sends values, which are `Send`, from thread to thread.
unsafe impl<T: Send> Send for Entry<T> {}

/// Nodes in pages of 256, found by ids that the process uses once: a page's number, the node's place in it, and how
/// often the node was used before. A node that was used 2²⁰ times is retired; when its whole page is, the page gets a
/// new number and is used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    pages: Vec<Page>,
    /// The entries of one page after another.
    entries: StableVec<Entry<T>>,
    /// The first page's initial number. The numbers of further pages are mostly consecutive.
    first: u64,
    /// From number to index, for pages of which that is not true.
    numbers: HashMap<u64, u32, BuildHasherDefault<BlockHasher>>,
    /// The head of the list of free nodes; [`NOBODY`] if there is none.
    free: u32,
    len: usize,
}

const NOBODY: u32 = u32::MAX;

impl<T: Default> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            pages: Vec::new(),
            entries: StableVec::new(),
            first: 0,
            numbers: HashMap::default(),
            free: NOBODY,
            len: 0,
        }
    }

    /// Nodes in use.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether an id is of a kind that only slabs give out.
    pub(crate) fn is_id(id: u64) -> bool {
        id & MARKED != 0
    }

    /// Makes sure that there is room for one more.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        if self.free == NOBODY { self.add_page() } else { Ok(()) }
    }

    /// Moves a value into a node, in no wheel, for which there is [room](Self::reserve). `mark` is the user's.
    #[inline]
    pub(crate) fn insert(&mut self, value: &mut T, mark: u8) -> Node {
        let node = Node(self.free);
        let Entry { value: place, meta } = self.entry(node);
        meta.word.set(meta.uses() | OUT | u32::from(mark) << MARK_SHIFT);
        let next = meta.sequence.get();
        // SAFETY: the node was free, so its value is not lent, and the slab is borrowed exclusively.
        place.with_mut(|place| mem::swap(unsafe { &mut *place }, value));
        self.free = next;
        self.len += 1;
        node
    }

    /// Moves the value out of a node that is in no wheel, to where there is a default value, and frees the node.
    ///
    /// # Safety
    ///
    /// 1. The value is not lent.
    #[inline]
    pub(crate) unsafe fn remove(&mut self, node: Node, value: &mut T) {
        // SAFETY: by 1, and because the slab is borrowed exclusively, there is no other reference.
        self.value(node).with_mut(|place| mem::swap(unsafe { &mut *place }, value));
        self.free(node);
    }

    /// Gives a node in use another value; returns the one it had.
    ///
    /// # Safety
    ///
    /// 1. The value is not lent.
    pub(crate) unsafe fn replace(&mut self, node: Node, value: T) -> T {
        // SAFETY: as above.
        self.value(node).with_mut(|place| mem::replace(unsafe { &mut *place }, value))
    }

    /// Frees a node that is in no wheel, and whose value was taken; its id finds nothing from now on.
    #[inline]
    pub(crate) fn free(&mut self, node: Node) {
        let free = self.free;
        let meta = self.meta(node);
        debug_assert!(!meta.is(FREE), "a node is freed once");
        meta.word.set((meta.uses() + 1) | FREE);
        if meta.uses() < MOST_USES {
            meta.sequence.set(free);
            self.free = node.0;
        } else {
            self.retire(node);
        }
        self.len -= 1;
    }

    /// Lends the value of a node that is in no wheel.
    pub(crate) fn lend(&self, node: Node) -> Lent<T> {
        Lent(self.value(node).with_mut(|value| NonNull::new(value).expect("a cell has an address")))
    }

    /// The id of a node in use.
    pub(crate) fn id(&self, node: Node) -> u64 {
        let page = self.pages[node.page()].number << (USE_BITS + PAGE_BITS);
        MARKED | page | u64::from(self.meta(node).uses()) << PAGE_BITS | node.slot() as u64
    }

    /// The node in use that has this id.
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<Node> {
        let number = (id & !MARKED) >> (USE_BITS + PAGE_BITS);
        let page = self.page(number).filter(|_| Self::is_id(id))?;
        let node = Node(page << PAGE_BITS | (id as u32 & (PAGE as u32 - 1)));
        let meta = self.meta(node);
        let uses = (id >> PAGE_BITS) as u32 & (MOST_USES - 1);
        (!meta.is(FREE) && meta.uses() == uses).then_some(node)
    }

    /// The page with this number.
    #[inline]
    fn page(&self, number: u64) -> Option<u32> {
        let guess = number.wrapping_sub(self.first);
        match self.pages.get(guess as usize) {
            Some(page) if page.number == number => Some(guess as u32),
            _ => self.page_out_of_order(number),
        }
    }

    #[cold]
    fn page_out_of_order(&self, number: u64) -> Option<u32> {
        self.numbers.get(&number).copied()
    }

    /// The nodes in use.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node> {
        let all = (0..(self.pages.len() * PAGE) as u32).map(Node);
        all.filter(|&node| !self.meta(node).is(FREE))
    }

    /// The slab's memory, if no node is in use and it is more than a slab keeps: for the caller to drop.
    #[inline]
    pub(crate) fn surplus(&mut self) -> Option<Box<impl Sized + use<T>>> {
        const KEPT: usize = 4;
        if self.len > 0 || self.pages.len() <= KEPT { None } else { Some(self.give_up()) }
    }

    /// All its memory. In a box, because callers that get none would pay for moving it.
    #[cold]
    fn give_up(&mut self) -> Box<impl Sized + use<T>> {
        self.free = NOBODY;
        self.numbers.clear();
        Box::new((mem::take(&mut self.pages), mem::replace(&mut self.entries, StableVec::new())))
    }

    fn value(&self, node: Node) -> &UnsafeCell<T> {
        &self.entry(node).value
    }

    /// The mark that the node was inserted with.
    pub(crate) fn mark(&self, node: Node) -> u8 {
        (self.meta(node).word.get() >> MARK_SHIFT) as u8
    }

    /// Whether a node in use is in a wheel.
    pub(crate) fn is_waiting(&self, node: Node) -> bool {
        self.meta(node).word.get() & WAITING != 0
    }

    /// When a waiting node is due; for other nodes, the last number that was [noted](Self::note).
    pub(crate) fn due(&self, node: Node) -> u64 {
        self.meta(node).due.get()
    }

    /// Remembers a number for a node that is in no wheel.
    pub(crate) fn note(&mut self, node: Node, number: u64) {
        debug_assert!(!self.is_waiting(node), "a waiting node remembers when it is due");
        self.meta(node).due.set(number);
    }

    pub(super) fn meta(&self, node: Node) -> &Meta {
        &self.entry(node).meta
    }

    /// Prefetches a node.
    #[inline]
    pub(super) fn prefetch(&self, node: Node) {
        let entry = self.entry(node);
        hint::will_write(&entry.value);
        hint::will_write(&entry.meta);
    }

    fn entry(&self, node: Node) -> &Entry<T> {
        self.entries.get(node.0 as usize)
    }

    #[cold]
    fn add_page(&mut self) -> Result<(), OutOfMemory> {
        let index = self.pages.len();
        if index >= NOBODY as usize >> PAGE_BITS {
            return Err(OutOfMemory);
        }
        self.pages.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.numbers.try_reserve(1).map_err(|_| OutOfMemory)?;
        let page = Page { number: page_number()?, retired: 0 };
        self.entries.extend(PAGE, Entry::new)?;
        if index == 0 {
            self.first = page.number;
        }
        if page.number != self.first + index as u64 {
            self.numbers.insert(page.number, index as u32);
        }
        self.pages.push(page);
        self.free_page(index);
        Ok(())
    }

    /// Prepends all nodes of a page to the list of free ones.
    fn free_page(&mut self, index: usize) {
        let first = (index << PAGE_BITS) as u32;
        let last = first + (PAGE as u32 - 1);
        for node in first..=last {
            let meta = self.meta(Node(node));
            meta.sequence.set(if node == last { self.free } else { node + 1 });
            meta.word.set(FREE);
        }
        self.free = first;
    }

    #[cold]
    fn retire(&mut self, node: Node) {
        let page = &mut self.pages[node.page()];
        page.retired += 1;
        // Without numbers or memory the page is lost. There are 2³⁵ numbers.
        if page.retired == PAGE
            && self.numbers.try_reserve(1).is_ok()
            && let Ok(number) = page_number()
        {
            self.numbers.remove(&page.number);
            page.number = number;
            page.retired = 0;
            self.numbers.insert(number, node.page() as u32);
            self.free_page(node.page());
        }
    }
}

impl<T: Default> Entry<T> {
    fn new() -> Self {
        let meta = Meta { due: Cell::new(0), sequence: Cell::new(0), word: Cell::new(FREE) };
        Self { value: UnsafeCell::new(T::default()), meta }
    }
}

impl<T: Default> Lent<T> {
    /// # Safety
    ///
    /// 1. The caller has the right to take it, and nobody else has. 2. The slab lives.
    pub(crate) unsafe fn take(self) -> T {
        // SAFETY: by 2 the value's page exists: it is freed only when none of its nodes is in use. By 1 no other thread
        // accesses the value.
        mem::take(unsafe { &mut *self.0.as_ptr() })
    }
}

impl Node {
    fn page(self) -> usize {
        self.0 as usize >> PAGE_BITS
    }

    fn slot(self) -> usize {
        self.0 as usize % PAGE
    }
}

fn page_number() -> Result<u64, OutOfMemory> {
    Some(unique::page()).filter(|&number| number < MOST_PAGES).ok_or(OutOfMemory)
}

#[cfg(test)]
mod tests;
