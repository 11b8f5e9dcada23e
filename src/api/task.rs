//! Closures as the pool's tasks.

use super::handled::Promise;
use super::outcome::{Attachment, Delivery, Done, Outcome, Times};
use super::{Emitter, JobError, JobId};
use crate::pool::{Core, Failure, Task, Unrun, Worker, frame, unwind};
use std::sync::Arc;
use std::time::Instant;

/// Runs a job's code. It fails if it panics, returns an error or calls [`fail`](crate::fail).
#[inline]
pub(super) fn execute<T>(worker: &Worker, code: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
    match (unwind::catch(code), worker.take_failure()) {
        (Ok(Ok(value)), None) => Ok(value),
        (Ok(Err(error)), None) => Err(error),
        (Ok(returned), Some(failure)) => Err(declared(returned, failure)),
        (Err(payload), _) => Err(JobError::panicked(payload)),
    }
}

#[cold]
fn declared<T>(returned: Result<T, JobError>, failure: Box<Failure>) -> JobError {
    unwind::dispose(returned);
    JobError::Failed(failure)
}

/// A fire-and-forget job: its failure is counted and dropped.
pub(super) struct Detached<F>(pub(super) F);

impl<F: FnOnce() -> Result<(), JobError> + Send + 'static> Task for Detached<F> {
    #[inline]
    fn run(self, worker: &Worker) {
        if let Err(error) = execute(worker, self.0) {
            count_and_drop(worker, error);
        }
    }

    fn cancel(self, _core: &Core, _id: u64, _why: Unrun) {}
}

#[cold]
pub(super) fn count_and_drop(worker: &Worker, error: JobError) {
    worker.count_failure(&error);
    unwind::dispose(error);
}

/// A job whose outcome goes to a results object.
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
        match execute(worker, self.code) {
            Ok(value) => {
                self.delivery.reserve(worker.writer_id());
                worker.ended();
                self.delivery.deliver(worker.writer_id(), Some(Ok(Done::Plain(id, value))));
            }
            Err(error) => deliver_failure(worker, self.delivery, id, error),
        }
    }

    fn cancel(self, _core: &Core, id: u64, why: Unrun) {
        unwind::dispose(self.code);
        deliver_unrun(self.delivery, id, why);
    }
}

#[cold]
fn deliver_failure<T>(worker: &Worker, delivery: Delivery<T>, id: JobId, error: JobError) {
    deliver(worker, delivery, Outcome::new(id, Err(error), None));
}

/// Counts a failure, and delivers the outcome of the running job, whose code has ended.
pub(super) fn deliver<T>(worker: &Worker, delivery: Delivery<T>, outcome: Outcome<T>) {
    if let Err(error) = &outcome.result {
        worker.count_failure(error);
    }
    delivery.reserve(worker.writer_id());
    worker.ended();
    delivery.deliver(worker.writer_id(), Some(outcome.into_entry()));
}

/// Delivers the outcome of a job that ended without having run.
pub(super) fn deliver_unrun<T>(delivery: Delivery<T>, id: u64, why: Unrun) {
    let outcome = Outcome::new(JobId::accepted(id), Err(why.into()), None);
    delivery.deliver_from_outside(Some(outcome.into_entry()));
}

/// Called with each outcome of one job. It may replace the result; an error that it returns does so.
pub(super) type Callback<T> = Box<dyn FnMut(&mut Outcome<T>) -> Result<(), JobError> + Send>;

/// Called when an accepted job has ended in any way, before its outcome can be read. It may attach something to the
/// outcome.
pub(super) type Finally = Box<dyn FnOnce() -> Option<Attachment> + Send>;

/// Where an outcome goes.
pub(super) enum Destination<T> {
    /// To the callback only.
    Nowhere,
    Results(Delivery<T>),
    Handle(Promise<T>),
}

/// The name for [`Overrun`](crate::Overrun) and the run limit in nanoseconds.
pub(super) type Watch = (Arc<str>, u64);

/// A job with all options of a [`Request`](super::Request).
pub(super) struct WithOptions<T, F> {
    pub(super) destination: Destination<T>,
    /// Returns a value, or none if it emits its values.
    pub(super) code: F,
    pub(super) callback: Option<Callback<T>>,
    pub(super) finally: Option<Finally>,
    pub(super) watch: Option<Watch>,
    /// When it was submitted, in a pool that measures times.
    pub(super) submitted: Option<Instant>,
}

impl<T, F> Task for WithOptions<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
{
    fn run(self, worker: &Worker) {
        let emitter = Emitter::new(worker, self.destination.delivery(), self.callback, self.submitted);
        let code = || match self.watch {
            None => (self.code)(&emitter),
            Some((name, limit)) => worker.watch(name, limit, || (self.code)(&emitter)),
        };
        let run = || emitter.conclude(execute(worker, code));
        let mut last = match &self.destination {
            Destination::Handle(promise) => promise.start(worker, run),
            _ => run(),
        };
        run_finally(self.finally, last.as_mut());
        if let Some(Err(error)) = last.as_ref().map(|outcome| &outcome.result) {
            worker.count_failure(error);
        }
        match self.destination {
            Destination::Nowhere => unwind::dispose(last),
            Destination::Results(delivery) => {
                if last.is_some() {
                    delivery.reserve(worker.writer_id());
                }
                worker.ended();
                delivery.deliver(worker.writer_id(), last.map(Outcome::into_entry));
            }
            Destination::Handle(promise) => {
                let outcome = last.expect("a job with a handle has a value or has failed");
                let (result, extra) = outcome.into_parts();
                promise.fulfil(worker, result, extra);
            }
        }
    }

    fn cancel(self, core: &Core, id: u64, why: Unrun) {
        unwind::dispose(self.code);
        let times = self.submitted.map(|submitted| Times { queued: submitted.elapsed(), ..Times::default() });
        let mut outcome = Outcome::new(JobId::accepted(id), Err(why.into()), times);
        if let Some(mut callback) = self.callback {
            outcome = run_callback(&mut callback, outcome);
            unwind::dispose(callback);
        }
        run_finally(self.finally, Some(&mut outcome));
        match &outcome.result {
            Ok(_) | Err(JobError::Cancelled) => {}
            Err(JobError::Expired) => core.count_expired(),
            Err(error) => core.count_failure(id, error),
        }
        match self.destination {
            Destination::Nowhere => unwind::dispose(outcome),
            Destination::Results(delivery) => delivery.deliver_from_outside(Some(outcome.into_entry())),
            Destination::Handle(promise) => {
                if why == Unrun::Cancelled {
                    outcome.stay_cancelled();
                }
                let (result, extra) = outcome.into_parts();
                promise.fulfil_unrun(result, extra);
            }
        }
    }
}

impl<T> Destination<T> {
    fn delivery(&self) -> Option<&Delivery<T>> {
        if let Self::Results(delivery) = self { Some(delivery) } else { None }
    }
}

/// Calls the callback with an outcome. Its error or panic becomes the outcome's result.
pub(super) fn run_callback<T>(callback: &mut Callback<T>, mut outcome: Outcome<T>) -> Outcome<T> {
    let returned = unwind::catch(|| frame::callback(|| callback(&mut outcome)));
    let returned = returned.unwrap_or_else(|payload| Err(JobError::panicked(payload)));
    if let Err(error) = returned {
        unwind::dispose(std::mem::replace(&mut outcome.result, Err(error)));
    }
    outcome
}

fn run_finally<T>(finally: Option<Finally>, outcome: Option<&mut Outcome<T>>) {
    let Some(finally) = finally else { return };
    match (unwind::catch(|| frame::callback(finally)), outcome) {
        (Ok(Some(attachment)), Some(outcome)) => outcome.attach(attachment),
        (returned, _) => unwind::dispose(returned),
    }
}
