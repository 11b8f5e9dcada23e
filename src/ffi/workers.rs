//! A pool's workers in C.

use super::check::{self, Checked, status};
use super::ftpool_status::{self, *};
use super::shared::Shared;
use super::{ftpool, ftpool_fn};
use std::ffi::c_void;

/// The function of ftpool_broadcast(); `worker` is the worker's index, as in ftpool_worker_index(). It must return, as
/// a job must.
pub type ftpool_worker_fn = Option<unsafe extern "C" fn(context: *mut c_void, worker: usize) -> *mut c_void>;

/// Starts up to `count` workers before there are jobs for them, as far as the limit allows. `*out_started` is how many
/// were started; `out_started` may be NULL.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_THREAD: the system refused a thread; those started
/// before stay; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_started` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_spawn_workers(
    pool: *mut ftpool,
    count: usize,
    out_started: *mut usize,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    let started: Checked<usize> = pool.and_then(|pool| Ok(pool.spawn_workers(count)?));
    // SAFETY: the caller's 2.
    status(started.map(|count| unsafe { check::store(out_started, count) }))
}

/// Calls `function(context, index)` once on every worker, and returns when all calls have returned. The call first
/// starts workers up to the limit, then reaches every thread that the pool has at that moment: as many as the limit
/// says, fewer if the system refuses a thread, more while extra workers exist. A sleeping worker is woken, a busy one
/// calls the function between its current job and the next. A broadcast cannot be cancelled. At most `capacity` values
/// are written to `out_values`, in the order of the indices; `*out_count` is how many there are. Both may be NULL.
///
/// **Ownership:** `context` and the values belong to the program. **Thread safety:** any thread but the pool's own; the
/// function runs on several threads at a time. **Returns:** FTPOOL_OK; FTPOOL_E_DEADLOCK in a job of this pool;
/// FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: also if a start hook fails, and then the function may have run on other workers;
/// FTPOOL_E_THREAD: the pool has no worker, and the system refused to start one; FTPOOL_E_FORKED; FTPOOL_E_INVALID if
/// `pool` or `function` is NULL, or `out_values` is and `capacity` is not 0. ftpool_fail() in the function counts for
/// the surrounding job.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that is not freed before the call returns. 2. `function` may be called with `context` on
///    any thread. 3. `out_values` is NULL or has room for `capacity` pointers. 4. `out_count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_broadcast(
    pool: *mut ftpool,
    function: ftpool_worker_fn,
    context: *mut c_void,
    out_values: *mut *mut c_void,
    capacity: usize,
    out_count: *mut usize,
) -> ftpool_status {
    let Some(function) = function else { return FTPOOL_E_INVALID };
    if out_values.is_null() && capacity > 0 {
        return FTPOOL_E_INVALID;
    }
    let context = Shared(context);
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    // SAFETY: the caller's 2.
    let call = |worker| Shared(unsafe { function(context.get(), worker) });
    let values: Checked<_> = pool.and_then(|pool| Ok(pool.broadcast(call)?));
    status(values.map(|values| {
        for (i, value) in values.iter().take(capacity).enumerate() {
            // SAFETY: the caller's 3.
            let place = unsafe { out_values.add(i) };
            // SAFETY: the caller's 3.
            unsafe { place.write(value.get()) };
        }
        // SAFETY: the caller's 4.
        unsafe { check::store(out_count, values.len()) };
    }))
}

/// Calls `function(arg)`, which blocks: it waits for a file, a lock, a child process, or another job. Its value is
/// stored in `*out_value`, which may be NULL.
///
/// Meanwhile the worker does not count against the limit of its pool, so that another one may start and run queued
/// jobs. The config's extra_workers says for how many workers at a time this holds; by default for none, and then this
/// only calls the function. When the function has returned, the job goes on at once; a worker that is now in excess
/// finishes the jobs it has taken, and sleeps until it is needed again. Nested calls count once.
///
/// **Ownership:** `arg` and the value belong to the program. **Thread safety:** any thread. **Returns:** FTPOOL_OK;
/// FTPOOL_E_INVALID if `function` is NULL.
///
/// # Safety
///
/// 1. `function` may be called with `arg`. 2. `out_value` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_blocking(
    function: ftpool_fn,
    arg: *mut c_void,
    out_value: *mut *mut c_void,
) -> ftpool_status {
    let Some(function) = function else { return FTPOOL_E_INVALID };
    // SAFETY: the caller's 1.
    let value = crate::blocking(|| unsafe { function(arg) });
    // SAFETY: the caller's 2.
    unsafe { check::store(out_value, value) };
    FTPOOL_OK
}
