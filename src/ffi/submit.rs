//! Fire and forget, and cancel.

use super::check::{self, Call, Checked, status};
use super::ftpool;
use super::ftpool_status::{self, *};
use crate::{JobId, Pool, SubmitError};
use std::convert::Infallible;
use std::ffi::c_void;

/// A job: pthread's own shape. What it returns is its value, which fire-and-forget jobs have no use for. It must
/// return: a C++ exception, pthread_exit() or another unwind out of it aborts the process.
pub type ftpool_fn = Option<unsafe extern "C" fn(arg: *mut c_void) -> *mut c_void>;

/// The name of an accepted job, never used twice in the life of a process. 0 names none.
pub type ftpool_job_id = u64;

/// Runs `function(arg)` on a worker, some time. A failure is counted (ftpool_failed()), otherwise nothing is kept.
/// `out_id` may be NULL.
///
/// **Ownership:** `arg` is the job's from now on. After a failure nothing was taken. **Thread safety:** any thread,
/// jobs of the pool included, even while it shuts down. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or
/// `function` is NULL; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_FULL: there is no room, and the
/// config's policy does not wait for any, or not for so long; FTPOOL_E_NOMEM; FTPOOL_E_THREAD: there is no worker, and
/// the system refuses to start one; FTPOOL_E_FORKED.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `out_id` is
///    NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 3.
    status(unsafe { submit(pool, function, arg, out_id, |pool, call| pool.try_spawn(discard_value(call))) })
}

/// As ftpool_submit(), but before every job that is queued. Of several such jobs the one submitted last runs first.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
///
/// # Safety
///
/// As for ftpool_submit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_first(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 3.
    status(unsafe { submit(pool, function, arg, out_id, |pool, call| pool.try_spawn_first(discard_value(call))) })
}

/// Runs `function(args[i])` for each i below `count`, which costs less than submitting one by one. All are accepted or
/// none. `out_ids` may be NULL, or has room for `count` ids.
///
/// **Ownership**, **Thread safety:** as ftpool_submit(); the array itself is only read. **Returns:** as
/// ftpool_submit(); FTPOOL_E_INVALID also if `args` is NULL and `count` is not 0.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `args` points to `count` pointers with each of which `function`
///    may be called on any thread. 3. `out_ids` is NULL or has room for `count` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_batch(
    pool: *mut ftpool,
    function: ftpool_fn,
    args: *const *mut c_void,
    count: usize,
    out_ids: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = match unsafe { check::held(pool) } {
        Ok(pool) => pool,
        Err(status) => return status,
    };
    // SAFETY: the caller's 2.
    let calls = unsafe { Call::each(function, args, count) };
    let ids = calls.and_then(|calls| Ok(pool.try_spawn_batch(calls.into_iter().map(discard_value))?));
    // SAFETY: the caller's 3.
    status(ids.map(|ids| unsafe { check::store_ids(out_ids, &ids) }))
}

/// Cancels a queued job: it will never run. Takes the same short time however many jobs are queued. A job that was to
/// leave an outcome in a results object leaves FTPOOL_OUTCOME_CANCELLED there.
///
/// **Ownership:** the job's `arg` is the caller's again, unless it had an arg_free, which has been called then.
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will never run; FTPOOL_EMPTY: too late (running, done,
/// cancelled before), or no job of this pool has this id; FTPOOL_E_INVALID if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_cancel(pool: *mut ftpool, id: ftpool_job_id) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::held(pool) };
    let cancelled = pool.map(|pool| JobId::from_number(id).is_some_and(|id| pool.cancel(id)));
    status(cancelled.and_then(|cancelled| if cancelled { Ok(()) } else { Err(FTPOOL_EMPTY) }))
}

#[inline(always)]
pub(super) fn discard_value(call: Call) -> impl Fn() -> Result<(), Infallible> + Send + Sync + 'static {
    move || {
        call.run();
        Ok(())
    }
}

/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_id` is NULL or writable.
#[inline(always)]
unsafe fn submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
    submit: impl FnOnce(&Pool, Call) -> Result<JobId, SubmitError>,
) -> Checked<()> {
    // SAFETY: the caller's 1; a submit is a visit, which the pool's end waits for.
    let pool = unsafe { check::pool(pool) }?;
    let id = submit(&pool, Call::new(function, arg)?)?;
    // SAFETY: the caller's 2.
    unsafe { check::store(out_id, id.get()) };
    Ok(())
}
