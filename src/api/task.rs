//! Closures as the pool's tasks.

use super::error::Declared;
use super::handled::Answer;
use super::outcome::{Attachment, Delivery, Done, Outcome, Times};
use super::{Emitter, JobError, JobId, Panic};
use crate::pool::unwind::{self, Payload};
use crate::pool::{Failure, Task, Unrun, Worker};
use std::sync::Arc;
use std::time::Instant;

/// What a job came to: its value, unless it panicked, returned an error or declared a failure.
#[inline]
pub(super) fn verdict<T>(worker: &Worker, code: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
    match (unwind::catch(code), worker.take_failure()) {
        (Ok(Ok(value)), None) => Ok(value),
        (Ok(Err(error)), None) => Err(error),
        (Ok(returned), Some(failure)) => Err(declared(returned, *failure)),
        (Err(payload), _) => Err(panicked(payload)),
    }
}

#[cold]
fn declared<T>(returned: Result<T, JobError>, Failure { code, message }: Failure) -> JobError {
    unwind::dispose(returned);
    JobError::Failed(Box::new(Declared { code, message }))
}

#[cold]
fn panicked(payload: Payload) -> JobError {
    JobError::Panicked(Panic::new(payload))
}

/// Fire and forget: a failure is counted, nothing is kept.
pub(super) struct Detached<F>(pub(super) F);

impl<F: FnOnce() -> Result<(), JobError> + Send + 'static> Task for Detached<F> {
    #[inline]
    fn run(self, worker: &Worker) {
        if let Err(error) = verdict(worker, self.0) {
            only_count(worker, error);
        }
    }

    fn cancel(self, _id: u64, _why: Unrun) {}
}

#[cold]
fn only_count(worker: &Worker, error: JobError) {
    worker.count_failure(&error);
    unwind::dispose(error);
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
                self.delivery.reserve(worker.writer_id());
                worker.ended();
                self.delivery.deliver(worker.writer_id(), Some(Ok(Done::Plain(id, value))));
            }
            Err(error) => fail(worker, self.delivery, Outcome::new(id, Err(error), None)),
        }
    }

    fn cancel(self, id: u64, why: Unrun) {
        unwind::dispose(self.code);
        let outcome = Outcome::new(JobId::accepted(id), Err(why.into()), None);
        self.delivery.deliver_from_outside(Some(outcome.into_entry()));
    }
}

#[cold]
pub(super) fn fail<T>(worker: &Worker, delivery: Delivery<T>, outcome: Outcome<T>) {
    if let Err(error) = &outcome.result {
        worker.count_failure(error);
    }
    delivery.reserve(worker.writer_id());
    worker.ended();
    delivery.deliver(worker.writer_id(), Some(outcome.into_entry()));
}

/// Called with each outcome of one job, whose result it may replace; an error becomes the job's.
pub(super) type Callback<T> = Box<dyn FnMut(&mut Outcome<T>) -> Result<(), JobError> + Send>;

/// Called when an accepted job has ended in whatever way, before its outcome is made known; may send something along.
pub(super) type Finally = Box<dyn FnOnce() -> Option<Attachment> + Send>;

/// Where an outcome goes.
pub(super) enum Goal<T> {
    /// To nobody but the callback.
    Nowhere,
    Results(Delivery<T>),
    Handle(Answer<T>),
}

/// Who hears of a job that runs too long: by what name, and after how many nanoseconds.
pub(super) type Watch = (Arc<str>, u64);

/// A job with everything that can be asked for.
pub(super) struct Full<T, F> {
    pub(super) goal: Goal<T>,
    /// Returns its value, unless it has emitted its values.
    pub(super) code: F,
    pub(super) callback: Option<Callback<T>>,
    pub(super) finally: Option<Finally>,
    pub(super) watch: Option<Watch>,
    /// When it was submitted, in a pool that measures.
    pub(super) submitted: Option<Instant>,
}

impl<T, F> Task for Full<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
{
    fn run(self, worker: &Worker) {
        let emitter = Emitter::new(worker, self.goal.delivery(), self.callback, self.submitted);
        let code = || match self.watch {
            None => (self.code)(&emitter),
            Some((name, limit)) => worker.watch(name, limit, || (self.code)(&emitter)),
        };
        let returned = match &self.goal {
            Goal::Handle(answer) => answer.during(worker, || verdict(worker, code)),
            _ => verdict(worker, code),
        };
        let mut last = emitter.conclude(returned);
        finish(self.finally, last.as_mut());
        if let Some(Err(error)) = last.as_ref().map(|outcome| &outcome.result) {
            worker.count_failure(error);
        }
        match self.goal {
            Goal::Nowhere => unwind::dispose(last),
            Goal::Results(delivery) => {
                if last.is_some() {
                    delivery.reserve(worker.writer_id());
                }
                worker.ended();
                delivery.deliver(worker.writer_id(), last.map(Outcome::into_entry));
            }
            Goal::Handle(answer) => {
                let outcome = last.expect("a job with a handle has a value or has failed");
                let (result, extra) = outcome.into_parts();
                answer.give(worker, result, extra);
            }
        }
    }

    fn cancel(self, id: u64, why: Unrun) {
        unwind::dispose(self.code);
        let times = self.submitted.map(|submitted| Times { queued: submitted.elapsed(), ..Times::default() });
        let mut outcome = Outcome::new(JobId::accepted(id), Err(why.into()), times);
        if let Some(mut callback) = self.callback {
            outcome = inform(&mut callback, outcome);
            unwind::dispose(callback);
        }
        finish(self.finally, Some(&mut outcome));
        match self.goal {
            Goal::Nowhere => unwind::dispose(outcome),
            Goal::Results(delivery) => delivery.deliver_from_outside(Some(outcome.into_entry())),
            Goal::Handle(answer) => {
                let (result, extra) = outcome.into_parts();
                answer.give_up(result, extra);
            }
        }
    }
}

impl<T> Goal<T> {
    fn delivery(&self) -> Option<&Delivery<T>> {
        if let Self::Results(delivery) = self { Some(delivery) } else { None }
    }
}

/// Shows an outcome to the callback, whose error or panic takes the outcome's place.
pub(super) fn inform<T>(callback: &mut Callback<T>, mut outcome: Outcome<T>) -> Outcome<T> {
    let verdict =
        unwind::catch(|| callback(&mut outcome)).unwrap_or_else(|payload| Err(JobError::Panicked(Panic::new(payload))));
    if let Err(error) = verdict {
        unwind::dispose(std::mem::replace(&mut outcome.result, Err(error)));
    }
    outcome
}

fn finish<T>(finally: Option<Finally>, outcome: Option<&mut Outcome<T>>) {
    let Some(finally) = finally else { return };
    match (unwind::catch(finally), outcome) {
        (Ok(Some(attachment)), Some(outcome)) => outcome.attach(attachment),
        (sent, _) => unwind::dispose(sent),
    }
}
