//! The lanes of a pool: one for each submitting thread, and one that threads share.

use super::core::Core;
use crate::queue::{Lane, SlotBlocks};
use crate::sys::atomic::{AtomicPtr, AtomicUsize, Ordering};
use crate::sys::lock::{Lock, LockGuard};
use crate::sys::size::real_or_modelled;
use crate::sys::{hint, token};
use std::ptr;
use std::sync::{Arc, OnceLock, Weak};

/// Threads beyond this many share a lane.
const MOST: usize = 64;

/// What one submitting thread owns in a pool.
#[derive(Debug)]
pub(super) struct Submitter {
    pub(super) lane: Lane,
    /// Memory for the outcomes of jobs with handles. Outcomes may outlive the pool, so they refer to it weakly.
    pub(super) slot_blocks: SlotBlocks<Weak<Core>>,
}

/// Lanes stay in the table as long as the pool: when a thread exits, another one takes over its lane.
///
/// # Memory ordering
///
/// `in_use` is stored (release) after the slot below it was set: a reader that observes the count (acquire) finds the
/// lane. An entry's submitter is stored (release) after it was made: a thread that loads it (acquire) may read its
/// lane's owner.
#[derive(Debug)]
pub(super) struct Lanes {
    owned: [OnceLock<Arc<Submitter>>; MOST],
    in_use: AtomicUsize,
    /// A hash table with open addressing, from threads to submitters.
    by_thread: [Entry; ENTRIES],
    adding: Lock<()>,
    shared: Lane,
    sharing: Lock<()>,
}

/// Maps a thread to its submitter, so that no thread reads other threads' submitters, which are written all the time.
/// An entry may be stale: its thread has ended, and another one has the same token. So a thread that finds its token
/// here checks the owner of the lane.
#[derive(Debug, Default)]
struct Entry {
    thread: AtomicUsize,
    submitter: AtomicPtr<Submitter>,
}

/// log2 of the entries of the table from threads to submitters.
const THREAD_TABLE_BITS: u32 = real_or_modelled(7, 0);

const ENTRIES: usize = 1 << THREAD_TABLE_BITS;

/// A thread's entry is among so many from its first place on.
const PROBES: usize = if ENTRIES < 16 { ENTRIES } else { 16 };

/// The first place for a thread's entry.
#[inline(always)]
fn first_place(thread: usize) -> usize {
    token::place(thread, THREAD_TABLE_BITS)
}

impl Entry {
    /// The submitter, if it is this thread's.
    #[inline(always)]
    fn submitter_of(&self, thread: usize) -> Option<&Submitter> {
        if self.thread.load(Ordering::Relaxed) != thread {
            return None;
        }
        // SAFETY: 1. `submitter` was stored before `thread`: by this thread, by one that ended before this one got its
        // token, or under the lock that the caller holds; 2. submitters lie in `Lanes::owned`, which lives as long as
        // this.
        Some(unsafe { &*self.submitter.load(Ordering::Acquire) }).filter(|submitter| submitter.lane.owner() == thread)
    }

    /// The caller must hold `adding`.
    fn is_free(&self) -> bool {
        let thread = self.thread.load(Ordering::Relaxed);
        thread == 0 || self.submitter_of(thread).is_none()
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            owned: [const { OnceLock::new() }; MOST],
            in_use: AtomicUsize::new(0),
            by_thread: std::array::from_fn(|_| Entry::default()),
            adding: Lock::new(()),
            shared: Lane::new(MOST),
            sharing: Lock::new(()),
        }
    }

    /// The calling thread's submitter, if it is in the table.
    #[inline(always)]
    pub(super) fn own(&self) -> Option<&Submitter> {
        let me = token::of_this_thread();
        self.by_thread[first_place(me)].submitter_of(me).or_else(|| self.own_nearby(me))
    }

    #[cold]
    fn own_nearby(&self, me: usize) -> Option<&Submitter> {
        self.entries_for(me).skip(1).find_map(|entry| entry.submitter_of(me))
    }

    fn entries_for(&self, thread: usize) -> impl Iterator<Item = &Entry> {
        (0..PROBES).map(move |offset| &self.by_thread[(first_place(thread) + offset) % ENTRIES])
    }

    /// Puts the calling thread's submitter into the table. With very many threads some have no entry, and try again at
    /// every submit, without waiting for each other.
    pub(super) fn enter(&self, submitter: &Submitter) {
        let me = token::of_this_thread();
        let Some(_adding) = self.adding.try_lock() else { return };
        if let Some(entry) = self.entries_for(me).find(|entry| entry.is_free()) {
            entry.submitter.store(ptr::from_ref(submitter).cast_mut(), Ordering::Release);
            entry.thread.store(me, Ordering::Relaxed);
        }
    }

    pub(super) fn submitters(&self) -> impl Iterator<Item = &Arc<Submitter>> {
        self.owned[..self.in_use.load(Ordering::Acquire)].iter().filter_map(OnceLock::get)
    }

    /// All lanes, each once, from number `turn` on.
    pub(super) fn starting_at(&self, turn: usize) -> impl Iterator<Item = (usize, &Lane)> {
        let owned = &self.owned[..self.in_use.load(Ordering::Acquire)];
        let count = owned.len() + 1;
        let first = if turn < count { turn } else { turn % count }; // A division takes longer than a lookup.
        (first..first + count).map(move |turn| if turn < count { turn } else { turn - count }).map(move |number| {
            let submitter = owned.get(number).and_then(OnceLock::get);
            (number, submitter.map_or(&self.shared, |submitter| &submitter.lane))
        })
    }

    pub(super) fn numbered(&self, number: usize) -> &Lane {
        self.owned.get(number).and_then(OnceLock::get).map_or(&self.shared, |submitter| &submitter.lane)
    }

    /// Whether a lane is `such`. Checks number `turn` first.
    pub(super) fn any(&self, turn: usize, such: impl Fn(&Lane) -> bool) -> bool {
        self.starting_at(turn).any(|(_, lane)| such(lane))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Lane> {
        self.submitters().map(|submitter| &submitter.lane).chain(std::iter::once(&self.shared))
    }

    pub(super) fn counted(&self) -> u64 {
        self.all().map(Lane::counted).sum()
    }

    /// How many items workers have ever taken. Reads nothing that producers write.
    pub(super) fn taken(&self) -> u64 {
        self.all().map(Lane::taken).sum()
    }

    /// Waits until all current visits have ended. A visit is short, and no user code runs in it.
    pub(super) fn wait_for_visits(&self) {
        while self.all().any(Lane::is_busy) {
            hint::yield_now();
        }
        // A visitor of the shared lane releases the lock last.
        drop(self.sharing.lock());
    }

    /// Takes over an abandoned lane for the calling thread, or makes one. `None` if there are as many as there can be.
    pub(super) fn acquire(&self, by_worker: bool) -> Option<Arc<Submitter>> {
        let submitter = self.submitters().find(|submitter| submitter.lane.adopt()).cloned().or_else(|| self.add())?;
        submitter.lane.set_kept(by_worker);
        Some(submitter)
    }

    fn add(&self) -> Option<Arc<Submitter>> {
        let _adding = self.adding.lock();
        let number = self.in_use.load(Ordering::Relaxed);
        let new = || Arc::new(Submitter { lane: Lane::new(number), slot_blocks: SlotBlocks::new() });
        let submitter = Arc::clone(self.owned.get(number)?.get_or_init(new));
        self.in_use.store(number + 1, Ordering::Release);
        Some(submitter)
    }

    /// The shared lane, which is visited under [`lock_shared`](Self::lock_shared).
    pub(super) fn shared(&self) -> &Lane {
        &self.shared
    }

    #[cold]
    pub(super) fn lock_shared(&self) -> LockGuard<'_, ()> {
        self.sharing.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::{Lanes, MOST, PROBES, first_place};
    use std::collections::HashSet;

    /// Stacks may lie a guard page apart, or at multiples of a huge page.
    #[test]
    fn threads_have_entries_of_their_own_however_far_apart_their_stacks_are() {
        for distance in [0x5000, 0x1_1000, 0x10_1000, 0x20_0000, 0x20_1000, 0x40_0000, 0x80_1000, 0xa0_0000, 0x800_0000]
        {
            let tokens = (1..=MOST).map(|thread| 0x7fff_f000_06c0_usize - thread * distance);
            let (mut taken, mut displaced) = (HashSet::new(), 0);
            for token in tokens {
                let offset = (0..PROBES).find(|offset| taken.insert((first_place(token) + offset) % super::ENTRIES));
                displaced += usize::from(offset.expect("there is a place within so many probes") > 0);
            }
            assert!(displaced < MOST / 2, "{displaced} of {MOST} threads, {distance:#x} apart");
        }
    }

    /// Such a thread submits without a lock.
    #[test]
    fn a_thread_finds_what_is_its_own_in_the_table() {
        let lanes = Lanes::new();
        assert!(lanes.own().is_none());
        let submitter = lanes.acquire(false).expect("there is a lane");
        lanes.enter(&submitter);
        assert!(lanes.own().is_some_and(|own| std::ptr::eq(own, &*submitter)));
        submitter.lane.orphan();
        assert!(lanes.own().is_none(), "the entry is stale");
    }
}
