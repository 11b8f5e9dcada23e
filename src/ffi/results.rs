//! Results objects in C.

use super::callback::{Callback, Free, ftpool_callback, ftpool_free_fn};
use super::check::{self, Call, Checked, status};
use super::ftpool_status;
use super::result::Value;
use super::{ftpool, ftpool_fn, ftpool_job_id};
use crate::api::Discard;
use crate::{Results, SubmitError};
use std::ffi::c_void;

/// A results object collects the outcomes of many jobs, in a done queue and a failed queue. Every job submitted through
/// it leaves exactly one outcome: a value in the done queue, or a failure (failed, cancelled or expired) in the failed
/// queue. (Jobs that emit and schedules leave more.)
#[derive(Debug)]
pub struct ftpool_results {
    pub(super) results: Results<Value>,
    pub(super) value_free: ftpool_free_fn,
}

/// The options of a results object, for ftpool_results_new_with(). Initialise it with FTPOOL_RESULTS_OPTIONS_INIT,
/// which means all defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_results_options {
    /// sizeof(ftpool_results_options), set by FTPOOL_RESULTS_OPTIONS_INIT.
    pub size: usize,
    /// The most unread outcomes that the object holds; 0 means no bound. A worker whose outcome does not fit waits
    /// until one is read, the object is freed, or the pool is shut down. Outcomes of jobs that did not run are
    /// delivered even above the bound.
    pub done_max: usize,
    /// Called with every value that was not read when the object is freed, and with those that arrive later; on any
    /// thread. May be NULL.
    pub value_free: ftpool_free_fn,
    /// Called with every outcome, on a thread of its own, with one at a time; reading then returns FTPOOL_E_BUSY. The
    /// callback owns the values. A return value other than 0 is kept for ftpool_results_next_callback_failure(). May be
    /// NULL.
    pub callback: ftpool_callback,
    /// Passed to the callback. It must stay valid until ftpool_results_free() has returned.
    pub callback_context: *mut c_void,
}

/// Makes a results object. A pool can have any number of them.
///
/// **Ownership:** the caller owns the object and frees it with ftpool_results_free(), before or after the pool.
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL. `*out_results` is
/// NULL on failure.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_results` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_new(pool: *mut ftpool, out_results: *mut *mut ftpool_results) -> ftpool_status {
    // SAFETY: the caller's 1 and 2; there are no options.
    unsafe { ftpool_results_new_with(pool, std::ptr::null(), out_results) }
}

/// Makes a results object with options. `options` may be NULL, which means all defaults.
///
/// **Ownership**, **Thread safety:** as ftpool_results_new(); the options are copied. **Returns:** FTPOOL_OK;
/// FTPOOL_E_INVALID if `pool` or `out_results` is NULL or the options' size is not valid; FTPOOL_E_VERSION if they have
/// fields that this library does not know; FTPOOL_E_THREAD if the system refused a thread for the callback.
/// `*out_results` is NULL on failure.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `options` is NULL or points to as many bytes as its size field
///    says, and its functions may be called as described. 3. `out_results` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_new_with(
    pool: *mut ftpool,
    options: *const ftpool_results_options,
    out_results: *mut *mut ftpool_results,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 2.
    let make = || unsafe { make(pool, options) }.map(|made| Box::into_raw(Box::new(made)));
    // SAFETY: the caller's 3.
    unsafe { check::store_new(out_results, make) }
}

/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `options` is NULL or points to as many bytes as its size field
///    says.
unsafe fn make(pool: *mut ftpool, options: *const ftpool_results_options) -> Checked<ftpool_results> {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) }?;
    // SAFETY: 1. the caller's 2; 2. numbers and pointers.
    let asked = unsafe { check::known_part(options) }?;
    let discard =
        Free::new(asked.value_free).map(|free| -> Discard<Value> { Box::new(move |value| free.call(value.0)) });
    let results = pool.results_with(asked.done_max, discard);
    if let Some(callback) = Callback::new(asked.callback, asked.callback_context) {
        let started = results.try_on_outcome(move |outcome| callback.try_call_last(&outcome));
        started.map_err(SubmitError::Thread)?;
    }
    Ok(ftpool_results { results, value_free: asked.value_free })
}

/// Frees a results object. Outcomes that were not read are dropped, and so are those of jobs that have not ended yet.
/// If the object has a callback, that is called for the outcomes that have arrived, and not after this has returned,
/// unless the callback itself calls this. NULL is accepted and ignored.
///
/// **Ownership:** the object is gone; values that were not read are passed to its value_free, if it has one. **Thread
/// safety:** no other call on the object may be under way or follow.
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_free(results: *mut ftpool_results) {
    if !results.is_null() {
        // SAFETY: the caller's 1; it was made by ftpool_results_new.
        drop(unsafe { Box::from_raw(results) });
    }
}

/// Queues `function(arg)` to run on a worker; what it returns becomes an outcome of this object. `out_id` may be NULL.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed. 2. `function` may be called with `arg` on any thread.
///    3. `out_id` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_submit(
    results: *mut ftpool_results,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let results = unsafe { check::object(results) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(results, function, arg, out_id, |to, call| to.results.submit(keep_value(call))) }
}

/// As ftpool_results_submit(), but ahead of every queued job of the pool.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
///
/// # Safety
///
/// As for ftpool_results_submit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_submit_first(
    results: *mut ftpool_results,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let results = unsafe { check::object(results) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(results, function, arg, out_id, |to, call| to.results.submit_first(keep_value(call))) }
}

/// Queues `function(args[i])` for each `i` below `count`; what they return becomes outcomes of this object. Either all
/// jobs are accepted or none is. `out_ids` is NULL or has room for `count` ids.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_batch(), also for a batch that is larger than
/// max_queued.
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed. 2. `args` points to `count` pointers with each of which
///    `function` may be called on any thread. 3. `out_ids` is NULL or has room for `count` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_submit_batch(
    results: *mut ftpool_results,
    function: ftpool_fn,
    args: *const *mut c_void,
    count: usize,
    out_ids: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let results = unsafe { check::object(results) };
    // SAFETY: the caller's 2.
    let calls = unsafe { Call::each(function, args, count) };
    let ids = results.and_then(|to| Ok(to.results.submit_batch(calls?.into_iter().map(keep_value))?));
    // SAFETY: the caller's 3.
    status(ids.map(|ids| unsafe { check::store_ids(out_ids, &ids) }))
}

#[inline(always)]
fn keep_value(call: Call) -> impl FnOnce() -> Value + Send + 'static {
    move || Value(call.run())
}
