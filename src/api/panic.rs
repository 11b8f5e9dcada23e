//! A job's panic.

use crate::pool::{Trace, Worker, current, unwind};
use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The panic of a job, in [`JobError::Panicked`](crate::JobError::Panicked).
///
/// # Examples
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
pub struct Panic(Box<Inner>);

#[derive(Debug)]
struct Inner {
    message: String,
    /// Never locked. The mutex makes the panic `Sync`, as many error types ask for, although its payload may not be.
    payload: Mutex<unwind::Payload>,
    trace: Option<Trace>,
}

impl Panic {
    /// Must be called on the thread that panicked, before it can panic again.
    #[cold]
    pub(super) fn new(payload: unwind::Payload) -> Self {
        let trace = current::with(Worker::take_trace).flatten();
        let message = unwind::message(payload.as_ref()).to_owned();
        Self(Box::new(Inner { message, payload: Mutex::new(payload), trace }))
    }

    /// The panic's message; a placeholder if its payload is not text.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The panic's payload: what was passed to [`panic_any`](std::panic::panic_any), or the text of `panic!`.
    pub fn payload_mut(&mut self) -> &mut (dyn Any + Send) {
        self.0.payload.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
    }

    /// Returns the panic's payload, for example to [resume](std::panic::resume_unwind) the panic.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// File, line and column of the panic; `None` unless the pool [records](crate::Builder::panic_locations) them.
    pub fn location(&self) -> Option<&str> {
        self.0.trace.as_ref().map(|trace| trace.location.as_str())
    }

    /// The stack of the panicking thread as text; `None` unless the pool [records](crate::Builder::panic_backtraces)
    /// it.
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
