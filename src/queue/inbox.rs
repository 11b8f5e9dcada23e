//! Many writers, readers who take whatever is there.

use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::lock::Lock;
use std::collections::VecDeque;

/// Room for this many entries is kept when a buffer is empty; more, after a burst, goes back to the system.
const KEPT: usize = 4096;

/// An unbounded queue in shards: every writer appends to its own shard under a lock nobody else wants; a reader
/// swaps a whole shard out and hands its entries on. Order is kept within a shard, there is none between shards.
///
/// # Memory ordering
///
/// Entries travel under the locks. `arrived` (release) pairs with [`arrived`](Self::arrived) (acquire): a reader that
/// saw the count finds the entries.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    shards: Box<[CachePadded<Shard<T>>]>,
    reader: CachePadded<Reader<T>>,
}

#[derive(Debug)]
struct Shard<T> {
    arrived: AtomicU64,
    entries: Lock<VecDeque<T>>,
}

#[derive(Debug)]
struct Reader<T> {
    taken: AtomicU64,
    /// Which shard to look at first, so that none is starved.
    turn: AtomicUsize,
    entries: Lock<VecDeque<T>>,
}

impl<T> Inbox<T> {
    /// `shards` is the number of writers that shall not disturb one another.
    pub(crate) fn new(shards: usize) -> Self {
        let shard = || Shard { arrived: AtomicU64::new(0), entries: Lock::new(VecDeque::new()) };
        let reader =
            Reader { taken: AtomicU64::new(0), turn: AtomicUsize::new(0), entries: Lock::new(VecDeque::new()) };
        Self { shards: (0..shards).map(|_| CachePadded::new(shard())).collect(), reader: CachePadded::new(reader) }
    }

    /// Appends to shard `writer`, under its lock: several writers may use one shard, at the price of waiting.
    pub(crate) fn push(&self, writer: usize, entry: T) {
        let shard = &self.shards[writer];
        let mut entries = shard.entries.lock();
        entries.push_back(entry);
        shard.arrived.store(shard.arrived.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// How many entries ever arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.shards.iter().map(|shard| shard.arrived.load(Ordering::Acquire)).sum()
    }

    /// How many entries wait to be read. Readers and writers who are at work may change it before it is returned.
    pub(crate) fn len(&self) -> usize {
        let taken = self.reader.taken.load(Ordering::Acquire);
        self.arrived().saturating_sub(taken) as usize
    }

    /// Takes one entry.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut ready = self.reader.entries.lock();
        self.refill(&mut ready);
        let entry = ready.pop_front()?;
        self.taken(1);
        Some(entry)
    }

    /// Takes at most `most` entries, handing each to `keep`; returns how many.
    pub(crate) fn take(&self, most: usize, mut keep: impl FnMut(T)) -> usize {
        let mut ready = self.reader.entries.lock();
        let mut taken = 0;
        while taken < most {
            self.refill(&mut ready);
            let run = ready.len().min(most - taken);
            if run == 0 {
                break;
            }
            ready.drain(..run).for_each(&mut keep);
            taken += run;
        }
        self.taken(taken as u64);
        taken
    }

    /// Called by the reader who has the lock.
    fn taken(&self, count: u64) {
        let taken = &self.reader.taken;
        taken.store(taken.load(Ordering::Relaxed) + count, Ordering::Release);
    }

    /// Swaps the next shard with entries for the reader's empty buffer.
    fn refill(&self, ready: &mut VecDeque<T>) {
        let turn = self.reader.turn.load(Ordering::Relaxed);
        for offset in 0..self.shards.len() {
            if !ready.is_empty() {
                return;
            }
            if ready.capacity() > KEPT {
                *ready = VecDeque::new();
            }
            let index = (turn + offset) % self.shards.len();
            std::mem::swap(&mut *self.shards[index].entries.lock(), ready);
            self.reader.turn.store(index + 1, Ordering::Relaxed);
        }
    }
}
