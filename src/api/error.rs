//! Errors, and what to do about them.

use super::{Panic, WaitError};
use crate::pool::unwind::Payload;
use crate::pool::{HookError, Refusal, Rejected, Unrun};
use crate::queue::Nothing;
use std::error::Error;
use std::{fmt, io};

/// Why [`Builder::build`](crate::Builder::build) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`Builder::workers`](crate::Builder::workers) comes to less than 1 worker, or to more than a pool can have.
    #[error("{asked} workers on {cpus} usable processors come to {workers}; ask for 1 to {most}")]
    InvalidWorkers {
        /// The number that was passed.
        asked: i32,
        /// The number of usable processors, to which a number of 0 or less is added.
        cpus: usize,
        /// The resulting number of workers.
        workers: i64,
        /// The most workers that a pool can have.
        most: usize,
    },
    /// The low [water mark](crate::Builder::water_marks) is not below the high one.
    #[error("the low water mark, {low}, is not below the high one, {high}")]
    InvalidWaterMarks {
        /// The low mark.
        low: usize,
        /// The high mark.
        high: usize,
    },
    /// The [name](crate::Builder::name) contains a NUL byte, which a thread name cannot.
    #[error("a thread name cannot contain a NUL byte; choose another name")]
    InvalidName,
}

/// Why a job was not accepted. The job is dropped without having run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The pool was shut down, or the process exits. [Reopen](crate::Pool::reopen) the pool, or make a new one.
    #[error("the pool was shut down; reopen it or make a new one")]
    Shutdown,
    /// The queue is full, and had no room in time. Try again when jobs have run. A batch that is larger than
    /// [`Builder::max_queued`](crate::Builder::max_queued) never fits: submit it in pieces.
    #[error("the queue is full; try again when jobs have run")]
    Full,
    /// The system has no memory for the queue. Let queued jobs finish first.
    #[error("no memory for the queue; let queued jobs finish first")]
    OutOfMemory,
    /// The system refused to start a thread: the pool has no worker but those that [block](crate::blocking), or no
    /// thread for timers yet. Check the limits on threads and memory.
    #[error("the system refused to start a thread; check the limits on threads and memory")]
    Thread(#[source] io::Error),
    /// A start or stop hook of the pool has failed. Make a new pool.
    #[error("the pool is broken: {0}; make a new one")]
    Broken(HookError),
    /// This process was forked, and the pool's threads exist only in its parent. Make a new pool.
    #[error("the pool's threads stayed in the parent process; make a new pool")]
    Forked,
    /// The caller is a job of the pool, and would wait for its own worker
    /// ([`Pool::broadcast`](crate::Pool::broadcast)). Call from outside the pool.
    #[error("a job cannot wait for all workers of its own pool; call from outside")]
    Deadlock,
    /// The time at which the job was to be due has passed. Use [`Due::or_now`](crate::Due::or_now) to run such a job at
    /// once.
    #[error("the moment has passed; give a later one, or use Due::or_now")]
    Past,
    /// The [schedule](crate::Schedule) has an interval of 0, or allows no run.
    #[error("a schedule needs an interval, and at least one run")]
    InvalidSchedule,
}

impl From<Refusal> for SubmitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Closed => Self::Shutdown,
            Refusal::Full | Refusal::Undecided(_) => Self::Full,
            Refusal::OutOfMemory => Self::OutOfMemory,
            Refusal::NoThread(error) => Self::Thread(error),
            Refusal::Broken(cause) => Self::Broken(cause),
            Refusal::Forked => Self::Forked,
            Refusal::Deadlock => Self::Deadlock,
        }
    }
}

impl From<Rejected> for SubmitError {
    /// Drops the job.
    #[cold]
    fn from(Rejected { why, job }: Rejected) -> Self {
        drop(job);
        why.into()
    }
}

/// Why no outcome was read from a [`Results`](crate::Results) object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The deadline passed first, and jobs are outstanding. Read again.
    #[error("no outcome arrived before the deadline; read again")]
    TimedOut,
    /// Every outcome was read and no job is outstanding. Submit jobs to read more.
    #[error("every outcome was read and no job is outstanding")]
    Finished,
    /// The object has a callback ([`Results::on_outcome`](crate::Results::on_outcome)), which receives the outcomes.
    #[error("a callback consumes the outcomes of this object; do not read from it")]
    CallbackInUse,
    /// The caller is the only worker of the pool, jobs are outstanding, and the wait has no deadline. Read outside the
    /// pool's jobs, or give the pool more workers.
    #[error(
        "the only worker of a pool cannot wait for the pool's other jobs; read later, or give the pool more workers"
    )]
    Deadlock,
    /// This process was forked, and the pool's threads exist only in its parent. No more outcomes will arrive.
    #[error("the pool's threads stayed in the parent process; nothing more will come")]
    Forked,
    /// The process is exiting: jobs that have not started never will, and no more outcomes will arrive.
    #[error("the process is exiting; nothing more will come")]
    Exiting,
}

impl From<Nothing> for RecvError {
    fn from(nothing: Nothing) -> Self {
        match nothing {
            Nothing::TimedOut => Self::TimedOut,
            Nothing::Finished => Self::Finished,
        }
    }
}

/// Why there is no value of a job.
///
/// # Examples
///
/// ```
/// use fastthreadpool::{JobError, Pool};
///
/// let pool = Pool::new()?;
/// match pool.try_submit(|| "x".parse::<i32>())?.join() {
///     Ok(number) => println!("{number}"),
///     Err(JobError::Failed(error)) => assert_eq!(error.to_string(), "invalid digit found in string"),
///     Err(JobError::Panicked(panic)) => eprintln!("the job panicked: {}", panic.message()),
///     Err(other) => eprintln!("{other}"), // cancelled or expired
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum JobError {
    /// The job, or a callback of it, panicked.
    Panicked(Panic),
    /// The job, or a callback of it, returned an error; or the job called [`fail`](crate::fail). From calls that submit
    /// and wait, also a [`SubmitError`] or [`WaitError`]: the job was not accepted, or could not be waited for.
    Failed(Box<dyn Error + Send + Sync>),
    /// The job was cancelled before it started.
    Cancelled,
    /// The job did not start before its [start deadline](crate::Request::start_within).
    Expired,
    /// The outcome is not known: the job waits for the caller, so that waiting for it would never end.
    Deadlock,
    /// The outcome is not known: the deadline passed first ([`Map::until`](crate::Map::until)).
    TimedOut,
}

impl JobError {
    /// The failure of a job or callback that returned this error.
    pub(super) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    #[cold]
    pub(super) fn panicked(payload: Payload) -> Self {
        Self::Panicked(Panic::new(payload))
    }
}

impl From<Unrun> for JobError {
    fn from(why: Unrun) -> Self {
        match why {
            Unrun::Cancelled => Self::Cancelled,
            Unrun::Expired => Self::Expired,
        }
    }
}

impl From<SubmitError> for JobError {
    /// [`Failed`](Self::Failed): the job was not accepted.
    fn from(error: SubmitError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<WaitError> for JobError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TimedOut => Self::TimedOut,
            WaitError::Deadlock => Self::Deadlock,
            other => Self::Failed(Box::new(other)),
        }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => write!(f, "the job panicked: {panic}"),
            Self::Failed(error) => write!(f, "the job failed: {error}"),
            Self::Cancelled => f.write_str("the job was cancelled before it started"),
            Self::Expired => f.write_str("the job was not started in time"),
            Self::TimedOut => f.write_str("the deadline passed first"),
            Self::Deadlock => f.write_str("waiting for the job would deadlock: it waits for the caller"),
        }
    }
}

impl Error for JobError {
    /// What lies behind the job's error: its own text is in that of this one, and reporters print both.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Panicked(_) | Self::Cancelled | Self::Expired | Self::Deadlock | Self::TimedOut => None,
        }
    }
}
