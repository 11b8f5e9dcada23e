//! A job's panic.

use crate::pool::{Trace, Worker, current, unwind};
use std::any::Any;
use std::fmt;

/// The panic of a job, in [`JobError::Panicked`](crate::JobError::Panicked).
///
/// ```
/// use fastthreadpool::{JobError, Pool};
///
/// let pool = Pool::builder().panic_locations().build()?;
/// let Err(JobError::Panicked(panic)) = pool.run(|| panic!("on purpose")) else { unreachable!() };
/// assert_eq!(panic.message(), "on purpose");
/// assert!(panic.location().unwrap().contains(".rs:"));
/// # Ok::<(), fastthreadpool::BuildError>(())
/// ```
#[derive(Debug)]
pub struct Panic(Box<Thrown>);

#[derive(Debug)]
struct Thrown {
    payload: unwind::Payload,
    trace: Option<Trace>,
}

impl Panic {
    /// Caught on this thread just now, in a job or elsewhere.
    #[cold]
    pub(super) fn new(payload: unwind::Payload) -> Self {
        let trace = current::with(Worker::take_trace).flatten();
        Self(Box::new(Thrown { payload, trace }))
    }

    /// The panic's message, or a placeholder if its payload is not text.
    pub fn message(&self) -> &str {
        unwind::message(self.0.payload.as_ref())
    }

    /// The panic's payload.
    pub fn payload(&self) -> &(dyn Any + Send) {
        self.0.payload.as_ref()
    }

    /// The panic's payload, for [`resume_unwind`](std::panic::resume_unwind).
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload
    }

    /// File, line and column of the panic, in a pool that [records](crate::Builder::panic_locations) them.
    pub fn location(&self) -> Option<&str> {
        self.0.trace.as_ref().map(|trace| trace.location.as_str())
    }

    /// The stack of the panicking thread as text, in a pool that [records](crate::Builder::panic_backtraces) it.
    pub fn backtrace(&self) -> Option<&str> {
        self.0.trace.as_ref().and_then(|trace| trace.backtrace.as_deref())
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            None => write!(f, "{}", self.message()),
            Some(location) => write!(f, "{} (at {location})", self.message()),
        }
    }
}
