//! Results objects: queues of outcomes.

#[cfg(feature = "capi")]
use super::Pool;
use super::dispatcher::Dispatcher;
use super::outcome::{Delivery, Done, Outcome, Queues};
use super::pool::accepted;
use super::request::{self, Request, submit_timed, timed_job};
use super::task::{Destination, Reporting};
use super::{Emitter, JobError, JobId, SubmitError};
use crate::pool::{Core, Job, Route};
use crate::queue::{self, Outcomes, Owner, Quota};
use crate::sys::lock::ForkedLock;
use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::{fmt, io};

/// A results object collects the outcomes of many jobs, in a done queue and a failed queue.
///
/// Every job submitted through it leaves exactly one outcome: a value in the done queue, or a [`JobError`] (panicked,
/// failed, cancelled or expired) in the failed queue. (Jobs that [emit](Self::emitting) and [schedules](Self::schedule)
/// leave more.) Read them with [`as_completed`](Self::as_completed), [`next`](Self::next) or [`take`](Self::take), or
/// have them passed to a [callback](Self::on_outcome).
///
/// Made by [`Pool::results`](crate::Pool::results); a pool can have any number. Clones read from the same queues, and
/// each outcome goes to exactly one reader. Outcomes of one worker are read in the order in which its jobs ended;
/// outcomes of different workers have no order. Outcomes can be read after the pool was dropped.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, Pool};
///
/// let pool = Pool::new()?;
/// let parsed = pool.results();
/// for text in ["1", "2", "three"] {
///     parsed.try_submit(move || text.parse::<i32>())?;
/// }
/// pool.wait_idle(Deadline::NEVER)?;
/// assert_eq!((parsed.done_count(), parsed.failed_count()), (2, 1));
///
/// let (_id, error) = parsed.next_failed(Deadline::NOW)?;
/// assert_eq!(error.to_string(), "the job failed: invalid digit found in string");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Results<T: Send + 'static> {
    handle: Arc<Handle<T>>,
}

/// Drops a value that was not read.
pub(crate) type Discard<T> = Box<dyn Fn(T) + Send + Sync>;

/// Shared by all clones of a results object.
struct Handle<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    dispatcher: OnceLock<Dispatcher>,
    /// Held while a dispatcher is started.
    starting: ForkedLock<()>,
}

/// Shared by the clones and their dispatcher.
pub(super) struct Shared<T: Send + 'static> {
    core: Arc<Core>,
    quota: Option<Arc<Quota>>,
    /// `None` only while this is dropped.
    queues: Option<Queues<T>>,
}

impl<T: Send + 'static> Shared<T> {
    pub(super) fn queues(&self) -> &Queues<T> {
        self.queues.as_ref().expect("present until dropped")
    }
}

impl<T: Send + 'static> Drop for Handle<T> {
    fn drop(&mut self) {
        // There are no more readers, so workers must not wait for one.
        if let Some(quota) = &self.shared.quota {
            quota.abandon();
        }
        if let Some(dispatcher) = self.dispatcher.take() {
            self.shared.queues().stop();
            if self.shared.core.is_forked() {
                // Dropped, it would detach a thread: the child may have one of its own with the same handle.
                std::mem::forget(dispatcher);
            } else {
                dispatcher.join();
            }
        }
    }
}

impl<T: Send + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(queues) = self.queues.take() {
            self.core.retire(queues);
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Results<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queues = self.queues();
        f.debug_struct("Results")
            .field("done", &queues.done_len())
            .field("failed", &queues.failed_len())
            .field("outstanding", &queues.outstanding())
            .finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Clone for Results<T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<T: Send + 'static> Results<T> {
    /// `capacity` is the bound on unread outcomes; 0 means none. `discard` is called with the values that are not read.
    pub(super) fn new(core: Arc<Core>, capacity: usize, discard: Option<Discard<T>>) -> Self {
        let quota = (capacity > 0).then(|| core.quota(capacity as u64));
        let discard = discard.map(|discard| queue::Discard(Box::new(move |done: Done<T>| discard(done.into_value()))));
        let queues = Some(Owner::new(Outcomes::new(core.most(), quota.clone(), discard)));
        let shared = Arc::new(Shared { core, quota, queues });
        Self { handle: Arc::new(Handle { shared, dispatcher: OnceLock::new(), starting: ForkedLock::new(()) }) }
    }

    #[cfg(feature = "capi")]
    pub(crate) fn belongs_to(&self, pool: &Pool) -> bool {
        Arc::ptr_eq(self.core(), pool.core())
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.handle.shared.core
    }

    #[inline]
    pub(super) fn queues(&self) -> &Queues<T> {
        self.handle.shared.queues()
    }

    #[inline]
    pub(super) fn delivery(&self) -> Delivery<T> {
        self.queues().ticket()
    }

    /// Whether a callback receives the outcomes.
    pub(crate) fn is_dispatched(&self) -> bool {
        self.handle.dispatcher.get().is_some()
    }

    /// Calls `callback` with every outcome from now on, instead of having them read.
    ///
    /// It is called on a thread of its own, with one outcome at a time, in the order in which they would have been
    /// read. Reading becomes an error; a read that waits already may still take an outcome. A panic in the callback is
    /// kept for [`callback_failures`](Self::callback_failures), and later outcomes are still delivered. Dropping the
    /// last clone of the object waits until the callback has returned for every outcome delivered by then, unless the
    /// callback itself drops it.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if there is a callback already; the system's error if it refuses
    /// a thread.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let results = pool.results();
    /// results.on_outcome(|outcome| println!("{}: {:?}", outcome.id, outcome.result))?;
    /// results.submit(|| 6 * 7)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_outcome(&self, mut callback: impl FnMut(Outcome<T>) + Send + 'static) -> io::Result<()> {
        self.try_on_outcome(move |outcome| {
            callback(outcome);
            Ok::<_, Infallible>(())
        })
    }

    /// As [`on_outcome`](Self::on_outcome); an error that the callback returns is kept like a panic.
    ///
    /// # Errors
    ///
    /// As for [`on_outcome`](Self::on_outcome).
    pub fn try_on_outcome<E>(
        &self,
        mut callback: impl FnMut(Outcome<T>) -> Result<(), E> + Send + 'static,
    ) -> io::Result<()>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let callback = move |outcome| callback(outcome).map_err(JobError::failed);
        let starting = self.handle.starting.lock();
        if starting.is_none() || self.is_dispatched() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the results object has a callback"));
        }
        let dispatcher = Dispatcher::start(Arc::clone(&self.handle.shared), callback)?;
        self.handle.dispatcher.get_or_init(|| dispatcher);
        Ok(())
    }

    /// Returns the panics and errors of the callback since the last call, each with the id of the job whose outcome the
    /// callback was called with.
    pub fn callback_failures(&self) -> Vec<(JobId, JobError)> {
        std::iter::from_fn(|| self.next_callback_failure()).collect()
    }

    /// The oldest of them.
    pub(crate) fn next_callback_failure(&self) -> Option<(JobId, JobError)> {
        self.handle.dispatcher.get().and_then(Dispatcher::take_failure)
    }

    /// Queues `job` to run on a worker, and returns its id; its value or its panic becomes an outcome here.
    ///
    /// # Errors
    ///
    /// As for [`Pool::spawn`](crate::Pool::spawn); the job leaves no outcome.
    #[inline]
    pub fn submit(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<JobId, SubmitError> {
        self.submit_code(|| Ok(job()), Route::Back)
    }

    /// Queues `job` like [`submit`](Self::submit), but ahead of every queued job of the pool.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn submit_first(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<JobId, SubmitError> {
        self.submit_code(|| Ok(job()), Route::First)
    }

    /// Queues `job` like [`submit`](Self::submit); an error that it returns becomes [`JobError::Failed`].
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn try_submit<E>(&self, job: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_code(|| job().map_err(JobError::failed), Route::Back)
    }

    /// Queues `job` like [`try_submit`](Self::try_submit), but ahead of every queued job of the pool.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn try_submit_first<E>(&self, job: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_code(|| job().map_err(JobError::failed), Route::First)
    }

    /// Queues many jobs at once, which costs less than submitting them one by one. Either all are accepted or none is.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn submit_batch<F>(&self, jobs: impl IntoIterator<Item = F>) -> Result<Vec<JobId>, SubmitError>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        // The iterator is user code, and runs to its end before outcomes are announced.
        let jobs: Vec<F> = jobs.into_iter().collect();
        let tickets = self.queues().tickets(jobs.len()).into_iter();
        let job = |(delivery, job): (Delivery<T>, F)| match self.core().is_timed() {
            false => Job::new(Reporting { delivery, code: || Ok(job()) }),
            true => timed_job(self.core(), || Ok(job()), Destination::Results(delivery)),
        };
        let ids = self.core().submit_batch(tickets.zip(jobs).map(job).collect())?;
        Ok(ids.into_iter().map(JobId::accepted).collect())
    }

    /// Makes a request for a job with options, such as a callback, a group or a deadline. Its outcome goes here.
    pub fn job(
        &self,
        code: impl FnOnce() -> T + Send + 'static,
    ) -> Request<'_, T, impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static> {
        Request::new(self.core(), Some(self), |_: &Emitter<'_, T>| Ok(Some(code())))
    }

    /// As [`job`](Self::job), for code that returns a `Result`; an error becomes [`JobError::Failed`].
    pub fn try_job<E>(
        &self,
        code: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Request<'_, T, impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Request::new(self.core(), Some(self), request::fallible(code))
    }

    /// Makes a request for a job that emits any number of values while it runs.
    ///
    /// Its outcomes are the values, and then at most one failure, all under one id.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let words = pool.results();
    /// let split = |emitter: &fastthreadpool::Emitter<'_, String>| {
    ///     "to be or not".split(' ').for_each(|word| emitter.emit(word.into()));
    ///     Ok::<_, std::io::Error>(())
    /// };
    /// words.emitting(split).submit()?;
    /// assert_eq!(words.as_completed().count(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn emitting<E>(
        &self,
        code: impl FnOnce(&Emitter<'_, T>) -> Result<(), E> + Send + 'static,
    ) -> Request<'_, T, impl FnOnce(&Emitter<'_, T>) -> Result<Option<T>, JobError> + Send + 'static>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let code = |emitter: &Emitter<'_, T>| code(emitter).map_err(JobError::failed);
        Request::new(self.core(), Some(self), |emitter: &Emitter<'_, T>| code(emitter).map(|()| None))
    }

    #[inline(always)]
    pub(super) fn submit_code<F>(&self, code: F, route: Route<'_>) -> Result<JobId, SubmitError>
    where
        F: FnOnce() -> Result<T, JobError> + Send + 'static,
    {
        if self.core().is_timed() {
            return accepted(submit_timed(self.core(), code, || Destination::Results(self.delivery()), route));
        }
        accepted(self.core().submit_routed(Job::new(Reporting { delivery: self.delivery(), code }), route))
    }
}
