//! Pools in C.

use super::check::{self, Checked, status};
use super::ftpool_status::{self, *};
use super::{config, ftpool_config, time};
use crate::Shutdown;
use std::sync::Arc;

/// A thread pool. Made by ftpool_new().
#[derive(Debug)]
pub struct ftpool {
    _opaque: (),
}

/// A mode of ftpool_shutdown(): queued jobs run, and so do jobs that they submit.
pub const FTPOOL_SHUTDOWN_DRAIN: u32 = 0;
/// A mode of ftpool_shutdown(): queued jobs are cancelled; running jobs finish, and cannot submit others.
pub const FTPOOL_SHUTDOWN_CANCEL: u32 = 1;

/// Makes a pool. Its threads are started when there are jobs for them. `config` may be NULL, which means all defaults.
///
/// **Ownership:** the caller owns the pool and frees it with ftpool_free(). The config and its name are copied.
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_pool` is NULL or a field of the
/// config is not valid; FTPOOL_E_VERSION if the config comes from a newer header and uses fields that this library does
/// not know. `*out_pool` is NULL on failure.
///
/// # Safety
///
/// 1. `config` is NULL or points to a config whose size field is correct. 2. `out_pool` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_new(config: *const ftpool_config, out_pool: *mut *mut ftpool) -> ftpool_status {
    // SAFETY: the caller's 1.
    let build = || Ok(Arc::into_raw(unsafe { config::builder(config) }?.build()?.into_core()).cast_mut().cast());
    // SAFETY: the caller's 2.
    unsafe { check::store_new(out_pool, build) }
}

/// Frees a pool: waits until every accepted job has run, ends the threads, frees the memory. Delayed and scheduled jobs
/// that are not due are cancelled. In a job of the pool it does not wait: then the pool ends by itself after its last
/// job. NULL is accepted and ignored.
///
/// **Ownership:** the pool is gone. Its results objects, handles and groups must still be freed; outcomes can still be
/// read. **Thread safety:** this waits for calls that other threads have begun; a call that begins later is a bug in
/// the program. If other threads may still use the pool, call ftpool_shutdown() first.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_free(pool: *mut ftpool) {
    // SAFETY: the caller's 1; this takes back the handle that ftpool_new returned.
    if let Some(pool) = unsafe { check::owned(pool) } {
        // The drop of `pool` is not enough: another thread's call may still retain the pool.
        pool.core().end_without_handles();
    }
}

/// Shuts a pool down, and waits until its threads have ended. Queued jobs run, and from now on only the pool's own jobs
/// can submit (FTPOOL_SHUTDOWN_DRAIN); or queued jobs are cancelled, and nobody can submit (FTPOOL_SHUTDOWN_CANCEL). In
/// both cases delayed and scheduled jobs that are not due are cancelled, and running jobs finish; then the threads end.
/// May be called again, from any thread, to wait for the same shutdown. The pool must still be freed; ftpool_reopen()
/// opens it again.
///
/// **Ownership:** as ftpool_cancel(), for each cancelled job. **Thread safety:** any thread but the pool's own.
/// **Returns:** FTPOOL_OK: all threads have ended; FTPOOL_TIMEOUT: the shutdown goes on, call again to wait longer;
/// FTPOOL_E_DEADLOCK in a job of this pool: nothing was done; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits,
/// and this does not wait; FTPOOL_E_INVALID if `pool` is NULL or ftpool_default(), or the mode or the timeout is not
/// valid.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_shutdown(pool: *mut ftpool, mode: u32, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    status(pool.and_then(|pool| Ok(pool.shutdown(self::mode(mode)?, time::deadline(timeout_ns)?)?)))
}

/// Checks a shutdown mode.
pub(super) fn mode(mode: u32) -> Checked<Shutdown> {
    match mode {
        FTPOOL_SHUTDOWN_DRAIN => Ok(Shutdown::Drain),
        FTPOOL_SHUTDOWN_CANCEL => Ok(Shutdown::Cancel),
        _ => Err(FTPOOL_E_INVALID),
    }
}

/// Waits for a moment at which no job is queued or running. The pool stays open. Delayed and scheduled jobs that are
/// not due are not waited for.
///
/// **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
/// of this pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the
/// timeout is not valid.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_idle(pool: *mut ftpool, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    status(pool.and_then(|pool| Ok(pool.wait_idle(time::deadline(timeout_ns)?)?)))
}

/// The number of worker threads that exist now.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_alive(pool: *const ftpool) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.alive())
}

/// The number of workers that are running a job now.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_busy(pool: *const ftpool) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.busy())
}

/// The number of jobs that are queued or running now. Delayed jobs count once they are due.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_pending(pool: *const ftpool) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.pending() as usize)
}

/// The number of jobs that ended FTPOOL_OUTCOME_FAILED since the pool was made or cleared (ftpool_clear()). A job whose
/// callback fails counts here and not as cancelled or expired, even if it never ran.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_failed(pool: *const ftpool) -> u64 {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.failed())
}

/// The number of jobs that ended FTPOOL_OUTCOME_EXPIRED, because they missed their start deadline
/// (ftpool_submit_options.start_within_ns), since the pool was made or cleared (ftpool_clear()).
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_expired(pool: *const ftpool) -> u64 {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.expired())
}

/// The most worker threads that the pool can have, including extra workers. Every ftpool_worker_index() is below it.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_worker_limit(pool: *const ftpool) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.limit())
}
