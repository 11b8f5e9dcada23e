//! A job whose outcome goes to a handle.

use super::handle::{Held, JobHandle, Origin};
use super::task::verdict;
use super::{JobError, JobId, SubmitError};
use crate::pool::{Core, Job, Rejected, Task, Worker, unwind};
use crate::queue::{Before, Writer, pair};
use std::sync::Arc;

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
    let (writer, held): (_, Held<T>) = pair(Origin::new(Arc::clone(core)));
    let id = submit(core, Job::new(Handled { writer, code })).map_err(|Rejected { why, job }| {
        drop(job);
        SubmitError::from(why)
    })?;
    held.own().accepted_as(JobId::accepted(id));
    Ok(JobHandle::new(held))
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
        self.writer.take_before().into_iter().for_each(|before| call(before, &result));
        worker.ended();
        publish(self.writer, result, || worker.resume());
    }

    fn cancel(self, _id: u64) {
        unwind::dispose(self.code);
        publish(self.writer, Err(JobError::Cancelled), || ());
    }
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
