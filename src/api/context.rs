//! Functions for running jobs.

use super::JobId;
use crate::pool::{Failure, blocking as region, current, frame};

/// The id of the job that the calling thread is running; `None` outside a job.
///
/// ```
/// assert_eq!(fastthreadpool::current_job(), None);
/// ```
pub fn current_job() -> Option<JobId> {
    current::with(|worker| JobId::from_number(worker.job())).flatten()
}

/// Which worker of its pool the calling thread is, from 0 to one below the [limit](crate::Pool::limit); `None` on any
/// other thread. A key to per-worker scratch memory.
///
/// ```
/// assert_eq!(fastthreadpool::worker_index(), None);
/// ```
pub fn worker_index() -> Option<usize> {
    current::with(crate::pool::Worker::index).flatten()
}

/// Marks the running job as failed: when it returns, its value is dropped and it ends
/// [`Failed`](crate::JobError::Failed) with this code and message. Of several calls, the last one counts.
///
/// In the body of a [loop](crate::Pool::for_range) it stops the loop. For a job that can return a `Result`,
/// [`Results::try_submit`](crate::Results::try_submit) is simpler; this is for code that is called deep inside a job.
/// Outside a job it does nothing and returns false.
///
/// ```
/// assert!(!fastthreadpool::fail(1, "nobody listens"));
/// ```
pub fn fail(code: i32, message: impl Into<String>) -> bool {
    frame::fail(Box::new(Failure { code, message: message.into() }))
}

/// Whether the running job was asked to stop, by [`JobHandle::cancel`](crate::JobHandle::cancel) or by the hook of
/// [`Builder::on_overrun`](crate::Builder::on_overrun). A long job should check this from time to time and return
/// early. False outside a job.
///
/// ```
/// use fastthreadpool::{Pool, cancel_requested};
///
/// let pool = Pool::new()?;
/// let endless = pool.submit(|| {
///     while !cancel_requested() {
///         std::thread::yield_now();
///     }
///     "enough"
/// })?;
/// endless.cancel();
/// assert!(matches!(endless.join(), Ok("enough") | Err(fastthreadpool::JobError::Cancelled)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cancel_requested() -> bool {
    current::with(crate::pool::Worker::is_asked_to_stop).unwrap_or(false)
}

/// Runs `code`, which waits for something that is not computed here: a file, a lock, a child process, another job.
/// Meanwhile the worker does not count against the limit of its pool, so another one may start and run what is queued:
/// as many at a time as [`Builder::extra_workers`](crate::Builder::extra_workers) says, which is none by default. When
/// `code` has returned, the job goes on at once; a worker that is now one too many finishes the jobs it has taken and
/// sleeps until it is needed again.
///
/// Nested regions count once. Outside a job, or when no further worker is allowed, this just runs `code`.
///
/// ```
/// use fastthreadpool::{Pool, blocking};
/// use std::sync::mpsc;
///
/// let pool = Pool::builder().workers(1).extra_workers(1).build()?;
/// let (send, receive) = mpsc::channel();
/// let waits = pool.submit(move || blocking(|| receive.recv()))?;
/// pool.spawn(move || send.send(42).expect("the other job listens"))?; // on the same pool of one worker
/// assert_eq!(waits.join()?, Ok(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn blocking<R>(code: impl FnOnce() -> R) -> R {
    region::run(code)
}
