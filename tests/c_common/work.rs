//! The jobs of the random driver, which count their runs.

use crate::c_common::{Seen, Value, c, value};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Plain,
    Slow,
    Failing,
    /// Submits another job.
    Parent,
    /// Makes calls that are not allowed in a job.
    Improper,
}

/// The record of a job. Its address is the C job's argument.
pub(crate) struct Job {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) runs: AtomicU32,
    pub(crate) children: AtomicU32,
    pub(crate) children_runs: AtomicU32,
    /// Submitted with a callback and a function to free it.
    pub(crate) full: AtomicU32,
    pub(crate) shown: AtomicU32,
    pub(crate) freed: AtomicU32,
}

/// The job of a C job's argument.
pub(crate) fn job_of<'a>(argument: *mut c_void) -> &'a Job {
    // SAFETY: the argument is a job in the books of a pool, which are kept until the pool has ended.
    unsafe { &*argument.cast::<Job>() }
}

pub(crate) extern "C" fn work(argument: *mut c_void) -> Value {
    let job = job_of(argument);
    job.runs.fetch_add(1, SeqCst);
    let pool = ftpool_current();
    match job.kind {
        Kind::Plain => {}
        Kind::Slow => (0..5000).for_each(|_| std::hint::spin_loop()),
        Kind::Failing => assert_eq!(c!(ftpool_fail(job.number as i32, c"failed".as_ptr())), FTPOOL_OK),
        Kind::Parent => {
            let status = c!(ftpool_submit(pool, Some(child), argument, null_mut()));
            assert!(matches!(status, FTPOOL_OK | FTPOOL_E_SHUTDOWN), "the pool may be cancelling its jobs: {status:?}");
            job.children.fetch_add(u32::from(status == FTPOOL_OK), SeqCst);
        }
        Kind::Improper => {
            assert_eq!(c!(ftpool_wait_idle(pool, FTPOOL_FOREVER)), FTPOOL_E_DEADLOCK);
            assert_eq!(c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_CANCEL, FTPOOL_FOREVER)), FTPOOL_E_DEADLOCK);
            assert_eq!(c!(ftpool_cancel(pool, ftpool_self_id())), FTPOOL_EMPTY);
        }
    }
    value(job.number)
}

pub(crate) extern "C" fn note_outcome(argument: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: the result is valid during the call.
    let seen = Seen::of(unsafe { &*result });
    let job = job_of(argument);
    assert_eq!(seen.outcome != FTPOOL_OUTCOME_CANCELLED, job.runs.load(SeqCst) == 1);
    job.shown.fetch_add(1, SeqCst);
    0
}

pub(crate) extern "C" fn note_free(argument: *mut c_void) {
    let job = job_of(argument);
    assert_eq!(job.shown.load(SeqCst), 1, "the callback comes before");
    job.freed.fetch_add(1, SeqCst);
}

pub(crate) extern "C" fn child(argument: *mut c_void) -> Value {
    job_of(argument).children_runs.fetch_add(1, SeqCst);
    null_mut()
}
