//! Waiting for several C jobs, at once or as they end.

use super::check::{self, Checked, status};
use super::ftpool_status::{self, *};
use super::handle::{borrow, into_ptr, owned};
use super::result::Value;
use super::{ftpool_job, time};
use crate::api::wait_for;
use crate::{Completed, Deadline, JobHandle, Until, as_completed};

/// ftpool_wait_jobs() waits until every job has ended.
pub const FTPOOL_UNTIL_ALL: u32 = 0;
/// ftpool_wait_jobs() waits until one job has ended.
pub const FTPOOL_UNTIL_FIRST: u32 = 1;
/// ftpool_wait_jobs() waits until one job has ended without a value, or all have ended.
pub const FTPOOL_UNTIL_FIRST_FAILED: u32 = 2;

/// Waits until all of `count` jobs, or the first of them, have ended, as `until` says: FTPOOL_UNTIL_ALL, _FIRST or
/// _FIRST_FAILED. Returns at once if `count` is 0. Jobs may belong to several pools, and may occur more than once.
/// `*out_done` is how many of the `count` have ended, also after FTPOOL_TIMEOUT; `out_done` may be NULL.
/// ftpool_job_state() tells which have ended. To process many jobs as they end, use ftpool_completed_next().
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all remaining
/// jobs wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if `jobs` is NULL and
/// `count` is not 0, a job is NULL, or `until` or the timeout is not valid.
///
/// # Safety
///
/// 1. `jobs` points to `count` handles that were not released, or NULLs. 2. `out_done` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_jobs(
    jobs: *const *mut ftpool_job,
    count: usize,
    until: u32,
    timeout_ns: i64,
    out_done: *mut usize,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let waited = unsafe { wait_all(jobs, count, until, timeout_ns) };
    let result = waited.and_then(|(done, result)| {
        // SAFETY: the caller's 2.
        unsafe { check::store(out_done, done) };
        result
    });
    status(result)
}

/// A set of handles, which returns them as their jobs end, starting with those that have ended already. The cost of
/// each does not depend on how many there are. For a few jobs, ftpool_wait_jobs() is simpler.
#[derive(Debug)]
pub struct ftpool_completed(Completed<Value>);

/// Makes an empty set of handles.
///
/// **Ownership:** the caller owns the object and ends it with ftpool_completed_free(). **Thread safety:** any thread.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_completed` is NULL.
///
/// # Safety
///
/// 1. `out_completed` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_completed_new(out_completed: *mut *mut ftpool_completed) -> ftpool_status {
    let make = || Ok(Box::into_raw(Box::new(ftpool_completed(as_completed([], Deadline::NEVER)))));
    // SAFETY: the caller's 1.
    unsafe { check::store_new(out_completed, make) }
}

/// Frees the set and the handles in it; their jobs are not cancelled. NULL is accepted and ignored.
///
/// **Ownership:** the object is gone. **Thread safety:** no other call on the object may be under way or follow.
///
/// # Safety
///
/// 1. `completed` is NULL or an object that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_completed_free(completed: *mut ftpool_completed) {
    if !completed.is_null() {
        // SAFETY: the caller's 1; it was made by ftpool_completed_new.
        drop(unsafe { Box::from_raw(completed) });
    }
}

/// Adds a handle, at any time, including between two calls of ftpool_completed_next().
///
/// **Ownership:** the handle belongs to the object until ftpool_completed_next() returns it. Until then it must not be
/// added again, and all calls on it but ftpool_job_release() and ftpool_job_join() are allowed. **Thread safety:** one
/// thread at a time may use the object. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL, and the handle
/// stays the caller's.
///
/// # Safety
///
/// 1. `completed` is NULL or an object that was not freed, and no other call on it is under way. 2. `job` is NULL or a
///    handle that was not released, which the caller owns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_completed_add(completed: *mut ftpool_completed, job: *mut ftpool_job) -> ftpool_status {
    // SAFETY: the caller's 1.
    let Some(completed) = (unsafe { completed.as_mut() }) else { return FTPOOL_E_INVALID };
    // SAFETY: the caller's 2.
    status(unsafe { owned(job) }.map(|job| completed.0.push(job)))
}

/// Waits for the next job to end, and returns its handle in `*out_job`. In a job of the same pool it waits as
/// ftpool_job_wait() does.
///
/// **Ownership:** the handle is the caller's again. **Thread safety:** one thread at a time may use the object.
/// **Returns:** FTPOOL_OK; FTPOOL_EMPTY if the set is empty; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all
/// remaining jobs wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if an argument
/// is NULL or the timeout is not valid. `*out_job` is NULL unless FTPOOL_OK.
///
/// # Safety
///
/// 1. `completed` is NULL or an object that was not freed, and no other call on it is under way. 2. `out_job` is NULL
///    or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_completed_next(
    completed: *mut ftpool_completed,
    timeout_ns: i64,
    out_job: *mut *mut ftpool_job,
) -> ftpool_status {
    let next = || {
        // SAFETY: the caller's 1.
        let completed = unsafe { completed.as_mut() }.ok_or(FTPOOL_E_INVALID)?;
        let job = completed.0.next_until(time::deadline(timeout_ns)?).ok_or(FTPOOL_EMPTY)?;
        Ok(into_ptr(job?))
    };
    // SAFETY: the caller's 2.
    unsafe { check::store_new(out_job, next) }
}

/// Waits, and returns how many jobs have ended, and the status.
///
/// # Safety
///
/// 1. `jobs` points to `count` handles that were not released, or NULLs.
unsafe fn wait_all(
    jobs: *const *mut ftpool_job,
    count: usize,
    until: u32,
    timeout_ns: i64,
) -> Checked<(usize, Checked<()>)> {
    let deadline: Deadline = time::deadline(timeout_ns)?;
    let until = match until {
        FTPOOL_UNTIL_ALL => Until::All,
        FTPOOL_UNTIL_FIRST => Until::First,
        FTPOOL_UNTIL_FIRST_FAILED => Until::FirstFailed,
        _ => return Err(FTPOOL_E_INVALID),
    };
    if count == 0 {
        return Ok((0, Ok(())));
    }
    if jobs.is_null() || count > isize::MAX as usize / size_of::<*mut ftpool_job>() {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 1.
    let pointers = unsafe { std::slice::from_raw_parts(jobs, count) };
    // SAFETY: the caller's 1.
    let jobs = pointers.iter().map(|&job| unsafe { borrow(job) }).collect::<Checked<Vec<_>>>()?;
    let jobs: Vec<&JobHandle<Value>> = jobs.iter().map(|job| &**job).collect();
    let enough = wait_for(&jobs, until, deadline)?;
    let done = jobs.iter().filter(|job| job.is_done()).count();
    Ok((done, if enough { Ok(()) } else { Err(FTPOOL_TIMEOUT) }))
}
