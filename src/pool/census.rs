//! One word that counts the workers by what they do.

use crate::sys::atomic::{AtomicU64, Ordering};

/// The numbers of workers and the state of the pool, in one word that every submit reads.
///
/// A worker is *running* a job, *searching* for one, or *idle* (asleep). `alive` counts all three. `idle` and `alive`
/// change under the crew's lock, `searching` also without it. Workers that block or stand by are not counted. *Woken*
/// means that the current search began with a worker that was woken or started for some work: submitters that rely on
/// such a searcher fence.
///
/// # Memory ordering
///
/// Every change is `SeqCst`; readers order their loads by the fences of the protocol in `README.md`.
#[derive(Debug)]
pub(super) struct Census(AtomicU64);

/// A value of the census.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading(u64);

const WOKEN: u64 = 1;
/// Submitters are asked to fence, whichever searcher they rely on.
const ASKED: u64 = 1 << 1;
/// The request has reached every submitter, so workers rely on their fences.
const HEARD: u64 = 1 << 2;
const SEARCHING: u64 = 1 << 3;
const IDLE: u64 = 1 << 19;
const ALIVE: u64 = 1 << 35;
/// Outsiders are refused.
const CLOSED: u64 = 1 << 51;
/// No outsider is in a visit any more: workers leave when the pool is quiescent.
const SEALED: u64 = 1 << 52;
/// A hook has failed: the pool's own jobs are refused as well.
const BROKEN: u64 = 1 << 53;
/// The process exits: no job begins any more.
const HALTED: u64 = 1 << 54;
/// This process is a forked child; the workers are in its parent.
const FORKED: u64 = 1 << 55;
/// The number of queued jobs is limited.
const BOUNDED: u64 = 1 << 56;
/// The jobs that are queued are cancelled: the pool's own jobs are refused as well.
const CANCELLING: u64 = 1 << 57;

/// The most workers that the word can count.
pub(crate) const MOST_WORKERS: usize = 1 << 15;

impl Census {
    pub(super) fn new(bounded: bool) -> Self {
        Self(AtomicU64::new(if bounded { BOUNDED } else { 0 }))
    }

    #[inline]
    pub(super) fn read(&self) -> Reading {
        Reading(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn start_searching(&self) {
        self.0.fetch_add(SEARCHING, Ordering::SeqCst);
    }

    /// Returns the readings before and after.
    #[must_use]
    pub(super) fn stop_searching(&self) -> (Reading, Reading) {
        self.one_searcher_less(0)
    }

    /// Returns the reading before.
    #[must_use]
    pub(super) fn fall_asleep(&self) -> Reading {
        self.one_searcher_less(IDLE).0
    }

    /// Asks submitters to fence.
    pub(super) fn ask(&self) {
        self.0.fetch_or(ASKED, Ordering::SeqCst);
    }

    /// The heavy fence after [`ask`](Self::ask) has reached every submitter that did not observe the request.
    pub(super) fn set_heard(&self) {
        self.0.fetch_or(HEARD, Ordering::SeqCst);
    }

    pub(super) fn stop_asking(&self) {
        self.0.fetch_and(!(ASKED | HEARD), Ordering::SeqCst);
    }

    /// Treats the current search as not woken, so that submitters need not fence for it. Called by a submitter that has
    /// filled a segment meanwhile.
    pub(super) fn clear_woken(&self) {
        if self.read().is_woken() {
            self.0.fetch_and(!WOKEN, Ordering::SeqCst);
        }
    }

    /// A searching worker is no longer counted.
    pub(super) fn remove_worker(&self) {
        let _ = self.one_searcher_less(ALIVE.wrapping_neg());
    }

    /// A sleeper is woken, and searches.
    pub(super) fn wake_up(&self) {
        self.one_searcher_more(IDLE.wrapping_neg());
    }

    /// One more worker is counted, as searching.
    pub(super) fn add_worker(&self) {
        self.one_searcher_more(ALIVE);
    }

    /// WOKEN ends with the last searcher.
    fn one_searcher_less(&self, more: u64) -> (Reading, Reading) {
        self.change(|before| {
            debug_assert!(Reading(before).has_searcher(), "only a searcher stops searching");
            let after = before.wrapping_sub(SEARCHING).wrapping_add(more);
            if Reading(after).searching() == 0 { after & !WOKEN } else { after }
        })
    }

    /// Sets WOKEN only if nobody searched before.
    fn one_searcher_more(&self, more: u64) {
        self.change(|before| {
            let woken = if Reading(before).searching() == 0 { WOKEN } else { 0 };
            before.wrapping_add(SEARCHING).wrapping_add(more) | woken
        });
    }

    /// Returns the readings before and after the change.
    fn change(&self, to: impl Fn(u64) -> u64) -> (Reading, Reading) {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let after = to(before);
            match self.0.compare_exchange_weak(before, after, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return (Reading(before), Reading(after)),
                Err(now) => before = now,
            }
        }
    }

    /// A running worker blocks, and is no longer counted.
    pub(super) fn block(&self) {
        self.0.fetch_sub(ALIVE, Ordering::SeqCst);
    }

    pub(super) fn unblock(&self) {
        self.0.fetch_add(ALIVE, Ordering::SeqCst);
    }

    /// A sleeper stands by, and is no longer counted.
    pub(super) fn stand_by(&self) {
        self.0.fetch_sub(ALIVE + IDLE, Ordering::SeqCst);
    }

    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::SeqCst);
    }

    pub(super) fn close_cancelling(&self) {
        self.0.fetch_or(CLOSED | CANCELLING, Ordering::SeqCst);
    }

    pub(super) fn close_broken(&self) {
        self.0.fetch_or(CLOSED | BROKEN, Ordering::SeqCst);
    }

    pub(super) fn halt(&self) {
        self.0.fetch_or(CLOSED | HALTED, Ordering::SeqCst);
    }

    pub(super) fn mark_forked(&self) {
        self.0.fetch_or(CLOSED | FORKED, Ordering::SeqCst);
    }

    pub(super) fn seal(&self) {
        self.0.fetch_or(SEALED, Ordering::SeqCst);
    }

    /// Admits outsiders again.
    pub(super) fn open(&self) {
        self.0.fetch_and(!(CLOSED | SEALED | CANCELLING), Ordering::SeqCst);
    }
}

impl Reading {
    /// Whether submitters must fence before they rely on a searcher.
    #[inline]
    pub(super) fn wants_fences(self) -> bool {
        self.0 & (WOKEN | ASKED) != 0
    }

    pub(super) fn is_woken(self) -> bool {
        self.0 & WOKEN != 0
    }

    #[inline]
    pub(super) fn is_asked(self) -> bool {
        self.0 & ASKED != 0
    }

    /// Whether a full fence is enough for a worker that goes to sleep.
    pub(super) fn is_heard(self) -> bool {
        self.0 & HEARD != 0
    }

    /// Whether a full fence is enough for a worker that stops searching.
    pub(super) fn is_woken_or_heard(self) -> bool {
        self.0 & (WOKEN | HEARD) != 0
    }

    pub(super) fn searching(self) -> usize {
        ((self.0 / SEARCHING) & 0xFFFF) as usize
    }

    pub(super) fn idle(self) -> usize {
        ((self.0 / IDLE) & 0xFFFF) as usize
    }

    pub(super) fn alive(self) -> usize {
        ((self.0 / ALIVE) & 0xFFFF) as usize
    }

    /// Whether all workers but the caller sleep.
    pub(super) fn others_sleep(self) -> bool {
        self.idle() + 1 >= self.alive()
    }

    /// Whether every worker searches or sleeps.
    pub(super) fn none_running(self) -> bool {
        self.idle() + self.searching() >= self.alive()
    }

    /// Whether every submit is admitted: the pool is neither closed nor bounded. Tests all bits above the counts at
    /// once.
    #[inline]
    pub(super) fn is_open(self) -> bool {
        self.0 >> CLOSED.trailing_zeros() == 0
    }

    /// Whether a submit needs a free place and nothing else.
    #[inline]
    pub(super) fn is_only_bounded(self) -> bool {
        self.0 >> CLOSED.trailing_zeros() == BOUNDED >> CLOSED.trailing_zeros()
    }

    #[inline]
    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) fn is_sealed(self) -> bool {
        self.0 & SEALED != 0
    }

    /// Whether more than `limit` workers are counted, so that one must stand by. Nobody stands by in a sealed pool.
    pub(super) fn has_surplus(self, limit: usize) -> bool {
        self.alive() > limit && !self.is_sealed()
    }

    /// Whether more work would find a worker: one that searches, or one that could be woken or started.
    pub(super) fn has_free_worker(self, limit: usize) -> bool {
        self.has_searcher() || self.has_reserve(limit)
    }

    pub(super) fn is_cancelling(self) -> bool {
        self.0 & CANCELLING != 0
    }

    pub(super) fn is_broken(self) -> bool {
        self.0 & BROKEN != 0
    }

    pub(super) fn is_halted(self) -> bool {
        self.0 & HALTED != 0
    }

    pub(super) fn is_forked(self) -> bool {
        self.0 & FORKED != 0
    }

    /// Whether no worker searches, and one could be woken or started.
    #[inline]
    pub(super) fn lacks_searcher(self, limit: usize) -> bool {
        !self.has_searcher() && self.has_reserve(limit)
    }

    #[inline]
    pub(super) fn has_searcher(self) -> bool {
        self.searching() > 0
    }

    /// Whether a worker could be woken or started.
    #[inline]
    pub(super) fn has_reserve(self, limit: usize) -> bool {
        self.idle() > 0 || self.alive() < limit
    }
}
