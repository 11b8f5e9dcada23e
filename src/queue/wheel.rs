//! A hierarchical timing wheel: which of very many nodes is due next. Time is an argument.

use super::arena::OutOfMemory;
use super::chunked_stack::{ChunkedStack, SpareChunks};
use super::slab::{Node, Side, Slab};
use std::cmp::Reverse;

/// Slots of a level, as a power of two: one bit of a word for each.
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;

/// Enough levels for every `u64`.
const LEVELS: usize = u64::BITS.div_ceil(SLOT_BITS) as usize;

/// A slot of no more entries is sorted as it is; a larger one is first spread over the levels below.
const FEW: usize = 64;

/// How far ahead a loop prefetches nodes, which lie anywhere in memory.
const AHEAD: usize = 8;

/// Spreading so many entries is as much work as accessing one node.
const SPREAD: usize = 8;

/// Entries that are checked for each node that is removed, while more than half of all entries are stale.
const SWEPT: usize = 2;

/// That is done for so many nodes at a time: waiting for many cache lines takes as long as for one.
const SWEEP: usize = 32;

/// What [`Wheel::pop`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    /// A node that is due; it is in no wheel any more.
    Due(Node),
    /// The allowed work is done, and more is left.
    Busy,
    /// Nothing is due.
    Nothing,
}

/// A node in a slot, with the time for which it was put there. Stale once the node no longer waits for that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
struct Entry {
    due: u64,
    node: Node,
}

/// A node that comes next, unless it was removed: its due time, its sequence and its number, compared in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next(u128);

impl Next {
    fn new(due: u64, sequence: u32, node: Node) -> Self {
        Self(u128::from(due) << 64 | u128::from(sequence) << 32 | u128::from(node.0))
    }

    fn due(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn sequence(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn node(self) -> Node {
        Node(self.0 as u32)
    }
}

/// A wheel over nodes of a [`Slab`], each with a due time. No node is returned early, and nodes are returned in the
/// order of their due times, with equal ones in the order of their insertion. (Except for two with 2³² insertions
/// between them.)
///
/// Level `l` has 64 slots of 64^l moments each. An entry lies in the level of the highest digit, to the base of 64, in
/// which its due time differs from `elapsed`. So every slot with entries lies ahead of `elapsed`, and the next one is
/// the first of the lowest level that has any. When its beginning is reached, its nodes are sorted into `next` if they
/// are few; otherwise its entries are spread over the levels below, some at a time (`splitting`).
///
/// A node is accessed when it is inserted and when it is removed or due, and not in between. When it is removed its
/// entry stays where it is, unless it is the last of its slot. Such stale entries are dropped when their time comes, or
/// when they are more than half of all entries.
#[derive(Debug)]
pub(crate) struct Wheel {
    side: Side,
    /// No node outside `next` and `splitting` is due before this, unless it was overdue when it came.
    elapsed: u64,
    /// A bit for each slot that has entries.
    occupied: [u64; LEVELS],
    slots: Box<[ChunkedStack<Entry>]>,
    /// Memory for slots.
    spare: SpareChunks<Entry>,
    /// A slot whose beginning was reached, and whose entries are being moved.
    splitting: Option<usize>,
    /// The nodes of slots whose beginning was reached, and stale entries of nodes that were removed since; the next one
    /// last. From each level at most one slot of few nodes is here, or many nodes that are due at one moment.
    next: Vec<Next>,
    /// Whether `next` is not in order.
    unsorted: bool,
    sequence: u32,
    /// Nodes in the wheel.
    len: usize,
    /// Entries in `slots` and `next`; all but `len` of them are stale.
    entries: usize,
    /// How far the search for stale entries has come: a slot, and how many of its first entries are left.
    swept: (usize, usize),
    /// Nodes that were removed since the search went on.
    unswept: usize,
}

impl Wheel {
    /// One of up to two wheels over the same nodes, on different sides.
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            elapsed: 0,
            occupied: [0; LEVELS],
            slots: std::iter::repeat_with(|| ChunkedStack::EMPTY).take(LEVELS * SLOTS).collect(),
            spare: SpareChunks::EMPTY,
            splitting: None,
            next: Vec::new(),
            unsorted: false,
            sequence: 0,
            len: 0,
            entries: 0,
            swept: (0, 0),
            unswept: 0,
        }
    }

    /// Adds a node that is in no wheel.
    #[inline(always)]
    pub(crate) fn insert<T: Default>(&mut self, slab: &Slab<T>, node: Node, due: u64) -> Result<(), OutOfMemory> {
        let slot = self.slot_of(due);
        self.slots[slot].make_room(&mut self.spare)?;
        let meta = slab.meta(node);
        meta.due.set(due);
        meta.sequence.set(self.sequence);
        meta.set_waiting(Some(self.side));
        self.sequence = self.sequence.wrapping_add(1);
        self.len += 1;
        self.entries += 1;
        self.put(Entry { due, node }, slot);
        Ok(())
    }

    /// Removes a node of this wheel.
    #[inline(always)]
    pub(crate) fn remove<T: Default>(&mut self, slab: &Slab<T>, node: Node) {
        let meta = slab.meta(node);
        meta.set_waiting(None);
        self.len -= 1;
        let due = meta.due.get();
        let number = self.slot_of(due);
        let slot = &mut self.slots[number];
        if slot.last() == Some(&Entry { due, node }) {
            slot.pop(&mut self.spare);
            self.entries -= 1;
            if slot.is_empty() {
                self.vacate(number);
            }
        } else {
            self.leave_behind(slab);
        }
    }

    /// The entry of a node that was removed stays in its slot.
    #[inline(never)]
    fn leave_behind<T: Default>(&mut self, slab: &Slab<T>) {
        if self.len == 0 {
            self.clear();
        } else if self.entries > 2 * self.len + FEW {
            self.unswept += 1;
            if self.unswept == SWEEP {
                self.sweep(slab);
            }
        }
    }

    /// Removes the next node that is due at `now`. Accesses about `work` nodes at most, and subtracts them from it.
    pub(crate) fn pop<T: Default>(&mut self, slab: &Slab<T>, now: u64, work: &mut usize) -> Popped {
        loop {
            if *work == 0 {
                return Popped::Busy;
            }
            if let Some(slot) = self.splitting {
                self.split(slab, slot, work);
                continue;
            }
            if std::mem::take(&mut self.unsorted) {
                self.next.sort_unstable_by_key(|&next| Reverse(next));
            }
            self.forget_removed(slab);
            let first = self.next.last().map_or(u64::MAX, |next| next.due());
            // Nodes that were overdue when they were inserted are in the slot of `elapsed`, and may be due before
            // others.
            if let Some((slot, start)) = self.next_slot()
                && start <= first.min(now).max(self.elapsed)
            {
                self.elapsed = self.elapsed.max(start);
                self.splitting = Some(slot);
            } else if let Some(next) = self.next.pop_if(|next| next.due() <= now) {
                *work -= 1;
                self.entries -= 1;
                self.len -= 1;
                slab.meta(next.node()).set_waiting(None);
                return Popped::Due(next.node());
            } else {
                // No slot with entries begins by `now`, so this moves no entry to another slot.
                self.elapsed = self.elapsed.max(now);
                return Popped::Nothing;
            }
        }
    }

    /// When [`pop`](Self::pop) will have something to do: when the next node is due, or a little before if many are due
    /// at about the same time.
    pub(crate) fn next_due<T: Default>(&mut self, slab: &Slab<T>) -> Option<u64> {
        if self.splitting.is_some() || self.unsorted {
            return Some(self.elapsed);
        }
        self.forget_removed(slab);
        let first = self.next.last().map(|next| next.due());
        while let Some((number, start)) = self.next_slot() {
            let slot = &mut self.slots[number];
            if slot.len() > FEW {
                let start = if start > self.elapsed { start } else { 0 };
                return first.into_iter().chain([start]).min();
            }
            let earliest = slot.iter().min_by_key(|entry| entry.due).copied();
            if let Some(Entry { due, node }) = earliest
                && slab.meta(node).waits_for(self.side, due)
            {
                return first.into_iter().chain([due]).min();
            }
            for index in (0..slot.len()).rev() {
                let Entry { due, node } = *slot.get(index);
                if !slab.meta(node).waits_for(self.side, due) {
                    slot.swap_remove(index, &mut self.spare);
                    self.entries -= 1;
                }
            }
            if slot.is_empty() {
                self.vacate(number);
            }
        }
        first
    }

    /// Sets the time of an empty wheel, so that nodes inserted now are not spread later. Drops stale entries.
    #[inline(never)]
    pub(crate) fn begin_at(&mut self, now: u64) {
        debug_assert!(self.len == 0, "nothing is in the wheel");
        self.clear();
        self.elapsed = now;
    }

    /// Frees memory of an empty wheel that only many nodes need.
    pub(crate) fn give_up(&mut self) {
        self.begin_at(0);
        self.spare = SpareChunks::EMPTY;
    }

    /// Drops the stale entries of an empty wheel.
    fn clear(&mut self) {
        if self.entries > 0 {
            while let Some(number) = self.occupied_from(0) {
                self.vacate(number);
            }
            self.next.clear();
            self.unsorted = false;
            self.entries = 0;
        }
    }

    fn slot_of(&self, due: u64) -> usize {
        let due = due.max(self.elapsed);
        let differing = due ^ self.elapsed;
        let level = (differing | 1).ilog2() / SLOT_BITS;
        let digit = (due >> (level * SLOT_BITS)) as usize % SLOTS;
        level as usize * SLOTS + digit
    }

    fn put(&mut self, entry: Entry, number: usize) {
        self.slots[number].push(entry);
        self.occupied[number / SLOTS] |= 1 << (number % SLOTS);
    }

    /// The first slot from this one on that has entries.
    fn occupied_from(&self, number: usize) -> Option<usize> {
        (number / SLOTS..LEVELS).find_map(|level| {
            let from = if level == number / SLOTS { u64::MAX << (number % SLOTS) } else { u64::MAX };
            let slots = self.occupied[level] & from;
            (slots != 0).then(|| level * SLOTS + slots.trailing_zeros() as usize)
        })
    }

    /// The next slot, and the moment it begins.
    fn next_slot(&self) -> Option<(usize, u64)> {
        let number = self.occupied_from(0)?;
        let shift = (number / SLOTS) as u32 * SLOT_BITS;
        let above = self.elapsed.checked_shr(shift + SLOT_BITS).unwrap_or(0);
        let start = above.checked_shl(shift + SLOT_BITS).unwrap_or(0) | ((number % SLOTS) as u64) << shift;
        Some((number, start))
    }

    /// Moves entries out of a slot whose beginning was reached.
    fn split<T: Default>(&mut self, slab: &Slab<T>, number: usize, work: &mut usize) {
        let mut slot = std::mem::replace(&mut self.slots[number], ChunkedStack::EMPTY);
        // Nodes of the lowest level cannot be spread. A few nodes are accessed however little work is allowed.
        if number < SLOTS || slot.len() <= FEW {
            let some = slot.len().min((*work).max(FEW));
            self.sort(slab, &mut slot, some);
            *work = work.saturating_sub(some);
        } else {
            let some = slot.len().min(work.saturating_mul(SPREAD));
            for _ in 0..some {
                let entry = slot.pop(&mut self.spare).expect("there are some");
                let below = self.slot_of(entry.due);
                self.slots[below].make_room(&mut self.spare).expect("memory for a few entries");
                self.put(entry, below);
            }
            *work -= some.div_ceil(SPREAD);
        }
        self.slots[number] = slot;
        if self.slots[number].is_empty() {
            self.vacate(number);
        }
    }

    /// Moves the last nodes of a slot to `next`.
    fn sort<T: Default>(&mut self, slab: &Slab<T>, slot: &mut ChunkedStack<Entry>, some: usize) {
        let left = slot.len() - some;
        (left..slot.len()).rev().take(AHEAD).for_each(|index| slab.prefetch(slot.get(index).node));
        while slot.len() > left
            && let Some(Entry { due, node }) = slot.pop(&mut self.spare)
        {
            if let Some(later) = slot.len().checked_sub(AHEAD) {
                slab.prefetch(slot.get(later).node);
            }
            let meta = slab.meta(node);
            if meta.waits_for(self.side, due) {
                self.next.push(Next::new(due, meta.sequence.get(), node));
            } else {
                self.entries -= 1;
            }
        }
        self.unsorted = true;
    }

    /// Clears a slot, whose entries are all stale or moved.
    #[inline(never)]
    fn vacate(&mut self, number: usize) {
        self.occupied[number / SLOTS] &= !(1 << (number % SLOTS));
        self.slots[number].clear(&mut self.spare);
        if self.splitting == Some(number) {
            self.splitting = None;
        }
    }

    /// Checks some more entries, and drops the stale ones.
    fn sweep<T: Default>(&mut self, slab: &Slab<T>) {
        self.unswept = 0;
        for _ in 0..SWEPT * SWEEP {
            let (number, left) = self.swept;
            let Some(index) = left.min(self.slots[number].len()).checked_sub(1) else {
                self.swept = (self.occupied_from(number + 1).or(self.occupied_from(0)).unwrap_or(0), usize::MAX);
                continue;
            };
            self.swept.1 = index;
            let slot = &mut self.slots[number];
            if let Some(later) = index.checked_sub(AHEAD) {
                slab.prefetch(slot.get(later).node);
            }
            let Entry { due, node } = *slot.get(index);
            if !slab.meta(node).waits_for(self.side, due) {
                slot.swap_remove(index, &mut self.spare); // The last one was checked before.
                self.entries -= 1;
                if slot.is_empty() {
                    self.vacate(number);
                }
            }
        }
    }

    /// Drops stale entries from the head of `next`.
    fn forget_removed<T: Default>(&mut self, slab: &Slab<T>) {
        let is_gone = |next: &mut Next| {
            let meta = slab.meta(next.node());
            !meta.waits_for(self.side, next.due()) || meta.sequence.get() != next.sequence()
        };
        while self.next.pop_if(is_gone).is_some() {
            self.entries -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
