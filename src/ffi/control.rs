//! A pool as a whole in C: cancelling what is queued, reopening, and all pools of the process.

use super::check::{self, Checked, status};
use super::ftpool_status::{self, *};
use super::{ftpool, ftpool_job_id, pool, result, time};
use crate::{Pool, Shutdown, SubmitError};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// A flag of ftpool_cancel_all(): cancel the jobs that are queued.
pub const FTPOOL_CANCEL_QUEUED: u32 = 1;
/// A flag of ftpool_cancel_all(): cancel the delayed jobs that are not due yet, and the schedules.
pub const FTPOOL_CANCEL_TIMERS: u32 = 2;

/// Called with the id of one job.
pub type ftpool_id_fn = Option<unsafe extern "C" fn(context: *mut c_void, id: ftpool_job_id)>;

/// Returns the process-wide pool, which has the default configuration. It is made on first use, shared by all its
/// users, and does not keep the process alive. ftpool_shutdown() refuses to end it; only ftpool_shutdown_all() does.
/// The child of a fork has one of its own: it must ask again, and not use the pointer that its parent got.
///
/// **Ownership:** the library's: ftpool_free() and ftpool_abandon() ignore it. **Thread safety:** any thread.
/// **Returns:** the pool, always the same in one process, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_default() -> *mut ftpool {
    Arc::as_ptr(Pool::global().core()).cast_mut().cast()
}

/// Cancels all jobs of the kinds in `what`: FTPOOL_CANCEL_QUEUED, FTPOOL_CANCEL_TIMERS, or'ed together; 0 for none.
/// Running jobs go on. The outcome of a cancelled job is FTPOOL_OUTCOME_CANCELLED. `*out_count` is how many jobs and
/// timers were cancelled; `out_count` may be NULL.
///
/// **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool`
/// is NULL or `what` contains an unknown bit.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_cancel_all(pool: *mut ftpool, what: u32, out_count: *mut usize) -> ftpool_status {
    // SAFETY: the caller's 1.
    let cancelled = unsafe { check::retained(pool) }.and_then(|pool| cancel_all(&pool, what));
    // SAFETY: the caller's 2.
    status(cancelled.map(|count| unsafe { check::store(out_count, count) }))
}

fn cancel_all(pool: &Pool, what: u32) -> Checked<usize> {
    if what & !(FTPOOL_CANCEL_QUEUED | FTPOOL_CANCEL_TIMERS) != 0 {
        return Err(FTPOOL_E_INVALID);
    }
    // Timers first: a timer that becomes due meanwhile is then cancelled as a queued job.
    let timers = if what & FTPOOL_CANCEL_TIMERS != 0 { pool.cancel_timers() } else { 0 };
    let queued = if what & FTPOOL_CANCEL_QUEUED != 0 { pool.cancel_all() } else { 0 };
    Ok(timers + queued)
}

/// Shuts down as ftpool_shutdown() with FTPOOL_SHUTDOWN_CANCEL, and calls `each(context, id)` for every queued job and
/// timer that it cancels, in the order of their ids, before it waits for the threads to end. `each` may be NULL.
///
/// **Ownership:** `context` stays the caller's. `each` is called on the calling thread, with no lock held, and may use
/// the pool. **Thread safety**, **Returns:** as ftpool_shutdown().
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `each` may be called with `context`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_shutdown_now(
    pool: *mut ftpool,
    each: ftpool_id_fn,
    context: *mut c_void,
    timeout_ns: i64,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    status(pool.and_then(|pool| {
        let (deadline, mut cancelled) = (time::deadline(timeout_ns)?, Vec::new());
        pool.close_now(&mut cancelled)?;
        for id in cancelled {
            // SAFETY: the caller's 2.
            each.into_iter().for_each(|each| unsafe { each(context, id.get()) });
        }
        Ok(pool.shutdown(Shutdown::Drain, deadline)?)
    }))
}

/// Lists the ids of the jobs that are queued, in ascending order. For jobs that one thread submitted in the same way,
/// that is the order of submission. Writes at most `capacity` ids to `out_ids`; `*out_count` is how many there are,
/// which may be more. The list may be out of date when this returns.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
/// `out_ids` is and `capacity` is not 0.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_ids` is NULL or has room for `capacity` ids. 3. `out_count`
///    is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_queued_ids(
    pool: *mut ftpool,
    capacity: usize,
    out_ids: *mut ftpool_job_id,
    out_count: *mut usize,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    unsafe { check::list_ids(pool, capacity, out_ids, out_count, Pool::queued_ids) }
}

/// Opens a pool that was shut down, so that it accepts jobs again. Waits for a shutdown in progress to end first. Does
/// nothing to an open pool.
///
/// **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK. Otherwise the pool stays closed:
/// FTPOOL_TIMEOUT: the shutdown has not ended yet; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_E_DEADLOCK in a job of
/// this pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the timeout
/// is not valid.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_reopen(pool: *mut ftpool, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    status(pool.and_then(|pool| Ok(pool.reopen(time::deadline(timeout_ns)?)?)))
}

/// Resets the pool: cancels the queued jobs, resets the counts of ftpool_failed() and ftpool_expired() to 0, and
/// reopens the pool if it was shut down. Running jobs go on and leave their outcomes. Waits only for a shutdown in
/// progress. `*out_count` is how many jobs were cancelled; `out_count` may be NULL.
///
/// **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK, always for an open pool;
/// otherwise as ftpool_reopen().
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_clear(pool: *mut ftpool, timeout_ns: i64, out_count: *mut usize) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    let cancelled: Checked<usize> = pool.and_then(|pool| Ok(pool.clear(time::deadline(timeout_ns)?)?));
    // SAFETY: the caller's 2.
    status(cancelled.map(|count| unsafe { check::store(out_count, count) }))
}

/// Shuts down every pool of the process, including ftpool_default(): closes all pools, then waits until all have ended.
/// Pools that are made later, and abandoned pools, are not affected. May be called again. The pools must still be
/// freed.
///
/// **Thread safety:** any thread but a pool's. **Returns:** as ftpool_shutdown(); FTPOOL_E_DEADLOCK in a job of any of
/// the pools: nothing was done.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_shutdown_all(mode: u32, timeout_ns: i64) -> ftpool_status {
    let mode = pool::mode(mode);
    status(mode.and_then(|mode| Ok(Pool::shutdown_all(mode, time::deadline(timeout_ns)?)?)))
}

/// Frees a pool without waiting, for a pool with a job that may never end. Accepted jobs still run. Threads and memory
/// are released when the last job ends, if it does. To keep queued jobs from running, call ftpool_shutdown() with
/// FTPOOL_SHUTDOWN_CANCEL and FTPOOL_NOW first. NULL is accepted and ignored.
///
/// **Ownership:** the pool is gone, as after ftpool_free(). **Thread safety:** as ftpool_free(), but jobs of the pool
/// may call it as well.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_abandon(pool: *mut ftpool) {
    // SAFETY: the caller's 1; this takes back the handle that ftpool_new returned.
    if let Some(pool) = unsafe { check::owned(pool) } {
        pool.abandon();
    }
}

/// Checks whether the pool is open to jobs of the calling thread. If a hook has failed, `*out_cause` says which and
/// why; otherwise it is NULL. `out_cause` may be NULL.
///
/// **Ownership:** the text belongs to the library, and is valid until the calling thread reads an outcome or calls this
/// again. This call also ends the validity of earlier texts (see ftpool_result). **Thread safety:** any thread.
/// **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_cause` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_check(pool: *mut ftpool, out_cause: *mut *const c_char) -> ftpool_status {
    // SAFETY: the caller's 1.
    let verdict = match unsafe { check::retained(pool) } {
        Ok(pool) => pool.check(),
        Err(invalid) => return invalid,
    };
    result::forget_texts();
    let cause = match &verdict {
        Err(SubmitError::Broken(cause)) if !out_cause.is_null() => result::keep_text(cause.to_string()),
        _ => std::ptr::null(),
    };
    // SAFETY: the caller's 2.
    unsafe { check::store(out_cause, cause) };
    status(verdict)
}
