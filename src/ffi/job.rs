//! Functions for running C jobs.

use super::ftpool_status::{self, *};
use super::{check, ftpool, ftpool_job_id};
use crate::pool::current;
use std::ffi::c_char;
use std::sync::Arc;

/// Marks the running job as failed: when it returns, its value is ignored, and it ends FTPOOL_OUTCOME_FAILED with this
/// code and message. Of several calls, the last one counts. `message` may be NULL. In the body of a loop such as
/// ftpool_for() it stops the loop instead, and in a start or stop hook it breaks the pool. It has no effect in a
/// callback, which returns a code instead.
///
/// **Ownership:** the message is copied; bytes that are not UTF-8 become U+FFFD. **Thread safety:** in a job, on the
/// thread that runs it. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID in a callback, and if the thread runs no job, no loop,
/// and no start or stop hook.
///
/// # Safety
///
/// 1. `message` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_fail(code: i32, message: *const c_char) -> ftpool_status {
    // SAFETY: the caller's 1.
    if crate::fail(code, unsafe { check::text(message) }) { FTPOOL_OK } else { FTPOOL_E_INVALID }
}

/// Returns the id of the job that the calling thread is running.
///
/// **Thread safety:** any thread. **Returns:** the id; 0 outside a job.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_self_id() -> ftpool_job_id {
    crate::current_job().map_or(0, |id| id.get())
}

/// Returns whether the running job was asked to stop, by ftpool_job_cancel() or by the config's overrun hook. A long
/// job should check this from time to time, and return early.
///
/// **Thread safety:** in a job, on any thread that runs it or an item of its loops. **Returns:** 1 if so; 0 if not, and
/// outside a job.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_self_cancelled() -> i32 {
    i32::from(crate::cancel_requested())
}

/// Returns the pool whose job the calling thread is running.
///
/// **Ownership:** the pool still belongs to its owner; do not free it. **Thread safety:** any thread. **Returns:** the
/// pool; NULL outside a job.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_current() -> *mut ftpool {
    current::with(|worker| Arc::as_ptr(worker.core())).unwrap_or(std::ptr::null()).cast_mut().cast()
}

/// Returns the index of the calling worker in its pool, for data that each worker has of its own. No two workers have
/// the same index at a time; when a worker's stop hook has returned, a later worker may get its index.
///
/// **Thread safety:** any thread. **Returns:** the index, which is less than ftpool_worker_limit(). FTPOOL_E_INVALID
/// (−1) on a thread that is no worker, also in the body of a loop that such a thread calls, and in a job that its
/// submitter runs (FTPOOL_POLICY_CALLER_RUNS).
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_worker_index() -> i32 {
    crate::worker_index().map_or(FTPOOL_E_INVALID as i32, |index| index as i32)
}
