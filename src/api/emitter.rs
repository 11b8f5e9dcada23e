//! Jobs that emit several values.

use super::outcome::{Delivery, Outcome, Times};
use super::task::{self, Callback};
use super::{JobError, JobId, Tick, timing};
use crate::pool::{Worker, unwind};
use std::cell::RefCell;
use std::fmt;
use std::time::Instant;

/// Emits values of a running job: any number of them, all under the job's id. Passed to the closure of
/// [`Results::emitting`](crate::Results::emitting).
pub struct Emitter<'a, T> {
    worker: &'a Worker,
    delivery: Option<&'a Delivery<T>>,
    id: JobId,
    stopwatch: Option<Stopwatch>,
    tick: Option<Tick>,
    callback: RefCell<Option<Callback<T>>>,
    /// The first error or panic of the callback.
    failure: RefCell<Option<JobError>>,
}

#[derive(Clone, Copy)]
struct Stopwatch {
    submitted: Instant,
    began: Instant,
}

impl Stopwatch {
    fn read(self) -> Times {
        Times { queued: self.began.saturating_duration_since(self.submitted), ran: self.began.elapsed() }
    }
}

impl<T> fmt::Debug for Emitter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a, T: Send + 'static> Emitter<'a, T> {
    pub(super) fn new(
        worker: &'a Worker,
        delivery: Option<&'a Delivery<T>>,
        callback: Option<Callback<T>>,
        submitted: Option<Instant>,
    ) -> Self {
        Self {
            worker,
            delivery,
            id: JobId::accepted(worker.job()),
            tick: timing::tick_of(worker),
            stopwatch: submitted.map(|submitted| Stopwatch { submitted, began: Instant::now() }),
            callback: RefCell::new(callback),
            failure: RefCell::new(None),
        }
    }

    /// The job's id.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Delivers a value to the results object, where it can be read at once.
    ///
    /// If the job has a [callback](crate::Request::then), that is called with the value first; if it panics or returns
    /// an error, the value is dropped and the job ends failed. If the results object has a
    /// [bound](crate::Pool::results_bounded), this waits until there is room.
    pub fn emit(&self, value: T) {
        match self.run_callback(self.outcome(Ok(value))) {
            Outcome { result: Err(error), .. } => {
                self.failure.borrow_mut().get_or_insert(error);
            }
            outcome => {
                if let Some(delivery) = self.delivery {
                    delivery.reserve(self.worker.writer_id());
                    if let Ok(entry) = outcome.into_entry() {
                        delivery.emit(self.worker.writer_id(), entry);
                    }
                }
            }
        }
    }

    /// Called when the job's code has returned. Returns the outcome that is still to be delivered, if any.
    pub(super) fn conclude(&self, returned: Result<Option<T>, JobError>) -> Option<Outcome<T>> {
        let last = match (returned, self.failure.take()) {
            (Ok(value), None) => value.map(Ok),
            (Ok(value), Some(error)) => {
                unwind::dispose(value);
                return Some(self.outcome(Err(error)));
            }
            (Err(error), first) => {
                unwind::dispose(first);
                Some(Err(error))
            }
        };
        let last = last.map(|result| self.run_callback(self.outcome(result)));
        unwind::dispose(self.callback.take());
        last
    }

    fn run_callback(&self, outcome: Outcome<T>) -> Outcome<T> {
        // Taken out for the call: a callback that emits is not called for what it emits.
        let Some(mut callback) = self.callback.take() else { return outcome };
        let outcome = task::run_callback(&mut callback, outcome);
        self.callback.replace(Some(callback));
        outcome
    }

    fn outcome(&self, result: Result<T, JobError>) -> Outcome<T> {
        Outcome::new(self.id, result, self.stopwatch.map(Stopwatch::read)).of_tick(self.tick)
    }
}
