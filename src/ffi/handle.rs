//! Handles to single C jobs.

use super::callback::{Callback, ftpool_callback};
use super::check::{self, Call, Checked, status, status_or};
use super::ftpool_status::{self, *};
use super::result::{self, Value};
use super::{ftpool, ftpool_fn, ftpool_job_id, ftpool_result, time};
use crate::api::{Completion, JobState};
use crate::{CallbackKey, JobHandle, Pool, SubmitError};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// A handle to one job, to wait for it, to read its outcome, or to cancel it.
#[derive(Debug)]
pub struct ftpool_job {
    _opaque: (),
}

/// A job's state: it has not started.
pub const FTPOOL_JOB_QUEUED: u32 = 0;
/// A job's state: a worker is running it.
pub const FTPOOL_JOB_RUNNING: u32 = 1;
/// A job's state: it has returned a value.
pub const FTPOOL_JOB_DONE: u32 = 2;
/// A job's state: it has failed.
pub const FTPOOL_JOB_FAILED: u32 = 3;
/// A job's state: it was cancelled before it started.
pub const FTPOOL_JOB_CANCELLED: u32 = 4;
/// A job's state: it did not start before its start deadline.
pub const FTPOOL_JOB_EXPIRED: u32 = 5;

/// Queues `function(arg)` to run on a worker, and returns a handle to the job in `*out_job`.
///
/// **Ownership:** `arg` belongs to the job from now on, unless this fails: then nothing was taken. The caller owns the
/// handle and frees it with ftpool_job_release() or ftpool_job_join(), before or after the end of the job and of the
/// pool. **Thread safety**, **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if `out_job` is NULL. `*out_job` is
/// NULL on failure.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `out_job`
///    is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_job(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_job: *mut *mut ftpool_job,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 3.
    unsafe { submit(pool, function, arg, out_job, |pool, call| pool.submit(move || Value(call.run()))) }
}

/// As ftpool_submit_job(), but ahead of every queued job.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_job().
///
/// # Safety
///
/// As for ftpool_submit_job().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_job_first(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_job: *mut *mut ftpool_job,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 3.
    unsafe { submit(pool, function, arg, out_job, |pool, call| pool.submit_first(move || Value(call.run()))) }
}

/// Runs `function(arg)` on a worker, waits for its end, and returns its outcome in `*out_result`, which may be NULL. In
/// a job of the same pool it waits as ftpool_job_wait() does.
///
/// **Ownership:** `arg` as ftpool_submit(), and after FTPOOL_E_DEADLOCK it belongs to the job, for which nobody waits
/// then; for the result see ftpool_job_wait(). **Thread safety:** any thread. **Returns:** FTPOOL_OK: the job has ended
/// in any way (see ftpool_result.outcome); otherwise as ftpool_submit() and ftpool_job_wait(); FTPOOL_E_INVALID also if
/// the result's size is not valid.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3.
///    `out_result` is NULL or points to a result whose size field is true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_run(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    if !out_result.is_null() {
        // SAFETY: the caller's 3.
        if let Err(status) = unsafe { result::check_size(out_result) } {
            return status;
        }
    }
    let mut job = std::ptr::null_mut();
    // SAFETY: the caller's 1 and 2; 3. the variable is writable.
    let submitted = unsafe { ftpool_submit_job(pool, function, arg, &raw mut job) };
    if submitted != FTPOOL_OK {
        return submitted;
    }
    // SAFETY: 1. the handle was made above; the caller's 3.
    let waited = unsafe { ftpool_job_wait(job, time::FTPOOL_FOREVER, out_result) };
    // SAFETY: 1. as above; it is not used again.
    unsafe { ftpool_job_release(job) };
    waited
}

/// Waits until the job has ended, and returns its outcome in `*out_result`, which may be NULL. It may be called again.
///
/// In a job of the same pool, with FTPOOL_FOREVER, an awaited job that has not started runs in this call (and no other
/// job does), so that one worker is enough. Otherwise, and with a time limit, the worker sleeps.
///
/// **Ownership:** the library does not touch the value; the program decides which reader owns it. For the message see
/// ftpool_result. **Thread safety:** any thread, several at a time. **Returns:** FTPOOL_OK: the job has ended in any
/// way (see ftpool_result.outcome); FTPOOL_TIMEOUT: the job goes on; FTPOOL_E_DEADLOCK in a job that this one waits
/// for, with FTPOOL_FOREVER for a delayed job of the caller's own pool, or if 64 jobs wait on top of each other on this
/// thread and no other worker is free; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `job`
/// is NULL, the result's size is not valid, or the timeout is not valid.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released. 2. `out_result` is NULL or points to a result whose size field
///    is true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_wait(
    job: *mut ftpool_job,
    timeout_ns: i64,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 2.
    status(unsafe { wait(job, timeout_ns, out_result) })
}

/// Waits as ftpool_job_wait(), and frees the handle if the job has ended.
///
/// **Ownership:** after FTPOOL_OK the handle is gone, as after ftpool_job_release(); otherwise it is still the
/// caller's. **Thread safety:** no other call on the handle may be under way, or follow after FTPOOL_OK. **Returns:**
/// as ftpool_job_wait().
///
/// # Safety
///
/// As for ftpool_job_wait().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_join(
    job: *mut ftpool_job,
    timeout_ns: i64,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    // SAFETY: the caller's.
    if unsafe { try_join_done(job, timeout_ns, out_result) } {
        return FTPOOL_OK;
    }
    // SAFETY: the caller's.
    status(unsafe { wait_and_release(job, timeout_ns, out_result) })
}

/// Cancels the job if it has not started: it will never run, and its waiters are woken. A running job goes on, but is
/// asked to stop; it can check that with ftpool_self_cancelled().
///
/// **Ownership:** the argument of a cancelled job belongs to the caller again, unless the job had an arg_free, which
/// has then been called. **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will never run (also if it was
/// cancelled before); FTPOOL_EMPTY: it is running or has ended; FTPOOL_E_INVALID if `job` is NULL.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_cancel(job: *mut ftpool_job) -> ftpool_status {
    // SAFETY: the caller's 1.
    status_or(unsafe { borrow(job) }.map(|job| job.cancel()), FTPOOL_EMPTY)
}

/// Returns whether the job is queued, running, or how it has ended.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_JOB_QUEUED, _RUNNING, _DONE, _FAILED, _CANCELLED or _EXPIRED;
/// FTPOOL_JOB_CANCELLED if `job` is NULL.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_state(job: *const ftpool_job) -> u32 {
    // SAFETY: the caller's 1.
    let state = unsafe { borrow(job) }.map(|job| job.state());
    match state {
        Ok(JobState::Queued) => FTPOOL_JOB_QUEUED,
        Ok(JobState::Running) => FTPOOL_JOB_RUNNING,
        Ok(JobState::Done) => FTPOOL_JOB_DONE,
        Ok(JobState::Failed) => FTPOOL_JOB_FAILED,
        Ok(JobState::Expired) => FTPOOL_JOB_EXPIRED,
        Ok(JobState::Cancelled) | Err(_) => FTPOOL_JOB_CANCELLED,
    }
}

/// The job's id.
///
/// **Thread safety:** any thread. **Returns:** the id; 0 if `job` is NULL.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_get_id(job: *const ftpool_job) -> ftpool_job_id {
    // SAFETY: the caller's 1.
    unsafe { borrow(job) }.map_or(0, |job| job.id().get())
}

/// Registers `callback(context, result)`, which is called once with the job's outcome, just before waiters see it: on
/// the thread that has run the job, or on the one that cancelled or expired it. If the job has already ended, it is
/// called at once, in this call. Its return value is ignored. `*out_key` is for ftpool_job_remove_callback(); `out_key`
/// may be NULL.
///
/// **Ownership:** `context` belongs to the caller, and must stay valid until the callback has returned or was removed.
/// The callback is called even after ftpool_job_release(). **Thread safety:** any thread. **Returns:** FTPOOL_OK;
/// FTPOOL_E_INVALID if `job` or `callback` is NULL.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released. 2. `callback` may be called with `context` on any thread. 3.
///    `out_key` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_on_done(
    job: *mut ftpool_job,
    callback: ftpool_callback,
    context: *mut c_void,
    out_key: *mut u64,
) -> ftpool_status {
    let call = Callback::new(callback, context).ok_or(FTPOOL_E_INVALID);
    // SAFETY: the caller's 1.
    let key = call.and_then(|call| unsafe { borrow(job) }.map(|job| on_done(&job, call)));
    // SAFETY: the caller's 3.
    status(key.map(|CallbackKey(key)| unsafe { check::store(out_key, key) }))
}

/// Removes a callback.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will not be called; FTPOOL_EMPTY: it was called, or is
/// being called, or there is none with this `key`; FTPOOL_E_INVALID if `job` is NULL.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_remove_callback(job: *mut ftpool_job, key: u64) -> ftpool_status {
    // SAFETY: the caller's 1.
    status_or(unsafe { borrow(job) }.map(|job| job.remove_callback(CallbackKey(key))), FTPOOL_EMPTY)
}

/// Frees a handle. The job is not cancelled. NULL is accepted and ignored.
///
/// **Ownership:** the handle is gone; a value that was not read is lost, and what it points to is not freed. **Thread
/// safety:** no other call on the handle may be under way or follow.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_job_release(job: *mut ftpool_job) {
    // SAFETY: the caller's 1.
    drop(unsafe { owned(job) });
}

/// Turns a handle into a pointer, which a program owns from now on.
pub(super) fn into_ptr(job: JobHandle<Value>) -> *mut ftpool_job {
    job.into_reader().into_raw().cast().as_ptr()
}

/// Takes a handle back from a program.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released, and that the program does not use any more.
pub(super) unsafe fn owned(job: *mut ftpool_job) -> Checked<JobHandle<Value>> {
    // SAFETY: the caller's 1.
    unsafe { borrow(job) }.map(ManuallyDrop::into_inner)
}

/// Borrows the handle behind a pointer.
///
/// # Safety
///
/// 1. `job` is NULL or a handle that was not released.
pub(super) unsafe fn borrow(job: *const ftpool_job) -> Checked<ManuallyDrop<JobHandle<Value>>> {
    let pointer = NonNull::new(job.cast_mut()).ok_or(FTPOOL_E_INVALID)?;
    // SAFETY: 1. it came from `into_raw`, and only the release drops it. Several threads may use it at a time: the
    // slot's words are atomic, its id was set before the pointer was returned to the program, and a `Value` is only
    // copied, and an error only formatted.
    let reader = unsafe { crate::api::SlotReader::from_raw(pointer.cast()) };
    Ok(ManuallyDrop::new(JobHandle::new(reader)))
}

fn on_done(job: &JobHandle<Value>, call: Callback) -> CallbackKey {
    let id = job.id().get();
    job.on_completion(move |completion: &Completion<Value>| call.call_with(id, completion))
}

/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_job` is NULL or writable.
unsafe fn submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    out_job: *mut *mut ftpool_job,
    submit: impl FnOnce(&Pool, Call) -> Result<JobHandle<Value>, SubmitError>,
) -> ftpool_status {
    let submit = || {
        // SAFETY: the caller's 1; a pool waits for submits before it is freed.
        let pool = unsafe { check::pool(pool) }?;
        Ok(into_ptr(submit(&pool, Call::new(function, arg)?)?))
    };
    // SAFETY: the caller's 2.
    unsafe { check::store_new(out_job, submit) }
}

/// The fast path of a join: the job has returned a value already, and nothing else. False: nothing was done.
///
/// # Safety
///
/// As for [`ftpool_job_join`].
#[inline(always)]
unsafe fn try_join_done(job: *mut ftpool_job, timeout_ns: i64, out_result: *mut ftpool_result) -> bool {
    // SAFETY: the caller's 2.
    let has_room = || out_result.is_null() || unsafe { result::check_size(out_result) }.is_ok();
    // SAFETY: the caller's 1.
    let Ok(job) = (unsafe { borrow(job) }) else { return false };
    if timeout_ns < time::FTPOOL_FOREVER || !has_room() {
        return false;
    }
    let Some(Completion { result: Ok(value), extra: None }) = job.completion() else { return false };
    if !out_result.is_null() {
        // SAFETY: the caller's 2.
        unsafe { result::fill_from(out_result, job.id().get(), Ok(value), None) };
    }
    ManuallyDrop::into_inner(job).into_reader().take(std::mem::forget); // A `Value` has no destructor.
    true
}

/// # Safety
///
/// As for [`ftpool_job_join`].
#[cold]
#[inline(never)]
unsafe fn wait_and_release(job: *mut ftpool_job, timeout_ns: i64, out_result: *mut ftpool_result) -> Checked<()> {
    // SAFETY: the caller's 1 and 2.
    unsafe { wait(job, timeout_ns, out_result) }?;
    // SAFETY: the caller's 1; it is not used again.
    unsafe { owned(job) }.map(drop)
}

/// # Safety
///
/// As for [`ftpool_job_wait`].
unsafe fn wait(job: *mut ftpool_job, timeout_ns: i64, out_result: *mut ftpool_result) -> Checked<()> {
    // SAFETY: the caller's 1.
    let job = unsafe { borrow(job) }?;
    if !out_result.is_null() {
        // SAFETY: the caller's 2.
        unsafe { result::check_size(out_result) }?;
    }
    job.wait(time::deadline(timeout_ns)?)?;
    if let Some(Completion { result, extra }) = job.completion().filter(|_| !out_result.is_null()) {
        if result.is_err() {
            result::forget_texts();
        }
        // SAFETY: the caller's 2.
        unsafe { result::fill_from(out_result, job.id().get(), result.as_ref(), extra.as_deref()) };
    }
    Ok(())
}
