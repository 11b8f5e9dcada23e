//! What a running job can ask of its worker, and tell it.

use super::core::Core;
use super::round::MOST_AT_ONCE;
use super::timers::TickInfo;
use super::unwind;
use super::worker::Worker;
use crate::queue::WriterId;
use std::error::Error;
use std::sync::Arc;

/// A failure that a running job has declared: the error of its outcome. Kept in a box, because its worker checks for
/// one after every job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (code {code})")]
pub(crate) struct Failure {
    pub(crate) code: i32,
    pub(crate) message: String,
}

impl Worker {
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The worker's number, from 0 and below the limit on threads; `None` for a guest.
    pub(crate) fn index(&self) -> Option<usize> {
        (!self.is_guest()).then_some(self.number)
    }

    /// From 0 and below the limit on threads; for a guest, that limit.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// The id under which this worker writes outcomes.
    pub(crate) fn writer_id(&self) -> &WriterId {
        &self.writer_id
    }

    /// The id of the job that is running; 0 if none is.
    pub(crate) fn job(&self) -> u64 {
        self.job.get()
    }

    /// The running job is that of a timer; returns what to restore by [`leave_tick`](Self::leave_tick).
    pub(super) fn enter_tick(&self, id: u64, tick: TickInfo) -> (u64, Option<TickInfo>) {
        self.ticks.set(self.ticks.get() + 1);
        (self.job.replace(id), self.tick.replace(Some(tick)))
    }

    pub(super) fn leave_tick(&self, (job, tick): (u64, Option<TickInfo>)) {
        self.job.set(job);
        self.tick.set(tick);
    }

    /// A delayed job, or one with a deadline, has begun: its timer node or deadline entry is freed later, with others.
    pub(super) fn retire_timer(&self, id: u64) {
        if self.is_guest() {
            return self.core.free_retired(&[id]);
        }
        let mut retired = self.retired.borrow_mut();
        retired.push(id);
        if retired.len() == MOST_AT_ONCE {
            self.core.free_retired(&retired);
            retired.clear();
        }
    }

    #[cold]
    pub(super) fn free_retired(&self) {
        self.core.free_retired(&self.retired.take());
    }

    /// When the running job was due, if it is that of a timer.
    pub(crate) fn tick(&self) -> Option<TickInfo> {
        self.tick.get()
    }

    /// Drops a user's value after the job's outcome was published.
    pub(super) fn dispose<T>(&self, value: T) {
        self.resume();
        unwind::dispose(value);
    }

    /// The running job has failed. Calls user code, so it must come before [`ended`](Self::ended).
    pub(crate) fn count_failure(&self, error: &(dyn Error + 'static)) {
        self.station.count_failed();
        self.core.tell_failure(self.job.get(), error);
    }

    /// The running job declares a failure, which replaces an earlier one.
    pub(crate) fn fail(&self, failure: Box<Failure>) {
        self.failure.replace(Some(failure));
    }

    /// Called before user code that belongs to no job of this worker: no submitter may rely on the worker meanwhile.
    /// Returns what to restore by [`end_callback`](Self::end_callback).
    pub(super) fn begin_callback(&self) -> bool {
        let searches = self.searching.get();
        if searches {
            self.stop_searching();
        }
        searches
    }

    pub(super) fn end_callback(&self, searches: bool) {
        if searches {
            self.start_searching();
        }
    }

    /// Takes the failure that the running job has declared, if any.
    pub(crate) fn take_failure(&self) -> Option<Box<Failure>> {
        self.failure.take()
    }
}
