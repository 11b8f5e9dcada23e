//! Submitting with a deadline, which returns a job that is not accepted.

use super::task::Detached;
use super::{JobId, Pool, SubmitError};
use crate::pool::{Core, Task, Unrun, Worker};
use crate::sync::Deadline;
use std::fmt;

/// A job that was not accepted, with the reason. Returned by [`Pool::offer`].
#[non_exhaustive]
pub struct Refused<F> {
    /// The job, which was not run.
    pub job: F,
    /// Why it was not accepted.
    pub error: SubmitError,
}

impl Pool {
    /// Queues `job` like [`spawn`](Self::spawn), but waits for room in the queue no longer than until the deadline, and
    /// returns the job if it is not accepted.
    ///
    /// This holds whatever the policy of [`Builder::max_queued`](crate::Builder::max_queued) is, except that with
    /// [`Policy::HandOff`](crate::Policy::HandOff) it waits until a worker starts the job. [`Deadline::NOW`] does not
    /// wait.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the job and the [`SubmitError`]: [`SubmitError::Full`] if the deadline passed first, otherwise
    /// as for [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Policy, Pool, SubmitError};
    ///
    /// let pool = Pool::builder().workers(1).max_queued(1, Policy::Block).build()?;
    /// for _ in 0..100 {
    ///     if let Err(refused) = pool.offer(|| println!("on a worker"), Deadline::NOW) {
    ///         assert!(matches!(refused.error, SubmitError::Full));
    ///         (refused.job)(); // the pool is busy: run it here
    ///     }
    /// }
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn offer<F>(&self, job: F, deadline: impl Into<Deadline>) -> Result<JobId, Refused<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        let offered = self.core().offer(Offered(job), deadline.into());
        offered.map(JobId::accepted).map_err(|(why, Offered(job))| Refused { job, error: why.into() })
    }
}

/// A job that is returned if it is not accepted.
struct Offered<F>(F);

impl<F: FnOnce() + Send + 'static> Task for Offered<F> {
    fn run(self, worker: &Worker) {
        let code = || {
            (self.0)();
            Ok(())
        };
        Detached(code).run(worker);
    }

    fn cancel(self, _core: &Core, _id: u64, _why: Unrun) {}
}

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<F> std::error::Error for Refused<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
