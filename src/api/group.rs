//! Groups of jobs, which share a limit.

use super::pool::{accepted, fallible, infallible};
use super::{JobError, JobId, Pool, Priority, Results, SubmitError, WaitError};
use crate::pool::{self, Core, Job, Route};
use crate::sync::Deadline;
use std::error::Error;
use std::sync::Arc;

/// Jobs of a pool that share a limit on how many run at a time, such as "at most two jobs use the disk".
///
/// Made by [`Pool::group`]; clones are handles to the same group. The jobs of a group can also be cancelled and waited
/// for together. They wait in a queue of their own, so that a group at its limit does not block workers, and start in
/// the order of submission, whichever threads submit. Otherwise they are jobs like all others: [`Pool::cancel`] cancels
/// them, and [`Pool::wait_idle`] waits for them. Dropping the last handle does not affect queued jobs.
///
/// # When the limit is exceeded
///
/// A job of the pool that [waits](crate::JobHandle::wait) without a deadline for jobs of the group may run one that has
/// not started, on its own thread and beyond the limit. So, for each such waiting job that is not in the group, one
/// more job may run. The group does not count it: [`busy`](Self::busy), [`pending`](Self::pending) and
/// [`wait_idle`](Self::wait_idle) disregard it; [`Pool::pending`] and [`Pool::wait_idle`] do not.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Deadline, Pool, Priority};
///
/// let pool = Pool::new()?;
/// let disk = pool.group(2, Priority::Normal);
/// for n in 0..10 {
///     disk.spawn(move || println!("file {n}: at most two at a time"))?;
/// }
/// disk.wait_idle(Deadline::NEVER)?;
/// assert_eq!(disk.pending(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Group {
    core: Arc<Core>,
    group: Arc<pool::Group>,
}

impl Pool {
    /// Makes a group of jobs, of which at most `limit` run at a time; 0 means the pool's own limit on workers.
    ///
    /// The [`Priority`] says when their turn comes, compared with other jobs.
    pub fn group(&self, limit: usize, priority: Priority) -> Group {
        let limit = if limit == 0 { self.core.limit() } else { limit };
        Group { core: Arc::clone(&self.core), group: self.core.new_group(limit, priority) }
    }
}

impl Group {
    /// Queues `job` behind the jobs that are queued in the group, and returns its id.
    ///
    /// If the pool's policy is [`CallerRuns`](crate::Policy::CallerRuns), a submit to a group waits for room instead,
    /// because running the job on the caller could exceed the group's limit.
    ///
    /// # Errors
    ///
    /// As for [`Pool::spawn`].
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn(infallible(job))
    }

    /// Queues `job` ahead of the jobs that are queued in the group.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn spawn_first(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.try_spawn_first(infallible(job))
    }

    /// Queues `job` like [`spawn`](Self::spawn); an error that it returns is counted as a [failure](Pool::failed) of
    /// the pool.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn try_spawn<E>(&self, job: impl FnOnce() -> Result<(), E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_job(Job::new(fallible(job)), false)
    }

    /// Queues `job` like [`spawn_first`](Self::spawn_first); an error that it returns is counted as a
    /// [failure](Pool::failed) of the pool.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn try_spawn_first<E>(&self, job: impl FnOnce() -> Result<(), E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_job(Job::new(fallible(job)), true)
    }

    /// Queues `job` like [`spawn`](Self::spawn); its value or its panic becomes an outcome in `results`.
    ///
    /// For a handle, a callback or a deadline, see [`Request::group`](crate::Request::group).
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// If `results` was made by another pool.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = fastthreadpool::Pool::new()?;
    /// let (group, sizes) = (pool.group(1, fastthreadpool::Priority::Low), pool.results());
    /// group.submit(&sizes, || std::fs::read("Cargo.toml").map_or(0, |text| text.len()))?;
    /// assert!(sizes.next_done(fastthreadpool::Deadline::NEVER)?.1 > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit<T: Send + 'static>(
        &self,
        results: &Results<T>,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JobId, SubmitError> {
        self.submit_code(results, || Ok(job()))
    }

    /// Queues `job` like [`submit`](Self::submit); an error that it returns becomes [`JobError::Failed`].
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// If `results` was made by another pool.
    pub fn try_submit<T: Send + 'static, E>(
        &self,
        results: &Results<T>,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_code(results, || job().map_err(JobError::failed))
    }

    fn submit_code<T: Send + 'static>(
        &self,
        results: &Results<T>,
        code: impl FnOnce() -> Result<T, JobError> + Send + 'static,
    ) -> Result<JobId, SubmitError> {
        assert!(self.belongs_to(results.core()), "the group and the results object belong to different pools");
        results.submit_code(code, Route::Group(&self.group, false))
    }

    pub(crate) fn belongs_to(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }

    pub(super) fn inner(&self) -> &Arc<pool::Group> {
        &self.group
    }

    fn submit_job(&self, job: Job, first: bool) -> Result<JobId, SubmitError> {
        accepted(self.core.submit_routed(job, Route::Group(&self.group, first)))
    }

    /// Cancels every queued job of the group; returns how many. Running jobs go on.
    pub fn cancel_all(&self) -> usize {
        self.core.cancel_group(&self.group)
    }

    /// Waits for a moment at which no job of the group is queued or running, or being cancelled or expired. A job that
    /// a waiting job runs itself is [not waited for](Self).
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline passed first; [`WaitError::Deadlock`] in a job of the pool, and in a
    /// callback or destructor of a job of the group that is being cancelled or expired; [`WaitError::Forked`],
    /// [`WaitError::Exiting`].
    pub fn wait_idle(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.core.wait_group(&self.group, deadline.into())
    }

    /// The number of jobs of the group that are running now.
    pub fn busy(&self) -> usize {
        self.group.running()
    }

    /// The number of jobs of the group that are queued or running now, or being cancelled or expired.
    pub fn pending(&self) -> usize {
        self.core.pending_in(&self.group)
    }

    /// The number of jobs of the group that may run at a time.
    pub fn limit(&self) -> usize {
        self.group.limit()
    }
}
