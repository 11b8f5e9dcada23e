//! A job whose outcome goes to a handle.

use super::handle::{Held, JobHandle, Origin};
use super::task::verdict;
use super::{JobError, JobId, SubmitError, Times};
use crate::pool::{Core, Job, Rejected, Task, Unrun, Worker, unwind};
use crate::queue::{Before, Writer, pair};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

type Outcome<T> = Result<T, JobError>;

struct Handled<T, F> {
    writer: Writer<Outcome<T>, Origin>,
    code: F,
}

/// Submits `code` by `submit`, and makes the handle to it.
#[inline]
pub(super) fn submit<T, F>(
    core: &Arc<Core>,
    code: F,
    submit: impl FnOnce(&Arc<Core>, Job) -> Result<u64, Rejected>,
) -> Result<JobHandle<T>, SubmitError>
where
    T: Send + 'static,
    F: FnOnce() -> Outcome<T> + Send + 'static,
{
    let clock = core.is_timed().then(Clock::start);
    let times = clock.as_ref().map(|clock| Arc::clone(&clock.times));
    let (writer, held): (_, Held<T>) = pair(Origin::new(Arc::clone(core), times));
    let job = match clock {
        None => Job::new(Handled { writer, code }),
        Some(clock) => Job::new(Handled { writer, code: || clock.around(code) }),
    };
    let id = submit(core, job).map_err(|Rejected { why, job }| {
        drop(job);
        SubmitError::from(why)
    })?;
    held.own().accepted_as(JobId::accepted(id));
    Ok(JobHandle::new(held))
}

/// Measures a job, however it ends: when it goes, it leaves the times behind.
struct Clock {
    submitted: Instant,
    begun: Option<Instant>,
    times: Arc<Mutex<Times>>,
}

impl Clock {
    fn start() -> Self {
        Self { submitted: Instant::now(), begun: None, times: Arc::default() }
    }

    fn around<R>(mut self, code: impl FnOnce() -> R) -> R {
        self.begun = Some(Instant::now());
        code()
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let now = Instant::now();
        let begun = self.begun.unwrap_or(now);
        let times = Times { queued: begun - self.submitted, ran: now - begun };
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) = times;
    }
}

impl<T, F> Task for Handled<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Outcome<T> + Send + 'static,
{
    #[inline]
    fn run(self, worker: &Worker) {
        self.writer.start();
        let result = worker.with_asked(self.writer.asked(), || verdict(worker, self.code));
        if let Err(error) = &result {
            worker.count_failure(error);
        }
        conclude(worker, self.writer, result);
    }

    fn cancel(self, _id: u64, why: Unrun) {
        unwind::dispose(self.code);
        publish(self.writer, Err(why.into()), || ());
    }
}

/// The handle of a job with everything that can be asked for.
pub(super) struct Answer<T> {
    writer: Writer<Outcome<T>, Origin>,
    times: Option<Arc<Mutex<Times>>>,
}

impl<T: Send + 'static> Answer<T> {
    pub(super) fn pair(core: &Arc<Core>) -> (Self, Held<T>) {
        let times = core.is_timed().then(Arc::default);
        let (writer, held) = pair(Origin::new(Arc::clone(core), times.clone()));
        (Self { writer, times }, held)
    }

    /// The job's code begins.
    pub(super) fn during<R>(&self, worker: &Worker, code: impl FnOnce() -> R) -> R {
        self.writer.start();
        worker.with_asked(self.writer.asked(), code)
    }

    pub(super) fn give(self, worker: &Worker, result: Outcome<T>, times: Option<Times>) {
        self.note(times);
        conclude(worker, self.writer, result);
    }

    /// The job has not run.
    pub(super) fn give_up(self, result: Outcome<T>, times: Option<Times>) {
        self.note(times);
        publish(self.writer, result, || ());
    }

    fn note(&self, times: Option<Times>) {
        if let (Some(place), Some(times)) = (&self.times, times) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = times;
        }
    }
}

/// The job's code is over.
#[inline]
fn conclude<T>(worker: &Worker, writer: Writer<Outcome<T>, Origin>, result: Outcome<T>) {
    writer.take_before().into_iter().for_each(|before| call(before, &result));
    worker.ended();
    publish(writer, result, || worker.resume());
}

/// `users` is called before users' code runs.
#[inline]
fn publish<T>(writer: Writer<Outcome<T>, Origin>, result: Outcome<T>, users: impl Fn()) {
    let written = writer.write(result, |before, result| {
        users();
        call(before, result);
    });
    for (_, after) in written.after {
        if after.is_foreign() {
            users();
        }
        if let Err(payload) = unwind::catch(|| after.tell()) {
            unwind::dispose(payload);
        }
    }
    if let Some(unread) = written.unread {
        users();
        unwind::dispose(unread);
    }
}

/// What a callback throws concerns nobody else.
fn call<T>(before: Before<Outcome<T>>, result: &Outcome<T>) {
    if let Err(payload) = unwind::catch(|| before(result)) {
        unwind::dispose(payload);
    }
}
