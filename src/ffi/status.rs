//! Statuses: what C calls return.

use crate::{BuildError, RecvError, SubmitError, WaitError};
use std::ffi::c_char;

/// The status that a call returns. 0: success. Above 0: not done, but not an error. Below 0: an error; unless the
/// call's documentation says otherwise, nothing was done. Numbers are never reused; future versions may add more.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ftpool_status {
    /// Success.
    FTPOOL_OK = 0,
    /// The timeout passed first. What was waited for goes on; call again to wait longer.
    FTPOOL_TIMEOUT = 1,
    /// There is nothing to return, and there will not be; or there is no such job, or it is too late for it.
    FTPOOL_EMPTY = 2,
    /// The job was cancelled. Only in ftpool_result.error_code.
    FTPOOL_CANCELLED = 3,
    /// The queue is full. Try again when jobs have run.
    FTPOOL_FULL = 4,
    /// An argument is not valid, or the call is not valid on this thread.
    FTPOOL_E_INVALID = -1,
    /// The system has no memory. Let queued jobs finish first.
    FTPOOL_E_NOMEM = -2,
    /// The pool was shut down, the semaphore was closed, or the process exits.
    FTPOOL_E_SHUTDOWN = -3,
    /// The call would wait for its own end: a job waits for its pool, or for a job that waits for it.
    FTPOOL_E_DEADLOCK = -4,
    /// The system refused to start a thread that the call needs; errno tells more.
    FTPOOL_E_THREAD = -5,
    /// A struct has fields that this version of the library does not know, and they are not 0. Install a newer library.
    FTPOOL_E_VERSION = -6,
    /// A job or callback panicked.
    FTPOOL_E_PANIC = -7,
    /// The job, or the body of the loop, failed.
    FTPOOL_E_JOB = -8,
    /// The process was forked, and the pool's threads exist only in the parent. Make a new pool.
    FTPOOL_E_FORKED = -9,
    /// A hook of the pool has failed. Make a new pool.
    FTPOOL_E_BROKEN = -10,
    /// This build or platform cannot do it.
    FTPOOL_E_UNSUPPORTED = -11,
    /// A count would overflow.
    FTPOOL_E_OVERFLOW = -12,
    /// The results object has a callback, which receives the outcomes.
    FTPOOL_E_BUSY = -13,
}

use ftpool_status::*;

/// Every status, its name, and what it means.
const ALL: [(ftpool_status, &std::ffi::CStr, &std::ffi::CStr); 18] = [
    (FTPOOL_OK, c"FTPOOL_OK", c"done"),
    (FTPOOL_TIMEOUT, c"FTPOOL_TIMEOUT", c"the timeout passed first; call again to wait longer"),
    (FTPOOL_EMPTY, c"FTPOOL_EMPTY", c"there is nothing more, or no such job"),
    (FTPOOL_CANCELLED, c"FTPOOL_CANCELLED", c"the job was cancelled"),
    (FTPOOL_FULL, c"FTPOOL_FULL", c"there is no room; try again when jobs have finished"),
    (FTPOOL_E_INVALID, c"FTPOOL_E_INVALID", c"an argument, or the call on this thread, is not valid; see the header"),
    (FTPOOL_E_NOMEM, c"FTPOOL_E_NOMEM", c"the system has no memory; let queued jobs finish first"),
    (FTPOOL_E_SHUTDOWN, c"FTPOOL_E_SHUTDOWN", c"it was shut down or closed; reopen it or make a new one"),
    (FTPOOL_E_DEADLOCK, c"FTPOOL_E_DEADLOCK", c"a job cannot wait for its own pool, or for a job that waits for it"),
    (FTPOOL_E_THREAD, c"FTPOOL_E_THREAD", c"the system refused to start a thread; see errno"),
    (FTPOOL_E_VERSION, c"FTPOOL_E_VERSION", c"the struct comes from a newer header; install the newer library"),
    (FTPOOL_E_PANIC, c"FTPOOL_E_PANIC", c"the job panicked"),
    (FTPOOL_E_JOB, c"FTPOOL_E_JOB", c"the job, or the body of the loop, failed"),
    (FTPOOL_E_FORKED, c"FTPOOL_E_FORKED", c"the pool's threads stayed in the parent process; make a new pool"),
    (FTPOOL_E_BROKEN, c"FTPOOL_E_BROKEN", c"a hook of the pool failed; make a new pool"),
    (FTPOOL_E_UNSUPPORTED, c"FTPOOL_E_UNSUPPORTED", c"this build or platform cannot do it"),
    (FTPOOL_E_OVERFLOW, c"FTPOOL_E_OVERFLOW", c"a count would overflow"),
    (FTPOOL_E_BUSY, c"FTPOOL_E_BUSY", c"a callback gets the outcomes; to read them, use an object without one"),
];

/// Returns the name of a status, such as "FTPOOL_E_INVALID"; "FTPOOL_?" for any other number.
///
/// **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_status_name(status: i32) -> *const c_char {
    find(status).map_or(c"FTPOOL_?", |found| found.1).as_ptr()
}

/// Returns a sentence that says what a status means, and what to do about it.
///
/// **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_status_message(status: i32) -> *const c_char {
    find(status).map_or(c"not a status of this library", |found| found.2).as_ptr()
}

fn find(status: i32) -> Option<&'static (ftpool_status, &'static std::ffi::CStr, &'static std::ffi::CStr)> {
    ALL.iter().find(|known| known.0 as i32 == status)
}

impl From<SubmitError> for ftpool_status {
    #[cold]
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Shutdown => FTPOOL_E_SHUTDOWN,
            SubmitError::Full => FTPOOL_FULL,
            SubmitError::Past | SubmitError::InvalidSchedule => FTPOOL_E_INVALID,
            SubmitError::OutOfMemory => FTPOOL_E_NOMEM,
            SubmitError::Thread(error) => {
                crate::sys::errno::set(error.raw_os_error().unwrap_or(0));
                FTPOOL_E_THREAD
            }
            SubmitError::Broken(_) => FTPOOL_E_BROKEN,
            SubmitError::Forked => FTPOOL_E_FORKED,
            SubmitError::Deadlock => FTPOOL_E_DEADLOCK,
        }
    }
}

impl From<WaitError> for ftpool_status {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TimedOut => FTPOOL_TIMEOUT,
            WaitError::Deadlock => FTPOOL_E_DEADLOCK,
            WaitError::Broken => FTPOOL_E_BROKEN,
            WaitError::Refused => FTPOOL_E_INVALID,
            WaitError::Forked => FTPOOL_E_FORKED,
            WaitError::Exiting => FTPOOL_E_SHUTDOWN,
        }
    }
}

impl From<RecvError> for ftpool_status {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::TimedOut => FTPOOL_TIMEOUT,
            RecvError::Finished => FTPOOL_EMPTY,
            RecvError::CallbackInUse => FTPOOL_E_BUSY,
            RecvError::Deadlock => FTPOOL_E_DEADLOCK,
            RecvError::Forked => FTPOOL_E_FORKED,
            RecvError::Exiting => FTPOOL_E_SHUTDOWN,
        }
    }
}

impl From<BuildError> for ftpool_status {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::InvalidWorkers { .. } | BuildError::InvalidWaterMarks { .. } | BuildError::InvalidName => {
                FTPOOL_E_INVALID
            }
        }
    }
}
