//! How a worker goes round the lanes.

use super::worker::Worker;
use crate::queue::{Look, Place, Range};
use crate::sync::awake;
use crate::sys::hint;
use crate::sys::thread::usable_cpus;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Jobs that a worker takes from a lane at once, at most: all of a segment, which nobody else has to touch then.
pub(super) const MOST_AT_ONCE: usize = 256;

/// A worker stays with a lane that has more, for what belongs to it is in its cache; but no longer than this, so that
/// no producer is starved.
const STAY: Duration = hint::real_time(Duration::from_micros(20));

/// Fewer jobs than this at a time are not worth a look at the clock.
const MANY: usize = 64;

/// Pauses between two rounds of a worker that found all lanes empty or let alone, at most: whoever looks disturbs those
/// who take.
const MOST_PAUSES: u32 = 32;

/// A lane is let alone for less time than so many rounds take.
const MANY_ROUNDS: u32 = 64;

/// After so many, about a millisecond, a worker has waited long enough for lanes that others are faster at: somebody
/// may need it for the rest of a batch.
const MOST_ROUNDS: u32 = 1024;

/// Where a worker is on its round.
#[derive(Debug)]
pub(super) struct Round {
    /// The number of the lane to look at first.
    turn: Cell<usize>,
    /// When it came to this lane, if it left something there.
    came: Cell<Option<Instant>>,
}

impl Round {
    pub(super) fn starting_at(turn: usize) -> Self {
        Self { turn: Cell::new(turn), came: Cell::new(None) }
    }

    pub(super) fn turn(&self) -> usize {
        self.turn.get()
    }

    /// It has taken something from a lane, and stays with that for now or not.
    fn took_from(&self, lane: usize, stays: bool) {
        let came = self.came.get().filter(|_| self.turn.get() == lane);
        self.came.set(stays.then(|| came.unwrap_or_else(Instant::now)));
        self.turn.set(if stays { lane } else { lane + 1 });
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
        let paced = hint::may_spin() && !self.takes_one_at_a_time() && !self.is_lull();
        self.round.go_on();
        let mut rounds = 0_u32;
        loop {
            let (first, waits) = self.batch_from_a_lane(paced);
            if first.is_some() || !waits || rounds == MOST_ROUNDS || self.must_stop() || self.has_work_beside_lanes() {
                return first;
            }
            rounds += 1;
            (0..rounds.min(MOST_PAUSES)).for_each(|_| hint::spin());
            if rounds.is_multiple_of(MANY_ROUNDS) {
                awake::give_way(|| self.core.lanes.taken()); // Whoever is at a lane may have lost its core.
            }
        }
    }

    fn has_work_beside_lanes(&self) -> bool {
        !self.core.front.is_empty() || self.core.groups.are_ready()
    }

    /// The first place of its new batch; and if there is none, whether a lane is let alone.
    fn batch_from_a_lane(&self, paced: bool) -> (Option<Place>, bool) {
        let (mut first, mut waits) = (None, false);
        for (number, lane) in self.core.lanes.starting_at(self.round.turn()) {
            let (mut seen, mut taken) = (0, 0);
            let share = |visible, flows| {
                seen = visible;
                self.share(visible, flows)
            };
            let install = |range: Range| {
                taken = range.len();
                first = Some(self.station.batch.install(range));
            };
            match lane.claim(&self.core.store, paced, share, install) {
                Look::Nothing => {}
                Look::Rest => waits = true,
                Look::Run => {
                    self.round.took_from(number, paced && taken >= MANY && seen > taken);
                    break;
                }
            }
        }
        (first, waits)
    }

    /// How much of what is visible in a lane this worker takes: its fair part among those who can run at a time. If it
    /// comes to be too much, others take half of the rest. Of a lane that flows it takes all.
    fn share(&self, visible: usize, flows: bool) -> usize {
        if self.takes_one_at_a_time() {
            return 1;
        }
        let among = if flows { 1 } else { self.core.alive().clamp(1, usable_cpus()) };
        (visible / among).min(MOST_AT_ONCE)
    }

    fn takes_one_at_a_time(&self) -> bool {
        self.core.settings.ordered || self.core.settings.jobs_per_worker.is_some()
    }
}
