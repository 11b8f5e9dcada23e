//! Nodes that stay where they are, and ids that find them.

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

/// Every id of a slab has this bit, no id of a segment's cell has: block numbers do not come that far.
const MARKED: u64 = 1 << 63;
const MOST_PAGES: u64 = 1 << (63 - PAGE_BITS - USE_BITS);

/// What a node is in, of the `word` of its meta data; the lowest bits are its uses, the highest its mark.
const STATE: u32 = 0b11 << STATE_SHIFT;
const STATE_SHIFT: u32 = USE_BITS + 1;
const FREE: u32 = 0 << STATE_SHIFT;
/// In use, and in no wheel.
const OUT: u32 = 1 << STATE_SHIFT;
/// The bit that the states of nodes in a wheel have in common.
const WAITING: u32 = 2 << STATE_SHIFT;
const MARK_SHIFT: u32 = 24;

/// A node of a slab. Copies are free; one that outlives its node names the next user of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node(pub(super) u32);

/// Which of the wheels over a slab's nodes, of which there may be two: a node says in which of them it is. What was
/// left behind in one of them must not stand for a node that has come to the other one, to be due at the same number.
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

/// What a wheel knows of a node.
#[derive(Debug)]
pub(super) struct Meta {
    /// When it is due, while it is in a wheel; then its user's to remember something by.
    pub(super) due: Cell<u64>,
    /// Of nodes that are due at the same time the lowest comes first. Of a free node: the next free one.
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

    /// Whether the node is in this wheel, to be due then.
    #[inline]
    pub(super) fn waits_for(&self, side: Side, due: u64) -> bool {
        self.is(side.state()) && self.due.get() == due
    }

    /// It comes to this wheel, or leaves the one that it is in.
    pub(super) fn set_waiting(&self, side: Option<Side>) {
        self.set(side.map_or(OUT, Side::state));
    }
}

#[derive(Debug)]
struct Page {
    /// Not used by any other page that the process ever has.
    number: u64,
    /// Nodes that have been used as often as an id can tell.
    retired: usize,
}

/// A node's memory. Cells, for a shared reference is all that may exist while somebody uses a value that was lent.
#[derive(Debug)]
struct Entry<T> {
    value: UnsafeCell<T>,
    meta: Meta,
}

/// The value of a node that is in no wheel, and the right to take it: whoever claims what this was lent to has that
/// right alone. The slab's user must not touch the value, nor remove the node, before it was taken.
#[derive(Debug)]
pub(crate) struct Lent<T>(NonNull<T>);

// SAFETY: it is the way that a value takes to another thread.
unsafe impl<T: Send> Send for Lent<T> {}
// SAFETY: the slab hands values from thread to thread.
unsafe impl<T: Send> Send for Entry<T> {}

/// Nodes in pages of 256, found by ids that the process uses once: a page's number, the node's place in it, and how
/// often the node was used before. A node that was used 2²⁰ times rests until its whole page does; the page then
/// begins anew with another number.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    pages: Vec<Page>,
    /// Those of one page after another.
    entries: StableVec<Entry<T>>,
    /// The number that the first page began with. Numbers mostly come one after another, like pages.
    first: u64,
    /// From the number of a page for which that is not so to its index.
    numbers: HashMap<u64, u32, BuildHasherDefault<BlockHasher>>,
    /// The first free node; a node knows the next. As many as there are nodes: none.
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
        // SAFETY: the node was free, so its value is not lent.
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
        // SAFETY: the caller's 1.
        self.value(node).with_mut(|place| mem::swap(unsafe { &mut *place }, value));
        self.free(node);
    }

    /// Gives a node in use another value; returns the one it had.
    ///
    /// # Safety
    ///
    /// 1. The value is not lent.
    pub(crate) unsafe fn replace(&mut self, node: Node, value: T) -> T {
        // SAFETY: the caller's 1.
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

    /// Everything that is not in use and large enough to matter, for the caller to drop.
    #[inline]
    pub(crate) fn surplus(&mut self) -> Option<Box<impl Sized + use<T>>> {
        const KEPT: usize = 4;
        if self.len > 0 || self.pages.len() <= KEPT { None } else { Some(self.give_up()) }
    }

    /// All its memory. In a box: moved about, it would cost those who never see it.
    #[cold]
    fn give_up(&mut self) -> Box<impl Sized + use<T>> {
        self.free = NOBODY;
        self.numbers.clear();
        Box::new((mem::take(&mut self.pages), mem::replace(&mut self.entries, StableVec::new())))
    }

    fn value(&self, node: Node) -> &UnsafeCell<T> {
        &self.entry(node).value
    }

    /// What the user has marked the node with.
    pub(crate) fn mark(&self, node: Node) -> u8 {
        (self.meta(node).word.get() >> MARK_SHIFT) as u8
    }

    /// Whether a node in use is in a wheel.
    pub(crate) fn is_waiting(&self, node: Node) -> bool {
        self.meta(node).word.get() & WAITING != 0
    }

    /// When a waiting node is due; what was last [noted](Self::note) for another.
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

    /// Asks for a node's memory before it is needed.
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

    /// Makes a page whose nodes are all unused the beginning of the list of free ones.
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
        // Without numbers or memory left the page is lost. It takes 2³⁵ pages to come to the former.
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
        // SAFETY: by 2 the page is there: it goes only when none of its nodes is in use. By 1 nobody else touches it.
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
