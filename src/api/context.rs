//! Functions for running jobs.

use super::JobId;
use crate::pool::{Failure, blocking as region, current, frame};

/// Returns the id of the job that the calling thread is running; `None` outside a job.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Pool, current_job};
///
/// let pool = Pool::new()?;
/// let job = pool.submit(current_job)?;
/// let id = job.id();
/// assert_eq!(job.join()?, Some(id));
/// assert_eq!(current_job(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn current_job() -> Option<JobId> {
    JobId::from_number(current::job())
}

/// Returns the index of the calling worker in its pool, for data that each worker has of its own.
///
/// It is below the pool's [limit](crate::Pool::limit). No two workers have the same index at a time; when a worker's
/// [stop hook](crate::Builder::on_stop) has returned, a later worker may get its index. `None` on a thread that is no
/// worker, and in a job that its submitter runs ([`Policy::CallerRuns`](crate::Policy::CallerRuns)).
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Pool, worker_index};
///
/// let pool = Pool::builder().workers(1).build()?;
/// assert_eq!(pool.run(worker_index)?, Some(0));
/// assert_eq!(worker_index(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn worker_index() -> Option<usize> {
    current::with(crate::pool::Worker::index).flatten()
}

/// Marks the running job as failed, with a code and a message.
///
/// When the job returns, its value is dropped, and it ends [`Failed`](crate::JobError::Failed). Of several calls, the
/// last one counts. This is for code deep inside a job; a job that can return a `Result` is simpler
/// ([`Pool::try_submit`](crate::Pool::try_submit)).
///
/// In the body of [`Pool::for_range`](crate::Pool::for_range), `for_chunks`, `for_each` or `for_each_mut` it stops the
/// loop instead, which returns false; in a [start or stop hook](crate::Builder::on_start) it breaks the pool. It has no
/// effect in a callback. Returns whether there was a job, loop or hook to fail.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Pool, fail};
///
/// let pool = Pool::new()?;
/// let job = pool.submit(|| assert!(fail(28, "disk full")))?;
/// assert_eq!(job.join().unwrap_err().to_string(), "the job failed: disk full (code 28)");
/// assert!(!fail(28, "outside a job"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fail(code: i32, message: impl Into<String>) -> bool {
    frame::fail(Box::new(Failure { code, message: message.into() }))
}

/// Returns whether the running job was asked to stop, also in the parts of it that other threads run: those of loops,
/// forks and scopes. False outside a job.
///
/// [`JobHandle::cancel`](crate::JobHandle::cancel) and the hook of [`Builder::on_overrun`](crate::Builder::on_overrun)
/// ask. A long job should check this from time to time, and return early.
///
/// # Examples
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

/// Runs `code`, which blocks: it waits for a file, a lock, a child process, or another job.
///
/// Meanwhile the worker does not count against the limit of its pool, so that another one may start and run queued
/// jobs. [`Builder::extra_workers`](crate::Builder::extra_workers) says for how many workers at a time this holds; by
/// default for none, and then this only runs `code`. When `code` has returned, the job goes on at once; a worker that
/// is now in excess finishes the jobs it has taken, and sleeps until it is needed again. Nested calls count once.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{Pool, blocking};
/// use std::sync::mpsc;
///
/// let pool = Pool::builder().workers(1).extra_workers(1).build()?;
/// let (send, receive) = mpsc::channel();
/// let receiver = pool.submit(move || blocking(|| receive.recv()))?;
/// pool.spawn(move || send.send(42).expect("the other job receives"))?; // in the same pool with one worker
/// assert_eq!(receiver.join()?, Ok(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn blocking<R>(code: impl FnOnce() -> R) -> R {
    region::run(code)
}
