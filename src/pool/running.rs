//! What a running job finds out about its worker, and tells it.

use super::core::Core;
use super::round::MOST_AT_ONCE;
use super::timers::TickInfo;
use super::unwind;
use super::worker::Worker;
use crate::queue::WriterId;
use std::error::Error;
use std::sync::Arc;

/// The failure that a running job has declared. In a box, for after every job its worker looks whether there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: i32,
    pub(crate) message: String,
}

impl Worker {
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// From 0, below the limit on workers; `None` for a submitter that runs a job itself.
    pub(crate) fn index(&self) -> Option<usize> {
        (!self.is_guest()).then_some(self.number)
    }

    /// From 0, below the limit on workers.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// What this worker delivers outcomes as.
    pub(crate) fn writer_id(&self) -> &WriterId {
        &self.writer_id
    }

    /// The id of the job that is running; 0 if none is.
    pub(crate) fn job(&self) -> u64 {
        self.job.get()
    }

    /// The job that is running is a timer's; returns what it was before.
    pub(super) fn enter_tick(&self, id: u64, tick: TickInfo) -> (u64, Option<TickInfo>) {
        self.ticks.set(self.ticks.get() + 1);
        (self.job.replace(id), self.tick.replace(Some(tick)))
    }

    pub(super) fn leave_tick(&self, (job, tick): (u64, Option<TickInfo>)) {
        self.job.set(job);
        self.tick.set(tick);
    }

    /// A delayed job, or one with a deadline, has begun. Its place among the timers is freed together with others.
    pub(super) fn spend(&self, id: u64) {
        if self.is_guest() {
            return self.core.free_spent(&[id]);
        }
        let mut spent = self.spent.borrow_mut();
        spent.push(id);
        if spent.len() == MOST_AT_ONCE {
            self.core.free_spent(&spent);
            spent.clear();
        }
    }

    #[cold]
    pub(super) fn free_spent(&self) {
        self.core.free_spent(&self.spent.take());
    }

    /// What the running job is told about its being due, if it is a timer's.
    pub(crate) fn tick(&self) -> Option<TickInfo> {
        self.tick.get()
    }

    /// Runs code that may drop something of a user's, after the job's outcome was made known.
    pub(super) fn let_go<T>(&self, value: T) {
        self.resume();
        unwind::dispose(value);
    }

    /// The running job has failed. Tells users' code, so it must be called before [`ended`](Self::ended).
    pub(crate) fn count_failure(&self, error: &(dyn Error + 'static)) {
        self.station.count_failed();
        self.core.tell_failure(self.job.get(), error);
    }

    /// The running job declares that it has failed. What it said before is replaced.
    pub(crate) fn fail(&self, failure: Box<Failure>) {
        self.failure.replace(Some(failure));
    }

    /// Users' code comes that belongs to no job of this worker: nobody must rely on the worker meanwhile, and what the
    /// code declares is no job's failure. Returns what [`come_back`](Self::come_back) needs.
    pub(super) fn step_aside(&self) -> (bool, Option<Box<Failure>>) {
        let searches = self.searching.get();
        if searches {
            self.stop_searching();
        }
        (searches, self.failure.take())
    }

    pub(super) fn come_back(&self, (searches, failure): (bool, Option<Box<Failure>>)) {
        self.failure.replace(failure);
        if searches {
            self.start_searching();
        }
    }

    /// The failure that the running job has declared, if any.
    pub(crate) fn take_failure(&self) -> Option<Box<Failure>> {
        self.failure.take()
    }
}
