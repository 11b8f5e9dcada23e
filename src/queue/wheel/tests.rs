//! The wheel compared with a sorted list.

use super::{Popped, Wheel};
use crate::queue::{Side, Slab};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A wheel, and what a sorted list says it should hold.
struct Pair {
    slab: Slab<u64>,
    wheel: Wheel,
    /// By due time and order of insertion.
    list: BTreeMap<(u64, u64), u64>,
    /// From an id to its place in the list.
    keys: Vec<(u64, (u64, u64))>,
    inserted: u64,
    now: u64,
}

impl Pair {
    fn new() -> Self {
        let (slab, wheel) = (Slab::new(), Wheel::new(Side::First));
        Self { slab, wheel, list: BTreeMap::new(), keys: Vec::new(), inserted: 0, now: 0 }
    }

    fn insert(&mut self, due: u64) -> u64 {
        let key = (due, self.inserted);
        self.slab.reserve().expect("memory");
        let node = self.slab.insert(&mut { self.inserted }, 0);
        self.wheel.insert(&self.slab, node, due).expect("memory");
        let id = self.slab.id(node);
        self.list.insert(key, id);
        self.keys.push((id, key));
        self.inserted += 1;
        id
    }

    /// Removes number `n` of those ever inserted, if it still waits.
    fn cancel(&mut self, n: usize) {
        let (id, key) = self.keys.swap_remove(n);
        let node = self.slab.find(id);
        assert_eq!(node.is_some(), self.list.remove(&key).is_some());
        if let Some(node) = node {
            self.wheel.remove(&self.slab, node);
            self.slab.free(node);
            assert_eq!(self.slab.find(id), None, "a stale id misses");
        }
    }

    fn reset(&mut self, n: usize, due: u64) {
        let (id, key) = &mut self.keys[n];
        let Some(node) = self.slab.find(*id) else { return };
        self.wheel.remove(&self.slab, node);
        self.wheel.insert(&self.slab, node, due).expect("memory");
        self.list.remove(key);
        *key = (due, self.inserted);
        self.list.insert(*key, *id);
        self.inserted += 1;
    }

    /// One call, which must say what the list says.
    fn pop(&mut self, mut work: usize) -> Popped {
        let popped = self.wheel.pop(&self.slab, self.now, &mut work);
        let first = self.list.first_key_value().map(|(&key, &id)| (key, id));
        let due = first.filter(|((due, _), _)| *due <= self.now);
        match popped {
            Popped::Due(node) => {
                let (key, id) = due.expect("nothing is early");
                assert_eq!(self.slab.id(node), id, "at {}: due {:?}, should be {key:?}", self.now, self.slab.due(node));
                self.list.remove(&key);
                self.slab.free(node);
            }
            Popped::Nothing => assert_eq!(due, None, "nothing is late"),
            Popped::Busy => {}
        }
        popped
    }

    fn advance_to(&mut self, now: u64, work: usize) {
        self.now = now;
        while self.pop(work) != Popped::Nothing {}
        self.check_next();
    }

    /// The wheel never asks to be woken later than it must be, and does not keep much of what was removed.
    fn check_next(&mut self) {
        assert!(self.wheel.len == self.list.len() && self.wheel.entries >= self.wheel.len);
        let next = self.wheel.next_due(&self.slab);
        let first = self.list.keys().next().map(|(due, _)| *due);
        assert_eq!(next.is_some(), first.is_some());
        assert!(next <= first, "{next:?} {first:?}");
    }
}

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        self.number() as usize % bound
    }

    /// A number of any length up to this many bits.
    fn of_bits(&mut self, most: usize) -> u64 {
        self.number() >> (63 - self.below(most))
    }
}

const OPERATIONS: usize = 1_000_000;

/// Conformance 15, 36, 41: random inserts, cancels, resets and advances, of every magnitude.
#[test]
fn the_wheel_differs_from_a_sorted_list() {
    for (seed, bits, waiting) in [(1, 20, 2_000), (2, 42, 20_000), (3, 60, 500), (4, 8, 5_000)] {
        let mut random = Random(seed);
        let mut pair = Pair::new();
        pair.now = random.of_bits(40);
        for _ in 0..OPERATIONS / 4 {
            let work = [1, 3, 100, usize::MAX][random.below(4)];
            match random.below(if pair.keys.len() < waiting { 8 } else { 12 }) {
                0 => {
                    let now = pair.now.saturating_add(random.of_bits(bits));
                    pair.advance_to(now, work);
                }
                1 => {
                    pair.pop(work);
                }
                2 => pair.now = pair.now.saturating_add(random.of_bits(bits / 2)),
                3 if !pair.keys.is_empty() => {
                    let n = random.below(pair.keys.len());
                    let due = pair.now.saturating_add(random.of_bits(bits));
                    pair.reset(n, due);
                }
                8.. => {
                    let n = random.below(pair.keys.len());
                    pair.cancel(n);
                }
                _ => {
                    let ahead = random.of_bits(bits);
                    let overdue = random.below(16) == 0;
                    let now = pair.now;
                    pair.insert(if overdue { now.saturating_sub(ahead) } else { now.saturating_add(ahead) });
                }
            }
        }
        pair.advance_to(u64::MAX, usize::MAX);
        assert_eq!((pair.list.len(), pair.slab.len()), (0, 0));
    }
}

/// Conformance 15: nodes that are due at one moment keep their order, even if they are too many for one call.
#[test]
fn many_nodes_are_due_at_one_moment() {
    let mut pair = Pair::new();
    for due in [1 << 30, (1 << 30) + 1, 1 << 30] {
        for _ in 0..5_000 {
            pair.insert(due);
        }
    }
    pair.now = 1 << 31;
    let mut calls = 0;
    while pair.pop(7) != Popped::Nothing {
        calls += 1;
        if calls % 100 == 0 {
            pair.insert(1 << 30);
        }
    }
    assert_eq!(pair.list.len(), 0);
}

/// Conformance 36: the ends of what a number can tell, and the borders of slots and levels.
#[test]
fn a_due_time_lies_on_a_border() {
    let borders: BTreeSet<u64> =
        (0..64).flat_map(|bit| [-1_i64, 0, 1].map(|step| (1_u64 << bit).wrapping_add_signed(step))).collect();
    let mut pair = Pair::new();
    for &start in &borders {
        pair.insert(start);
        pair.insert(u64::MAX);
        pair.advance_to(start, 1);
        for &more in &borders {
            pair.insert(start.saturating_add(more));
        }
    }
    pair.advance_to(u64::MAX, 1);
    assert_eq!(pair.slab.len(), 0);
}

/// Most timeouts are cancelled long before they are due; their stale entries are dropped, whatever the order.
#[test]
fn removed_nodes_leave_their_entries_behind() {
    let (mut pair, mut random) = (Pair::new(), Random(5));
    for _ in 0..10_000 {
        let due = random.of_bits(40);
        pair.insert(due);
    }
    for _ in 0..200_000 {
        let (n, due) = (random.below(pair.keys.len()), random.of_bits(40));
        match random.below(3) {
            0 => pair.reset(n, due),
            _ => {
                pair.cancel(n);
                pair.insert(due);
            }
        }
        assert!(pair.wheel.entries <= 3 * pair.wheel.len, "{} for {}", pair.wheel.entries, pair.wheel.len);
    }
    while !pair.keys.is_empty() {
        pair.cancel(random.below(pair.keys.len()));
    }
    assert_eq!((pair.wheel.entries, pair.wheel.next_due(&pair.slab)), (0, None));
}

/// With few nodes the wheel asks to be woken exactly when the first is due: no tick while nothing is due.
#[test]
fn a_far_due_time_is_reached_in_one_step() {
    let mut pair = Pair::new();
    for due in [u64::MAX - 1, 1 << 62, 86_400_000_000_000, 3_600_000_000_001] {
        pair.insert(due);
        assert_eq!(pair.wheel.next_due(&pair.slab), Some(due));
    }
    pair.advance_to(3_600_000_000_001, 1);
    assert_eq!(pair.wheel.next_due(&pair.slab), Some(86_400_000_000_000));
}

/// Conformance 17: it never has the same id twice.
#[test]
fn a_node_is_used_more_often_than_an_id_can_count() {
    let mut slab = Slab::<u64>::new();
    slab.reserve().expect("memory");
    let (first, mut seen, mut pages) = (slab.insert(&mut 0, 0), HashSet::new(), HashSet::new());
    let stale = slab.id(first);
    slab.free(first);
    for _ in 0..(1 << 20) * 3 / 2 {
        slab.reserve().expect("memory");
        let node = slab.insert(&mut 0, 0);
        let id = slab.id(node);
        assert_eq!(slab.find(id), Some(node));
        if seen.len() < 1 << 20 {
            assert!(seen.insert(id));
        }
        pages.insert(id >> 28);
        slab.free(node);
        assert_eq!(slab.find(id), None);
    }
    assert_eq!((slab.find(stale), pages.len()), (None, 1), "one page serves 2²⁸ uses");
}

/// Two slabs add pages alternately, so the numbers of neither are consecutive.
#[test]
fn an_id_is_looked_up_in_another_slab() {
    let mut slabs = [Slab::<u64>::new(), Slab::new()];
    let mut known = [Vec::new(), Vec::new()];
    for value in 0..4_000_u64 {
        for (slab, known) in slabs.iter_mut().zip(&mut known) {
            slab.reserve().expect("memory");
            let node = slab.insert(&mut { value }, 0);
            known.push((slab.id(node), node));
        }
    }
    for (own, known) in known.iter().enumerate() {
        assert!(known.iter().all(|&(id, node)| slabs[own].find(id) == Some(node)));
        assert!(known.iter().all(|&(id, _)| slabs[1 - own].find(id).is_none()));
    }
}

/// A wheel's node with a job of four words takes at most 64 bytes together with its place in a slot.
#[test]
fn a_node_is_larger_than_promised() {
    let node = size_of::<crate::queue::slab::Meta>() + size_of::<Option<crate::queue::Item>>();
    let entry = size_of::<super::Entry>();
    assert!(node + entry <= 64, "{node} + {entry}");
}
