//! Which of very many nodes is due next: a hierarchical timing wheel. Time is an argument.

use super::slab::{NEXT, Node, OUT, Slab};
use super::store::OutOfMemory;
use crate::sys::hint;
use std::cmp::Reverse;

/// Slots of a level, as a power of two: one bit of a word for each.
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;

/// Enough levels for every moment that a `u64` can tell.
const LEVELS: usize = u64::BITS.div_ceil(SLOT_BITS) as usize;

/// A slot of no more nodes is sorted as it is; a larger one is spread over the levels below first.
const FEW: usize = 256;

/// How far ahead of itself a loop over a slot asks for nodes: they lie anywhere in memory.
const AHEAD: usize = 8;

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

/// A node that comes next, unless it was removed.
#[derive(Clone, Copy, Debug)]
struct Next {
    due: u64,
    sequence: u32,
    node: Node,
}

/// A wheel over the nodes of a [`Slab`], each due at a moment of its own. Nothing is ever early, and what is due comes in
/// the order of its due times, of equal ones in the order of their insertion. (But for two of which one was among the
/// first 2³² insertions, and the other among the next.)
///
/// Level `l` has 64 slots of 64^l moments each. A node lies in the level of the highest digit, to the base of 64, in which
/// its due time differs from `elapsed`; so every slot that holds nodes lies ahead of `elapsed`, and the next one to come
/// to is the first of the lowest level that holds any. When its beginning has come, its nodes are sorted (they go
/// to `next`) if they are few, and are else spread over the levels below, some at a time (`splitting`).
#[derive(Debug)]
pub(crate) struct Wheel {
    /// No node outside `next` and `splitting` is due before this, unless it was overdue when it came.
    elapsed: u64,
    /// A bit for every slot that holds nodes.
    occupied: [u64; LEVELS],
    slots: Box<[Vec<Node>]>,
    /// A slot whose beginning has come, and whose nodes are on their way to lower levels.
    splitting: Option<usize>,
    /// The nodes of slots whose beginning has come, and what is left of nodes that were removed since: the first is the
    /// last. Of each level at most one slot of few nodes is here, or a crowd that is due at one moment.
    next: Vec<Next>,
    /// `next` has got nodes that are not in their places yet.
    unsorted: bool,
    sequence: u32,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            elapsed: 0,
            occupied: [0; LEVELS],
            slots: std::iter::repeat_with(Vec::new).take(LEVELS * SLOTS).collect(),
            splitting: None,
            next: Vec::new(),
            unsorted: false,
            sequence: 0,
        }
    }

    /// Adds a node that is in no wheel.
    pub(crate) fn insert<T: Default>(&mut self, slab: &Slab<T>, node: Node, due: u64) -> Result<(), OutOfMemory> {
        let slot = self.slot_of(due);
        self.slots[slot].try_reserve(1).map_err(|_| OutOfMemory)?;
        let meta = slab.meta(node);
        meta.due.set(due);
        meta.sequence.set(self.sequence);
        self.sequence = self.sequence.wrapping_add(1);
        self.put(slab, node, slot);
        Ok(())
    }

    /// Takes out a node of this wheel.
    pub(crate) fn remove<T: Default>(&mut self, slab: &Slab<T>, node: Node) {
        let meta = slab.meta(node);
        let (place, position) = (meta.place.get(), meta.position.get());
        meta.place.set(OUT);
        if place != NEXT {
            let slot = &mut self.slots[usize::from(place)];
            slot.swap_remove(position as usize);
            if let Some(&moved) = slot.get(position as usize) {
                slab.meta(moved).position.set(position);
            } else if slot.is_empty() {
                self.vacate(usize::from(place));
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
                self.next.sort_unstable_by_key(|next| Reverse((next.due, next.sequence)));
            }
            self.forget_removed(slab);
            let first = self.next.last().map_or(u64::MAX, |next| next.due);
            // What was overdue when it came lies in the slot of `elapsed`, and may be due before all others.
            if let Some((slot, start)) = self.next_slot()
                && start <= first.min(now).max(self.elapsed)
            {
                self.elapsed = self.elapsed.max(start);
                self.splitting = Some(slot);
            } else if let Some(Next { node, .. }) = self.next.pop_if(|next| next.due <= now) {
                *work -= 1;
                if let Some(later) = self.next.iter().nth_back(AHEAD) {
                    hint::will_write(slab.meta(later.node));
                }
                slab.meta(node).place.set(OUT);
                return Popped::Due(node);
            } else {
                // No slot begins before now has passed, so no node changes its place by this.
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
        let first = self.next.last().map(|next| next.due);
        let in_slot = self.next_slot().map(|(slot, start)| {
            let nodes = &self.slots[slot];
            let few = nodes.iter().take(FEW).map(|&node| slab.due(node));
            match nodes.len() {
                ..=FEW => few.min().unwrap_or(start),
                _ if start > self.elapsed => start,
                _ => 0,
            }
        });
        first.into_iter().chain(in_slot).min()
    }

    /// Nothing is in the wheel: it may begin at `now`, which saves what is inserted from being spread. It forgets nodes
    /// that were removed.
    pub(crate) fn begin_at(&mut self, now: u64) {
        debug_assert!(self.occupied == [0; LEVELS], "nothing is in the wheel");
        self.next.clear();
        self.unsorted = false;
        self.elapsed = now;
    }

    fn slot_of(&self, due: u64) -> usize {
        let due = due.max(self.elapsed);
        let differing = due ^ self.elapsed;
        let level = differing.checked_ilog2().unwrap_or(0) / SLOT_BITS;
        let digit = (due >> (level * SLOT_BITS)) as usize % SLOTS;
        level as usize * SLOTS + digit
    }

    fn put<T: Default>(&mut self, slab: &Slab<T>, node: Node, number: usize) {
        let meta = slab.meta(node);
        let slot = &mut self.slots[number];
        meta.place.set(number as u16);
        meta.position.set(slot.len() as u32);
        slot.push(node);
        self.occupied[number / SLOTS] |= 1 << (number % SLOTS);
    }

    /// The slot that comes next, and the moment it begins.
    fn next_slot(&self) -> Option<(usize, u64)> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let digit = self.occupied[level].trailing_zeros();
        let shift = level as u32 * SLOT_BITS;
        let above = self.elapsed.checked_shr(shift + SLOT_BITS).unwrap_or(0);
        let start = above.checked_shl(shift + SLOT_BITS).unwrap_or(0) | u64::from(digit) << shift;
        Some((level * SLOTS + digit as usize, start))
    }

    /// Moves nodes out of a slot whose beginning has come.
    fn split<T: Default>(&mut self, slab: &Slab<T>, number: usize, work: &mut usize) {
        // Nodes of the lowest level have nowhere else to go. Few nodes are touched whatever work is allowed.
        let sort = number < SLOTS || self.slots[number].len() <= FEW;
        while let Some(node) = self.slots[number].pop() {
            if let Some(&later) = self.slots[number].iter().nth_back(AHEAD) {
                hint::will_write(slab.meta(later));
            }
            if sort {
                let meta = slab.meta(node);
                meta.place.set(NEXT);
                self.unsorted = true;
                self.next.push(Next { due: meta.due.get(), sequence: meta.sequence.get(), node });
            } else {
                let slot = self.slot_of(slab.due(node));
                self.put(slab, node, slot);
            }
            *work = work.saturating_sub(1);
            if *work == 0 && !self.slots[number].is_empty() && (number < SLOTS || !sort) {
                return;
            }
        }
        self.vacate(number);
        self.splitting = None;
    }

    /// A slot has become empty.
    fn vacate(&mut self, number: usize) {
        self.occupied[number / SLOTS] &= !(1 << (number % SLOTS));
        if self.slots[number].capacity() > FEW {
            self.slots[number] = Vec::new();
        }
        if self.splitting == Some(number) {
            self.splitting = None;
        }
    }

    /// Drops what was removed from the head of `next`.
    fn forget_removed<T: Default>(&mut self, slab: &Slab<T>) {
        let is_gone = |next: &mut Next| {
            let meta = slab.meta(next.node);
            meta.place.get() != NEXT || meta.due.get() != next.due || meta.sequence.get() != next.sequence
        };
        while self.next.pop_if(is_gone).is_some() {}
    }
}

#[cfg(test)]
mod tests;
