//! One word that says how many workers there are and what they are doing.

use crate::sys::atomic::{AtomicU64, Ordering};

/// Counts of workers, and whether the pool is closed, in one word that every submit reads.
///
/// A worker is *running* a job, *searching* for one, or *idle* (asleep). `alive` counts all three. `idle` and `alive`
/// change under the crew's lock; `searching` is also changed without it. Workers that block or stand by are not
/// counted. *Woken* says that the search which is under way began with a worker that was woken or started for some
/// work: submitters that rely on it fence for themselves.
///
/// # Memory ordering
///
/// Every change is `SeqCst`; readers order their loads by fences, as the protocol in `README.md` says.
#[derive(Debug)]
pub(super) struct Census(AtomicU64);

/// A reading of the census.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading(u64);

const WOKEN: u64 = 1;
/// Submitters are asked to fence for themselves, whoever they rely on.
const ASKED: u64 = 1 << 1;
/// There is none who has not been reached by the request: workers rely on it.
const HEARD: u64 = 1 << 2;
const SEARCHING: u64 = 1 << 3;
const IDLE: u64 = 1 << 19;
const ALIVE: u64 = 1 << 35;
/// Outsiders are refused.
const CLOSED: u64 = 1 << 51;
/// No outsider is in the middle of a submit any more: workers may leave when all is done.
const SEALED: u64 = 1 << 52;
/// A hook has failed: the pool's own jobs are refused as well.
const BROKEN: u64 = 1 << 53;
/// The process exits: no further job begins.
const HALTED: u64 = 1 << 54;
/// The workers are in the process that this one was forked from.
const FORKED: u64 = 1 << 55;
/// The number of queued jobs is limited.
const BOUNDED: u64 = 1 << 56;

/// Workers that the word can count.
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

    /// The readings with the worker that stops, and without it.
    #[must_use]
    pub(super) fn stop_searching(&self) -> (Reading, Reading) {
        self.one_searcher_less(0)
    }

    /// The reading before.
    #[must_use]
    pub(super) fn fall_asleep(&self) -> Reading {
        self.one_searcher_less(IDLE).0
    }

    /// Submitters fence for themselves from now on.
    pub(super) fn ask(&self) {
        self.0.fetch_or(ASKED, Ordering::SeqCst);
    }

    /// Every submitter that has not seen the request has finished what it did before it.
    pub(super) fn set_heard(&self) {
        self.0.fetch_or(HEARD, Ordering::SeqCst);
    }

    pub(super) fn stop_asking(&self) {
        self.0.fetch_and(!(ASKED | HEARD), Ordering::SeqCst);
    }

    /// Submitters do not fence for the search that is under way any more, though it was woken. Called by those who have
    /// much to do meanwhile.
    pub(super) fn forget_wake_up(&self) {
        if self.read().is_woken() {
            self.0.fetch_and(!WOKEN, Ordering::SeqCst);
        }
    }

    /// A worker that dies was searching.
    pub(super) fn end(&self) {
        let _ = self.one_searcher_less(ALIVE.wrapping_neg());
    }

    /// A sleeper searches, because it was woken.
    pub(super) fn wake_up(&self) {
        self.one_searcher_more(IDLE.wrapping_neg());
    }

    /// A worker is born searching.
    pub(super) fn begin(&self) {
        self.one_searcher_more(ALIVE);
    }

    /// When the search ends, it is not a woken one any more.
    fn one_searcher_less(&self, more: u64) -> (Reading, Reading) {
        self.change(|before| {
            debug_assert!(Reading(before).has_searcher(), "whoever stops searching is a searcher");
            let after = before.wrapping_sub(SEARCHING).wrapping_add(more);
            if Reading(after).searching() == 0 { after & !WOKEN } else { after }
        })
    }

    /// A search that is under way already was not woken.
    fn one_searcher_more(&self, more: u64) {
        self.change(|before| {
            let woken = if Reading(before).searching() == 0 { WOKEN } else { 0 };
            before.wrapping_add(SEARCHING).wrapping_add(more) | woken
        });
    }

    /// The readings before and after the change.
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

    /// A running worker blocks from now on, and is not counted.
    pub(super) fn block(&self) {
        self.0.fetch_sub(ALIVE, Ordering::SeqCst);
    }

    pub(super) fn unblock(&self) {
        self.0.fetch_add(ALIVE, Ordering::SeqCst);
    }

    /// A sleeper stands by from now on, and is not counted.
    pub(super) fn dismiss(&self) {
        self.0.fetch_sub(ALIVE + IDLE, Ordering::SeqCst);
    }

    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::SeqCst);
    }

    pub(super) fn close_broken(&self) {
        self.0.fetch_or(CLOSED | BROKEN, Ordering::SeqCst);
    }

    pub(super) fn halt(&self) {
        self.0.fetch_or(CLOSED | HALTED, Ordering::SeqCst);
    }

    pub(super) fn orphan(&self) {
        self.0.fetch_or(CLOSED | FORKED, Ordering::SeqCst);
    }

    pub(super) fn seal(&self) {
        self.0.fetch_or(SEALED, Ordering::SeqCst);
    }

    /// Outsiders are admitted again.
    pub(super) fn open(&self) {
        self.0.fetch_and(!(CLOSED | SEALED), Ordering::SeqCst);
    }
}

impl Reading {
    /// Whether submitters fence for themselves before they rely on anybody.
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

    /// Whether a worker that goes to sleep need not fence for submitters.
    pub(super) fn is_heard(self) -> bool {
        self.0 & HEARD != 0
    }

    /// Whether one that stops searching need not either.
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

    /// Whether all workers sleep but the one that asks.
    pub(super) fn others_sleep(self) -> bool {
        self.idle() + 1 >= self.alive()
    }

    /// Whether every worker searches or sleeps.
    pub(super) fn nobody_runs(self) -> bool {
        self.idle() + self.searching() >= self.alive()
    }

    /// Whether everybody may submit at any time: not closed, not bounded. The bits above the counts are all there is to
    /// look at.
    #[inline]
    pub(super) fn is_open(self) -> bool {
        self.0 >> CLOSED.trailing_zeros() == 0
    }

    /// Whether a place in the queue is all that anybody needs who submits.
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

    /// Whether there are more workers than there shall be, so that one must stand by. At a pool's end nobody needs to.
    pub(super) fn has_surplus(self, limit: usize) -> bool {
        self.alive() > limit && !self.is_sealed()
    }

    pub(super) fn has_free_hands(self, limit: usize) -> bool {
        self.has_searcher() || self.has_reserve(limit)
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

    /// Whether nobody looks for work, and somebody could be woken or started to.
    #[inline]
    pub(super) fn lacks_searcher(self, limit: usize) -> bool {
        !self.has_searcher() && self.has_reserve(limit)
    }

    #[inline]
    pub(super) fn has_searcher(self) -> bool {
        self.searching() > 0
    }

    /// Whether somebody could be woken or started.
    #[inline]
    pub(super) fn has_reserve(self, limit: usize) -> bool {
        self.idle() > 0 || self.alive() < limit
    }
}
