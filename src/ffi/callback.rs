//! Functions that the library calls back.

use super::result::{self, Value};
use super::{ftpool_job_id, ftpool_result};
use crate::api::Declared;
use crate::{JobError, Outcome};
use std::ffi::c_void;

/// Called with an outcome, which belongs to the library and is valid only during the call. Must return, as a job must.
pub type ftpool_callback = Option<unsafe extern "C" fn(context: *mut c_void, result: *const ftpool_result) -> i32>;

/// Frees an argument or a value. Must return, as a job must.
pub type ftpool_free_fn = Option<unsafe extern "C" fn(pointer: *mut c_void)>;

/// A callback and its context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *const ftpool_result) -> i32,
    context: *mut c_void,
}

// SAFETY: whoever gives a callback states that it may be called with its context on any thread.
unsafe impl Send for Callback {}

impl Callback {
    pub(super) fn new(function: ftpool_callback, context: *mut c_void) -> Option<Self> {
        function.map(|function| Self { function, context })
    }

    pub(super) fn call(self, outcome: &Outcome<Value>, arg: Option<*mut c_void>) -> i32 {
        // SAFETY: whoever gave the callback states that it may be called with its context; the result lives meanwhile.
        result::show(outcome, arg, |result| unsafe { (self.function)(self.context, result) })
    }

    /// As [`call`](Self::call); a code other than 0 is a failure.
    pub(super) fn verdict(self, outcome: &Outcome<Value>, arg: Option<*mut c_void>) -> Result<(), Declared> {
        match self.call(outcome, arg) {
            0 => Ok(()),
            code => Err(Declared { code, message: "the callback failed".into() }),
        }
    }

    /// As [`call`](Self::call), of a job whose outcome stays where it is.
    pub(super) fn call_with(self, id: ftpool_job_id, outcome: Result<&Value, &JobError>) {
        // SAFETY: as above.
        result::show_with(id, outcome, |result| unsafe {
            (self.function)(self.context, result);
        });
    }
}

/// A function that frees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Free(unsafe extern "C" fn(*mut c_void));

impl Free {
    pub(super) fn new(function: ftpool_free_fn) -> Option<Self> {
        function.map(Self)
    }

    pub(super) fn call(self, pointer: *mut c_void) {
        // SAFETY: whoever gave the function states that it may be called with these pointers.
        unsafe { (self.0)(pointer) };
    }
}
