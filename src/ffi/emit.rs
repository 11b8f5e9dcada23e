//! C jobs that emit several values.

use super::ftpool_job_id;
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

/// Runs a callback of `job`. It emits for an emitting job only if that is its own: not if that one cancels `job`.
pub(super) fn within_callback<R>(job: ftpool_job_id, code: impl FnOnce() -> R) -> R {
    let own = innermost().filter(|emitter| emitter.id().get() == job);
    let _entered = thread::enter(&EMITTER, own.map_or(ptr::null(), ptr::from_ref));
    code()
}

fn innermost<'a>() -> Option<&'a Emitter<'static, Value>> {
    // SAFETY: the pointer is null, or `within` keeps the emitter borrowed on this thread.
    unsafe { EMITTER.with(Cell::get).as_ref() }
}

/// Emits a value of the running job, any number of times: each is passed to the job's callback, and becomes an outcome
/// in its results object, under the job's id. Only in a job that was submitted with FTPOOL_SUBMIT_EMITS. If the results
/// object has a bound, this waits for room.
///
/// **Ownership:** the value belongs to the reader. **Thread safety:** in a job, on the thread that runs it.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside such a job, and in a callback of another job.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_emit(value: *mut c_void) -> ftpool_status {
    // A job that runs on this thread while the emitting job waits for it must not use its emitter.
    match innermost().filter(|emitter| crate::current_job() == Some(emitter.id())) {
        Some(emitter) => {
            emitter.emit(Value(value));
            FTPOOL_OK
        }
        None => FTPOOL_E_INVALID,
    }
}
