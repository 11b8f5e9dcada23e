//! A job whose outcome goes to a handle.

use super::handle::{End, Held, JobHandle};
use super::outcome::Extra;
use super::task::verdict;
use super::{JobError, SubmitError, Times};
use crate::pool::{Core, Job, Rejected, Task, Unrun, Worker, unwind};
use crate::queue::{Before, Writer, Written};
use std::sync::{Arc, Weak};
use std::time::Instant;

type Outcome<T> = Result<T, JobError>;

struct Handled<T, F> {
    answer: Answer<T>,
    code: F,
}

/// The same, measured.
struct Timed<T, F> {
    submitted: Instant,
    job: Handled<T, F>,
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
    let (answer, mut held) = Answer::pair(core);
    let job = Handled { answer, code };
    let job = if core.is_timed() { Job::new(Timed { submitted: Instant::now(), job }) } else { Job::new(job) };
    let id = submit(core, job)?;
    held.set_id(id);
    Ok(JobHandle::new(held))
}

impl<T, F> Task for Handled<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Outcome<T> + Send + 'static,
{
    #[inline]
    fn run(self, worker: &Worker) {
        let result = self.answer.during(worker, || verdict(worker, self.code));
        if let Err(error) = &result {
            worker.count_failure(error);
        }
        self.answer.give(worker, result, None);
    }

    fn cancel(self, _id: u64, why: Unrun) {
        unwind::dispose(self.code);
        self.answer.give_up(Err(why.into()), None);
    }
}

impl<T, F> Task for Timed<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Outcome<T> + Send + 'static,
{
    fn run(self, worker: &Worker) {
        let Handled { answer, code } = self.job;
        let begun = Instant::now();
        let result = answer.during(worker, || verdict(worker, code));
        let times = Times { queued: begun - self.submitted, ran: begun.elapsed() };
        if let Err(error) = &result {
            worker.count_failure(error);
        }
        answer.give(worker, result, Extra::of(Some(times)));
    }

    fn cancel(self, _id: u64, why: Unrun) {
        let times = Times { queued: self.submitted.elapsed(), ..Times::default() };
        unwind::dispose(self.job.code);
        self.job.answer.give_up(Err(why.into()), Extra::of(Some(times)));
    }
}

/// The duty to say what a job came to.
pub(super) struct Answer<T>(Writer<End<T>, Weak<Core>>);

impl<T: Send + 'static> Answer<T> {
    #[inline(always)]
    pub(super) fn pair(core: &Arc<Core>) -> (Self, Held<T>) {
        let (writer, held) = core.pair();
        (Self(writer), held)
    }

    /// The job's code begins.
    #[inline]
    pub(super) fn during<R>(&self, worker: &Worker, code: impl FnOnce() -> R) -> R {
        self.0.start();
        worker.with_stop_flag(self.0.asked(), code)
    }

    /// The job's code is over. A value that nobody waits for yet, which is the usual one, goes to its place without a
    /// stop.
    #[inline(always)]
    pub(super) fn give(self, worker: &Worker, result: Outcome<T>, extra: Option<Box<Extra>>) {
        match (result, extra) {
            (Ok(value), None) if !self.0.is_watched() => {
                worker.ended();
                publish(self.0, End { result: Ok(value), extra: None }, || worker.resume());
            }
            (result, extra) => self.give_watched(worker, End { result, extra }),
        }
    }

    #[cold]
    fn give_watched(self, worker: &Worker, end: End<T>) {
        self.0.take_before().into_iter().for_each(|before| call(before, &end));
        worker.ended();
        publish(self.0, end, || worker.resume());
    }

    /// The job has not run.
    pub(super) fn give_up(self, result: Outcome<T>, extra: Option<Box<Extra>>) {
        publish(self.0, End { result, extra }, || ());
    }
}

/// `users` is called before users' code runs.
#[inline(always)]
fn publish<T>(writer: Writer<End<T>, Weak<Core>>, end: End<T>, users: impl Fn()) {
    let written = writer.write(end, |before, end| {
        users();
        call(before, end);
    });
    if let Some(written) = written {
        tell(written, users);
    }
}

#[cold]
fn tell<T>(written: Written<End<T>>, users: impl Fn()) {
    for after in written.after {
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
pub(super) fn call<T>(before: Before<End<T>>, end: &End<T>) {
    if let Err(payload) = unwind::catch(|| before(end)) {
        unwind::dispose(payload);
    }
}
