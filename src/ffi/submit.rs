//! Submitting and cancelling C jobs.

use super::check::{self, Call, status, status_or};
use super::ftpool;
use super::ftpool_status::{self, *};
use crate::JobId;
use std::convert::Infallible;
use std::ffi::c_void;

/// A job's function, with the signature of pthread start routines. What it returns is the job's value. It must return:
/// a C++ exception, pthread_exit() or any other unwinding out of it aborts the process.
pub type ftpool_fn = Option<unsafe extern "C" fn(arg: *mut c_void) -> *mut c_void>;

/// The id of an accepted job, unique in the process and never reused. 0 is no job's id.
pub type ftpool_job_id = u64;

/// Queues `function(arg)` to run on a worker. Its value is dropped; a failure is counted (ftpool_failed()). `out_id`
/// may be NULL. To get the value, use ftpool_submit_job() or ftpool_results_submit().
///
/// **Ownership:** `arg` belongs to the job from now on, unless this fails: then nothing was taken. If the job is
/// cancelled, `arg` is the caller's again; to have it freed in every case, use ftpool_submit_with() and arg_free.
/// **Thread safety:** any thread; the pool's own jobs also while the pool drains. **Returns:** FTPOOL_OK;
/// FTPOOL_E_INVALID if `pool` or `function` is NULL; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: a hook has failed;
/// FTPOOL_FULL: the queue is full, and the policy in the config does not wait, or did not wait long enough;
/// FTPOOL_E_NOMEM; FTPOOL_E_THREAD: the pool has no worker but those that block, and the system refused to start one;
/// FTPOOL_E_FORKED.
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
    // SAFETY: the caller's 1; a pool waits for submits before it is freed.
    let pool = unsafe { check::pool(pool) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(pool, function, arg, out_id, |pool, call| pool.try_spawn(discard_value(call))) }
}

/// As ftpool_submit(), but ahead of every queued job. Of several such jobs, the last one starts first.
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
    // SAFETY: the caller's 1; a pool waits for submits before it is freed.
    let pool = unsafe { check::pool(pool) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(pool, function, arg, out_id, |pool, call| pool.try_spawn_first(discard_value(call))) }
}

/// Queues `function(args[i])` for each `i` below `count`, which costs less than submitting one by one. Either all jobs
/// are accepted or none is. `out_ids` is NULL or has room for `count` ids.
///
/// **Ownership**, **Thread safety:** as ftpool_submit(); the array itself is only read. **Returns:** as
/// ftpool_submit(); FTPOOL_FULL, at once, also if there are more than max_queued jobs, unless the policy is
/// FTPOOL_POLICY_CALLER_RUNS or _HAND_OFF, or the caller may submit above the limit (see ftpool_config.policy);
/// FTPOOL_E_INVALID also if `args` is NULL and `count` is not 0.
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
    let pool = unsafe { check::retained(pool) };
    // SAFETY: the caller's 2.
    let calls = unsafe { Call::each(function, args, count) };
    let ids = pool.and_then(|pool| Ok(pool.try_spawn_batch(calls?.into_iter().map(discard_value))?));
    // SAFETY: the caller's 3.
    status(ids.map(|ids| unsafe { check::store_ids(out_ids, &ids) }))
}

/// Cancels a job that has not started, queued or delayed, so that it will never run; or ends a schedule; a run of it
/// that is in progress goes on. The outcome, if it leaves one, is FTPOOL_OUTCOME_CANCELLED. The cost does not depend on
/// how many jobs are queued.
///
/// **Ownership:** the job's `arg` belongs to the caller again, unless the job had an arg_free, which has then been
/// called; in both cases not before a run of the schedule in progress has ended. **Thread safety:** any thread.
/// **Returns:** FTPOOL_OK: it is cancelled; FTPOOL_EMPTY: it is running, has ended or was cancelled before, or no job
/// of this pool has this id; FTPOOL_E_INVALID if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_cancel(pool: *mut ftpool, id: ftpool_job_id) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    status_or(pool.map(|pool| JobId::from_number(id).is_some_and(|id| pool.cancel(id))), FTPOOL_EMPTY)
}

#[inline(always)]
pub(super) fn discard_value(call: Call) -> impl Fn() -> Result<(), Infallible> + Send + Sync + 'static {
    move || {
        call.run();
        Ok(())
    }
}
