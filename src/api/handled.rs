//! Jobs whose outcome goes to a handle.

use super::handle::{Completion, JobHandle, SlotReader};
use super::outcome::Extra;
use super::request::submit_timed;
use super::task::{Destination, execute};
use super::{JobError, Pool, SubmitError};
use crate::pool::{Core, Job, Route, Task, Unrun, Worker, frame, unwind};
use crate::queue::{Before, Writer, Written};
use std::error::Error;
use std::sync::{Arc, Weak};

struct Handled<T, F> {
    promise: Promise<T>,
    code: F,
}

impl Pool {
    /// Queues `job` to run on a worker, and returns a handle: to wait for its value, to get it, or to cancel the job.
    ///
    /// Dropping the handle does not cancel the job.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let answer = pool.submit(|| 6 * 7)?;
    /// assert_eq!(answer.join()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JobHandle<T>, SubmitError> {
        submit(&self.core, || Ok(job()), Route::Back)
    }

    /// Queues `job` like [`submit`](Self::submit), but ahead of every queued job.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn submit_first<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JobHandle<T>, SubmitError> {
        submit(&self.core, || Ok(job()), Route::First)
    }

    /// Queues `job` like [`submit`](Self::submit); an error that it returns becomes [`JobError::Failed`].
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let parsed = pool.try_submit(|| "x".parse::<i32>())?;
    /// assert_eq!(parsed.join().unwrap_err().to_string(), "the job failed: invalid digit found in string");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_submit<T: Send + 'static, E>(
        &self,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<JobHandle<T>, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        submit(&self.core, || job().map_err(JobError::failed), Route::Back)
    }

    /// Runs `job` on a worker, waits for it and returns its value. Short for [`submit`](Self::submit) and
    /// [`JobHandle::join`].
    ///
    /// # Errors
    ///
    /// As for [`JobHandle::join`]; [`JobError::Failed`] with the [`SubmitError`] if the job is not accepted.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// assert_eq!(pool.run(|| 6 * 7)?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, JobError> {
        self.submit(job)?.join()
    }
}

/// Submits `code`, and returns a handle to the job.
#[inline]
fn submit<T, F>(core: &Arc<Core>, code: F, route: Route<'_>) -> Result<JobHandle<T>, SubmitError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, JobError> + Send + 'static,
{
    let (promise, mut reader) = Promise::pair(core);
    let id = match core.is_timed() {
        false => core.submit_routed(Job::new(Handled { promise, code }), route)?,
        true => submit_timed(core, code, || Destination::Handle(promise), route)?,
    };
    reader.set_id(id);
    Ok(JobHandle::new(reader))
}

/// As [`submit`], but hands back what is refused, and measures no times. If the caller `runs_it` where the queue is
/// full, that is no reason to refuse it.
pub(super) fn submit_or_hand_back<T, F>(
    core: &Arc<Core>,
    code: F,
    runs_it: bool,
) -> Result<JobHandle<T>, (SubmitError, F)>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, JobError> + Send + 'static,
{
    let (promise, mut reader) = Promise::pair(core);
    match core.submit_or_hand_back(Handled { promise, code }, runs_it) {
        Ok(id) => {
            reader.set_id(id);
            Ok(JobHandle::new(reader))
        }
        Err((why, job)) => Err((why.into(), job.code)),
    }
}

impl<T, F> Task for Handled<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, JobError> + Send + 'static,
{
    #[inline]
    fn run(self, worker: &Worker) {
        let result = self.promise.start(worker, || execute(worker, self.code));
        if let Err(error) = &result {
            worker.count_failure(error);
        }
        self.promise.fulfil(worker, result, None);
    }

    fn cancel(self, _core: &Core, _id: u64, why: Unrun) {
        unwind::dispose(self.code);
        self.promise.fulfil_unrun(Err(why.into()), None);
    }
}

/// The writing side of a handle: fulfilled once, when the job ends.
pub(super) struct Promise<T>(Writer<Completion<T>, Weak<Core>>);

impl<T: Send + 'static> Promise<T> {
    #[inline(always)]
    pub(super) fn pair(core: &Arc<Core>) -> (Self, SlotReader<T>) {
        let (writer, reader) = core.pair();
        (Self(writer), reader)
    }

    /// Marks the job as running, and runs its code.
    #[inline]
    pub(super) fn start<R>(&self, worker: &Worker, code: impl FnOnce() -> R) -> R {
        self.0.start();
        worker.with_stop_flag(self.0.asked(), code)
    }

    /// Publishes the outcome of the running job. The usual one, a value that no thread waits for yet, is written
    /// without being copied on the way.
    #[inline(always)]
    pub(super) fn fulfil(self, worker: &Worker, result: Result<T, JobError>, extra: Option<Box<Extra>>) {
        match (result, extra) {
            (Ok(value), None) if !self.0.is_watched() => {
                worker.ended();
                publish(self.0, Completion { result: Ok(value), extra: None }, || worker.resume());
            }
            (result, extra) => self.fulfil_watched(worker, Completion { result, extra }),
        }
    }

    #[cold]
    fn fulfil_watched(self, worker: &Worker, completion: Completion<T>) {
        self.0.take_before().into_iter().for_each(|callback| call(callback, &completion));
        worker.ended();
        publish(self.0, completion, || worker.resume());
    }

    /// Publishes the outcome of a job that ended without having run.
    pub(super) fn fulfil_unrun(self, result: Result<T, JobError>, extra: Option<Box<Extra>>) {
        publish(self.0, Completion { result, extra }, || ());
    }
}

/// `before_user_code` is called before any code of the user's runs.
#[inline(always)]
fn publish<T>(writer: Writer<Completion<T>, Weak<Core>>, completion: Completion<T>, before_user_code: impl Fn()) {
    let written = writer.write(completion, |callback, completion| {
        before_user_code();
        call(callback, completion);
    });
    if let Some(written) = written {
        notify(written, before_user_code);
    }
}

#[cold]
fn notify<T>(written: Written<Completion<T>>, before_user_code: impl Fn()) {
    for after in written.after {
        if after.is_foreign() {
            before_user_code();
        }
        if let Err(payload) = unwind::catch(|| after.tell()) {
            unwind::dispose(payload);
        }
    }
    if let Some(unread) = written.unread {
        before_user_code();
        unwind::dispose(unread);
    }
}

/// Calls a user's callback, and drops its panic.
pub(super) fn call<T>(callback: Before<Completion<T>>, completion: &Completion<T>) {
    if let Err(payload) = unwind::catch(|| frame::callback(|| callback(completion))) {
        unwind::dispose(payload);
    }
}
