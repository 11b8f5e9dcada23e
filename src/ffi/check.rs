//! Checking and converting the arguments of C calls.

use super::ftpool_status::{self, *};
use super::{ftpool, ftpool_fn, ftpool_job_id};
use crate::pool::Core;
use crate::{JobId, Pool};
use std::ffi::{CStr, c_char, c_void};
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// The result of a check: an error is the status that the call returns.
pub(super) type Checked<T> = Result<T, ftpool_status>;

/// No version of the header has a larger struct.
pub(super) const LARGEST_STRUCT: usize = 4096;

/// The status to return for a result.
#[inline(always)]
pub(super) fn status<E: Into<ftpool_status>>(result: Result<(), E>) -> ftpool_status {
    match result {
        Ok(()) => FTPOOL_OK,
        Err(error) => error.into(),
    }
}

/// The status to return for an answer: FTPOOL_OK for yes, `no` for no.
#[inline(always)]
pub(super) fn status_or(answer: Checked<bool>, no: ftpool_status) -> ftpool_status {
    match answer {
        Ok(true) => FTPOOL_OK,
        Ok(false) => no,
        Err(error) => error,
    }
}

/// Borrows the pool behind a handle, without a reference count of its own. For submits, which a pool waits for before
/// it is freed.
///
/// # Safety
///
/// 1. `pool` is NULL or a handle that is not freed before the call has begun.
#[inline(always)]
pub(super) unsafe fn pool(pool: *const ftpool) -> Checked<ManuallyDrop<Pool>> {
    if pool.is_null() {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 1; the reference is not dropped.
    let core = unsafe { Arc::from_raw(pool.cast::<Core>()) };
    Ok(ManuallyDrop::new(Pool::from_core(core)))
}

/// Retains the pool behind a handle, so that it stays in memory until the call has ended. It is not kept open: a call
/// that outlasts `ftpool_free` in a job does not wait for the pool's end.
///
/// # Safety
///
/// As for [`pool`].
pub(super) unsafe fn retained(handle: *const ftpool) -> Checked<Pool> {
    if handle.is_null() {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 1; the reference is not dropped.
    let core = ManuallyDrop::new(unsafe { Arc::from_raw(handle.cast::<Core>()) });
    Ok(Pool::without_keeping_open(Arc::clone(&core)))
}

/// Takes a pool's handle back from the program. None if it is NULL or ftpool_default().
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed.
pub(super) unsafe fn owned(pool: *mut ftpool) -> Option<Pool> {
    if pool.is_null() {
        return None;
    }
    // SAFETY: the caller's 1.
    if unsafe { self::pool(pool) }.is_ok_and(|pool| pool.core().is_permanent()) {
        return None;
    }
    // SAFETY: the caller's 1; every handle but that of ftpool_default() owns a reference, which is taken here.
    Some(Pool::from_core(unsafe { Arc::from_raw(pool.cast::<Core>()) }))
}

/// An object that must not be NULL.
///
/// # Safety
///
/// 1. `object` is NULL or points to a `T` that lives during the call.
#[inline(always)]
pub(super) unsafe fn object<'a, T>(object: *const T) -> Checked<&'a T> {
    // SAFETY: the caller's 1.
    unsafe { object.as_ref() }.ok_or(FTPOOL_E_INVALID)
}

/// A boolean field of a struct.
pub(super) fn flag(value: u32) -> Checked<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(FTPOOL_E_INVALID),
    }
}

/// Copies the fields of a struct that this version knows; fields that an older program does not have are 0, and so are
/// all if it is NULL. A size that is not a multiple of the alignment is refused, because it could end within a pointer.
///
/// # Safety
///
/// 1. `given` is NULL, or points to as many bytes as its first field, a `usize`, says. 2. Any bytes are a valid `T`.
pub(super) unsafe fn known_part<T: Copy>(given: *const T) -> Checked<T> {
    // SAFETY: the caller's 2.
    let mut known: T = unsafe { std::mem::zeroed() };
    if given.is_null() {
        return Ok(known);
    }
    // SAFETY: the caller's 1: every such struct begins with its size.
    let size = unsafe { given.cast::<usize>().read() };
    if !(size_of::<usize>()..=LARGEST_STRUCT).contains(&size) || !size.is_multiple_of(align_of::<T>()) {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 1.
    let bytes = unsafe { std::slice::from_raw_parts(given.cast::<u8>(), size) };
    if bytes.iter().skip(size_of::<T>()).any(|&byte| byte != 0) {
        return Err(FTPOOL_E_VERSION);
    }
    // SAFETY: the source has `size` bytes, and the copy those of a `T`; the caller's 2; they do not overlap.
    unsafe { bytes.as_ptr().copy_to_nonoverlapping((&raw mut known).cast(), size.min(size_of::<T>())) };
    Ok(known)
}

/// A text; empty if it is NULL. Bytes that are not UTF-8 become U+FFFD.
///
/// # Safety
///
/// 1. `text` is NULL or a C string.
pub(super) unsafe fn text(text: *const c_char) -> String {
    // SAFETY: the caller's 1.
    if text.is_null() { String::new() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
}

/// A function and its argument, to be called once on a worker.
#[derive(Clone, Copy)]
pub(super) struct Call {
    function: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
}

// SAFETY: the submitter of a C job states that its function may be called with its argument on any thread.
unsafe impl Send for Call {}
// SAFETY: as above; a schedule's function may be called on several threads at a time.
unsafe impl Sync for Call {}

impl Call {
    #[inline(always)]
    pub(super) fn new(function: ftpool_fn, argument: *mut c_void) -> Checked<Self> {
        function.map(|function| Self { function, argument }).ok_or(FTPOOL_E_INVALID)
    }

    #[inline(always)]
    pub(super) fn run(self) -> *mut c_void {
        // SAFETY: as above.
        unsafe { (self.function)(self.argument) }
    }

    pub(super) fn argument(self) -> *mut c_void {
        self.argument
    }

    /// A call of `function` with each of `count` arguments.
    ///
    /// # Safety
    ///
    /// 1. `arguments` points to `count` pointers, unless `count` is 0.
    pub(super) unsafe fn each(function: ftpool_fn, arguments: *const *mut c_void, count: usize) -> Checked<Vec<Self>> {
        if count == 0 {
            return Self::new(function, std::ptr::null_mut()).map(|_| Vec::new());
        }
        if arguments.is_null() || count > isize::MAX as usize / size_of::<Self>() {
            return Err(FTPOOL_E_INVALID);
        }
        // SAFETY: the caller's 1.
        let arguments = unsafe { std::slice::from_raw_parts(arguments, count) };
        arguments.iter().map(|&argument| Self::new(function, argument)).collect()
    }
}

/// Stores an output, whose place may be NULL.
///
/// # Safety
///
/// 1. `place` is NULL or writable.
#[inline(always)]
pub(super) unsafe fn store<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's 1.
        unsafe { place.write(value) };
    }
}

/// Stores a pointer to what `make` has made for the program; NULL on failure. The place must not be NULL.
///
/// # Safety
///
/// 1. `place` is NULL or writable.
#[inline(always)]
pub(super) unsafe fn store_new<T>(place: *mut *mut T, make: impl FnOnce() -> Checked<*mut T>) -> ftpool_status {
    if place.is_null() {
        return FTPOOL_E_INVALID;
    }
    // SAFETY: the caller's 1.
    unsafe { place.write(std::ptr::null_mut()) };
    // SAFETY: the caller's 1.
    status(make().map(|made| unsafe { place.write(made) }))
}

/// Submits a call to a pool, or to what belongs to one, by `submit`, and stores the job's id.
///
/// # Safety
///
/// 1. `out_id` is NULL or writable.
#[inline(always)]
pub(super) unsafe fn submit<P, E: Into<ftpool_status>>(
    place: Checked<P>,
    function: ftpool_fn,
    arg: *mut c_void,
    out_id: *mut ftpool_job_id,
    submit: impl FnOnce(P, Call) -> Result<JobId, E>,
) -> ftpool_status {
    let id = place.and_then(|place| submit(place, Call::new(function, arg)?).map_err(E::into));
    // SAFETY: the caller's 1.
    status(id.map(|id| unsafe { store(out_id, id.get()) }))
}

/// Stores ids in an array, which may be NULL.
///
/// # Safety
///
/// 1. `place` is NULL or has room for all ids.
pub(super) unsafe fn store_ids(place: *mut ftpool_job_id, ids: &[JobId]) {
    if place.is_null() {
        return;
    }
    for (index, id) in ids.iter().enumerate() {
        // SAFETY: the caller's 1.
        let slot = unsafe { place.add(index) };
        // SAFETY: the caller's 1.
        unsafe { slot.write(id.get()) };
    }
}

/// Lists ids of a pool: stores at most `capacity` of them, and how many there are.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `out_ids` is NULL or has room for `capacity` ids. 3. `out_count`
///    is NULL or writable.
pub(super) unsafe fn list_ids(
    pool: *const ftpool,
    capacity: usize,
    out_ids: *mut ftpool_job_id,
    out_count: *mut usize,
    list: impl FnOnce(&Pool) -> Vec<JobId>,
) -> ftpool_status {
    if out_count.is_null() || (out_ids.is_null() && capacity > 0) {
        return FTPOOL_E_INVALID;
    }
    // SAFETY: the caller's 1.
    let ids = unsafe { retained(pool) }.map(|pool| list(&pool));
    status(ids.map(|ids| {
        // SAFETY: 1. the caller's 2: no more than `capacity` are stored.
        unsafe { store_ids(out_ids, &ids[..ids.len().min(capacity)]) };
        // SAFETY: 1. the caller's 3.
        unsafe { store(out_count, ids.len()) };
    }))
}
