//! Events and wait groups in C.

use super::check::{self, status};
use super::ftpool_status::{self, *};
use super::time;
use crate::{Event, WaitGroup};

/// Something that happens once, and that any number of threads wait for: a gate that opens and stays open. It lives in
/// the program's memory, allocates nothing and needs no clean-up: `static ftpool_event ready = FTPOOL_EVENT_INIT;`.
/// Zeroed memory is an event that has not happened. What a thread did before ftpool_event_set() is visible to those who
/// saw it.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_event {
    /// The library's.
    pub opaque: u32,
}

const _: () = assert!(size_of::<Event>() == size_of::<ftpool_event>());

/// Counts things that are in progress; any number of threads can wait until all of them are done. It lives in the
/// program's memory, allocates nothing and needs no clean-up: `ftpool_wait_group group = FTPOOL_WAIT_GROUP_INIT;`.
/// Zeroed memory is a group of nothing, which counts as done. What a thread did before ftpool_wait_group_done() is
/// visible to those who waited.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_wait_group {
    /// The library's.
    pub opaque: u32,
}

const _: () = assert!(size_of::<WaitGroup>() == size_of::<ftpool_wait_group>());

/// Sets an event and wakes all waiters. Setting it again does nothing.
///
/// **Ownership:** on Linux, whoever has seen the event may free it. **Thread safety:** any thread. **Returns:**
/// FTPOOL_OK; FTPOOL_E_INVALID if `event` is NULL.
///
/// # Safety
///
/// 1. `event` is NULL or an initialised event that lives until it has happened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_event_set(event: *mut ftpool_event) -> ftpool_status {
    // SAFETY: the caller's 1.
    status(unsafe { check::object(event.cast::<Event>()) }.map(Event::set))
}

/// Waits until an event happens, up to `timeout_ns`.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK if it has happened; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if
/// `event` is NULL or `timeout_ns` is not valid.
///
/// # Safety
///
/// 1. `event` is NULL or an initialised event that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_event_wait(event: *mut ftpool_event, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let event = unsafe { check::object(event.cast::<Event>()) };
    let happened = event.and_then(|event| Ok(event.wait_until(time::deadline(timeout_ns)?)));
    status(happened.and_then(|happened| if happened { Ok(()) } else { Err(FTPOOL_TIMEOUT) }))
}

/// Whether an event has happened.
///
/// **Thread safety:** any thread. **Returns:** whether it has; false if `event` is NULL.
///
/// # Safety
///
/// 1. `event` is NULL or an initialised event that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_event_is_set(event: *const ftpool_event) -> bool {
    // SAFETY: the caller's 1.
    unsafe { check::object(event.cast::<Event>()) }.is_ok_and(Event::is_set)
}

/// Adds `things` to the count. Call it before they begin, or all may seem done too early.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than 2³¹ − 1;
/// FTPOOL_E_INVALID if `group` is NULL.
///
/// # Safety
///
/// 1. `group` is NULL or an initialised wait group that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_group_add(group: *mut ftpool_wait_group, things: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group.cast::<WaitGroup>()) };
    status(group.and_then(|group| if group.try_add(things) { Ok(()) } else { Err(FTPOOL_E_OVERFLOW) }))
}

/// Marks one thing as done. The last one wakes all waiters.
///
/// **Ownership:** on Linux, whoever has seen that all is done may free the group. **Thread safety:** any thread.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `group` is NULL or nothing is in progress.
///
/// # Safety
///
/// 1. `group` is NULL or an initialised wait group that lives until this thing is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_group_done(group: *mut ftpool_wait_group) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group.cast::<WaitGroup>()) };
    status(group.and_then(|group| if group.try_done() { Ok(()) } else { Err(FTPOOL_E_INVALID) }))
}

/// Waits until all is done, up to `timeout_ns`.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK if all is done; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if `group`
/// is NULL or `timeout_ns` is not valid.
///
/// # Safety
///
/// 1. `group` is NULL or an initialised wait group that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_wait_group_wait(group: *mut ftpool_wait_group, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let group = unsafe { check::object(group.cast::<WaitGroup>()) };
    let done = group.and_then(|group| Ok(group.wait_until(time::deadline(timeout_ns)?)));
    status(done.and_then(|done| if done { Ok(()) } else { Err(FTPOOL_TIMEOUT) }))
}
