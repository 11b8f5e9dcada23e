//! Outcomes of jobs, to be read as they come.

use super::pool::accepted;
use super::task::Reporting;
use super::{JobError, JobId, RecvError, SubmitError};
use crate::pool::{Core, Job, Rejected};
use crate::queue::{Outcomes, Owner};
use crate::sync::Deadline;
use std::error::Error;
use std::sync::Arc;

/// What a job came to.
#[derive(Debug)]
pub struct Outcome<T> {
    /// The id that submitting the job returned.
    pub id: JobId,
    /// The job's value, or why there is none.
    pub result: Result<T, JobError>,
}

impl<T> From<Result<(JobId, T), (JobId, JobError)>> for Outcome<T> {
    fn from(entry: Result<(JobId, T), (JobId, JobError)>) -> Self {
        match entry {
            Ok((id, value)) => Self { id, result: Ok(value) },
            Err((id, error)) => Self { id, result: Err(error) },
        }
    }
}

/// A done queue and a failed queue. Every job submitted through this object ends as exactly one outcome in one of them:
/// a value in the done queue, everything else (panicked, failed, cancelled) in the failed queue.
///
/// Made by [`Pool::results`](crate::Pool::results); a pool can have any number. Clones read from the same queues:
/// each outcome is delivered to exactly one reader. Outcomes of one worker are read in the order in which they ended;
/// there is none between workers. What was delivered stays readable after the pool is gone.
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
#[derive(Debug)]
pub struct Results<T: Send + 'static> {
    shared: Arc<Shared<T>>,
}

/// What clones of a results object share.
#[derive(Debug)]
struct Shared<T: Send + 'static> {
    core: Arc<Core>,
    /// Present until the last clone goes.
    queues: Option<Queues<T>>,
}

type Queues<T> = Owner<(JobId, T), (JobId, JobError)>;

impl<T: Send + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(queues) = self.queues.take() {
            self.core.retire(queues);
        }
    }
}

impl<T: Send + 'static> Clone for Results<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Send + 'static> Results<T> {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let queues = Some(Owner::new(Outcomes::new(core.limit())));
        Self { shared: Arc::new(Shared { core, queues }) }
    }

    fn queues(&self) -> &Queues<T> {
        self.shared.queues.as_ref().expect("there is a clone")
    }

    /// Runs `job` on a worker; its value or its panic becomes an outcome here.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the job is not accepted. It is dropped, was not run and leaves no outcome.
    #[inline]
    pub fn submit(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<JobId, SubmitError> {
        self.submit_by(|| Ok(job()), |core, job| core.submit(job))
    }

    /// Runs `job` before every job of the pool that is queued.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn submit_first(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<JobId, SubmitError> {
        self.submit_by(|| Ok(job()), |core, job| core.submit_first(job))
    }

    /// Runs a job that may fail; its value, error or panic becomes an outcome here.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn try_submit<E>(&self, job: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_by(|| job().map_err(|error| JobError::Failed(error.into())), |core, job| core.submit(job))
    }

    /// Runs a job that may fail before every job of the pool that is queued.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn try_submit_first<E>(&self, job: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<JobId, SubmitError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.submit_by(|| job().map_err(|error| JobError::Failed(error.into())), |core, job| core.submit_first(job))
    }

    /// Runs many jobs, which costs less than submitting them one by one. Either all are accepted or none.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    pub fn submit_batch<F>(&self, jobs: impl IntoIterator<Item = F>) -> Result<Vec<JobId>, SubmitError>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        // The iterator is a user's code: it runs to its end before anything is announced.
        let jobs: Vec<F> = jobs.into_iter().collect();
        let tickets = self.queues().tickets(jobs.len());
        let jobs = tickets.into_iter().zip(jobs);
        let jobs = jobs.map(|(ticket, job)| Job::new(Reporting { ticket, code: || Ok(job()) })).collect();
        let ids = self.shared.core.submit_batch(jobs)?;
        Ok(ids.into_iter().map(JobId::accepted).collect())
    }

    #[inline(always)]
    fn submit_by<F>(
        &self,
        code: F,
        submit: impl FnOnce(&Arc<Core>, Job) -> Result<u64, Rejected>,
    ) -> Result<JobId, SubmitError>
    where
        F: FnOnce() -> Result<T, JobError> + Send + 'static,
    {
        let ticket = self.queues().ticket();
        accepted(submit(&self.shared.core, Job::new(Reporting { ticket, code })))
    }

    /// The next outcome, done or failed, as they come.
    ///
    /// # Errors
    ///
    /// [`RecvError::Finished`] if everything was read and no job is outstanding, [`RecvError::TimedOut`] if the
    /// deadline came first.
    #[inline]
    pub fn next(&self, deadline: impl Into<Deadline>) -> Result<Outcome<T>, RecvError> {
        Ok(Outcome::from(self.queues().next(deadline)?))
    }

    /// The next value.
    ///
    /// # Errors
    ///
    /// [`RecvError::Finished`] if every value was read and no job is outstanding, [`RecvError::TimedOut`] if the
    /// deadline came first.
    pub fn next_done(&self, deadline: impl Into<Deadline>) -> Result<(JobId, T), RecvError> {
        Ok(self.queues().next_done(deadline)?)
    }

    /// The next outcome without a value.
    ///
    /// # Errors
    ///
    /// [`RecvError::Finished`] if every failure was read and no job is outstanding, [`RecvError::TimedOut`] if the
    /// deadline came first.
    pub fn next_failed(&self, deadline: impl Into<Deadline>) -> Result<(JobId, JobError), RecvError> {
        Ok(self.queues().next_failed(deadline)?)
    }

    /// Reads at most `most` outcomes that are there, failed ones first, without waiting.
    pub fn take(&self, most: usize) -> Vec<Outcome<T>> {
        let mut taken = Vec::with_capacity(most.min(self.done_count() + self.failed_count()));
        self.queues().take(most, |entry| taken.push(Outcome::from(entry)));
        taken
    }

    /// Reads outcomes as they come, and ends when nothing more can come: everything was read, and no job submitted
    /// through this object, before or meanwhile, is queued or running.
    pub fn as_completed(&self) -> AsCompleted<'_, T> {
        AsCompleted { results: self }
    }

    /// How many values wait to be read: what a counting semaphore of the done queue would show.
    pub fn done_count(&self) -> usize {
        self.queues().done_len()
    }

    /// How many outcomes without a value wait to be read.
    pub fn failed_count(&self) -> usize {
        self.queues().failed_len()
    }

    /// How many jobs submitted through this object have no outcome yet.
    pub fn outstanding(&self) -> u64 {
        self.queues().outstanding()
    }
}

/// Reads outcomes as they come. Made by [`Results::as_completed`].
#[derive(Debug)]
pub struct AsCompleted<'a, T: Send + 'static> {
    results: &'a Results<T>,
}

impl<T: Send + 'static> Iterator for AsCompleted<'_, T> {
    type Item = Outcome<T>;

    fn next(&mut self) -> Option<Outcome<T>> {
        self.results.next(Deadline::NEVER).ok()
    }
}
