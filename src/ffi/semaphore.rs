//! Permits in C.

use super::check::{self, status};
use super::ftpool_status::{self, *};
use super::time;
use crate::sync::RawSemaphore;
use crate::{AcquireError, Deadline, ReleaseError, Semaphore};

/// A number of permits that threads take and give back; it needs no pool. It lives in memory of the program, allocates
/// nothing and needs no end: `static ftpool_semaphore s = FTPOOL_SEMAPHORE_INIT(8);`. Zeroed memory is a semaphore
/// without permits. It must not be copied or moved while it is used.
///
/// One made by FTPOOL_SEMAPHORE_INIT() is quick: a thread that comes by may take a permit before one that has been
/// waiting. One made by FTPOOL_SEMAPHORE_INIT_FAIR() gives permits in the order of asking.
///
/// What a thread did before it gave a permit back is visible to the thread that takes it. On Linux, a release of a
/// quick semaphore from which everybody takes one permit at a time touches no memory after it has added the permits:
/// who gets the last one may free it.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_semaphore {
    /// The library's.
    pub opaque: [u64; 4],
}

const _: () = assert!(size_of::<RawSemaphore>() <= size_of::<ftpool_semaphore>());
const _: () = assert!(align_of::<RawSemaphore>() <= align_of::<ftpool_semaphore>());

/// The most permits a semaphore can have.
pub const FTPOOL_SEMAPHORE_MAX: u32 = 2147483647;

const _: () = assert!(FTPOOL_SEMAPHORE_MAX == Semaphore::MAX);

/// Makes a quick semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT(value) does.
///
/// **Ownership:** the memory stays the caller's. **Thread safety:** before other threads know the semaphore.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
///
/// # Safety
///
/// 1. `semaphore` is NULL or writable, and nobody uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_init(semaphore: *mut ftpool_semaphore, value: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    unsafe { init(semaphore, value, false) }
}

/// Makes a fair semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT_FAIR(value) does.
///
/// **Ownership:** the memory stays the caller's. **Thread safety:** before other threads know the semaphore.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
///
/// # Safety
///
/// 1. `semaphore` is NULL or writable, and nobody uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_init_fair(semaphore: *mut ftpool_semaphore, value: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    unsafe { init(semaphore, value, true) }
}

/// Takes a permit, waiting for it as long as it takes.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN if the semaphore is or gets closed;
/// FTPOOL_E_INVALID if `semaphore` is NULL.
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

/// Takes a permit if one is there and nobody waits in line for it.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT if there is none, and nothing has changed;
/// FTPOOL_E_SHUTDOWN if the semaphore is closed; FTPOOL_E_INVALID if `semaphore` is NULL.
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

/// Takes `permits` permits at once or none at all, waiting for them up to `timeout_ns`. Nobody overtakes a thread that
/// waits for more than one.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT, and nothing has changed; FTPOOL_E_SHUTDOWN if
/// the semaphore is or gets closed; FTPOOL_E_INVALID if `semaphore` is NULL, `timeout_ns` is not valid or `permits` is
/// above FTPOOL_SEMAPHORE_MAX.
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

/// Gives `permits` permits back, or adds new ones, and wakes at most as many waiters. Allowed on a closed semaphore.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than
/// FTPOOL_SEMAPHORE_MAX, and nothing was added; FTPOOL_E_INVALID if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives until the permits were added; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_release(semaphore: *mut ftpool_semaphore, permits: u32) -> ftpool_status {
    // SAFETY: the caller's 1.
    let semaphore = unsafe { check::object(semaphore.cast::<RawSemaphore>()) };
    status(semaphore.and_then(|semaphore| Ok(semaphore.release(permits)?)))
}

/// ftpool_semaphore_release() for the cases that are not inlined; the same in all others.
///
/// **Thread safety:** any thread. **Returns:** the same.
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

/// The permits that are free, at the moment of asking.
///
/// **Thread safety:** any thread. **Returns:** their number; 0 if `semaphore` is NULL.
///
/// # Safety
///
/// 1. `semaphore` is NULL or an initialised semaphore that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_semaphore_value(semaphore: *const ftpool_semaphore) -> u32 {
    // SAFETY: the caller's 1.
    unsafe { check::object(semaphore.cast::<RawSemaphore>()) }.map_or(0, RawSemaphore::value)
}

/// Ends the giving of permits: who waits, and who asks from now on, gets FTPOOL_E_SHUTDOWN. The memory may be reused
/// when they have come back.
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
/// 1. `place` is NULL or writable, and nobody uses it.
unsafe fn init(place: *mut ftpool_semaphore, value: u32, fair: bool) -> ftpool_status {
    if place.is_null() || value > FTPOOL_SEMAPHORE_MAX {
        return FTPOOL_E_INVALID;
    }
    // SAFETY: the caller's 1; a semaphore fits, see above.
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
