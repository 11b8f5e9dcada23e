//! The bound on queued jobs, and waiting for room. Protocol and proof: `BOUND.md`.

use super::water_marks::{Marks, WaterMarks};
use crate::queue::LAG;
use crate::sync::{Deadline, EventCount, awake};
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sys::{CachePadded, hint};
use std::time::Duration;

/// From this limit on, a waiting submitter first waits for much room: a sleep and a wake-up take as long as some
/// hundred short jobs.
const LARGE_LIMIT: u64 = 256;

/// A submitter that polls for room gives up after so many polls without progress. A worker may pause for a few of them
/// (it waits for a slow producer, or is preempted), and a sleep would cost more than the polls.
const MAX_IDLE_POLLS: u32 = 20;

/// How long a submitter waits for much room. If it takes longer, jobs are so long that any free place is worth a
/// wake-up.
const MUCH_ROOM_TIMEOUT: Duration = Duration::from_micros(200);

/// What a submit does if there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// It waits, for no longer than this, and is then refused.
    Wait(Option<Duration>),
    /// The submitting thread runs the job itself.
    CallerRuns,
    /// The oldest queued job is cancelled.
    DiscardOldest,
    /// There is always room, but the submit waits until a worker has begun the job.
    HandOff,
}

/// How a pool is bounded.
#[derive(Debug)]
pub(crate) struct Limits {
    /// The most jobs that may be queued; at least 1.
    pub(crate) most: u64,
    pub(crate) when_full: Full,
    pub(crate) marks: Option<Marks>,
}

/// Places for queued jobs.
///
/// # Memory ordering
///
/// Only submitters use the two words. A stale `freed` is too small, which only causes another sum; the exchange on
/// `taken` fails if its value is stale. `BOUND.md` says how places are freed and waiters woken.
#[derive(Debug)]
pub(super) struct Bound {
    most: u64,
    pub(super) when_full: Full,
    places: CachePadded<Places>,
    /// Notified when a place is freed.
    room: CachePadded<EventCount>,
    /// Notified when much room is free.
    much_room: EventCount,
    /// Whether a submitter polls for room. A hint: two that do so only take longer.
    polling: AtomicBool,
    pub(super) water_marks: Option<WaterMarks>,
}

#[derive(Debug)]
struct Places {
    taken: AtomicU64,
    /// A lower bound on the places freed: the highest sum so far.
    freed: AtomicU64,
}

impl Bound {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            most: limits.most,
            when_full: limits.when_full,
            places: CachePadded::new(Places { taken: AtomicU64::new(0), freed: AtomicU64::new(0) }),
            room: CachePadded::new(EventCount::new()),
            much_room: EventCount::new(),
            polling: AtomicBool::new(false),
            water_marks: limits.marks.map(WaterMarks::new),
        }
    }

    /// Whether a job needs a free place and nothing else to be accepted.
    pub(super) fn is_plain(&self) -> bool {
        self.when_full != Full::HandOff && self.water_marks.is_none()
    }

    /// Whether so many jobs could ever be queued at a time.
    pub(super) fn can_hold(&self, count: u64) -> bool {
        self.when_full == Full::HandOff || count <= self.most
    }

    /// Takes a place, if the remembered sum shows a free one and a job needs nothing else.
    #[inline(always)]
    pub(super) fn take_fast(&self) -> bool {
        let Places { taken, freed } = &*self.places;
        let seen = taken.load(Ordering::Relaxed);
        let fits = seen < freed.load(Ordering::Relaxed) + self.most;
        fits && self.is_plain() && taken.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Takes places for `count` jobs, if there are as many. `freed` sums up the places freed so far.
    #[must_use]
    pub(super) fn take(&self, count: u64, freed: impl Fn() -> u64) -> bool {
        if self.when_full == Full::HandOff {
            self.take_above_limit(count);
            return true;
        }
        let mut taken = self.places.taken.load(Ordering::Relaxed);
        loop {
            let fits = |freed: u64| taken + count <= freed + self.most;
            if !fits(self.places.freed.load(Ordering::Relaxed)) && !fits(self.sum_up_for(taken, &freed)) {
                return false;
            }
            match self.places.taken.compare_exchange_weak(taken, taken + count, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => taken = now,
            }
        }
    }

    /// Sums up; and again a moment later if there is little room under a large limit. A submitter close behind the
    /// workers would otherwise do so for every few jobs, and take a cache line from each worker.
    fn sum_up_for(&self, taken: u64, freed: impl Fn() -> u64) -> u64 {
        let now = self.sum_up(&freed);
        let room = (now + self.most).saturating_sub(taken);
        if self.most < LARGE_LIMIT || !(1..self.polled_room()).contains(&room) || !hint::may_spin() {
            return now;
        }
        hint::linger(LAG);
        self.sum_up(freed)
    }

    fn sum_up(&self, freed: impl Fn() -> u64) -> u64 {
        let freed = freed();
        self.places.freed.fetch_max(freed, Ordering::Relaxed);
        freed
    }

    /// Takes places above the limit if there are none below it.
    pub(super) fn take_above_limit(&self, count: u64) {
        self.places.taken.fetch_add(count, Ordering::Relaxed);
    }

    /// Gives back places that were not used.
    pub(super) fn put_back(&self, count: u64) {
        self.places.taken.fetch_sub(count, Ordering::Relaxed);
        self.notify();
    }

    /// An upper bound on the queued jobs, exact unless places are freed meanwhile.
    pub(super) fn queued(&self, freed: impl Fn() -> u64) -> u64 {
        let freed = freed();
        self.places.taken.load(Ordering::Relaxed).saturating_sub(freed)
    }

    /// An upper bound on the queued jobs, without summing up.
    pub(super) fn queued_at_most(&self) -> u64 {
        let freed = self.places.freed.load(Ordering::Relaxed);
        self.places.taken.load(Ordering::Relaxed).saturating_sub(freed)
    }

    /// Whether [`take`](Self::take) could succeed.
    pub(super) fn has_room(&self, count: u64, freed: impl Fn() -> u64) -> bool {
        self.queued(freed) + count <= self.most
    }

    /// Waits for a `condition` that a freed place or closing the pool can make true; false if the deadline came first.
    pub(super) fn wait(&self, deadline: Deadline, condition: impl Fn() -> bool) -> bool {
        self.room.wait_until(deadline, || condition().then_some(())).is_some() // L1 to L4
    }

    /// Waits for room for `count` jobs, or until the pool is closed; false if the deadline came first.
    pub(super) fn wait_for_room(
        &self,
        count: u64,
        deadline: Deadline,
        freed: impl Fn() -> u64,
        is_closed: impl Fn() -> bool,
    ) -> bool {
        let has_room = |count| is_closed() || self.has_room(count, &freed);
        if self.most >= LARGE_LIMIT && !deadline.has_passed() {
            // A worker that has a processor makes room faster than a sleeper wakes up.
            if self.poll_for_room(&freed, || has_room(self.polled_room().max(count))) {
                return true;
            }
            let much = self.wakeup_room().max(count);
            let patience = deadline.min(Deadline::after(MUCH_ROOM_TIMEOUT));
            if self.much_room.wait_until(patience, || has_room(much).then_some(())).is_some() {
                return true;
            }
        }
        self.wait(deadline, || has_room(count))
    }

    /// Polls for room as long as places are freed, unless another submitter does so already; false if it gave up.
    fn poll_for_room(&self, freed: impl Fn() -> u64, has_room: impl Fn() -> bool) -> bool {
        if self.polling.swap(true, Ordering::Relaxed) {
            return false; // A second one would only take a processor from the workers.
        }
        let (mut before, mut idle_polls, mut found) = (freed(), 0, false);
        while !found && idle_polls < MAX_IDLE_POLLS {
            if hint::may_spin() {
                hint::linger(LAG);
            } else {
                awake::give_way(&freed);
            }
            found = has_room();
            let now = freed();
            idle_polls = if now == before { idle_polls + 1 } else { 0 };
            before = now;
        }
        self.polling.store(false, Ordering::Relaxed);
        found
    }

    /// So much room ends the polling.
    fn polled_room(&self) -> u64 {
        self.most / 16
    }

    /// So much room is worth waking submitters for.
    fn wakeup_room(&self) -> u64 {
        self.most / 4 * 3
    }

    /// Called after a place was freed or a job claimed.
    #[inline]
    pub(super) fn notify(&self) {
        self.room.notify(); // E1, E2
    }

    /// Called by a worker at the end of its batch.
    pub(super) fn batch_has_ended(&self, freed: impl Fn() -> u64) {
        if self.much_room.has_waiters() && self.has_room(self.wakeup_room(), freed) {
            self.much_room.notify();
        }
    }

    /// Called after the pool was closed, or many places were freed at once.
    pub(super) fn notify_all(&self) {
        self.room.notify();
        self.much_room.notify();
    }
}
