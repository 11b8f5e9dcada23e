//! What a running job can find out and say about itself.

use super::JobId;
use crate::pool::{Failure, current};

/// The id of the job that the calling thread is running; `None` outside a job.
///
/// ```
/// assert_eq!(fastthreadpool::current_job(), None);
/// ```
pub fn current_job() -> Option<JobId> {
    current::with(|worker| JobId::from_number(worker.job())).flatten()
}

/// Which worker of its pool the calling thread is, from 0 to one below the limit; `None` on any other thread. A key to
/// per-worker scratch memory.
///
/// ```
/// assert_eq!(fastthreadpool::worker_index(), None);
/// ```
pub fn worker_index() -> Option<usize> {
    current::with(crate::pool::Worker::index).flatten()
}

/// The running job declares that it has failed: when it returns, its value is dropped and it ends
/// [`Failed`](crate::JobError::Failed) with this code and message. Of several calls the last one counts.
///
/// A job that can return a `Result` has the simpler [`Results::try_submit`](crate::Results::try_submit); this is for
/// code deep below it. False outside a job, where nothing happens.
///
/// ```
/// assert!(!fastthreadpool::fail(1, "nobody listens"));
/// ```
pub fn fail(code: i32, message: impl Into<String>) -> bool {
    current::with(|worker| worker.fail(Failure { code, message: message.into() })).is_some()
}
