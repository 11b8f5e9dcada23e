//! Groups of C jobs.

use super::check::{self, Call, Checked, status};
use super::ftpool_status::{self, *};
use super::submit::discard_value;
use super::{ftpool, ftpool_fn, ftpool_job_id, time};
use crate::{Group, JobId, Priority, SubmitError};
use std::ffi::c_void;

/// A priority: the group's jobs take turns with those outside all groups.
pub const FTPOOL_PRIORITY_NORMAL: u32 = 0;
/// A priority: the group's jobs come before those outside all groups.
pub const FTPOOL_PRIORITY_HIGH: u32 = 1;
/// A priority: the group's jobs come when no other job is queued.
pub const FTPOOL_PRIORITY_LOW: u32 = 2;

/// Jobs that share a limit on how many run at a time, and that are cancelled and waited for together. They wait in a
/// queue of their own, so a group at its limit holds no worker up.
#[derive(Debug)]
pub struct ftpool_group(pub(super) Group);

/// Makes a group: at most `limit` of its jobs run at a time; 0 means as many as there are workers. `priority` is
/// FTPOOL_PRIORITY_NORMAL, _HIGH or _LOW; none starves another: after sixteen jobs of a higher priority, a lower one
/// gets a turn.
///
/// In one case more jobs than the limit may run. A job of the pool that waits with FTPOOL_FOREVER for one of the group,
/// alone or among several, runs it itself if nobody has begun it: at once, in its own place, and not in one of the
/// group's. For each job that waits so, without being one of the group itself, one more may run. The group does not
/// count what is run that way: ftpool_group_busy(), ftpool_group_pending() and ftpool_group_wait_idle() do not see it;
/// ftpool_pending() and ftpool_wait_idle() do.
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
    // SAFETY: the caller's 2.
    unsafe { check::store(out_group, std::ptr::null_mut()) };
    let priority = match priority {
        FTPOOL_PRIORITY_NORMAL => Priority::Normal,
        FTPOOL_PRIORITY_HIGH => Priority::High,
        FTPOOL_PRIORITY_LOW => Priority::Low,
        _ => return FTPOOL_E_INVALID,
    };
    if out_group.is_null() {
        return FTPOOL_E_INVALID;
    }
    // SAFETY: the caller's 1.
    let made =
        unsafe { check::retained(pool) }.map(|pool| Box::into_raw(Box::new(ftpool_group(pool.group(limit, priority)))));
    // SAFETY: the caller's 2.
    status(made.map(|made| unsafe { check::store(out_group, made) }))
}

/// Frees a group's handle; its queued jobs still run. NULL is accepted and ignored.
///
/// **Ownership:** the handle is gone. **Thread safety:** no other call on the group may be under way or follow.
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

/// Queues `function(arg)` behind all jobs that are queued in the group. For a results object, a callback and more see
/// ftpool_submit_with() and the options' field `group`. `out_id` may be NULL.
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
    // SAFETY: the caller's 1 and 3.
    status(unsafe { submit(group, function, arg, out_id, |group, call| group.try_spawn(discard_value(call))) })
}

/// As ftpool_group_submit(), but ahead of all jobs that are queued in the group.
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
    // SAFETY: the caller's 1 and 3.
    status(unsafe { submit(group, function, arg, out_id, |group, call| group.try_spawn_first(discard_value(call))) })
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

/// Waits for a moment at which no job of the group is queued or running, or being ended by ftpool_group_cancel_all(). A
/// job that a waiting one runs itself is not waited for, see ftpool_group_new().
///
/// **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
/// of the pool, or where ftpool_group_cancel_all() ends one of the group; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the
/// process exits; FTPOOL_E_INVALID if `group` is NULL or the timeout is not valid.
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

/// How many jobs of the group are running.
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

/// How many jobs of the group are queued or running, or being ended by ftpool_group_cancel_all().
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

/// # Safety
///
/// 1. `group` is NULL or a group that was not freed. 2. `out_id` is NULL or writable.
unsafe fn submit(
    group: *mut ftpool_group,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
    submit: impl FnOnce(&Group, Call) -> Result<JobId, SubmitError>,
) -> Checked<()> {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group) }?;
    let id = submit(&group.0, Call::new(function, arg)?)?;
    // SAFETY: the caller's 2.
    unsafe { check::store(out_id, id.get()) };
    Ok(())
}
