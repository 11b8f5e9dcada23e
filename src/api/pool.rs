//! The pool: making one, submitting jobs, waiting for them.

#[cfg(feature = "capi")]
use super::results::Discard;
use super::task::Detached;
use super::{BuildError, Builder, JobError, JobId, Results, SubmitError, WaitError};
use crate::pool::{Core, Job, Rejected, Settings, current};
use crate::sync::Deadline;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A thread pool. Clones are handles to the same pool.
///
/// Threads are started on demand, up to the limit. Jobs submitted by one thread start in the order of submission; jobs
/// submitted by different threads have no order (unless [`Builder::ordered`]). Jobs that start in order may still run
/// concurrently.
///
/// Dropping the last handle waits until every accepted job has run, then ends the threads. If a job of this pool drops
/// the last handle, or if it is dropped together with a job that is cancelled, the drop does not wait: the pool shuts
/// down by itself after its last job.
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
    /// A pool with as many workers as there are usable processors (by affinity and cgroup quota).
    ///
    /// # Errors
    ///
    /// None today; the signature leaves room for platforms where building a pool can fail.
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// A builder for a pool that differs from the default.
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

    /// The pool whose job the calling thread is running; `None` outside a job. This handle and its clones do not keep
    /// the pool open: it shuts down when the last other handle is dropped, and from then on submits through them fail.
    ///
    /// ```
    /// use fastthreadpool::Pool;
    ///
    /// let pool = Pool::new()?;
    /// pool.spawn(|| {
    ///     let pool = Pool::current().expect("this is a job");
    ///     pool.spawn(|| println!("a job's job")).expect("a pool accepts its own jobs' jobs to the end");
    /// })?;
    /// assert!(Pool::current().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn current() -> Option<Self> {
        current::with(|worker| Self { core: Arc::clone(worker.core()), keeps_open: false })
    }

    /// Queues `job` to run on a worker. Its value is dropped; a panic is counted as a [failure](Self::failed).
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the job is not accepted; it is dropped without having run.
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let id = pool.spawn(|| println!("hello from a worker"))?;
    /// println!("job {id} is on its way");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn(infallible(job))
    }

    /// Queues `job` ahead of every queued job. Of several such jobs, the one submitted last starts first.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn spawn_first(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn_first(infallible(job))
    }

    /// Runs `job` like [`spawn`](Self::spawn); an error that it returns is counted as a [failure](Self::failed).
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

    /// Runs `job` like [`spawn_first`](Self::spawn_first); an error that it returns is counted as a failure.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn try_spawn_first<E>(&self, job: impl FnOnce() -> Result<(), E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        accepted(self.core.submit_first(Job::new(fallible(job))))
    }

    /// Queues many jobs at once, which costs less than submitting them one by one. Either all are accepted or none is.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
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

    /// Runs many jobs like [`spawn_batch`](Self::spawn_batch); errors that they return are counted as failures.
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

    /// A results object: jobs submitted through it leave their outcomes there to be read.
    pub fn results<T: Send + 'static>(&self) -> Results<T> {
        Results::new(Arc::clone(&self.core), 0, None)
    }

    /// Makes a results object that holds at most `capacity` unread outcomes; 0 means no bound.
    ///
    /// A worker whose outcome does not fit waits until one is read, the results object is dropped, or the pool is shut
    /// down. Outcomes of cancelled jobs are delivered even above the bound.
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

    /// Cancels a queued job: it will never run, and everything it owns is dropped before this returns. False if it is
    /// too late (the job is running, done or already cancelled) or this pool does not know the id. The cost does not
    /// depend on how many jobs are queued.
    pub fn cancel(&self, id: JobId) -> bool {
        self.core.cancel(id.get())
    }

    /// Waits for a moment at which no job is queued or running.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline passed first, [`WaitError::Deadlock`] in a job of this pool,
    /// [`WaitError::Forked`], [`WaitError::Exiting`].
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
        Ok(self.core.wait_quiescent(deadline.into())?)
    }

    /// Starts `count` workers, or as many as the limit still allows, before there are jobs for them. Returns how many
    /// were started.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Shutdown`] if the pool was shut down, [`SubmitError::Thread`] if the system refuses a thread.
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
