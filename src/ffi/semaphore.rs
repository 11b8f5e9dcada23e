//! Semaphores in C.

use super::check::{self, status};
use super::ftpool_status::{self, *};
use super::time;
use crate::sync::RawSemaphore;
use crate::{AcquireError, Deadline, ReleaseError, Semaphore};

/// A counting semaphore: a number of permits that threads acquire and release; it needs no pool. It lives in the
/// program's memory, allocates nothing and needs no clean-up: `static ftpool_semaphore s = FTPOOL_SEMAPHORE_INIT(8);`.
/// Zeroed memory is a semaphore without permits. It must not be copied or moved while it is in use.
///
/// A semaphore made by FTPOOL_SEMAPHORE_INIT() is fast but not fair: a thread that has just arrived may get a permit
/// ahead of one that has been waiting. FTPOOL_SEMAPHORE_INIT_FAIR() makes one that grants permits in the order of the
/// requests.
///
/// What a thread did before it released a permit is visible to the thread that acquires it. On Linux, if a semaphore is
/// not fair and permits are acquired one at a time, a release accesses no memory after it has added the permits: the
/// thread that acquires the last one may free the semaphore's memory.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct ftpool_semaphore {
    /// Private to the library.
    pub opaque: [u64; 4],
}

const _: () = assert!(size_of::<RawSemaphore>() <= size_of::<ftpool_semaphore>());
const _: () = assert!(align_of::<RawSemaphore>() <= align_of::<ftpool_semaphore>());

/// The most permits a semaphore can have.
pub const FTPOOL_SEMAPHORE_MAX: u32 = 2147483647;

const _: () = assert!(FTPOOL_SEMAPHORE_MAX == Semaphore::MAX);

/// Makes a semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT(value) does.
///
/// **Ownership:** the memory belongs to the caller. **Thread safety:** before other threads know the semaphore.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
///
/// # Safety
///
/// 1. `semaphore` is NULL or writable, and no thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_init(semaphore: *mut ftpool_semaphore, value: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    unsafe { init(semaphore, value, false) }
}

/// Makes a fair semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT_FAIR(value) does.
///
/// **Ownership:** the memory belongs to the caller. **Thread safety:** before other threads know the semaphore.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
///
/// # Safety
///
/// 1. `semaphore` is NULL or writable, and no thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_init_fair(semaphore: *mut ftpool_semaphore, value: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    unsafe { init(semaphore, value, true) }
}

/// Acquires a permit, waiting for it without a limit.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN if the semaphore is closed, or is closed
/// meanwhile; FTPOOL_E_INVALID if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_acquire(semaphore: *mut ftpool_semaphore) -> ftpool_status {
    // SAFETY: the caller's 1.
    let semaphore = unsafe { check::object(semaphore.cast::<RawSemaphore>()) };
    status(semaphore.and_then(|semaphore| Ok(semaphore.acquire(1, Deadline::NEVER)?)))
}

/// Acquires a permit without waiting, if one is available and no thread is queued for it.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT if there is none; FTPOOL_E_SHUTDOWN if the
/// semaphore is closed; FTPOOL_E_INVALID if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_try_acquire(semaphore: *mut ftpool_semaphore) -> ftpool_status {
    // SAFETY: the caller's 1.
    let semaphore = unsafe { check::object(semaphore.cast::<RawSemaphore>()) };
    status(semaphore.and_then(|semaphore| Ok(semaphore.acquire(1, Deadline::NOW)?)))
}

/// Acquires `permits` permits together, or none, waiting for them for up to `timeout_ns`. A thread that waits for more
/// than one is not overtaken.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_SHUTDOWN if the semaphore is closed,
/// or is closed meanwhile; FTPOOL_E_INVALID if `semaphore` is NULL, `timeout_ns` is not valid or `permits` is above
/// FTPOOL_SEMAPHORE_MAX.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_acquire_for(
    semaphore: *mut ftpool_semaphore,
    permits: u32,
    timeout_ns: i64,
) -> ftpool_status {
    // SAFETY: the caller's 1.
    let semaphore = unsafe { check::object(semaphore.cast::<RawSemaphore>()) };
    status(semaphore.and_then(|semaphore| Ok(semaphore.acquire(permits, time::deadline(timeout_ns)?)?)))
}

/// Releases `permits` permits, or adds new ones, and wakes at most as many waiters. Allowed on a closed semaphore.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than
/// FTPOOL_SEMAPHORE_MAX: nothing was added; FTPOOL_E_INVALID if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives until the permits were added (see ftpool_semaphore).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_release(semaphore: *mut ftpool_semaphore, permits: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    let semaphore = unsafe { check::object(semaphore.cast::<RawSemaphore>()) };
    status(semaphore.and_then(|semaphore| Ok(semaphore.release(permits)?)))
}

/// As ftpool_semaphore_release(). This function exists for the inlined part of that; programs need not call it.
///
/// **Thread safety**, **Returns:** as ftpool_semaphore_release().
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives until the permits were added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_release_slow(
    semaphore: *mut ftpool_semaphore,
    permits: u32,
) -> ftpool_status {
    // SAFETY: 1. the caller's 1.
    unsafe { ftpool_semaphore_release(semaphore, permits) }
}

/// The number of permits that are available at this moment.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_value(semaphore: *const ftpool_semaphore) -> u32 {
    // SAFETY: the caller's 1.
    unsafe { check::object(semaphore.cast::<RawSemaphore>()) }.map_or(0, RawSemaphore::value)
}

/// Closes the semaphore: all waiting and all later acquires return FTPOOL_E_SHUTDOWN. The memory may be reused when
/// their calls have returned.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_close(semaphore: *mut ftpool_semaphore) -> ftpool_status {
    // SAFETY: the caller's 1.
    status(unsafe { check::object(semaphore.cast::<RawSemaphore>()) }.map(RawSemaphore::close))
}

/// # Safety
///
/// 1. `place` is NULL or writable, and no thread uses it.
unsafe fn init(place: *mut ftpool_semaphore, value: u32, fair: bool) -> ftpool_status {
    if place.is_null() || value > FTPOOL_SEMAPHORE_MAX {
        return FTPOOL_E_INVALID;
    }
    // SAFETY: the caller's 1; a `RawSemaphore` fits (see above).
    unsafe { place.cast::<RawSemaphore>().write(RawSemaphore::new(value, fair)) };
    FTPOOL_OK
}

impl From<AcquireError> for ftpool_status {
    fn from(error: AcquireError) -> Self {
        match error {
            AcquireError::TimedOut => FTPOOL_TIMEOUT,
            AcquireError::Closed => FTPOOL_E_SHUTDOWN,
            AcquireError::TooMany => FTPOOL_E_INVALID,
        }
    }
}

impl From<ReleaseError> for ftpool_status {
    fn from(_: ReleaseError) -> Self {
        FTPOOL_E_OVERFLOW
    }
}
