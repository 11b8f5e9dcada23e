//! A lock in C.

use super::check::{self, status};
use super::ftpool_status::{self, *};
use super::time;
use crate::sync::RawLock;

/// A lock for short critical sections; it needs no pool. It lives in memory of the program, allocates nothing and needs
/// no end: `static ftpool_lock lock = FTPOOL_LOCK_INIT;`. Zeroed memory is a free lock. It must not be copied or moved
/// while it is used. It is not recursive. Any thread may release it, not only the one that has acquired it.
///
/// A release touches the lock after the next thread may have acquired it. Free the memory only when every call of
/// ftpool_lock_release() has returned, for example when the threads that used it were joined.
///
/// What needs no waiting is inlined in programs that are compiled with optimisation, see the end of the header. In C++
/// it is a *Lockable*: `std::lock_guard<ftpool_lock> guard(lock);`.
#[repr(C)]
#[derive(Debug)]
pub struct ftpool_lock {
    /// The library's.
    pub opaque: [u32; 2],
}

const _: () = assert!(size_of::<RawLock>() == size_of::<ftpool_lock>());
const _: () = assert!(align_of::<RawLock>() == align_of::<ftpool_lock>());

/// Waits for the lock and takes it. The pointer is not checked.
///
/// **Thread safety:** any thread that does not have the lock.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_acquire(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    if !unsafe { known(lock) }.try_acquire() {
        // SAFETY: 1. the caller's 1.
        unsafe { wait(lock) };
    }
}

/// Takes the lock if it is free. The pointer is not checked.
///
/// **Thread safety:** any thread. **Returns:** whether the caller has the lock now.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_try_acquire(lock: *mut ftpool_lock) -> bool {
    // SAFETY: the caller's 1.
    unsafe { known(lock) }.try_acquire()
}

/// Waits for the lock up to `timeout_ns` and takes it.
///
/// **Thread safety:** any thread. **Returns:** FTPOOL_OK if the caller has the lock now; FTPOOL_TIMEOUT;
/// FTPOOL_E_INVALID if `lock` is NULL or `timeout_ns` is not valid.
///
/// # Safety
///
/// 1. `lock` is NULL or an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_acquire_for(lock: *mut ftpool_lock, timeout_ns: i64) -> ftpool_status {
    // SAFETY: the caller's 1.
    let lock = unsafe { check::object(lock.cast::<RawLock>()) };
    let acquired = lock.and_then(|lock| Ok(lock.acquire_until(time::deadline(timeout_ns)?)));
    status(acquired.and_then(|acquired| if acquired { Ok(()) } else { Err(FTPOOL_TIMEOUT) }))
}

/// Lets the lock go. The pointer is not checked. A lock that is free and that nobody is just acquiring stays free.
///
/// **Ownership:** see ftpool_lock for when its memory may be freed. **Thread safety:** any thread, on behalf of the one
/// that has the lock.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_release(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    unsafe { known(lock) }.release();
}

/// As ftpool_lock_release(), but tells a mistake.
///
/// **Thread safety:** any thread, on behalf of the one that has the lock. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if
/// `lock` is NULL or nobody has the lock, and nothing has changed.
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

/// Wakes who waits for the lock. ftpool_lock_release() does so where it has to; this is for the part of it that is
/// inlined.
///
/// **Thread safety:** any thread, at any time.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_wake_next(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    unsafe { known(lock) }.wake_next();
}

/// Whether somebody has the lock, at the moment of asking.
///
/// **Thread safety:** any thread. **Returns:** that; false if `lock` is NULL.
///
/// # Safety
///
/// 1. `lock` is NULL or an initialised lock that lives during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_lock_locked(lock: *const ftpool_lock) -> bool {
    // SAFETY: the caller's 1.
    unsafe { check::object(lock.cast::<RawLock>()) }.is_ok_and(RawLock::is_held)
}

/// A C function of its own: it does not unwind, so that who calls it last needs no stack frame.
///
/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[cold]
unsafe extern "C" fn wait(lock: *mut ftpool_lock) {
    // SAFETY: the caller's 1.
    unsafe { known(lock) }.acquire();
}

/// # Safety
///
/// 1. `lock` is an initialised lock that lives during the call.
#[inline(always)]
unsafe fn known<'a>(lock: *mut ftpool_lock) -> &'a RawLock {
    // SAFETY: the caller's 1; it is laid out as a `RawLock`, see above, and zeroes are a free one.
    unsafe { &*lock.cast::<RawLock>() }
}
