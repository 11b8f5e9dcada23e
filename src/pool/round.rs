//! A worker's round over the lanes.

use super::worker::Worker;
use crate::queue::{Lane, Look, Place, Range};
use crate::sync::awake;
use crate::sys::hint;
use crate::sys::thread::usable_cpus;
use std::cell::{Cell, LazyCell};
use std::time::{Duration, Instant};

/// The most jobs that a worker takes from a lane at once: a whole segment, so that no other worker touches it.
pub(super) const MOST_AT_ONCE: usize = 256;

/// How long a worker stays with a lane that has more, because its data is in the worker's cache. Limited so that no
/// producer starves.
const MAX_STAY: Duration = hint::real_time(Duration::from_micros(20));

/// Runs shorter than this are not worth reading the clock.
const LONG_RUN: usize = 64;

/// A worker prefers the jobs that it has submitted itself, which are in its cache; after so many in a row, other lanes
/// have a turn.
const OWN_IN_A_ROW: usize = 64;

/// How long a worker leaves the only job of another worker's lane to that worker.
const LONE_JOB_GRACE: Duration = hint::real_time(Duration::from_micros(3));

/// The most pauses, per two workers, between two rounds that found all lanes empty or left alone: each check disturbs
/// the workers that take jobs.
const MAX_PAUSES: u32 = 32;

/// Longer than a lane is left alone. After so many pauses, the only job of another worker's lane is taken to be part of
/// a chain, which that worker runs.
const YIELD_AFTER: u32 = 1500;

/// After so many pauses, about a millisecond, a worker stops waiting for lanes: it may be needed as a thief.
const GIVE_UP_AFTER: u32 = 20 * YIELD_AFTER;

/// A worker's position in its round.
#[derive(Debug)]
pub(super) struct Round {
    /// The number of the current lane.
    turn: Cell<usize>,
    /// When the worker came to this lane, if it has left something there.
    arrived: Cell<Option<Instant>>,
    /// A job that it leaves to another worker.
    left_alone: Cell<Option<LeftAlone>>,
    /// The lane that the worker submits to, and how many jobs in a row it has taken from that.
    own: Cell<Option<usize>>,
    own_in_a_row: Cell<usize>,
}

/// The only job of another worker's lane, and when it was first observed there.
#[derive(Clone, Copy, Debug)]
struct LeftAlone {
    lane: usize,
    position: u64,
    since: Instant,
}

impl Round {
    pub(super) fn starting_at(turn: usize) -> Self {
        Self {
            turn: Cell::new(turn),
            arrived: Cell::new(None),
            left_alone: Cell::new(None),
            own: Cell::new(None),
            own_in_a_row: Cell::new(0),
        }
    }

    /// The number of the lane to look at first.
    pub(super) fn turn(&self) -> usize {
        self.own().unwrap_or(self.turn.get())
    }

    /// The worker submits to this lane from now on.
    pub(super) fn submits_to(&self, lane: usize) {
        self.own.set(Some(lane));
    }

    /// The worker's own lane, while that comes before all others.
    fn own(&self) -> Option<usize> {
        self.own.get().filter(|_| self.own_in_a_row.get() < OWN_IN_A_ROW)
    }

    /// The worker has taken so many jobs from a lane, and `stays` with it or not.
    fn took_from(&self, lane: usize, taken: usize, stays: bool) {
        if self.own() == Some(lane) {
            self.own_in_a_row.set(self.own_in_a_row.get() + taken);
            return;
        }
        self.own_in_a_row.set(0);
        let arrived = self.arrived.get().filter(|_| self.turn.get() == lane);
        self.arrived.set(stays.then(|| arrived.unwrap_or_else(Instant::now)));
        self.turn.set(if stays { lane } else { lane + 1 });
    }

    /// Whether the only job of this lane is left to the worker that has submitted it and will run it after its current
    /// job, for as long as moving it to another core would take. One such lane is watched at a time.
    fn leaves_alone(&self, number: usize, lane: &Lane) -> bool {
        let lone = || lane.lone_of_another();
        match self.left_alone.get() {
            Some(left) if left.lane == number && left.since.elapsed() < LONE_JOB_GRACE => true,
            Some(left) if left.lane == number => {
                self.watch_lone_job(number, lone().filter(|&now| now != left.position))
            }
            Some(_) => lone().is_some(),
            None => self.watch_lone_job(number, lone()),
        }
    }

    /// Watches the job at `position`, if there is one; returns whether there is.
    fn watch_lone_job(&self, lane: usize, position: Option<u64>) -> bool {
        self.left_alone.set(position.map(|position| LeftAlone { lane, position, since: Instant::now() }));
        position.is_some()
    }

    /// Called before each round: ends a stay that was long enough.
    fn start_round(&self) {
        if self.arrived.get().is_some_and(|arrived| arrived.elapsed() >= MAX_STAY) {
            self.arrived.set(None);
            self.turn.set(self.turn.get() + 1);
        }
    }
}

impl Worker {
    /// Makes a run of a lane the worker's batch. Waits for lanes that are left alone while there is no other work.
    pub(super) fn batch_from_lanes(&self) -> Option<Place> {
        self.batch_from_own_lane().or_else(|| self.batch_from_all_lanes())
    }

    /// The worker's own lane comes first, and is never left alone.
    #[inline]
    fn batch_from_own_lane(&self) -> Option<Place> {
        let number = self.round.own()?;
        self.claim(number, self.core.lanes.numbered(number), false).ok()
    }

    fn batch_from_all_lanes(&self) -> Option<Place> {
        let paced = hint::may_spin() && !self.takes_one_at_a_time() && !self.is_lull();
        self.round.start_round();
        let (mut paused, mut pauses) = (0_u32, 0);
        // Read once per wait, because reading the census disturbs others, too.
        let crowd = LazyCell::new(|| (self.core.alive() as u32 / 2).max(1));
        loop {
            let (first, waits) = self.try_lanes(paced);
            let enough = if self.round.left_alone.get().is_some() { YIELD_AFTER } else { GIVE_UP_AFTER };
            if first.is_some() || !waits || paused >= enough || self.must_stop() || self.has_work_beside_lanes() {
                return first;
            }
            pauses = (pauses + *crowd).min(MAX_PAUSES * *crowd);
            (0..pauses).for_each(|_| hint::spin());
            let before = paused;
            paused += pauses;
            if paused / YIELD_AFTER > before / YIELD_AFTER {
                awake::give_way(|| self.core.lanes.taken()); // The worker at a lane may have lost its core.
            }
        }
    }

    fn has_work_beside_lanes(&self) -> bool {
        !self.core.front.is_empty() || self.core.groups.are_ready()
    }

    /// The first place of a new batch; if there is none, whether a lane is left alone.
    fn try_lanes(&self, paced: bool) -> (Option<Place>, bool) {
        let mut waits = false;
        for (number, lane) in self.core.lanes.starting_at(self.round.turn()) {
            if paced && self.round.leaves_alone(number, lane) {
                waits = true;
                continue;
            }
            match self.claim(number, lane, paced && self.round.own.get() != Some(number)) {
                Ok(first) => return (Some(first), false),
                Err(rests) => waits |= rests,
            }
        }
        (None, waits)
    }

    /// Makes a run of this lane the batch, and returns its first place; `Err` says whether the lane is left alone.
    #[inline]
    fn claim(&self, number: usize, lane: &Lane, paced: bool) -> Result<Place, bool> {
        let (mut first, mut seen, mut taken) = (None, 0, 0);
        let share = |visible, flows| {
            seen = visible;
            self.share(visible, flows)
        };
        let install = |range: Range| {
            taken = range.len();
            first = Some(self.station.batch.install(range));
        };
        let look = lane.claim(&self.core.store, paced, share, install);
        let Some(first) = first else { return Err(look == Look::Rest) };
        self.round.took_from(number, taken, paced && taken >= LONG_RUN && seen > taken);
        Ok(first)
    }

    /// How many of the `visible` jobs of a lane the worker takes: a fair share among the workers that can run at a
    /// time, or all of a lane that flows. If that is too much, thieves take half of the rest.
    fn share(&self, visible: usize, flows: bool) -> usize {
        if visible == 1 || self.takes_one_at_a_time() {
            return 1;
        }
        let among = if flows { 1 } else { self.core.alive().clamp(1, usable_cpus()) };
        (visible / among).min(MOST_AT_ONCE)
    }

    fn takes_one_at_a_time(&self) -> bool {
        self.core.settings.ordered || self.core.settings.jobs_per_worker.is_some()
    }
}
