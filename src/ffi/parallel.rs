//! Parallel loops and forks in C, in which the caller takes part.

use super::check::{self, Checked};
use super::ftpool_status::{self, *};
use super::result::{self, ftpool_result};
use super::shared::{Bytes, Shared};
use super::{ftpool, ftpool_fn};
use crate::pool::call_sites::Site;
use crate::pool::{Failure, fork, frame};
use crate::{JobError, Pool};
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr;

/// The body of ftpool_for(): runs item `i`. It must return, as a job must.
pub type ftpool_for_body = Option<unsafe extern "C" fn(context: *mut c_void, i: usize)>;

/// The body of ftpool_for_range(): runs the items from `begin` to before `end`. It must return, as a job must.
pub type ftpool_range_body = Option<unsafe extern "C" fn(context: *mut c_void, begin: usize, end: usize)>;

/// The body of ftpool_reduce(): folds the items from `begin` to before `end` into `value`. It must return, as a job
/// must.
pub type ftpool_reduce_body =
    Option<unsafe extern "C" fn(context: *mut c_void, begin: usize, end: usize, value: *mut c_void)>;

/// Combines two values of ftpool_reduce(): adds `from` to `into`, which is the value of lower items. It must return, as
/// a job must.
pub type ftpool_combine = Option<unsafe extern "C" fn(context: *mut c_void, into: *mut c_void, from: *const c_void)>;

/// The parallel version of `for (size_t i = begin; i < end; i++) body(context, i);`, in no particular order. It returns
/// when all items are done.
///
/// The caller takes part, and so does every free worker if that pays: the caller runs the first items alone to see how
/// long they take, and keeps a loop of a few microseconds to itself. So items must not wait for each other. `grain` is
/// how many items a thread takes at a time; 0 lets the loop choose. ftpool_fail() in the body stops the loop after the
/// items that are running, and does not fail the job that calls it; ftpool_loop_failure() returns its code and message.
///
/// **Ownership:** `context` belongs to the caller. **Thread safety:** any thread, including in jobs, nested to any
/// depth; the body runs on several threads at a time. **Returns:** FTPOOL_OK: every item was run; FTPOOL_E_JOB: the
/// body has failed; FTPOOL_E_INVALID if `pool` or `body` is NULL or `begin` is after `end`. On a pool that was shut
/// down, and in a forked child, the caller runs all items, which is not an error.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that is not freed before the call returns. 2. `body` may be called with `context` and
///    items of the range on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_for(
    pool: *mut ftpool,
    begin: usize,
    end: usize,
    grain: usize,
    body: ftpool_for_body,
    context: *mut c_void,
) -> ftpool_status {
    let Some(body) = body else { return FTPOOL_E_INVALID };
    let context = Shared(context);
    // SAFETY: the caller's 1.
    let pool = unsafe { loop_pool(pool, begin, end) };
    let run = |i| {
        // SAFETY: the caller's 2.
        unsafe { body(context.get(), i) };
    };
    let each = |chunk| until_failed(chunk, run);
    ended(pool.map(|pool| pool.for_chunks_at(Site::at(body as *const ()), begin..end, grain, each)))
}

/// As ftpool_for(), but calls the body with a chunk of items at a time, from `begin` to before `end`: `grain` items, or
/// fewer at the end of the range. If `grain` is 0, the loop chooses the size of each chunk.
///
/// **Ownership**, **Thread safety**, **Returns:** as ftpool_for().
///
/// # Safety
///
/// As for ftpool_for().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_for_range(
    pool: *mut ftpool,
    begin: usize,
    end: usize,
    grain: usize,
    body: ftpool_range_body,
    context: *mut c_void,
) -> ftpool_status {
    let Some(body) = body else { return FTPOOL_E_INVALID };
    let context = Shared(context);
    // SAFETY: the caller's 1.
    let pool = unsafe { loop_pool(pool, begin, end) };
    // SAFETY: the caller's 2.
    let run = |chunk: Range<usize>| unsafe { body(context.get(), chunk.start, chunk.end) };
    ended(pool.map(|pool| pool.for_chunks_at(Site::at(body as *const ()), begin..end, grain, run)))
}

/// Stores `function(args[i])` in `out_values[i]` for each `i` below `count`. The caller takes part, as in ftpool_for().
/// The two arrays may be the same, so that each argument is replaced by its value; otherwise they must not overlap.
/// ftpool_fail() in the function stops the loop; the values of the remaining items are NULL, or still the arguments if
/// the arrays are the same.
///
/// **Ownership:** arguments and values belong to the program. **Thread safety:** as ftpool_for(). **Returns:**
/// FTPOOL_OK; FTPOOL_E_JOB: the function has failed; FTPOOL_E_INVALID if `pool` or `function` is NULL, or an array is
/// NULL and `count` is not 0.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that is not freed before the call returns. 2. `args` points to `count` pointers with
///    each of which `function` may be called on any thread. 3. `out_values` has room for `count` pointers, and is
///    `args` or apart from it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_map(
    pool: *mut ftpool,
    function: ftpool_fn,
    args: *const *mut c_void,
    count: usize,
    out_values: *mut *mut c_void,
) -> ftpool_status {
    let Some(function) = function else { return FTPOOL_E_INVALID };
    let missing = args.is_null() || out_values.is_null() || count > isize::MAX as usize / size_of::<usize>();
    if count > 0 && missing {
        return FTPOOL_E_INVALID;
    }
    let (args, values) = (Shared(args.cast_mut()), Shared(out_values));
    // SAFETY: the caller's 1.
    let pool = unsafe { loop_pool(pool, 0, count) };
    let place = |i| {
        // SAFETY: the caller's 3.
        unsafe { values.get().add(i) }
    };
    let run = |i| {
        // SAFETY: the caller's 2.
        let arg = unsafe { args.get().add(i) };
        // SAFETY: the caller's 2.
        let arg = unsafe { arg.read() };
        // SAFETY: the caller's 2.
        let value = unsafe { function(arg) };
        // SAFETY: the caller's 3; each `i` is run by one thread.
        unsafe { place(i).write(value) };
    };
    let all = pool.map(|pool| {
        // If the arrays are the same, this would overwrite the arguments.
        let cleared = if ptr::eq(args.get(), out_values) { 0 } else { count };
        // SAFETY: the caller's 3.
        (0..cleared).for_each(|i| unsafe { place(i).write(ptr::null_mut()) });
        pool.for_chunks_at(Site::at(function as *const ()), 0..count, 0, |chunk| until_failed(chunk, run))
    });
    ended(all)
}

/// Folds the items of a range into a value of `size` bytes. `body` folds a chunk of items into a copy of `value`, and
/// `combine` combines these copies from left to right, on the calling thread. `value` must be neutral, such as 0 for a
/// sum. The caller takes part, as in ftpool_for().
///
/// **Ownership:** `value` belongs to the caller; it holds the result after FTPOOL_OK, and is unchanged otherwise.
/// Copies of it are made bytewise, with the alignment of malloc(), and are freed without a call. **Thread safety:** as
/// ftpool_for(). **Returns:** as ftpool_for(); FTPOOL_E_JOB also if `combine` has failed; FTPOOL_E_INVALID also if
/// `combine` or `value` is NULL.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that is not freed before the call returns. 2. `body` and `combine` may be called with
///    `context` and copies of `value` on any thread. 3. `value` is NULL or points to `size` bytes.
#[unsafe(no_mangle)]
#[allow(
    clippy::too_many_arguments,
    reason = "a C function has no other way to take a range, two functions and a value"
)]
pub unsafe extern "C" fn ftpool_reduce(
    pool: *mut ftpool,
    begin: usize,
    end: usize,
    grain: usize,
    body: ftpool_reduce_body,
    combine: ftpool_combine,
    context: *mut c_void,
    size: usize,
    value: *mut c_void,
) -> ftpool_status {
    let (Some(body), Some(combine)) = (body, combine) else { return FTPOOL_E_INVALID };
    if value.is_null() || size > isize::MAX as usize {
        return FTPOOL_E_INVALID;
    }
    let context = Shared(context);
    // SAFETY: the caller's 3.
    let neutral = unsafe { Bytes::copy(value.cast(), size) };
    // SAFETY: the caller's 1.
    let pool = unsafe { loop_pool(pool, begin, end) };
    let chunk = |chunk: Range<usize>| {
        let mut value = neutral.clone();
        // SAFETY: the caller's 2.
        unsafe { body(context.get(), chunk.start, chunk.end, value.as_mut_ptr().cast()) };
        value
    };
    let both = |mut into: Bytes, from: Bytes| {
        // SAFETY: the caller's 2.
        unsafe { combine(context.get(), into.as_mut_ptr().cast(), from.as_ptr().cast()) };
        into
    };
    let fold = |pool: &Pool| pool.fold_chunks(Site::at(body as *const ()), begin..end, grain, true, chunk, both);
    ended(pool.map(|pool| {
        let sum = frame::enter(|| fold(&pool))?;
        // SAFETY: the caller's 3.
        sum.into_iter().for_each(|sum| unsafe { sum.as_ptr().copy_to_nonoverlapping(value.cast(), size) });
        Ok(())
    }))
}

/// Returns the failure of the last loop that has returned FTPOOL_E_JOB on the calling thread: FTPOOL_OUTCOME_FAILED,
/// and the code and message of an item that has failed. It is returned once. Call this right after the loop.
///
/// **Ownership:** for the message see ftpool_result. **Thread safety:** any thread. **Returns:** FTPOOL_OK:
/// `*out_result` is filled; FTPOOL_EMPTY: there is none; FTPOOL_E_INVALID if `out_result` is NULL or its size is not
/// valid.
///
/// # Safety
///
/// 1. `out_result` is NULL or points to a result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_loop_failure(out_result: *mut ftpool_result) -> ftpool_status {
    // SAFETY: the caller's 1.
    if let Err(status) = unsafe { result::check_size(out_result) } {
        return status;
    }
    let Some(failure) = FAILURE.try_with(Cell::take).ok().flatten() else { return FTPOOL_EMPTY };
    result::forget_texts();
    let error = JobError::Failed(failure);
    // SAFETY: the caller's 1.
    unsafe { result::fill_from(out_result, 0, Err(&error), None) };
    FTPOOL_OK
}

/// Calls `first(first_arg)` and `second(second_arg)`, in parallel where that pays, and returns when both have returned.
/// Their values are stored in `*out_first` and `*out_second`, which may be NULL. It is made for recursion: a call costs
/// about as much as a function call as long as no worker takes the second.
///
/// **Ownership:** arguments and values belong to the program. **Thread safety:** as ftpool_for(). **Returns:**
/// FTPOOL_OK; FTPOOL_E_INVALID if `pool` or a function is NULL. ftpool_fail() in either counts for the surrounding job
/// or loop, and has no effect outside both.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that is not freed before the call returns. 2. The functions may be called with their
///    arguments, the second on any thread. 3. The outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_join(
    pool: *mut ftpool,
    first: ftpool_fn,
    first_arg: *mut c_void,
    second: ftpool_fn,
    second_arg: *mut c_void,
    out_first: *mut *mut c_void,
    out_second: *mut *mut c_void,
) -> ftpool_status {
    let (Some(first), Some(second)) = (first, second) else { return FTPOOL_E_INVALID };
    // SAFETY: the caller's 1.
    let (name, pool) = match unsafe { check::pool(pool) } {
        Ok(found) => (pool.cast_const().cast(), found),
        Err(status) => return status,
    };
    let (first_arg, second_arg) = (Shared(first_arg), Shared(second_arg));
    let site = Site::at(second as *const ());
    // SAFETY: the caller's 2.
    let first = move || Shared(unsafe { first(first_arg.get()) });
    // SAFETY: the caller's 2.
    let second = move || Shared(unsafe { second(second_arg.get()) });
    let values = fork::join_by(name, site, pool.core(), first, second);
    // SAFETY: the caller's 3.
    unsafe { check::store(out_first, values.0.get()) };
    // SAFETY: the caller's 3.
    unsafe { check::store(out_second, values.1.get()) };
    FTPOOL_OK
}

thread_local! {
    /// The failure of the last loop that has failed on the calling thread, until it is read.
    static FAILURE: Cell<Option<Box<Failure>>> = const { Cell::new(None) };
}

/// The status to return for a loop, whose failure is kept.
#[inline(always)]
fn ended(end: Checked<Result<(), Box<Failure>>>) -> ftpool_status {
    match end {
        Ok(Ok(())) => FTPOOL_OK,
        Ok(Err(failure)) => keep(failure),
        Err(status) => status,
    }
}

#[cold]
fn keep(failure: Box<Failure>) -> ftpool_status {
    let _ = FAILURE.try_with(|kept| kept.set(Some(failure)));
    FTPOOL_E_JOB
}

/// Checks the arguments of a loop, and borrows its pool.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that is not freed before the call returns.
unsafe fn loop_pool(pool: *mut ftpool, begin: usize, end: usize) -> Checked<ManuallyDrop<Pool>> {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::pool(pool) }?;
    if begin <= end { Ok(pool) } else { Err(FTPOOL_E_INVALID) }
}

/// Runs the items of a chunk until one of them fails.
fn until_failed(chunk: Range<usize>, run: impl Fn(usize)) {
    frame::watch(|watch| {
        for i in chunk {
            run(i);
            if watch.has_failed() {
                break;
            }
        }
    });
}
