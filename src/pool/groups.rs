//! Groups: queues with a limit and a level of their own. Protocol: `GROUPS.md`.

use super::closing::WaitError;
use super::core::Core;
use super::unrun::TakenOut;
use crate::queue::{Item, OutOfMemory, TwoLockQueue};
use crate::sync::{Deadline, EventCount};
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::sys::lock::Lock;
use crate::sys::unique;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

/// When the jobs of a [`Group`](crate::Group) get their turn, compared with jobs outside all groups.
///
/// No level starves another: after sixteen jobs of a higher level, a lower one gets a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Before jobs outside groups, but after those of [`Pool::spawn_first`](crate::Pool::spawn_first).
    High,
    /// In turn with jobs outside groups.
    #[default]
    Normal,
    /// When no other job is queued.
    Low,
}

impl Priority {
    pub(super) const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];
}

/// A queue of which a limited number of jobs runs at a time.
#[derive(Debug)]
pub(crate) struct Group {
    core: Weak<Core>,
    limit: usize,
    level: Priority,
    queue: TwoLockQueue,
    /// Tokens in use. Changes under the board's lock.
    running: AtomicUsize,
    /// Whether it is on the list of its level: 0 or 1. Changes under the board's lock.
    listed: AtomicUsize,
}

/// A job of a group that ends without having run. The group counts it until this is dropped.
#[derive(Debug)]
pub(super) struct EndingOne<'a> {
    groups: &'a Groups,
    group: u64,
}

impl EndingOne<'_> {
    pub(super) fn group(&self) -> u64 {
        self.group
    }
}

impl Drop for EndingOne<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.groups.ending.lock().entry(self.group) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        self.groups.quiet.notify();
    }
}

/// The groups of a pool.
///
/// # Memory ordering
///
/// Groups are listed, and their jobs taken, under the lock. `ready` and the announcement in the front stack are stored
/// (release) under it; reads without it are ordered by the protocol of visible work (`README.md`).
#[derive(Debug)]
pub(super) struct Groups {
    /// One bit for each level whose list is not empty.
    ready: AtomicUsize,
    /// How many jobs were ever submitted. On a cache line of its own: submitters write it, and workers read the other
    /// fields after every job.
    counted: CachePadded<AtomicU64>,
    /// By level, the groups that have a job and a free token.
    board: Lock<[VecDeque<Arc<Group>>; 3]>,
    /// How many jobs of each group end without having run. The last lock of all.
    ending: Lock<HashMap<u64, usize>>,
    /// Notified when a group may have become quiescent.
    quiet: EventCount,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self {
            ready: AtomicUsize::new(0),
            counted: CachePadded::new(AtomicU64::new(0)),
            board: Lock::new([const { VecDeque::new() }; 3]),
            ending: Lock::default(),
            quiet: EventCount::new(),
        }
    }

    #[inline]
    pub(super) fn are_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) != 0
    }

    pub(super) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Acquire)
    }

    /// G4. Called before a job of the group with this number ceases to be queued.
    pub(super) fn end_one(&self, group: u64) -> EndingOne<'_> {
        *self.ending.lock().entry(group).or_insert(0) += 1;
        EndingOne { groups: self, group }
    }

    fn ending(&self, group: &Group) -> usize {
        self.ending.lock().get(&group.number()).copied().unwrap_or(0)
    }
}

impl Core {
    pub(crate) fn new_group(self: &Arc<Self>, limit: usize, level: Priority) -> Arc<Group> {
        let (core, queue) = (Arc::downgrade(self), TwoLockQueue::new(unique::number()));
        let [running, listed] = [(); 2].map(|()| AtomicUsize::new(0));
        Arc::new(Group { core, limit, level, queue, running, listed })
    }

    pub(super) fn push_grouped(&self, group: &Arc<Group>, item: Item, first: bool) -> Result<u64, OutOfMemory> {
        // Before the item can be taken, so that never more jobs are finished than counted.
        self.groups.counted.fetch_add(1, Ordering::SeqCst);
        let pushed = if first { group.queue.push(&self.store, item) } else { group.queue.append(&self.store, item) };
        match pushed {
            Ok(_) => {
                fence(Ordering::SeqCst); // G1: pairs with those of G2 and G3.
                if !group.is_listed_or_full() {
                    self.list(group, &mut self.groups.board.lock());
                }
            }
            Err(OutOfMemory) => _ = self.groups.counted.fetch_sub(1, Ordering::SeqCst),
        }
        pushed
    }

    /// G1. Lists a group, if it has a job and a free token and is not listed. True if it did.
    fn list(&self, group: &Arc<Group>, board: &mut [VecDeque<Arc<Group>>; 3]) -> bool {
        let may_run = group.running() < group.limit && !group.queue.is_empty();
        if !may_run || group.listed.load(Ordering::Relaxed) != 0 {
            return false;
        }
        group.listed.store(1, Ordering::Relaxed);
        board[group.level as usize].push_back(Arc::clone(group));
        self.announce(board);
        true
    }

    fn announce(&self, board: &[VecDeque<Arc<Group>>; 3]) {
        let bits = Priority::ALL.map(|level| usize::from(!board[level as usize].is_empty()) << level as usize);
        self.groups.ready.store(bits.iter().sum(), Ordering::Release);
        let urgent = bits[Priority::High as usize] != 0;
        if urgent != self.front.announces() {
            self.front.announce(urgent);
        }
    }

    /// G2. Takes a job and a token of the first group that is listed, on the first of these levels that has one.
    pub(super) fn take_grouped(&self, levels: &[Priority]) -> Option<(Arc<Group>, u64, Item)> {
        if !self.groups.are_ready() || self.is_stopped() {
            return None;
        }
        let mut board = self.groups.board.lock();
        let mut found = None;
        for &level in levels {
            while found.is_none()
                && let Some(group) = board[level as usize].pop_front()
            {
                group.listed.store(0, Ordering::Relaxed);
                fence(Ordering::SeqCst); // G2: the pop observes the job of a submitter that observed it as listed.
                if let Some((id, item)) = group.queue.pop(&self.store) {
                    group.running.fetch_add(1, Ordering::Relaxed);
                    self.list(&group, &mut board);
                    found = Some((group, id, item));
                }
            }
        }
        self.announce(&board);
        found
    }

    /// Takes the next job of a group, for a worker that keeps its token.
    pub(super) fn next_grouped(&self, group: &Group) -> Option<(u64, Item)> {
        if self.is_stopped() { None } else { group.queue.pop(&self.store) }
    }

    /// Whether there is visible work that a worker must not keep waiting for another job of this level.
    pub(super) fn has_other_work(&self, level: Priority) -> bool {
        match level {
            Priority::High => self.front.has_items(),
            Priority::Normal => !self.front.is_empty(),
            Priority::Low => self.has_visible_work(),
        }
    }

    /// G3. A worker gives back a token of the group.
    pub(super) fn return_token(self: &Arc<Self>, group: &Arc<Group>) {
        if self.is_forked() {
            return; // The job has forked. The holder of the board's lock may not exist in this process.
        }
        let listed = {
            let mut board = self.groups.board.lock();
            group.running.fetch_sub(1, Ordering::Release);
            fence(Ordering::SeqCst); // G3: `list` observes the job of a submitter that observed no free token.
            self.list(group, &mut board)
        };
        self.groups.quiet.notify();
        if listed {
            // A refused thread is no error: this worker is alive, and will find the work.
            let _ = self.ensure_worker();
        }
    }

    /// Cancels all jobs that are queued in the group now; returns how many.
    pub(crate) fn cancel_group(&self, group: &Group) -> usize {
        if self.is_forked() {
            return 0;
        }
        let claimed: Vec<_> = std::iter::from_fn(|| self.claim_to_cancel(group)).collect();
        let count = claimed.len();
        claimed.into_iter().for_each(|(id, job)| _ = self.end_one_of_several(id, job));
        self.check_low_mark();
        count
    }

    /// Popping claims the job, as a worker would.
    fn claim_to_cancel(&self, group: &Group) -> Option<(u64, TakenOut<'_>)> {
        let _board = self.groups.board.lock();
        let (id, item) = group.queue.pop(&self.store)?;
        Some((id, TakenOut { item, counted: Some(self.groups.end_one(group.number())) }))
    }

    /// Waits until no job of the group is queued or running.
    pub(crate) fn wait_group(&self, group: &Group, deadline: Deadline) -> Result<(), WaitError> {
        self.may_wait_for_group(group)?;
        let is_quiet = || {
            // A job is counted as running under this lock, and as ending before it ceases to be queued.
            let _board = self.groups.board.lock();
            (group.running() == 0 && !group.queue.has_any() && self.groups.ending(group) == 0).then_some(())
        };
        self.groups.quiet.wait_until(deadline, is_quiet).ok_or(WaitError::TimedOut)
    }

    /// Jobs of the group that are queued, running or ending. One that is just being taken out may count twice.
    pub(crate) fn pending_in(&self, group: &Group) -> usize {
        if self.is_forked() {
            return 0;
        }
        let _board = self.groups.board.lock();
        group.running() + group.queue.count() + self.groups.ending(group)
    }
}

impl Group {
    /// Whether it is listed or has no free token. A thread that changes that fences, and then checks for queued jobs.
    fn is_listed_or_full(&self) -> bool {
        self.listed.load(Ordering::Relaxed) != 0 || self.running.load(Ordering::Relaxed) >= self.limit
    }

    pub(super) fn level(&self) -> Priority {
        self.level
    }

    /// Whether jobs are queued; may be true for stale hints.
    pub(super) fn has_queued(&self) -> bool {
        self.queue.has_next()
    }

    /// Jobs of the group that are running.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Distinguishes it from every other group that the process ever has.
    pub(super) fn number(&self) -> u64 {
        self.queue.group()
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group that is listed, or runs a job, has a reference from there: nothing is queued any more.
        if let Some(core) = self.core.upgrade().filter(|core| !core.is_forked()) {
            self.queue.retire(&core.store);
        }
    }
}
