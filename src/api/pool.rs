//! The pool: making one, submitting jobs, waiting for them.

#[cfg(feature = "capi")]
use super::results::Discard;
use super::task::Detached;
use super::{BuildError, Builder, JobError, JobId, Results, SubmitError, WaitError};
use crate::pool::{Core, Job, Rejected, Route, Settings, current};
use crate::sync::Deadline;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A thread pool. Clones are handles to the same pool.
///
/// Threads are started on demand, up to the limit. Jobs that one thread submits start in the order of submission; jobs
/// of different threads have no order, unless [`Builder::ordered`] is set. Jobs that start in order may still run
/// concurrently.
///
/// # Where to find what
///
/// - **Run a job:** [`spawn`](Self::spawn), if its value is not needed; [`submit`](Self::submit) returns a
///   [`JobHandle`](crate::JobHandle), whose [`join`](crate::JobHandle::join) returns the value; [`run`](Self::run)
///   waits for it at once. For the outcomes of many jobs use [`results`](Self::results); for loops over data
///   [`for_each`](Self::for_each), [`map_slice`](Self::map_slice) and [`map`](Self::map); for borrowed data also
///   [`scope`](Self::scope) and [`join`](Self::join).
/// - **Errors and panics:** a job can return a `Result` by [`try_submit`](Self::try_submit) and the other `try_`
///   methods. Its error, or its panic, is a [`JobError`] in place of the value; the worker lives on.
///   [`failed`](Self::failed) counts the failures of all jobs, and [`Builder::on_failure`] reports each.
/// - **Limits:** [`Builder::workers`] limits the threads, [`Builder::max_queued`] the queue, a [`group`](Self::group)
///   the jobs of one kind that run at a time, and [`results_bounded`](Self::results_bounded) the unread outcomes.
/// - **Timeouts:** waits take a [`Deadline`] or a [`Duration`](std::time::Duration); for the value of a job there is
///   [`join_until`](crate::JobHandle::join_until). A job can have a [start deadline](crate::Request::start_within) and
///   a [run limit](crate::Request::run_limit), and can be [cancelled](Self::cancel).
/// - **Shutdown:** drop the last handle, or call [`shutdown`](Self::shutdown), which drains or cancels the queue and
///   takes a deadline. [`wait_idle`](Self::wait_idle) waits for all jobs and leaves the pool open.
///
/// # Dropping a pool
///
/// Dropping the last handle waits until every accepted job has run, then ends the threads; delayed and scheduled jobs
/// that are not due are cancelled. It does not wait in a job of the pool, or where a cancelled job is dropped: then the
/// pool shuts down by itself after its last job.
///
/// # Examples
///
/// ```
/// use fastthreadpool::Pool;
///
/// let pool = Pool::new()?;
/// let squares = pool.results();
/// for n in 1..=10 {
///     squares.submit(move || n * n)?;
/// }
/// let sum: i32 = squares.as_completed().filter_map(|outcome| outcome.result.ok()).sum();
/// assert_eq!(sum, 385);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pool {
    pub(super) core: Arc<Core>,
    /// Whether this handle keeps the pool open. A job's handle to its own pool need not: the pool waits for the job.
    keeps_open: bool,
}

impl Pool {
    /// Makes a pool with up to one worker for each usable processor, as counted by affinity and cgroup quota.
    ///
    /// # Errors
    ///
    /// None today; the signature leaves room for platforms where making a pool can fail.
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// Returns a builder, to make a pool with other settings than the default.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn with_settings(settings: Settings) -> Self {
        Self { core: Core::new(settings), keeps_open: true }
    }

    /// Turns a handle that keeps the pool open into a reference that does so, too, for [`from_core`](Self::from_core).
    #[cfg(feature = "capi")]
    pub(crate) fn into_core(self) -> Arc<Core> {
        Core::share(&self.core)
    }

    /// A handle that keeps the pool in memory, but not open.
    #[cfg(feature = "capi")]
    pub(crate) fn without_keeping_open(core: Arc<Core>) -> Self {
        Self { core, keeps_open: false }
    }

    /// The reverse of [`into_core`](Self::into_core).
    #[cfg(feature = "capi")]
    #[inline(always)]
    pub(crate) fn from_core(core: Arc<Core>) -> Self {
        Self { core, keeps_open: true }
    }

    /// Returns the pool whose job the calling thread is running; `None` outside a job.
    ///
    /// This handle and its clones do not keep the pool open: it shuts down when the last other handle is dropped. Until
    /// its last job has ended, its own jobs may still submit; everyone else's submits fail.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::Pool;
    ///
    /// let pool = Pool::new()?;
    /// pool.spawn(|| {
    ///     let pool = Pool::current().expect("this is a job");
    ///     pool.spawn(|| println!("submitted by a job")).expect("a pool accepts jobs of its own jobs to the end");
    /// })?;
    /// assert!(Pool::current().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn current() -> Option<Self> {
        current::with(|worker| Self { core: Arc::clone(worker.core()), keeps_open: false })
    }

    /// Queues `job` to run on a worker, and returns its id.
    ///
    /// A panic in it is counted as a [failure](Self::failed). To get a value back, use [`submit`](Self::submit).
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the job is not accepted: the pool was shut down, its queue is full, or the system has no
    /// memory or no thread for it. The job is dropped without having run; to get it back, use [`offer`](Self::offer).
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let id = pool.spawn(|| println!("hello from a worker"))?;
    /// println!("job {id} is queued");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn(infallible(job))
    }

    /// Queues `job` ahead of every queued job. Of several such jobs, the last one starts first.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn spawn_first(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn_first(infallible(job))
    }

    /// Queues `job` like [`spawn`](Self::spawn); an error that it returns is counted as a [failure](Self::failed).
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    #[inline]
    pub fn try_spawn<E>(&self, job: impl FnOnce() -> Result<(), E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        accepted(self.core.submit(Job::new(fallible(job))))
    }

    /// Queues `job` like [`spawn_first`](Self::spawn_first); an error that it returns is counted as a
    /// [failure](Self::failed).
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn try_spawn_first<E>(&self, job: impl FnOnce() -> Result<(), E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        accepted(self.core.submit_routed(Job::new(fallible(job)), Route::First))
    }

    /// Queues many jobs at once, which costs less than submitting them one by one. Either all are accepted or none is.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let ids = pool.spawn_batch((0..100).map(|n| move || assert!(n < 100)))?;
    /// assert_eq!(ids.len(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_batch<F>(&self, jobs: impl IntoIterator<Item = F>) -> Result<Vec<JobId>, SubmitError>
    where
        F: FnOnce() + Send + 'static,
    {
        self.try_spawn_batch(jobs.into_iter().map(infallible))
    }

    /// Queues many jobs like [`spawn_batch`](Self::spawn_batch); errors that they return are counted as
    /// [failures](Self::failed).
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn try_spawn_batch<F, E>(&self, jobs: impl IntoIterator<Item = F>) -> Result<Vec<JobId>, SubmitError>
    where
        F: FnOnce() -> Result<(), E> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        // The iterator is user code, and runs to its end before the queue is touched.
        let jobs = jobs.into_iter().map(|job| Job::new(fallible(job))).collect();
        let ids = self.core.submit_batch(jobs)?;
        Ok(ids.into_iter().map(JobId::accepted).collect())
    }

    /// Makes a results object, from which the outcomes of the jobs that are submitted through it are read.
    pub fn results<T: Send + 'static>(&self) -> Results<T> {
        Results::new(Arc::clone(&self.core), 0, None)
    }

    /// Makes a results object that holds at most `capacity` unread outcomes; 0 means no bound.
    ///
    /// A worker whose outcome does not fit waits until one is read, the results object is dropped, or the pool is shut
    /// down. Outcomes of jobs that did not run, because they were cancelled or expired, are delivered even above the
    /// bound.
    pub fn results_bounded<T: Send + 'static>(&self, capacity: usize) -> Results<T> {
        Results::new(Arc::clone(&self.core), capacity, None)
    }

    #[cfg(feature = "capi")]
    pub(crate) fn results_with<T: Send + 'static>(&self, capacity: usize, discard: Option<Discard<T>>) -> Results<T> {
        Results::new(Arc::clone(&self.core), capacity, discard)
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Cancels a job that has not started, queued or delayed, or ends a schedule.
    ///
    /// The job will never run, and everything it owns is dropped before this returns. A run of the schedule that is in
    /// progress goes on; what the schedule owns is dropped after it. False if it is too late (the job is running, has
    /// ended or was cancelled before), or if this pool has no such job. The cost does not depend on how many jobs are
    /// queued. To ask a running job to stop, use [`JobHandle::cancel`](crate::JobHandle::cancel).
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let id = pool.spawn_later(std::time::Duration::from_secs(3600), || unreachable!("it is cancelled"))?;
    /// assert!(pool.cancel(id));
    /// assert!(!pool.cancel(id)); // it was cancelled before
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel(&self, id: JobId) -> bool {
        self.core.cancel(id.get())
    }

    /// Waits for a moment at which no job is queued or running. The pool stays open.
    ///
    /// Delayed and scheduled jobs that are not due are not waited for.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline passed first; [`WaitError::Deadlock`] in a job of this pool, which would
    /// wait for itself; [`WaitError::Forked`], [`WaitError::Exiting`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let sum = Arc::new(AtomicU32::new(0));
    /// for n in 0..100 {
    ///     let sum = Arc::clone(&sum);
    ///     pool.spawn(move || { sum.fetch_add(n, Ordering::Relaxed); })?;
    /// }
    /// pool.wait_idle(fastthreadpool::Deadline::NEVER)?;
    /// assert_eq!(sum.load(Ordering::Relaxed), 4950);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_idle(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.core.wait_quiescent(deadline.into())
    }

    /// Starts up to `count` workers before there are jobs for them, as far as the limit allows. Returns how many were
    /// started.
    ///
    /// # Errors
    ///
    /// As for [`check`](Self::check), and [`SubmitError::Thread`] if the system refuses a thread; workers that were
    /// started before that stay.
    pub fn spawn_workers(&self, count: usize) -> Result<usize, SubmitError> {
        self.check()?;
        self.core.spawn_workers(count).map_err(SubmitError::Thread)
    }
}

/// Adapts a job that cannot return an error.
#[inline]
pub(super) fn infallible(
    job: impl FnOnce() + Send + 'static,
) -> impl FnOnce() -> Result<(), Infallible> + Send + 'static {
    || {
        job();
        Ok(())
    }
}

#[inline]
pub(super) fn fallible<E>(
    job: impl FnOnce() -> Result<(), E> + Send + 'static,
) -> Detached<impl FnOnce() -> Result<(), JobError> + Send + 'static>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    Detached(|| job().map_err(JobError::failed))
}

#[inline]
pub(super) fn accepted(submitted: Result<u64, Rejected>) -> Result<JobId, SubmitError> {
    submitted.map(JobId::accepted).map_err(SubmitError::from)
}

impl Clone for Pool {
    fn clone(&self) -> Self {
        let core = if self.keeps_open { Core::share(&self.core) } else { Arc::clone(&self.core) };
        Self { core, keeps_open: self.keeps_open }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.keeps_open {
            Core::unshare(&self.core);
        }
    }
}
