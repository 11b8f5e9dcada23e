//! Broadcast: a function that every worker runs once.

use super::{Pool, SubmitError};
use crate::pool::broadcast;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

impl Pool {
    /// Runs `body(index)` once on every worker, and returns the values in the order of the
    /// [indices](crate::worker_index). The body may borrow.
    ///
    /// The call first starts workers up to the limit, then reaches every thread that the pool has at that moment. So
    /// there are as many values as the limit says, fewer if the system refuses a thread, and more while [extra
    /// workers](crate::Builder::extra_workers) exist. A sleeping worker is woken, a busy one runs `body` between its
    /// current job and the next, and one about to exit runs it first. A broadcast cannot be cancelled.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Deadlock`] in a job of this pool, whose worker would wait for itself; otherwise as for
    /// [`spawn`](Self::spawn). [`SubmitError::Broken`] also if a worker's start hook fails; the body may then have run
    /// on other workers.
    ///
    /// # Panics
    ///
    /// If the body panics: after it has returned on all workers, with the payload of the first panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    ///
    /// let pool = fastthreadpool::Pool::builder().workers(3).name("w").build()?;
    /// let names = pool.broadcast(|index| (index, thread::current().name().map(str::to_owned)))?;
    /// assert_eq!(names.len(), 3);
    /// assert_eq!(names[2], (2, Some("w-2".into())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn broadcast<R: Send>(&self, body: impl Fn(usize) -> R + Sync) -> Result<Vec<R>, SubmitError> {
        let values = Mutex::new(Vec::new());
        let part = |index| {
            let value = body(index);
            values.lock().unwrap_or_else(PoisonError::into_inner).push((index, value));
        };
        broadcast::run(self.core(), &part)?.unwrap_or_else(|payload| resume_unwind(payload));
        let mut values = values.into_inner().unwrap_or_else(PoisonError::into_inner);
        values.sort_unstable_by_key(|value| value.0);
        Ok(values.into_iter().map(|(_, value)| value).collect())
    }
}
