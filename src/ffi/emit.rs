//! Values that a running C job sends out.

use super::ftpool_status::{self, *};
use super::result::Value;
use crate::Emitter;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

thread_local! {
    /// The emitter of the innermost emitting job that this thread is running.
    static EMITTER: Cell<*const Emitter<'static, Value>> = const { Cell::new(ptr::null()) };
}

/// Puts the emitter before back.
struct Within(*const Emitter<'static, Value>);

impl Drop for Within {
    fn drop(&mut self) {
        EMITTER.set(self.0);
    }
}

/// Runs the code of an emitting job.
pub(super) fn within<R>(emitter: &Emitter<'_, Value>, code: impl FnOnce() -> R) -> R {
    let _before = Within(EMITTER.replace(ptr::from_ref(emitter).cast()));
    code()
}

/// Emits a value of the running job: it becomes an outcome in the job's results object, under the job's id. For jobs
/// submitted with FTPOOL_SUBMIT_EMITS, any number of times. If the results object has a bound, this waits for room.
///
/// **Ownership:** the value belongs to the reader. **Thread safety:** in a job, on the thread that runs it.
/// **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside of such a job.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_emit(value: *mut c_void) -> ftpool_status {
    // SAFETY: the pointer is null, or `within` keeps the emitter borrowed on this very thread.
    let emitter = unsafe { EMITTER.get().as_ref() };
    // A job that runs inside of another one's wait does not emit in its name.
    match emitter.filter(|emitter| crate::current_job() == Some(emitter.id())) {
        Some(emitter) => {
            emitter.emit(Value(value));
            FTPOOL_OK
        }
        None => FTPOOL_E_INVALID,
    }
}
