//! How a worker goes round the lanes.

use super::worker::Worker;
use crate::queue::{Lane, Look, Place, Range};
use crate::sync::awake;
use crate::sys::hint;
use crate::sys::thread::usable_cpus;
use std::cell::{Cell, LazyCell};
use std::time::{Duration, Instant};

/// Jobs that a worker takes from a lane at once, at most: all of a segment, which nobody else has to touch then.
pub(super) const MOST_AT_ONCE: usize = 256;

/// A worker stays with a lane that has more, for what belongs to it is in its cache; but no longer than this, so that
/// no producer is starved.
const STAY: Duration = hint::real_time(Duration::from_micros(20));

/// Fewer jobs than this at a time are not worth a look at the clock.
const MANY: usize = 64;

/// What a worker has submitted itself is in its cache; but after so many of these jobs others have their turn.
const OWN_IN_A_ROW: usize = 64;

/// How long a worker leaves the only job of another one's lane alone.
const MOMENT: Duration = hint::real_time(Duration::from_micros(3));

/// Pauses between two rounds of a worker that found all lanes empty or let alone, at most, and for each two workers:
/// whoever looks disturbs those who take.
const MOST_PAUSES: u32 = 32;

/// A lane is let alone for less time than so many pauses take, and a chain of jobs is another worker's after so many.
const A_WHILE: u32 = 1500;

/// After so many, about a millisecond, a worker has waited long enough for lanes that others are faster at: somebody
/// may need it for the rest of a batch.
const LONG: u32 = 20 * A_WHILE;

/// Where a worker is on its round.
#[derive(Debug)]
pub(super) struct Round {
    /// The number of the lane whose turn it is.
    turn: Cell<usize>,
    /// When it came to this lane, if it left something there.
    came: Cell<Option<Instant>>,
    /// What it leaves to another worker.
    left: Cell<Option<Left>>,
    /// The lane that it submits to itself, and how many jobs in a row it has taken from that.
    own: Cell<Option<usize>>,
    own_in_a_row: Cell<usize>,
}

/// The only job of another worker's lane, and since when it has been seen there.
#[derive(Clone, Copy, Debug)]
struct Left {
    lane: usize,
    position: u64,
    since: Instant,
}

impl Round {
    pub(super) fn starting_at(turn: usize) -> Self {
        Self {
            turn: Cell::new(turn),
            came: Cell::new(None),
            left: Cell::new(None),
            own: Cell::new(None),
            own_in_a_row: Cell::new(0),
        }
    }

    /// The number of the lane to look at first.
    pub(super) fn turn(&self) -> usize {
        self.own().unwrap_or(self.turn.get())
    }

    /// From now on it submits to this lane.
    pub(super) fn submits_to(&self, lane: usize) {
        self.own.set(Some(lane));
    }

    /// Its own lane, if that comes before all others now.
    fn own(&self) -> Option<usize> {
        self.own.get().filter(|_| self.own_in_a_row.get() < OWN_IN_A_ROW)
    }

    /// It has taken so many jobs from a lane, and stays with that for now or not.
    fn took_from(&self, lane: usize, taken: usize, stays: bool) {
        if self.own() == Some(lane) {
            self.own_in_a_row.set(self.own_in_a_row.get() + taken);
            return;
        }
        self.own_in_a_row.set(0);
        let came = self.came.get().filter(|_| self.turn.get() == lane);
        self.came.set(stays.then(|| came.unwrap_or_else(Instant::now)));
        self.turn.set(if stays { lane } else { lane + 1 });
    }

    /// Whether it leaves the only job of a lane to the worker who has submitted that, and comes for it as soon as its
    /// own job is over: a moment is what the way of a job to another core costs. One such lane is watched at a time.
    fn leaves(&self, number: usize, lane: &Lane) -> bool {
        let lone = || lane.lone_of_another();
        match self.left.get() {
            Some(left) if left.lane == number && left.since.elapsed() < MOMENT => true,
            Some(left) if left.lane == number => self.watch(number, lone().filter(|&now| now != left.position)),
            Some(_) => lone().is_some(),
            None => self.watch(number, lone()),
        }
    }

    /// From now on it watches what is left there, if anything is.
    fn watch(&self, lane: usize, position: Option<u64>) -> bool {
        self.left.set(position.map(|position| Left { lane, position, since: Instant::now() }));
        position.is_some()
    }

    /// It is about to look again.
    fn go_on(&self) {
        if self.came.get().is_some_and(|came| came.elapsed() >= STAY) {
            self.came.set(None);
            self.turn.set(self.turn.get() + 1);
        }
    }
}

impl Worker {
    /// Makes a run of a lane its batch. Waits for lanes that are let alone as long as there is nothing else.
    pub(super) fn batch_from_lanes(&self) -> Option<Place> {
        self.batch_from_own_lane().or_else(|| self.batch_from_all_lanes())
    }

    /// What it has submitted itself comes before all others, for as long as that is its turn. Nobody lets its own lane
    /// alone.
    #[inline]
    fn batch_from_own_lane(&self) -> Option<Place> {
        let number = self.round.own()?;
        self.claim(number, self.core.lanes.numbered(number), false).ok()
    }

    fn batch_from_all_lanes(&self) -> Option<Place> {
        let paced = hint::may_spin() && !self.takes_one_at_a_time() && !self.is_lull();
        self.round.go_on();
        let (mut paused, mut pauses) = (0_u32, 0);
        // Once a wait: the census, too, is disturbed by whoever looks.
        let crowd = LazyCell::new(|| (self.core.alive() as u32 / 2).max(1));
        loop {
            let (first, waits) = self.batch_from_a_lane(paced);
            let enough = if self.round.left.get().is_some() { A_WHILE } else { LONG };
            if first.is_some() || !waits || paused >= enough || self.must_stop() || self.has_work_beside_lanes() {
                return first;
            }
            pauses = (pauses + *crowd).min(MOST_PAUSES * *crowd);
            (0..pauses).for_each(|_| hint::spin());
            let before = paused;
            paused += pauses;
            if paused / A_WHILE > before / A_WHILE {
                awake::give_way(|| self.core.lanes.taken()); // Whoever is at a lane may have lost its core.
            }
        }
    }

    fn has_work_beside_lanes(&self) -> bool {
        !self.core.front.is_empty() || self.core.groups.are_ready()
    }

    /// The first place of its new batch; and if there is none, whether a lane is let alone.
    fn batch_from_a_lane(&self, paced: bool) -> (Option<Place>, bool) {
        let mut waits = false;
        for (number, lane) in self.core.lanes.starting_at(self.round.turn()) {
            if paced && self.round.leaves(number, lane) {
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

    /// Makes a run of this lane its batch, of which this is the first place; `Err` says whether the lane is let alone.
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
        self.round.took_from(number, taken, paced && taken >= MANY && seen > taken);
        Ok(first)
    }

    /// How much of what is visible in a lane this worker takes: its fair part among those who can run at a time. If it
    /// comes to be too much, others take half of the rest. Of a lane that flows it takes all.
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
