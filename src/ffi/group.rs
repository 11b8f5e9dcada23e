//! Groups of C jobs.

use super::check::{self, status};
use super::ftpool_status::{self, *};
use super::submit::discard_value;
use super::{ftpool, ftpool_fn, ftpool_job_id, time};
use crate::{Group, Priority};
use std::ffi::c_void;

/// A priority of a group: its jobs take turns with jobs outside groups.
pub const FTPOOL_PRIORITY_NORMAL: u32 = 0;
/// A priority of a group: its jobs come before jobs outside groups, but after those of ftpool_submit_first().
pub const FTPOOL_PRIORITY_HIGH: u32 = 1;
/// A priority of a group: its jobs come when no other job is queued.
pub const FTPOOL_PRIORITY_LOW: u32 = 2;

/// Jobs of a pool that share a limit on how many run at a time, and that can be cancelled and waited for together. They
/// wait in a queue of their own, so that a group at its limit does not block workers.
#[derive(Debug)]
pub struct ftpool_group(pub(super) Group);

/// Makes a group, of whose jobs at most `limit` run at a time; 0 means the pool's own limit on workers. `priority` is
/// FTPOOL_PRIORITY_NORMAL, _HIGH or _LOW; none starves another: after sixteen jobs of a higher priority, a lower one
/// gets a turn.
///
/// In one case the limit is exceeded. A job of the pool that waits with FTPOOL_FOREVER for jobs of the group may run
/// one that has not started, on its own thread. So, for each such waiting job that is not in the group, one more job
/// may run. The group does not count it: ftpool_group_busy(), ftpool_group_pending() and ftpool_group_wait_idle()
/// disregard it; ftpool_pending() and ftpool_wait_idle() do not.
///
/// **Ownership:** the caller owns the group and ends it with ftpool_group_free(), before or after the pool. **Thread
/// safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if a pointer is NULL or the priority is not valid.
/// `*out_group` is NULL on failure.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_group` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_new(
    pool: *mut ftpool,
    limit: usize,
    priority: u32,
    out_group: *mut *mut ftpool_group,
) -> ftpool_status {
    let make = || {
        let priority = match priority {
            FTPOOL_PRIORITY_NORMAL => Priority::Normal,
            FTPOOL_PRIORITY_HIGH => Priority::High,
            FTPOOL_PRIORITY_LOW => Priority::Low,
            _ => return Err(FTPOOL_E_INVALID),
        };
        // SAFETY: the caller's 1.
        let pool = unsafe { check::retained(pool) }?;
        Ok(Box::into_raw(Box::new(ftpool_group(pool.group(limit, priority)))))
    };
    // SAFETY: the caller's 2.
    unsafe { check::store_new(out_group, make) }
}

/// Frees a group; its queued jobs still run. NULL is accepted and ignored.
///
/// **Ownership:** the group is gone. **Thread safety:** no other call on the group may be under way or follow.
///
/// # Safety
///
/// 1. `group` is NULL or a group that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_free(group: *mut ftpool_group) {
    if !group.is_null() {
        // SAFETY: the caller's 1; it was made by ftpool_group_new.
        drop(unsafe { Box::from_raw(group) });
    }
}

/// Queues `function(arg)` behind the jobs that are queued in the group. `out_id` may be NULL. For a results object, a
/// handle or a callback, use ftpool_submit_with() or ftpool_submit_job_with() with the option `group`.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(). Where the pool's policy is
/// FTPOOL_POLICY_CALLER_RUNS, this waits for room instead.
///
/// # Safety
///
/// 1. `group` is NULL or a group that was not freed. 2. `function` may be called with `arg` on any thread. 3. `out_id`
///    is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_submit(
    group: *mut ftpool_group,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(group, function, arg, out_id, |group, call| group.0.try_spawn(discard_value(call))) }
}

/// As ftpool_group_submit(), but ahead of the jobs that are queued in the group.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_group_submit().
///
/// # Safety
///
/// As for ftpool_group_submit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_submit_first(
    group: *mut ftpool_group,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group) };
    // SAFETY: the caller's 3.
    unsafe { check::submit(group, function, arg, out_id, |group, call| group.0.try_spawn_first(discard_value(call))) }
}

/// Cancels every queued job of the group; running jobs go on. `*out_count` is how many were cancelled; `out_count` may
/// be NULL.
///
/// **Ownership:** as ftpool_cancel(), for each. **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID
/// if `group` is NULL.
///
/// # Safety
///
/// 1. `group` is NULL or a group that was not freed. 2. `out_count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_cancel_all(group: *mut ftpool_group, out_count: *mut usize) -> ftpool_status {
    // SAFETY: the caller's 1.
    let cancelled = unsafe { check::object(group) }.map(|group| group.0.cancel_all());
    // SAFETY: the caller's 2.
    status(cancelled.map(|count| unsafe { check::store(out_count, count) }))
}

/// Waits for a moment at which no job of the group is queued or running, or being cancelled or expired. A job that a
/// waiting job runs itself is not waited for (see ftpool_group_new()).
///
/// **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
/// of the pool, and in a callback of a job of the group that is being cancelled or expired; FTPOOL_E_FORKED;
/// FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `group` is NULL or the timeout is not valid.
///
/// # Safety
///
/// 1. `group` is NULL or a group that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_wait_idle(group: *mut ftpool_group, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group) };
    status(group.and_then(|group| Ok(group.0.wait_idle(time::deadline(timeout_ns)?)?)))
}

/// The number of jobs of the group that are running now.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
///
/// # Safety
///
/// 1. `group` is NULL or a group that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_busy(group: *const ftpool_group) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::object(group) }.map_or(0, |group| group.0.busy())
}

/// The number of jobs of the group that are queued or running now, or being cancelled or expired.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
///
/// # Safety
///
/// 1. `group` is NULL or a group that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_group_pending(group: *const ftpool_group) -> usize {
    // SAFETY: the caller's 1.
    unsafe { check::object(group) }.map_or(0, |group| group.0.pending())
}
