//! Manual clocks, for tests of C programs.

use super::check::{self, status};
use super::ftpool_status;
use super::time::{from_duration, nanoseconds};
use crate::ManualClock;
use std::time::UNIX_EPOCH;

/// A clock that advances only when it is told to, for tests of programs with delayed and scheduled jobs. Put it into
/// ftpool_config.clock; several pools may use it. Timeouts of calls do not go by it.
#[derive(Debug)]
pub struct ftpool_clock(pub(super) ManualClock);

/// Makes a clock. It starts at zero; its wall clock starts at the system's current time.
///
/// **Ownership:** the caller owns the clock and ends it with ftpool_clock_free(), before or after its pools. **Thread
/// safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_clock` is NULL.
///
/// # Safety
///
/// 1. `out_clock` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_clock_new(out_clock: *mut *mut ftpool_clock) -> ftpool_status {
    // SAFETY: the caller's 1.
    unsafe { check::store_new(out_clock, || Ok(Box::into_raw(Box::new(ftpool_clock(ManualClock::new()))))) }
}

/// Frees a clock. Pools that use it stay usable, but their time does not advance any more. NULL is accepted and
/// ignored.
///
/// **Ownership:** the clock is gone. **Thread safety:** no other call on the clock may be under way or follow.
///
/// # Safety
///
/// 1. `clock` is NULL or a clock that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_clock_free(clock: *mut ftpool_clock) {
    if !clock.is_null() {
        // SAFETY: the caller's 1; it was made by ftpool_clock_new.
        drop(unsafe { Box::from_raw(clock) });
    }
}

/// Advances the clock by `time_ns`, and queues the jobs that have become due, in the order of their due times, those by
/// the wall clock after the others. When this returns, they may have started, or even ended. If there are more than 64,
/// the others follow as workers get to them; ftpool_wait_idle() waits for them.
///
/// Jobs whose start deadline has passed have ended when this returns. Their callbacks and the overrun hook are called
/// here. They may advance the clock in turn; the outer call then handles what becomes overdue, after they have
/// returned.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `clock` is NULL or the time is negative.
///
/// # Safety
///
/// 1. `clock` is NULL or a clock that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_clock_advance(clock: *mut ftpool_clock, time_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let clock = unsafe { check::object(clock) };
    status(clock.and_then(|clock| nanoseconds(time_ns).map(|time| clock.0.advance(time))))
}

/// Sets the clock's wall clock, forward or back, and queues the jobs that have become due.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `clock` is NULL or the time is negative.
///
/// # Safety
///
/// 1. `clock` is NULL or a clock that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_clock_set_wall(clock: *mut ftpool_clock, ns_since_1970: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let clock = unsafe { check::object(clock) };
    let time = nanoseconds(ns_since_1970).map(|since| UNIX_EPOCH + since);
    status(clock.and_then(|clock| time.map(|time| clock.0.set_wall_clock(time))))
}

/// How many nanoseconds the clock has advanced since it was made.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `clock` is NULL.
///
/// # Safety
///
/// 1. `clock` is NULL or a clock that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_clock_elapsed(clock: *const ftpool_clock) -> i64 {
    // SAFETY: the caller's 1.
    unsafe { check::object(clock) }.map_or(0, |clock| from_duration(clock.0.elapsed()))
}
