//! A worker thread: finds jobs, runs them, sleeps when there are none.

use super::core::Core;
use super::job::Job;
use super::station::Station;
use super::{current, unwind};
use crate::queue::{Item, Place, Range};
use crate::sys::hint;
use crate::sys::size::SPINS;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Jobs that a worker takes from a lane at once, at most. Enough to make what is paid once per batch disappear.
const MOST_AT_ONCE: usize = 64;

/// The failure that a running job has declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: i32,
    pub(crate) message: String,
}

/// A worker's private half. It is *searching* (and counted so) from its birth until it finds a job, and again from the
/// moment when it sees nothing more to do.
#[derive(Debug)]
pub(crate) struct Worker {
    core: Arc<Core>,
    number: usize,
    /// The lane to look at first, so that no producer is starved.
    turn: Cell<usize>,
    searching: Cell<bool>,
    job: Cell<u64>,
    failure: RefCell<Option<Failure>>,
}

impl Worker {
    pub(super) fn new(core: Arc<Core>, number: usize) -> Self {
        Self {
            core,
            number,
            turn: Cell::new(number),
            searching: Cell::new(true),
            job: Cell::new(0),
            failure: RefCell::new(None),
        }
    }

    pub(super) fn run(&self) {
        let _current = current::enter(self);
        loop {
            while let Some((id, job)) = self.find_work() {
                self.execute(id, job);
            }
            if self.core.is_over() {
                return self.leave();
            }
            self.rest();
        }
    }

    /// A front job, else the next of this worker's batch, else one from the lanes, else one that another worker has
    /// not come to.
    #[inline]
    fn find_work(&self) -> Option<(u64, Job)> {
        let item = self.front_item().or_else(|| self.batch_item()).or_else(|| self.lane_item()).or_else(|| {
            self.start_searching();
            self.stolen_item()
        });
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so no other job was made of the item.
        item.map(|(id, item)| (id, unsafe { Job::from_item(item) }))
    }

    #[inline]
    fn front_item(&self) -> Option<(u64, Item)> {
        if self.core.front.is_empty() { None } else { self.core.front.pop(&self.core.store) }
    }

    #[inline]
    fn batch_item(&self) -> Option<(u64, Item)> {
        while let Some(place) = self.station().batch.next() {
            if let Some(found) = self.claim(place) {
                return Some(found);
            }
        }
        None
    }

    fn lane_item(&self) -> Option<(u64, Item)> {
        let core = &*self.core;
        for (number, lane) in core.lanes.from_turn(self.turn.get()) {
            let mut first = None;
            while lane.claim(&core.store, |visible| self.share(visible), |range| first = Some(self.begin(range))) {
                self.turn.set(number + 1);
                if let Some(found) = first.take().and_then(|place| self.claim(place)).or_else(|| self.batch_item()) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn stolen_item(&self) -> Option<(u64, Item)> {
        let limit = self.core.limit();
        for offset in 1..limit {
            let victim = self.core.crew.station((self.number + offset) % limit);
            while let Some(range) = victim.batch.split() {
                let first = self.begin(range);
                if let Some(found) = self.claim(first).or_else(|| self.batch_item()) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// How much of what is visible in a lane this worker takes: its fair half, so that something is left for others.
    fn share(&self, visible: usize) -> usize {
        if self.core.settings.ordered { 1 } else { (visible / (2 * self.core.alive().max(1))).min(MOST_AT_ONCE) }
    }

    fn begin(&self, range: Range) -> Place {
        self.station().batch.retire(&self.core.store);
        self.station().batch.install(range)
    }

    #[inline]
    fn claim(&self, place: Place) -> Option<(u64, Item)> {
        // SAFETY: the batch holds the place's segment until it is retired.
        unsafe { place.claim() }.map(|item| (place.id(), item))
    }

    #[inline]
    fn execute(&self, id: u64, job: Job) {
        if self.searching.get() {
            self.stop_searching();
        }
        self.job.set(id);
        self.station().set_running(true);
        if let Err(payload) = unwind::catch(|| job.run(self)) {
            self.count_failure();
            unwind::dispose(payload);
        }
        if self.station().is_running() {
            self.ended();
        }
        self.job.set(0);
        self.station().count_finished();
        if self.searching.get() {
            self.core.maybe_quiet();
        }
    }

    /// The job's own code is over. Called before its outcome is made known: a user who waits for the outcome and then
    /// submits the next job finds this worker searching, and no second one is started.
    pub(crate) fn ended(&self) {
        self.station().set_running(false);
        if self.station().batch.rest() == 0 && !self.core.has_visible_work() {
            self.start_searching();
        }
    }

    #[inline]
    fn start_searching(&self) {
        if !self.searching.replace(true) {
            self.core.crew.census.start_searching();
        }
    }

    /// Race with a submitter that saw a searcher and woke nobody: before this → the searcher's last look finds its job
    /// and wakes the next worker, after → it sees no searcher and wakes one itself.
    #[cold]
    fn stop_searching(&self) {
        self.searching.set(false);
        if self.core.crew.stop_searching(|| self.core.has_visible_work()) {
            // A refused thread is no error here: this worker lives and comes to the work.
            let _ = self.core.recruit();
        }
    }

    /// Looks a little longer, then sleeps until there is something to do.
    fn rest(&self) {
        self.station().batch.retire(&self.core.store);
        for _ in 0..SPINS {
            if self.core.has_visible_work() {
                return;
            }
            hint::spin();
        }
        self.core.crew.park(self.number, || self.core.has_visible_work() || self.core.is_over());
    }

    /// The others sleep and must see that all is over, too.
    fn leave(&self) {
        self.station().batch.retire(&self.core.store);
        self.core.crew.wake_all();
        self.core.crew.leave();
        self.core.left.notify();
    }

    fn station(&self) -> &Station {
        self.core.crew.station(self.number)
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// From 0, below the limit on workers.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// The id of the job that is running; 0 if none is.
    pub(crate) fn job(&self) -> u64 {
        self.job.get()
    }

    pub(crate) fn count_failure(&self) {
        self.station().count_failed();
    }

    /// The running job declares that it has failed. What it said before is replaced.
    pub(crate) fn fail(&self, failure: Failure) {
        self.failure.replace(Some(failure));
    }

    /// The failure that the running job has declared, if any.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        self.failure.take()
    }
}
