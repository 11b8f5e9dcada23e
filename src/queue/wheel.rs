//! Which of very many nodes is due next: a hierarchical timing wheel. Time is an argument.

use super::arena::OutOfMemory;
use super::chunked_stack::{ChunkedStack, SpareChunks};
use super::slab::{Node, Side, Slab};
use std::cmp::Reverse;

/// Slots of a level, as a power of two: one bit of a word for each.
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;

/// Enough levels for every moment that a `u64` can tell.
const LEVELS: usize = u64::BITS.div_ceil(SLOT_BITS) as usize;

/// A slot of no more entries is sorted as it is; a larger one is spread over the levels below first.
const FEW: usize = 64;

/// How far ahead of itself a loop asks for nodes: they lie anywhere in memory.
const AHEAD: usize = 8;

/// To spread an entry is so much less work than to look at a node.
const SPREAD: usize = 8;

/// Entries that are looked at for each node that is removed, while more than half of all stand for nothing.
const SWEPT: usize = 2;

/// That is done for so many nodes at a time: the processor waits for many cache lines as long as for one.
const SWEEP: usize = 32;

/// What [`Wheel::pop`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    /// A node that is due; it is in no wheel any more.
    Due(Node),
    /// The work that was allowed is done, and more is left.
    Busy,
    /// Nothing is due.
    Nothing,
}

/// A node in a slot, with the time for which it was put there. It stands for nothing once the node no longer waits for
/// that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(4))]
struct Entry {
    due: u64,
    node: Node,
}

/// A node that comes next, unless it was removed: when it is due, its sequence, its number. They compare in that order.
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

/// A wheel over nodes of a [`Slab`], each due at a moment of its own. Nothing is ever early, and what is due comes
/// in the order of its due times, of equal ones in the order of their insertion. (But for two of which one was among
/// the first 2³² insertions, and the other among the next.)
///
/// Level `l` has 64 slots of 64^l moments each. An entry lies in the level of the highest digit, to the base of 64, in
/// which its due time differs from `elapsed`; so every slot that holds entries lies ahead of `elapsed`, and the next
/// one to come to is the first of the lowest level that holds any. When its beginning has come, its nodes are sorted
/// (they go to `next`) if they are few, and its entries are else spread over the levels below, some at a time
/// (`splitting`).
///
/// A node is touched when it comes and when it goes, and no more: its entry stays where it is when the node is removed,
/// unless it is the last of its slot. Such remains go when their time comes, or when they are more than half of all.
#[derive(Debug)]
pub(crate) struct Wheel {
    side: Side,
    /// No node outside `next` and `splitting` is due before this, unless it was overdue when it came.
    elapsed: u64,
    /// A bit for every slot that holds entries.
    occupied: [u64; LEVELS],
    slots: Box<[ChunkedStack<Entry>]>,
    /// Memory for slots.
    spare: SpareChunks<Entry>,
    /// A slot whose beginning has come, and whose entries are on their way to lower levels.
    splitting: Option<usize>,
    /// The nodes of slots whose beginning has come, and what is left of nodes that were removed since: the first is
    /// the last. Of each level at most one slot of few nodes is here, or a crowd that is due at one moment.
    next: Vec<Next>,
    /// `next` has got nodes that are not in their places yet.
    unsorted: bool,
    sequence: u32,
    /// Nodes in the wheel.
    len: usize,
    /// Entries in `slots` and `next`, of which more than `len` stand for nothing.
    entries: usize,
    /// How far the search for such entries has come: a slot, and how many of its first are to be looked at.
    swept: (usize, usize),
    /// Nodes that were removed without it going on.
    unswept: usize,
}

impl Wheel {
    /// One of at most two over the same nodes, which are not on the same side.
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

    /// Takes out a node of this wheel.
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

    /// Takes out the next node that is due at `now`. Each call may touch `work` nodes at most, and counts them off.
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
            // What was overdue when it came lies in the slot of `elapsed`, and may be due before all others.
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
                // No slot begins before now has passed, so no entry changes its place by this.
                self.elapsed = self.elapsed.max(now);
                return Popped::Nothing;
            }
        }
    }

    /// When there will be something to do for [`pop`](Self::pop): when the next node is due, or a little before if many
    /// are due at about the same time.
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

    /// Nothing is in the wheel: it may begin at `now`, which saves what is inserted from being spread. It forgets nodes
    /// that were removed.
    #[inline(never)]
    pub(crate) fn begin_at(&mut self, now: u64) {
        debug_assert!(self.len == 0, "nothing is in the wheel");
        self.clear();
        self.elapsed = now;
    }

    /// Nothing is in the wheel: it may give back what only many nodes need.
    pub(crate) fn give_up(&mut self) {
        self.begin_at(0);
        self.spare = SpareChunks::EMPTY;
    }

    /// Nothing is in the wheel, and nothing stays behind.
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

    /// The first slot from this one on that holds entries.
    fn occupied_from(&self, number: usize) -> Option<usize> {
        (number / SLOTS..LEVELS).find_map(|level| {
            let from = if level == number / SLOTS { u64::MAX << (number % SLOTS) } else { u64::MAX };
            let slots = self.occupied[level] & from;
            (slots != 0).then(|| level * SLOTS + slots.trailing_zeros() as usize)
        })
    }

    /// The slot that comes next, and the moment it begins.
    fn next_slot(&self) -> Option<(usize, u64)> {
        let number = self.occupied_from(0)?;
        let shift = (number / SLOTS) as u32 * SLOT_BITS;
        let above = self.elapsed.checked_shr(shift + SLOT_BITS).unwrap_or(0);
        let start = above.checked_shl(shift + SLOT_BITS).unwrap_or(0) | ((number % SLOTS) as u64) << shift;
        Some((number, start))
    }

    /// Moves entries out of a slot whose beginning has come.
    fn split<T: Default>(&mut self, slab: &Slab<T>, number: usize, work: &mut usize) {
        let mut slot = std::mem::replace(&mut self.slots[number], ChunkedStack::EMPTY);
        // Nodes of the lowest level have nowhere else to go. Few nodes are touched whatever work is allowed.
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

    /// Nothing in a slot stands for anything any more.
    #[inline(never)]
    fn vacate(&mut self, number: usize) {
        self.occupied[number / SLOTS] &= !(1 << (number % SLOTS));
        self.slots[number].clear(&mut self.spare);
        if self.splitting == Some(number) {
            self.splitting = None;
        }
    }

    /// Looks at some entries more, and drops those that stand for nothing.
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
                slot.swap_remove(index, &mut self.spare); // The last one was looked at before.
                self.entries -= 1;
                if slot.is_empty() {
                    self.vacate(number);
                }
            }
        }
    }

    /// Drops what was removed from the head of `next`.
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
