//! Closures as the pool's tasks.

use super::error::Declared;
use super::outcome::{Cargo, Delivery, Done, Outcome, Times};
use super::{Emitter, JobError, JobId};
use crate::pool::{Failure, Task, Worker, unwind};
use std::time::Instant;

/// What a job came to: its value, unless it panicked, returned an error or declared a failure.
#[inline]
pub(super) fn verdict<T>(worker: &Worker, code: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
    let returned = unwind::catch(code);
    match (returned, worker.take_failure()) {
        (Ok(returned), None) => returned,
        (Ok(returned), Some(Failure { code, message })) => {
            unwind::dispose(returned);
            Err(JobError::Failed(Box::new(Declared { code, message })))
        }
        (Err(payload), _) => Err(JobError::Panicked(payload)),
    }
}

/// Fire and forget: a failure is counted, nothing is kept.
pub(super) struct Detached<F>(pub(super) F);

impl<F: FnOnce() -> Result<(), JobError> + Send + 'static> Task for Detached<F> {
    #[inline]
    fn run(self, worker: &Worker) {
        if let Err(error) = verdict(worker, self.0) {
            worker.count_failure(&error);
            unwind::dispose(error);
        }
    }

    fn cancel(self, _id: u64) {}
}

/// The outcome goes to a results object.
pub(super) struct Reporting<T, F> {
    pub(super) delivery: Delivery<T>,
    pub(super) code: F,
}

impl<T, F> Task for Reporting<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, JobError> + Send + 'static,
{
    #[inline]
    fn run(self, worker: &Worker) {
        let id = JobId::accepted(worker.job());
        match verdict(worker, self.code) {
            Ok(value) => {
                self.delivery.reserve(worker.seat());
                worker.ended();
                self.delivery.deliver(worker.seat(), Some(Ok(Done::Plain(id, value))));
            }
            Err(error) => fail(worker, self.delivery, Outcome::new(id, Err(error), None)),
        }
    }

    fn cancel(self, id: u64) {
        unwind::dispose(self.code);
        let outcome = Outcome::new(JobId::accepted(id), Err(JobError::Cancelled), None);
        self.delivery.deliver_from_outside(Some(outcome.into_entry()));
    }
}

#[cold]
fn fail<T>(worker: &Worker, delivery: Delivery<T>, outcome: Outcome<T>) {
    if let Err(error) = &outcome.result {
        worker.count_failure(error);
    }
    delivery.reserve(worker.seat());
    worker.ended();
    delivery.deliver(worker.seat(), Some(outcome.into_entry()));
}

/// Called with each outcome of one job; an error becomes the job's.
pub(super) type Callback<T> = Box<dyn FnMut(&Outcome<T>) -> Result<(), JobError> + Send>;

/// Called when an accepted job has ended in whatever way, before its outcome is made known; may send something along.
pub(super) type Finally = Box<dyn FnOnce() -> Option<Cargo> + Send>;

/// A job with everything that can be asked for.
pub(super) struct Full<T, F> {
    /// `None` if nobody wants the outcome but the callback.
    pub(super) delivery: Option<Delivery<T>>,
    /// Returns its value, unless it has emitted its values.
    pub(super) code: F,
    pub(super) callback: Option<Callback<T>>,
    pub(super) finally: Option<Finally>,
    /// When it was submitted, in a pool that measures.
    pub(super) submitted: Option<Instant>,
}

impl<T, F> Task for Full<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
{
    fn run(self, worker: &Worker) {
        let emitter = Emitter::new(worker, self.delivery.as_ref(), self.callback, self.submitted);
        let returned = verdict(worker, || (self.code)(&emitter));
        let mut last = emitter.conclude(returned);
        finish(self.finally, last.as_mut());
        if let Some(Err(error)) = last.as_ref().map(|outcome| &outcome.result) {
            worker.count_failure(error);
        }
        let Some(delivery) = self.delivery else {
            return unwind::dispose(last);
        };
        if last.is_some() {
            delivery.reserve(worker.seat());
        }
        worker.ended();
        delivery.deliver(worker.seat(), last.map(Outcome::into_entry));
    }

    fn cancel(self, id: u64) {
        unwind::dispose(self.code);
        let times = self.submitted.map(|submitted| Times { queued: submitted.elapsed(), ..Times::default() });
        let mut outcome = Outcome::new(JobId::accepted(id), Err(JobError::Cancelled), times);
        if let Some(mut callback) = self.callback {
            outcome = inform(&mut callback, outcome);
            unwind::dispose(callback);
        }
        finish(self.finally, Some(&mut outcome));
        match self.delivery {
            Some(delivery) => delivery.deliver_from_outside(Some(outcome.into_entry())),
            None => unwind::dispose(outcome),
        }
    }
}

/// Shows an outcome to the callback, whose error or panic takes the outcome's place.
pub(super) fn inform<T>(callback: &mut Callback<T>, mut outcome: Outcome<T>) -> Outcome<T> {
    let verdict = unwind::catch(|| callback(&outcome)).unwrap_or_else(|payload| Err(JobError::Panicked(payload)));
    if let Err(error) = verdict {
        unwind::dispose(std::mem::replace(&mut outcome.result, Err(error)));
    }
    outcome
}

fn finish<T>(finally: Option<Finally>, outcome: Option<&mut Outcome<T>>) {
    let Some(finally) = finally else { return };
    match (unwind::catch(finally), outcome) {
        (Ok(Some(cargo)), Some(outcome)) => outcome.load(cargo),
        (sent, _) => unwind::dispose(sent),
    }
}
