//! A job to order.

use super::outcome::{Cargo, Delivery, Outcome};
use super::pool::accepted;
use super::task::{Callback, Finally, Full};
use super::{Emitter, Group, JobError, JobId, Pool, Results, SubmitError};
use crate::pool::{Core, Job};
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// A job with more to it than its code. Made by [`Pool::job`], [`Results::job`] and [`Results::emitting`].
///
/// ```
/// use fastthreadpool::{Deadline, Pool};
///
/// let pool = Pool::new()?;
/// let lengths = pool.results();
/// let log = |outcome: &fastthreadpool::Outcome<usize>| println!("{}: {:?}", outcome.id, outcome.result);
/// lengths.job(|| "four".len()).first().then(log).submit()?;
/// assert_eq!(lengths.next_done(Deadline::NEVER)?.1, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a request does nothing before it is submitted"]
pub struct Request<'a, T: Send + 'static, F> {
    core: &'a Arc<Core>,
    results: Option<&'a Results<T>>,
    code: F,
    first: bool,
    group: Option<&'a Group>,
    callback: Option<Callback<T>>,
    finally: Option<Finally>,
}

impl<T: Send + 'static, F> fmt::Debug for Request<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("first", &self.first).finish_non_exhaustive()
    }
}

impl<'a, T, F> Request<'a, T, F>
where
    T: Send + 'static,
    F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
{
    pub(super) fn new(core: &'a Arc<Core>, results: Option<&'a Results<T>>, code: F) -> Self {
        Self { core, results, code, first: false, group: None, callback: None, finally: None }
    }

    /// Before every job of the pool that is queued.
    pub fn first(mut self) -> Self {
        self.first = true;
        self
    }

    /// In a group of the same pool: its limit and priority apply, and [`first`](Self::first) means before all that are
    /// queued in the group.
    ///
    /// # Panics
    ///
    /// If the group is another pool's.
    pub fn group(mut self, group: &'a Group) -> Self {
        assert!(group.belongs_to(self.core), "a group of another pool");
        self.group = Some(group);
        self
    }

    /// Calls `callback` with the outcome, on the worker, before anybody else sees it; where the job emits values, with
    /// each of them and with its failure if there is one. A job that is cancelled is reported on the thread that
    /// cancels it. If the callback panics the job has failed with that panic.
    pub fn then(self, mut callback: impl FnMut(&Outcome<T>) + Send + 'static) -> Self {
        self.try_then(move |outcome| {
            callback(outcome);
            Ok::<_, Infallible>(())
        })
    }

    /// As [`then`](Self::then); an error that the callback returns becomes the job's failure.
    pub fn try_then<E>(mut self, mut callback: impl FnMut(&Outcome<T>) -> Result<(), E> + Send + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.callback =
            Some(Box::new(move |outcome| callback(outcome).map_err(|error| JobError::Failed(error.into()))));
        self
    }

    /// Calls `last` once when the job has ended in whatever way, before its outcome can be read; not if the job is not
    /// accepted.
    pub fn finally(self, last: impl FnOnce() + Send + 'static) -> Self {
        self.sending(|| {
            last();
            None
        })
    }

    /// As `finally`, and what it returns travels with the outcome.
    pub(crate) fn sending(mut self, last: impl FnOnce() -> Option<Cargo> + Send + 'static) -> Self {
        self.finally = Some(Box::new(last));
        self
    }

    /// Submits the job.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the job is not accepted. It is dropped with its callback, neither was called.
    pub fn submit(self) -> Result<JobId, SubmitError> {
        let (core, first, group, delivery) = (self.core, self.first, self.group, self.results.map(Results::delivery));
        let job = self.into_job(delivery);
        match (group, first) {
            (Some(group), first) => group.submit_job(job, first),
            (None, true) => accepted(core.submit_first(job)),
            (None, false) => accepted(core.submit(job)),
        }
    }

    pub(super) fn into_job(self, delivery: Option<Delivery<T>>) -> Job {
        let submitted = self.core.is_timed().then(Instant::now);
        Job::new(Full { delivery, code: self.code, callback: self.callback, finally: self.finally, submitted })
    }
}

impl Pool {
    /// A job whose value nobody takes but a callback.
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// pool.job(|| 6 * 7).then(|outcome| println!("{:?}", outcome.result)).submit()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn job<T: Send + 'static>(
        &self,
        code: impl FnOnce() -> T + Send + 'static,
    ) -> Request<'_, T, impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static> {
        Request::new(self.core(), None, |_: &Emitter<'_, T>| Ok(Some(code())))
    }

    #[cfg(feature = "capi")]
    pub(crate) fn request<'a, T, F>(&'a self, results: Option<&'a Results<T>>, code: F) -> Request<'a, T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static,
    {
        Request::new(self.core(), results, code)
    }
}
