//! How many jobs may be queued, and who waits for room. Protocol and proof: `BOUND.md`.

use super::water_marks::{Marks, WaterMarks};
use crate::queue::LAG;
use crate::sync::{Deadline, EventCount, awake};
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sys::{CachePadded, hint};
use std::time::Duration;

/// From this limit on, whoever waits for room waits for much of it at first: to sleep and be woken costs some hundred
/// short jobs.
const LARGE: u64 = 256;

/// So many looks in a row without anything new, and a submitter sleeps. A worker looks away now and then (it waits for
/// a slow producer, or its processor is taken), and to sleep for that costs more than the looks.
const LOOKS_IN_VAIN: u32 = 20;

/// How long it does. If room is not made as fast as that, jobs are so long that any place is worth waking up for.
const PATIENCE: Duration = Duration::from_micros(200);

/// What a submit does when there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// It waits, for this long at most, and is refused then.
    Wait(Option<Duration>),
    /// The submitting thread runs the job itself.
    CallerRuns,
    /// The oldest job makes room.
    DiscardOldest,
    /// There is always room, and the submit waits until a worker has the job.
    HandOff,
}

/// How a pool is bounded.
#[derive(Debug)]
pub(crate) struct Limits {
    /// At most this many jobs are queued; at least 1.
    pub(crate) most: u64,
    pub(crate) when_full: Full,
    pub(crate) marks: Option<Marks>,
}

/// Places for queued jobs.
///
/// # Memory ordering
///
/// Both words belong to submitters. An old `freed` is too small, which only makes a submitter sum up anew; the exchange
/// on `taken` fails if it is not the newest. What frees a place, and how a waiter learns of it, is in `BOUND.md`.
#[derive(Debug)]
pub(super) struct Bound {
    most: u64,
    pub(super) when_full: Full,
    places: CachePadded<Places>,
    /// Notified when a place was freed.
    room: CachePadded<EventCount>,
    /// Notified when there is much room again.
    much_room: EventCount,
    /// A submitter looks for room again and again. A hint: two that do so take longer, and that is all.
    lingers: AtomicBool,
    pub(super) water_marks: Option<WaterMarks>,
}

#[derive(Debug)]
struct Places {
    taken: AtomicU64,
    /// What the last sum of freed places was, at least.
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
            lingers: AtomicBool::new(false),
            water_marks: limits.marks.map(WaterMarks::new),
        }
    }

    /// Whether a place is all that a job needs to come in.
    pub(super) fn is_plain(&self) -> bool {
        self.when_full != Full::HandOff && self.water_marks.is_none()
    }

    /// Whether so many jobs can be queued at a time.
    pub(super) fn can_hold(&self, count: u64) -> bool {
        self.when_full == Full::HandOff || count <= self.most
    }

    /// Takes a place, if one look shows that there is one, and it is all that a job needs.
    #[inline(always)]
    pub(super) fn take_at_once(&self) -> bool {
        let Places { taken, freed } = &*self.places;
        let seen = taken.load(Ordering::Relaxed);
        let fits = seen < freed.load(Ordering::Relaxed) + self.most;
        fits && self.is_plain() && taken.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Takes places for `count` jobs, if there are as many. `freed` sums up what was freed so far.
    #[must_use]
    pub(super) fn take(&self, count: u64, freed: impl Fn() -> u64) -> bool {
        if self.when_full == Full::HandOff {
            self.take_anyhow(count);
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

    /// Sums up, and again a moment later if there is room, but little: at the workers' heels that would be done for
    /// every few jobs, and take each worker the line that it counts in.
    fn sum_up_for(&self, taken: u64, freed: impl Fn() -> u64) -> u64 {
        let now = self.sum_up(&freed);
        let room = (now + self.most).saturating_sub(taken);
        if self.most < LARGE || !(1..self.some()).contains(&room) || !hint::may_spin() {
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

    /// Takes places whether or not there are any.
    pub(super) fn take_anyhow(&self, count: u64) {
        self.places.taken.fetch_add(count, Ordering::Relaxed);
    }

    /// Gives back places that were taken by mistake.
    pub(super) fn put_back(&self, count: u64) {
        self.places.taken.fetch_sub(count, Ordering::Relaxed);
        self.notify();
    }

    /// How many jobs are queued: never less than there are, unless places are freed meanwhile.
    pub(super) fn queued(&self, freed: impl Fn() -> u64) -> u64 {
        let freed = freed();
        self.places.taken.load(Ordering::Relaxed).saturating_sub(freed)
    }

    /// At least as many as are queued, without summing up.
    pub(super) fn queued_at_most(&self) -> u64 {
        let freed = self.places.freed.load(Ordering::Relaxed);
        self.places.taken.load(Ordering::Relaxed).saturating_sub(freed)
    }

    /// Whether [`take`](Self::take) could succeed.
    pub(super) fn has_room(&self, count: u64, freed: impl Fn() -> u64) -> bool {
        self.queued(freed) + count <= self.most
    }

    /// Waits until `condition`, which a freed place or the pool's end can make true; false if the deadline came first.
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
        if self.most >= LARGE && !deadline.has_passed() {
            // Workers that have a processor make room faster than a sleeper would be awake again.
            if self.linger_for(&freed, || has_room(self.some().max(count))) {
                return true;
            }
            let much = self.much().max(count);
            let patience = deadline.min(Deadline::after(PATIENCE));
            if self.much_room.wait_until(patience, || has_room(much).then_some(())).is_some() {
                return true;
            }
        }
        self.wait(deadline, || has_room(count))
    }

    /// Looks for room as long as some is made, unless somebody does so already; false if there is none.
    fn linger_for(&self, freed: impl Fn() -> u64, has_room: impl Fn() -> bool) -> bool {
        if self.lingers.swap(true, Ordering::Relaxed) {
            return false; // Two would take the processor from whoever makes room.
        }
        let (mut before, mut in_vain, mut found) = (freed(), 0, false);
        while !found && in_vain < LOOKS_IN_VAIN {
            if hint::may_spin() {
                hint::linger(LAG);
            } else {
                awake::give_way(&freed);
            }
            found = has_room();
            let now = freed();
            in_vain = if now == before { in_vain + 1 } else { 0 };
            before = now;
        }
        self.lingers.store(false, Ordering::Relaxed);
        found
    }

    /// So much room is worth going on.
    fn some(&self) -> u64 {
        self.most / 16
    }

    /// So much room is worth waking somebody for.
    fn much(&self) -> u64 {
        self.most / 4 * 3
    }

    /// Called after a place was freed or a job was taken.
    #[inline]
    pub(super) fn notify(&self) {
        self.room.notify(); // E1, E2
    }

    /// Called by a worker that has come to the end of its batch.
    pub(super) fn batch_has_ended(&self, freed: impl Fn() -> u64) {
        if self.much_room.has_waiters() && self.has_room(self.much(), freed) {
            self.much_room.notify();
        }
    }

    /// Called after the pool was closed, or many places were freed at once.
    pub(super) fn notify_all(&self) {
        self.room.notify();
        self.much_room.notify();
    }
}
