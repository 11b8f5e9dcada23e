//! C jobs that emit several values.

use super::ftpool_status::{self, *};
use super::result::Value;
use crate::Emitter;
use crate::sys::thread::{self, per_thread};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

per_thread! {
    /// The emitter of the innermost emitting job that this thread is running.
    EMITTER: Cell<*const Emitter<'static, Value>> = Cell::new(ptr::null())
}

/// Runs the code of an emitting job.
pub(super) fn within<R>(emitter: &Emitter<'_, Value>, code: impl FnOnce() -> R) -> R {
    let _entered = thread::enter(&EMITTER, ptr::from_ref(emitter).cast());
    code()
}

/// Emits a value of the running job, any number of times: each is passed to the job's callback, and becomes an outcome
/// in its results object, under the job's id. Only in a job that was submitted with FTPOOL_SUBMIT_EMITS. If the results
/// object has a bound, this waits for room.
///
/// **Ownership:** the value belongs to the reader. **Thread safety:** in a job, on the thread that runs it.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside such a job.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_emit(value: *mut c_void) -> ftpool_status {
    // SAFETY: the pointer is null, or `within` keeps the emitter borrowed on this thread.
    let emitter = unsafe { EMITTER.with(Cell::get).as_ref() };
    // A job that runs on this thread while the emitting job waits for it must not use its emitter.
    match emitter.filter(|emitter| crate::current_job() == Some(emitter.id())) {
        Some(emitter) => {
            emitter.emit(Value(value));
            FTPOOL_OK
        }
        None => FTPOOL_E_INVALID,
    }
}
