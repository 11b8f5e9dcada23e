//! Locks in C.

use super::check::{self, status, status_or};
use super::ftpool_status::{self, *};
use super::time;
use crate::sync::RawLock;

/// A mutual exclusion lock for short critical sections; it needs no pool. It lives in the program's memory, allocates
/// nothing and needs no clean-up: `static ftpool_lock lock = FTPOOL_LOCK_INIT;`. Zeroed memory is a free lock. It must
/// not be copied or moved while it is in use. It is not recursive. Any thread may release it, not only the one that
/// acquired it.
///
/// A release accesses the lock even after another thread may have acquired it. So free its memory only when every call
/// of ftpool_lock_release() has returned, for example after joining the threads that used it.
///
/// The fast paths are inlined in optimised programs (see the end of the header). In C++ it is a *Lockable*:
/// `std::lock_guard<ftpool_lock> guard(lock);`.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_lock {
    /// Private to the library.
    pub opaque: [u32; 2],
}

const _: () = assert!(size_of::<RawLock>() == size_of::<ftpool_lock>());
const _: () = assert!(align_of::<RawLock>() == align_of::<ftpool_lock>());

/// Waits for the lock and acquires it. The pointer is not checked.
///
/// **Thread safety:** any thread that does not hold the lock.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_acquire(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    if !unsafe { unchecked(lock) }.try_acquire() {
        // SAFETY: 1. the caller's 1.
        unsafe { wait(lock) };
    }
}

/// Acquires the lock if it is free. The pointer is not checked.
///
/// **Thread safety:** any thread. **Returns:** whether the caller holds the lock now.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_try_acquire(lock: *mut ftpool_lock) -> bool {
    // SAFETY: the caller's 1.
    unsafe { unchecked(lock) }.try_acquire()
}

/// Waits for the lock for up to `timeout_ns`, and acquires it.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK if the caller holds the lock now; FTPOOL_TIMEOUT;
/// FTPOOL_E_INVALID if `lock` is NULL or `timeout_ns` is not valid.
///
/// # Safety
///
/// 1. `lock` is NULL or an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_acquire_for(lock: *mut ftpool_lock, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let lock = unsafe { check::object(lock.cast::<RawLock>()) };
    status_or(lock.and_then(|lock| Ok(lock.acquire_until(time::deadline(timeout_ns)?))), FTPOOL_TIMEOUT)
}

/// Releases the lock. The pointer is not checked. Releasing a free lock is harmless, unless a thread is acquiring it at
/// the same time.
///
/// **Ownership:** see ftpool_lock for when its memory may be freed. **Thread safety:** any thread, on behalf of the one
/// that holds the lock.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_release(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    unsafe { unchecked(lock) }.release();
}

/// As ftpool_lock_release(), but reports a lock that is not held.
///
/// **Thread safety:** any thread, on behalf of the one that holds the lock. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if
/// `lock` is NULL or not held; then nothing has changed.
///
/// # Safety
///
/// 1. `lock` is NULL or an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_release_checked(lock: *mut ftpool_lock) -> ftpool_status {
    // SAFETY: the caller's 1.
    let lock = unsafe { check::object(lock.cast::<RawLock>()) };
    let held = lock.and_then(|lock| if lock.is_held() { Ok(lock) } else { Err(FTPOOL_E_INVALID) });
    status(held.map(RawLock::release))
}

/// Wakes the next waiter. This function exists for the inlined part of ftpool_lock_release(); programs need not call
/// it.
///
/// **Thread safety:** any thread, at any time.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_wake_next(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    unsafe { unchecked(lock) }.wake_next();
}

/// Returns whether the lock is held at this moment.
///
/// **Thread safety:** any thread. **Returns:** whether it is; false if `lock` is NULL.
///
/// # Safety
///
/// 1. `lock` is NULL or an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_locked(lock: *const ftpool_lock) -> bool {
    // SAFETY: the caller's 1.
    unsafe { check::object(lock.cast::<RawLock>()) }.is_ok_and(RawLock::is_held)
}

/// A C function, because those do not unwind: so ftpool_lock_acquire can call it last without a stack frame.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[cold]
unsafe extern "C" fn wait(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    unsafe { unchecked(lock) }.acquire();
}

/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[inline(always)]
unsafe fn unchecked<'a>(lock: *mut ftpool_lock) -> &'a RawLock {
    // SAFETY: the caller's 1; it has the layout of a `RawLock` (see above), and zeroes are a free one.
    unsafe { &*lock.cast::<RawLock>() }
}
