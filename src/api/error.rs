//! Errors, and what to do about them.

use super::Panic;
use crate::pool::{HookError, Refusal, Rejected, Unfinished, Unrun};
use crate::queue::Nothing;
use std::error::Error;
use std::{fmt, io};

/// Why a pool could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The number of workers comes to less than 1 or more than the pool can count.
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
    /// The low water mark is not below the high one.
    #[error("the low water mark, {low}, is not below the high one, {high}")]
    InvalidWaterMarks {
        /// The low mark.
        low: usize,
        /// The high mark.
        high: usize,
    },
    /// The name prefix contains a NUL byte, which no thread name can.
    #[error("a thread name cannot contain a NUL byte; choose another name")]
    InvalidName,
}

/// Why a job was not accepted. The job is dropped without having run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The pool was shut down; [reopen](crate::Pool::reopen) it or make a new one.
    #[error("the pool was shut down; reopen it or make a new one")]
    Shutdown,
    /// The queue is full, and no job was started in time; try again when jobs have run. A batch that is larger than
    /// [`Builder::max_queued`](crate::Builder::max_queued) never fits: submit it in pieces.
    #[error("the queue is full; try again when jobs have run")]
    Full,
    /// The system has no memory for the queue; wait for queued jobs to finish.
    #[error("no memory for the queue; let queued jobs finish first")]
    OutOfMemory,
    /// The pool has no worker, and the system refused to start one.
    #[error("the pool has no worker and the system refused to start one")]
    Thread(#[source] io::Error),
    /// A hook of the pool failed; make a new pool.
    #[error("the pool is broken: {0}; make a new one")]
    Broken(#[source] HookError),
    /// This process was forked, and the pool's threads exist in its parent only; make a new pool.
    #[error("the pool's threads stayed in the parent process; make a new pool")]
    Forked,
    /// The caller is a job of the pool and would wait for its own worker.
    #[error("a job cannot wait for all workers of its own pool; call from outside")]
    Deadlock,
    /// The moment has passed; use [`Due::or_now`](crate::Due::or_now) to run such a job at once.
    #[error("the moment has passed; give a later one, or use Due::or_now")]
    Past,
    /// A schedule without an interval, or without a run.
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

/// Why a wait failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The deadline passed first. What was waited for goes on; wait again.
    #[error("the deadline passed first; what was waited for goes on")]
    TimedOut,
    /// The caller is a job that would wait for its own end: it waits for its pool, or for a job that waits for it. Or
    /// it is called, or dropped, because a job of the pool is cancelled or expires, and waits for all jobs to end.
    #[error("a job cannot wait for its own end: for its pool, or for a job that waits for it; wait from outside")]
    Deadlock,
    /// A hook of the pool failed, so it cannot be opened again. [`Pool::check`](crate::Pool::check) tells which.
    #[error("a hook of the pool failed, so it cannot be opened again; make a new pool")]
    Broken,
    /// The pool cannot be ended or reopened by the caller: it is the [global](crate::Pool::global) one, it was
    /// abandoned, or its last handle is gone.
    #[error("this pool cannot be ended or reopened by the caller")]
    Refused,
    /// This process was forked, and the pool's threads exist in its parent only.
    #[error("the pool's threads stayed in the parent process; make a new pool")]
    Forked,
    /// The process is exiting: jobs that have not started never will, and waits end.
    #[error("the process is exiting; jobs that have not started never will")]
    Exiting,
}

impl From<Unfinished> for WaitError {
    fn from(unfinished: Unfinished) -> Self {
        match unfinished {
            Unfinished::TimedOut => Self::TimedOut,
            Unfinished::Deadlock => Self::Deadlock,
            Unfinished::Broken => Self::Broken,
            Unfinished::Refused => Self::Refused,
            Unfinished::Forked => Self::Forked,
            Unfinished::Exiting => Self::Exiting,
        }
    }
}

/// Why no outcome was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The deadline passed first; more outcomes will come.
    #[error("no outcome arrived before the deadline; read again")]
    TimedOut,
    /// Every outcome was read and no job is outstanding; submit jobs to read more.
    #[error("every outcome was read and no job is outstanding")]
    Finished,
    /// A callback takes the outcomes; it cannot be read as well.
    #[error("a callback consumes the outcomes of this object; do not read from it")]
    CallbackInUse,
    /// The caller is the only worker of the pool whose jobs are outstanding, and the wait has no deadline.
    #[error(
        "the only worker of a pool cannot wait for the pool's other jobs; read later, or give the pool more workers"
    )]
    Deadlock,
    /// This process was forked, and the pool's threads exist in its parent only; nothing more will come.
    #[error("the pool's threads stayed in the parent process; nothing more will come")]
    Forked,
    /// The process is exiting: jobs that have not started never will.
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

impl From<Unfinished> for RecvError {
    fn from(unfinished: Unfinished) -> Self {
        match unfinished {
            Unfinished::Deadlock => Self::Deadlock,
            Unfinished::Forked => Self::Forked,
            Unfinished::Exiting => Self::Exiting,
            Unfinished::TimedOut | Unfinished::Broken | Unfinished::Refused => Self::TimedOut,
        }
    }
}

/// Why an accepted job has no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobError {
    /// The job panicked.
    Panicked(Panic),
    /// The job returned an error, or reported one with [`fail`](crate::fail).
    Failed(Box<dyn Error + Send + Sync>),
    /// The job was cancelled before it started.
    Cancelled,
    /// The job was not started in time; see [`Request::start_within`](crate::Request::start_within).
    Expired,
    /// The outcome is unknown: waiting for the job would never end, because the job waits for the caller.
    Deadlock,
    /// The outcome is unknown: the deadline passed first.
    TimedOut,
}

impl JobError {
    /// The failure of a job or callback that returned this error.
    pub(super) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
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
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error.as_ref()),
            Self::Panicked(_) | Self::Cancelled | Self::Expired | Self::Deadlock | Self::TimedOut => None,
        }
    }
}

/// The error of a job that called [`fail`](crate::fail), inside [`JobError::Failed`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (code {code})")]
pub(crate) struct Declared {
    pub(crate) code: i32,
    pub(crate) message: String,
}
