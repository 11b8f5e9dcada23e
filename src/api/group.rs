//! Groups of jobs, which share a limit.

use super::pool::{accepted, fallible, infallible};
use super::{JobError, JobId, Pool, Results, SubmitError, WaitError};
use crate::pool::{self, Core, Job, Level, Route};
use crate::sync::Deadline;
use std::error::Error;
use std::sync::Arc;

/// When the jobs of a [`Group`] get their turn, compared with jobs outside all groups. No level starves another: after
/// sixteen jobs of a higher level, a lower one gets a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Before them, but after those submitted with [`Pool::spawn_first`](crate::Pool::spawn_first).
    High,
    /// In turn with them.
    #[default]
    Normal,
    /// When no other job is queued.
    Low,
}

impl From<Priority> for Level {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::High => Self::High,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}

/// Jobs of a pool that share a limit on how many run at a time, and that are cancelled and waited for together: "at
/// most two jobs use the disk". Made by [`Pool::group`](crate::Pool::group); clones are handles to the same group.
///
/// A group's jobs wait in a queue of their own, so a group at its limit holds no worker up. They begin in the order of
/// submission, whichever threads submit. Their ids are like all others: [`Pool::cancel`](crate::Pool::cancel) knows
/// them, and whatever waits for the pool waits for them. Dropping the last handle does not affect queued jobs.
///
/// In one case more jobs than the limit may run. A job of the pool that [waits](crate::JobHandle::wait) without a
/// deadline for one of the group, alone or among several, runs it itself if nobody has begun it: at once, in its own
/// place, and not in one of the group's. For each job that waits so, without being one of the group itself, one more
/// may run. The group does not count what is run that way: [`busy`](Self::busy), [`pending`](Self::pending) and
/// [`wait_idle`](Self::wait_idle) do not see it; [`Pool::pending`](crate::Pool::pending) and
/// [`Pool::wait_idle`](crate::Pool::wait_idle) do.
///
/// ```
/// use fastthreadpool::{Deadline, Pool, Priority};
///
/// let pool = Pool::new()?;
/// let disk = pool.group(2, Priority::Normal);
/// for n in 0..10 {
///     disk.spawn(move || println!("never three of us: {n}"))?;
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
    /// A group: at most `limit` of the jobs submitted through it run at a time (0: as many as there are workers). Its
    /// [`Priority`] says when their turn comes.
    pub fn group(&self, limit: usize, priority: Priority) -> Group {
        Group::new(&self.core, limit, priority)
    }
}

impl Group {
    fn new(core: &Arc<Core>, limit: usize, priority: Priority) -> Self {
        let limit = if limit == 0 { core.limit() } else { limit };
        Self { core: Arc::clone(core), group: core.new_group(limit, priority.into()) }
    }

    /// Queues `job` behind all jobs that are queued in the group.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the job is not accepted; it is dropped without having run. In a pool whose policy is
    /// [`CallerRuns`](crate::Policy::CallerRuns) the submit waits for room instead, because the caller could exceed the
    /// group's limit.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.submit_job(Job::new(fallible(infallible(job))), false)
    }

    /// Queues `job` ahead of all jobs that are queued in the group.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    pub fn spawn_first(&self, job: impl FnOnce() + Send + 'static) -> Result<JobId, SubmitError> {
        self.submit_job(Job::new(fallible(infallible(job))), true)
    }

    /// Runs `job` like [`spawn`](Self::spawn); an error that it returns is counted as a
    /// [failure](crate::Pool::failed) of the pool.
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

    /// Runs `job` like [`spawn_first`](Self::spawn_first); an error that it returns is counted as a failure.
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

    /// Runs `job` like [`spawn`](Self::spawn); its value or its panic becomes an outcome in `results`.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// If `results` was made from another pool.
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

    /// Runs a job that may fail; its value, error or panic becomes an outcome in `results`.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// If `results` was made from another pool.
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

    #[cfg(feature = "capi")]
    pub(crate) fn is_of(&self, pool: &Pool) -> bool {
        self.belongs_to(pool.core())
    }

    pub(super) fn belongs_to(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }

    pub(super) fn inner(&self) -> &Arc<pool::Group> {
        &self.group
    }

    fn submit_job(&self, job: Job, first: bool) -> Result<JobId, SubmitError> {
        accepted(self.core.submit_grouped(&self.group, job, first))
    }

    /// Cancels every queued job of the group; returns how many. Running jobs go on.
    pub fn cancel_all(&self) -> usize {
        self.core.cancel_group(&self.group)
    }

    /// Waits for a moment at which no job of the group is queued or running, or being ended by
    /// [`cancel_all`](Self::cancel_all). A job that a waiting one runs itself is [not waited for](Self).
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if the deadline passed first, [`WaitError::Deadlock`] in a job of the pool, or where
    /// [`cancel_all`](Self::cancel_all) ends one of the group; [`WaitError::Forked`], [`WaitError::Exiting`].
    pub fn wait_idle(&self, deadline: impl Into<Deadline>) -> Result<(), WaitError> {
        self.core.may_wait_for_group(&self.group)?;
        if self.core.wait_group(&self.group, deadline.into()) { Ok(()) } else { Err(WaitError::TimedOut) }
    }

    /// How many jobs of the group are running.
    pub fn busy(&self) -> usize {
        self.group.running()
    }

    /// How many jobs of the group are queued or running, or being ended by [`cancel_all`](Self::cancel_all).
    pub fn pending(&self) -> usize {
        self.core.pending_in(&self.group)
    }

    /// How many jobs of the group may run at a time.
    pub fn limit(&self) -> usize {
        self.group.limit()
    }
}
