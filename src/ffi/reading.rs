//! Reading outcomes in C.

use super::check::{self, Checked, status};
use super::ftpool_status::{self, *};
use super::result::{self, Value};
use super::time::{self, Timeout};
use super::{ftpool_result, ftpool_results};
use crate::{Outcome, Results};

/// Waits for the next outcome, done or failed, and returns it in `*out_result`. If there are both, either may come
/// first.
///
/// **Ownership:** the value belongs to the caller; for the message see ftpool_result. **Thread safety:** any thread;
/// each outcome goes to exactly one. **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: every outcome was
/// read, and every job submitted through this object has ended (delayed jobs and schedules, too); FTPOOL_TIMEOUT;
/// FTPOOL_E_BUSY if a callback receives the outcomes; FTPOOL_E_DEADLOCK with FTPOOL_FOREVER in a job of a pool with one
/// worker; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if an argument is NULL, the result's
/// size is not valid, or the timeout is not valid.
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed. 2. `out_result` is NULL or points to a result whose
///    size field is true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_next(
    results: *mut ftpool_results,
    timeout_ns: i64,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    let available = |results: &Results<Value>| Ok(results.available_value()?);
    // SAFETY: the caller's 1 and 2.
    status(unsafe {
        next(results, timeout_ns, out_result, available, |results, timeout| Ok(results.next_slow(timeout)?))
    })
}

/// Waits for the next value, and returns it in `*out_result`. Failures stay in the failed queue. FTPOOL_EMPTY means
/// that every value was read.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_results_next().
///
/// # Safety
///
/// As for ftpool_results_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_next_done(
    results: *mut ftpool_results,
    timeout_ns: i64,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 2.
    status(unsafe {
        next(results, timeout_ns, out_result, |_| Ok(None), |results, timeout| Ok(results.next_done_outcome(timeout)?))
    })
}

/// Waits for the next outcome without a value (failed, cancelled or expired), and returns it in `*out_result`. Values
/// stay in the done queue. FTPOOL_EMPTY means that every such outcome was read.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_results_next().
///
/// # Safety
///
/// As for ftpool_results_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_next_failed(
    results: *mut ftpool_results,
    timeout_ns: i64,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 2.
    status(unsafe {
        next(
            results,
            timeout_ns,
            out_result,
            |_| Ok(None),
            |results, timeout| Ok(results.next_failed_outcome(timeout)?),
        )
    })
}

/// Reads up to `capacity` outcomes without waiting, failed ones first. The entries of `out_results` lie
/// `out_results[0].size` bytes apart; only the size field of the first one must be set.
///
/// **Ownership**, **Thread safety:** as ftpool_results_next(). **Returns:** FTPOOL_OK: `*out_count` were read, maybe 0;
/// FTPOOL_E_BUSY if a callback receives the outcomes; FTPOOL_E_INVALID if `results` or `out_count` is NULL, or
/// `out_results` is while `capacity` is not 0, or the size is not valid.
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed. 2. `out_results` points to `capacity` results of the
///    size that the first one states, unless `capacity` is 0. 3. `out_count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_take(
    results: *mut ftpool_results,
    capacity: usize,
    out_results: *mut ftpool_result,
    out_count: *mut usize,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    status(unsafe { take(results, capacity, out_results, out_count) })
}

/// Returns the oldest failure of the object's callback that was not returned yet: the id of the job whose outcome the
/// callback was called with, FTPOOL_OUTCOME_FAILED, and the code that the callback returned. If that is the outcome's
/// own code, the message is the outcome's, too.
///
/// **Ownership:** for the message see ftpool_result. **Thread safety:** any thread; each failure goes to exactly one.
/// **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: there is none; FTPOOL_E_INVALID if an argument is
/// NULL or the result's size is not valid.
///
/// # Safety
///
/// 1. `results` is NULL or an object that was not freed. 2. `out_result` is NULL or points to a result whose size field
///    is true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_next_callback_failure(
    results: *mut ftpool_results,
    out_result: *mut ftpool_result,
) -> ftpool_status {
    // SAFETY: the caller's 1 and 2.
    status(unsafe { next_callback_failure(results, out_result) })
}

/// The number of values that can be read now.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_done_count(results: *const ftpool_results) -> usize {
    // SAFETY: the caller's 1.
    unsafe { results.as_ref() }.map_or(0, |results| results.results.done_count())
}

/// The number of outcomes without a value that can be read now.
///
/// **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_failed_count(results: *const ftpool_results) -> usize {
    // SAFETY: the caller's 1.
    unsafe { results.as_ref() }.map_or(0, |results| results.results.failed_count())
}

/// Returns a file descriptor that poll(), epoll and the like report as readable when there is something to read. Like
/// an edge-triggered descriptor, it is reported once, and again only after a read has found nothing more: before you
/// poll, read with FTPOOL_NOW until FTPOOL_TIMEOUT or FTPOOL_EMPTY, or until ftpool_results_take() returns fewer than
/// `capacity`. It costs a system call only while a thread waits for it.
///
/// **Ownership:** the descriptor belongs to the object; do not read from it or close it. **Thread safety:** any thread.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL; FTPOOL_E_BUSY if a callback receives the outcomes;
/// FTPOOL_E_UNSUPPORTED where there is no eventfd, in a forked child, and if the system refused one (see errno).
///
/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed. 2. `out_fd` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_results_fd(results: *mut ftpool_results, out_fd: *mut i32) -> ftpool_status {
    // SAFETY: the caller's 1.
    let results = match unsafe { check::object(results) } {
        Ok(results) if !out_fd.is_null() => &results.results,
        _ => return FTPOOL_E_INVALID,
    };
    if results.is_dispatched() {
        return FTPOOL_E_BUSY;
    }
    match raw_fd(results) {
        Ok(fd) => {
            // SAFETY: the caller's 2.
            unsafe { check::store(out_fd, fd) };
            FTPOOL_OK
        }
        Err(error) => {
            crate::sys::errno::set(error.raw_os_error().unwrap_or(0));
            FTPOOL_E_UNSUPPORTED
        }
    }
}

/// # Safety
///
/// 1. `results` is NULL or a results object that was not freed. 2. `out_result` is NULL or points to a result whose
///    size field is true.
unsafe fn next(
    results: *mut ftpool_results,
    timeout_ns: i64,
    out_result: *mut ftpool_result,
    available: impl FnOnce(&Results<Value>) -> Checked<Option<Outcome<Value>>>,
    read: impl FnOnce(&Results<Value>, Timeout) -> Checked<Outcome<Value>>,
) -> Checked<()> {
    // SAFETY: the caller's 1.
    let results = unsafe { check::object(results) }?;
    // SAFETY: the caller's 2.
    unsafe { result::check_size(out_result) }?;
    let timeout = time::timeout(timeout_ns)?;
    if let Some(outcome) = available(&results.results)? {
        // SAFETY: the caller's 2.
        unsafe { result::fill(out_result, outcome) };
        return Ok(());
    }
    let outcome = read(&results.results, timeout)?;
    if outcome.result.is_err() {
        result::forget_texts(); // A value has no text, and leaves earlier texts valid.
    }
    // SAFETY: the caller's 2.
    unsafe { result::fill(out_result, outcome) };
    Ok(())
}

/// # Safety
///
/// As for [`ftpool_results_take`].
unsafe fn take(
    results: *mut ftpool_results,
    capacity: usize,
    out_results: *mut ftpool_result,
    out_count: *mut usize,
) -> Checked<()> {
    // SAFETY: the caller's 1.
    let results = unsafe { check::object(results) }?;
    if out_count.is_null() {
        return Err(FTPOOL_E_INVALID);
    }
    if results.results.is_dispatched() {
        return Err(FTPOOL_E_BUSY);
    }
    let mut count = 0;
    if capacity > 0 {
        // SAFETY: the caller's 2.
        let stride = unsafe { result::check_size(out_results) }?;
        let mut others = Vec::new();
        results.results.take_each(
            capacity,
            #[inline(always)]
            |outcome| {
                // SAFETY: the caller's 2; no more than `capacity` are taken.
                let place = unsafe { out_results.byte_add(count * stride) };
                // SAFETY: the caller's 2: every result begins with its size.
                unsafe { place.cast::<usize>().write(stride) };
                // SAFETY: the caller's 2.
                if let Some(outcome) = unsafe { result::fill_plain(place, outcome) } {
                    others.push((place, outcome));
                }
                count += 1;
            },
        );
        if !others.is_empty() {
            // SAFETY: the caller's 2; the places are those computed above.
            unsafe { fill_all(others) };
        }
    }
    // SAFETY: the caller's 3.
    unsafe { check::store(out_count, count) };
    Ok(())
}

/// # Safety
///
/// 1. Each place points to a result.
#[cold]
unsafe fn fill_all(outcomes: Vec<(*mut ftpool_result, Outcome<Value>)>) {
    result::forget_texts(); // A value has no text, and leaves earlier texts valid.
    for (place, outcome) in outcomes {
        // SAFETY: the caller's 1.
        unsafe { result::fill(place, outcome) };
    }
}

/// # Safety
///
/// As for [`ftpool_results_next_callback_failure`].
unsafe fn next_callback_failure(results: *mut ftpool_results, out_result: *mut ftpool_result) -> Checked<()> {
    // SAFETY: the caller's 1.
    let results = unsafe { check::object(results) }?;
    // SAFETY: the caller's 2.
    unsafe { result::check_size(out_result) }?;
    let (id, error) = results.results.next_callback_failure().ok_or(FTPOOL_EMPTY)?;
    result::forget_texts();
    // SAFETY: the caller's 2.
    unsafe { result::fill_from(out_result, id.get(), Err(&error), None) };
    Ok(())
}

#[cfg(unix)]
fn raw_fd(results: &Results<Value>) -> std::io::Result<i32> {
    results.poll_fd().map(|fd| std::os::fd::AsRawFd::as_raw_fd(&fd))
}

#[cfg(not(unix))]
fn raw_fd(_results: &Results<Value>) -> std::io::Result<i32> {
    Err(std::io::ErrorKind::Unsupported.into())
}
