//! Delayed and scheduled C jobs.

use super::check::{self, Checked, status, status_or};
use super::ftpool_status::{self, *};
use super::submit::discard_value;
use super::time::{from_duration, nanoseconds};
use super::{ftpool, ftpool_fn, ftpool_job_id};
use crate::{JobId, Pool, Timer};
use std::ffi::c_void;
use std::time::UNIX_EPOCH;

/// Runs `function(arg)` on a worker `delay_ns` from now, and never early. When the delay is over, the job is queued
/// ahead of the jobs that were submitted without a delay, and behind delayed jobs that were due earlier. The delay goes
/// by the monotonic clock, which is never set, and which on Linux does not count the time that the machine is
/// suspended. A waiting job costs memory but no thread. `out_id` may be NULL.
///
/// ftpool_cancel() accepts the id until the job starts, and ftpool_reschedule() changes the delay. A shutdown cancels
/// the delayed jobs that are not yet due.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(); FTPOOL_E_THREAD also if the system refused the
/// timer thread; FTPOOL_E_INVALID also if the delay is negative.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `out_id` is
///    NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_later(
    pool: *mut ftpool,
    delay_ns: i64,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    let submit =
        |pool: Pool, call| -> Checked<JobId> { Ok(pool.try_spawn_at(nanoseconds(delay_ns)?, discard_value(call))?) };
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(pool, function, arg, out_id, submit) }
}

/// Runs `function(arg)` on a worker when the wall clock shows `ns_since_1970`, also if that clock is set meanwhile.
/// `out_id` may be NULL. For a time that repeats, or that may have passed, use ftpool_submit_timed().
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_later(); FTPOOL_E_INVALID also if the time has
/// passed.
///
/// # Safety
///
/// As for ftpool_submit_later().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_at(
    pool: *mut ftpool,
    ns_since_1970: i64,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    let submit = |pool: Pool, call| -> Checked<JobId> {
        Ok(pool.try_spawn_at(UNIX_EPOCH + nanoseconds(ns_since_1970)?, discard_value(call))?)
    };
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(pool, function, arg, out_id, submit) }
}

/// Runs `function(arg)` on a worker every `interval_ns`, for the first time one interval from now, without drift. A
/// tick that is due while the job of an earlier tick is queued or running is skipped; for other behaviour use
/// ftpool_submit_timed(). A run that fails is counted, and the schedule goes on. The id stands for the whole schedule:
/// ftpool_cancel() ends it, and removes a tick that is queued. `out_id` may be NULL.
///
/// **Ownership:** `arg` belongs to the job until the schedule has been cancelled or the pool has ended, and no run is
/// in progress; ftpool_submit_timed() has an arg_free, which is called then. **Thread safety:** as ftpool_submit().
/// **Returns:** as ftpool_submit_later(); FTPOOL_E_INVALID also if the interval is not above 0.
///
/// # Safety
///
/// As for ftpool_submit_later().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_schedule(
    pool: *mut ftpool,
    interval_ns: i64,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    let submit =
        |pool: Pool, call| -> Checked<JobId> { Ok(pool.try_schedule(nanoseconds(interval_ns)?, discard_value(call))?) };
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(pool, function, arg, out_id, submit) }
}

/// Makes a delayed job that has not started, or the next tick of a schedule, due `delay_ns` from now instead. The cost
/// does not depend on how many timers there are.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: it is too late, or no timer of this pool has
/// this id, or its next tick is not known yet, because it follows the end of a run (fixed delay, or coalesced ticks);
/// FTPOOL_E_INVALID if `pool` is NULL or the delay is negative.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_reschedule(pool: *mut ftpool, id: ftpool_job_id, delay_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    let rescheduled = pool.and_then(|pool| {
        let delay = nanoseconds(delay_ns)?;
        Ok(JobId::from_number(id).is_some_and(|id| pool.reschedule(id, delay)))
    });
    status_or(rescheduled, FTPOOL_EMPTY)
}

/// Returns the time until a timer is next due, in nanoseconds.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: no timer of this pool has this id, or the time
/// is not known (a delayed job is queued, or the next tick follows the end of a run: fixed delay, or coalesced ticks);
/// FTPOOL_E_INVALID if `pool` or `out_due_in_ns` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_due_in_ns` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_timer_next_due(
    pool: *mut ftpool,
    id: ftpool_job_id,
    out_due_in_ns: *mut i64,
) -> ftpool_status {
    if out_due_in_ns.is_null() {
        return FTPOOL_E_INVALID;
    }
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) };
    let timer = pool.and_then(|pool| JobId::from_number(id).and_then(|id| pool.timer(id)).ok_or(FTPOOL_EMPTY));
    let due_in = timer.and_then(|timer| timer.due_in.ok_or(FTPOOL_EMPTY));
    // SAFETY: the caller's 2.
    status(due_in.map(|due_in| unsafe { check::store(out_due_in_ns, from_duration(due_in)) }))
}

/// The number of delayed jobs that are not due yet.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_delayed_count(pool: *const ftpool) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.delayed_count())
}

/// The number of active schedules.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_scheduled_count(pool: *const ftpool) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::retained(pool) }.map_or(0, |pool| pool.scheduled_count())
}

/// Lists the ids of the delayed jobs that are not due yet, in no particular order. Writes at most `capacity` ids to
/// `out_ids`; `*out_count` is how many there are, which may be more.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
/// `out_ids` is and `capacity` is not 0.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_ids` is NULL or has room for `capacity` ids. 3. `out_count`
///    is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_delayed_ids(
    pool: *mut ftpool,
    capacity: usize,
    out_ids: *mut ftpool_job_id,
    out_count: *mut usize,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    unsafe { check::list_ids(pool, capacity, out_ids, out_count, |pool| ids(pool.delayed())) }
}

/// Lists the ids of the active schedules, as ftpool_delayed_ids() lists delayed jobs.
///
/// **Thread safety**, **Returns:** as ftpool_delayed_ids().
///
/// # Safety
///
/// As for ftpool_delayed_ids().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_scheduled_ids(
    pool: *mut ftpool,
    capacity: usize,
    out_ids: *mut ftpool_job_id,
    out_count: *mut usize,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    unsafe { check::list_ids(pool, capacity, out_ids, out_count, |pool| ids(pool.scheduled())) }
}

/// Returns the tick that the running job was queued for: its number, counted from 1 and including skipped ticks (1 for
/// a delayed job), and how long after its due time the job started. Both pointers may be NULL.
///
/// **Thread safety:** in a job, on the thread that runs it. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside a job, and
/// in one that was not delayed.
///
/// # Safety
///
/// 1. `out_number` and `out_late_by_ns` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_self_tick(out_number: *mut u64, out_late_by_ns: *mut i64) -> ftpool_status {
    let Some(tick) = crate::current_tick() else { return FTPOOL_E_INVALID };
    // SAFETY: the caller's 1.
    unsafe { check::store(out_number, tick.number) };
    // SAFETY: the caller's 1.
    unsafe { check::store(out_late_by_ns, from_duration(tick.late_by)) };
    FTPOOL_OK
}

fn ids(timers: Vec<Timer>) -> Vec<JobId> {
    timers.into_iter().map(|timer| timer.id).collect()
}
