//! Events and wait groups in C.

use super::check::{self, status, status_or};
use super::ftpool_status::{self, *};
use super::time;
use crate::{Event, WaitGroup};

/// An event that is set once, and that any number of threads can wait for. It lives in the program's memory, allocates
/// nothing and needs no clean-up: `static ftpool_event ready = FTPOOL_EVENT_INIT;`. Zeroed memory is an event that is
/// not set. What a thread did before ftpool_event_set() is visible to threads that have seen the event set.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_event {
    /// Private to the library.
    pub opaque: u32,
}

const _: () = assert!(size_of::<Event>() == size_of::<ftpool_event>());

/// A count of tasks in progress; any number of threads can wait until it is 0. It lives in the program's memory,
/// allocates nothing and needs no clean-up: `ftpool_wait_group group = FTPOOL_WAIT_GROUP_INIT;`. Zeroed memory is a
/// group whose count is 0. What a thread did before ftpool_wait_group_done() is visible to threads that have waited.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_wait_group {
    /// Private to the library.
    pub opaque: u32,
}

const _: () = assert!(size_of::<WaitGroup>() == size_of::<ftpool_wait_group>());

/// Sets an event and wakes all waiters. Setting it again does nothing.
///
/// **Ownership:** on Linux, a thread that has seen the event set may free its memory, even before this returns.
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `event` is NULL.
///
/// # Safety
///
/// 1. `event` is NULL or an initialised event that lives until it is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_event_set(event: *mut ftpool_event) -> ftpool_status {
    // SAFETY: the caller's 1.
    status(unsafe { check::object(event.cast::<Event>()) }.map(Event::set))
}

/// Waits until an event is set, for up to `timeout_ns`.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK if it is set; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if `event` is
/// NULL or `timeout_ns` is not valid.
///
/// # Safety
///
/// 1. `event` is NULL or an initialised event that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_event_wait(event: *mut ftpool_event, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let event = unsafe { check::object(event.cast::<Event>()) };
    status_or(event.and_then(|event| Ok(event.wait_until(time::deadline(timeout_ns)?))), FTPOOL_TIMEOUT)
}

/// Returns whether an event is set.
///
/// **Thread safety:** any thread. **Returns:** whether it is; false if `event` is NULL.
///
/// # Safety
///
/// 1. `event` is NULL or an initialised event that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_event_is_set(event: *const ftpool_event) -> bool {
    // SAFETY: the caller's 1.
    unsafe { check::object(event.cast::<Event>()) }.is_ok_and(Event::is_set)
}

/// Adds `tasks` to the count. Call it before the tasks begin, so that the count is not 0 too early.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than 2³¹ − 1;
/// FTPOOL_E_INVALID if `group` is NULL.
///
/// # Safety
///
/// 1. `group` is NULL or an initialised wait group that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_group_add(group: *mut ftpool_wait_group, tasks: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group.cast::<WaitGroup>()) };
    status_or(group.map(|group| group.try_add(tasks)), FTPOOL_E_OVERFLOW)
}

/// Subtracts one task from the count. The last one wakes all waiters.
///
/// **Ownership:** on Linux, a thread that has seen the count at 0 may free its memory, even before this returns.
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `group` is NULL or the count is 0.
///
/// # Safety
///
/// 1. `group` is NULL or an initialised wait group that lives until the task is subtracted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_group_done(group: *mut ftpool_wait_group) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group.cast::<WaitGroup>()) };
    status_or(group.map(WaitGroup::try_done), FTPOOL_E_INVALID)
}

/// Waits until the count is 0, for up to `timeout_ns`.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK if it is 0; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if `group` is
/// NULL or `timeout_ns` is not valid.
///
/// # Safety
///
/// 1. `group` is NULL or an initialised wait group that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_group_wait(group: *mut ftpool_wait_group, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group.cast::<WaitGroup>()) };
    status_or(group.and_then(|group| Ok(group.wait_until(time::deadline(timeout_ns)?))), FTPOOL_TIMEOUT)
}
