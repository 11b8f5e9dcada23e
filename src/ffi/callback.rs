//! Callbacks of C programs.

use super::result::{self, Value, classify, message};
use super::{ftpool_job_id, ftpool_result};
use crate::api::Completion;
use crate::pool::Failure;
use crate::{JobError, Outcome};
use std::ffi::c_void;
use std::ptr;

/// Called with an outcome, which belongs to the library and is valid only during the call. It must return, as a job
/// must. On a thread that is no worker of the pool, such as one that cancels the job, it must not wait for that job or
/// its outcome without a timeout, because the job ends only after the call. ftpool_wait_idle(), ftpool_shutdown() and
/// the like return FTPOOL_E_DEADLOCK in it if they would wait for that job, as they do in a job.
pub type ftpool_callback = Option<unsafe extern "C" fn(context: *mut c_void, result: *const ftpool_result) -> i32>;

/// Called with an outcome, as ftpool_callback, and decides how the job ends. If it returns 0, the job is done with the
/// value in `*value`, which on entry is what the job returned, or NULL. If it returns another code, the job fails with
/// that code; a failure whose own code is returned keeps its message. So `return result->error_code` changes nothing.
/// It must free a value that it replaces or refuses. It must return, as a job must.
pub type ftpool_settle_fn =
    Option<unsafe extern "C" fn(context: *mut c_void, result: *const ftpool_result, value: *mut *mut c_void) -> i32>;

/// Frees an argument or a value. It must return, as a job must.
pub type ftpool_free_fn = Option<unsafe extern "C" fn(pointer: *mut c_void)>;

/// A callback and its context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *const ftpool_result) -> i32,
    context: *mut c_void,
}

// SAFETY: the caller that passed the callback states that it may be called with its context on any thread.
unsafe impl Send for Callback {}

impl Callback {
    pub(super) fn new(function: ftpool_callback, context: *mut c_void) -> Option<Self> {
        function.map(|function| Self { function, context })
    }

    pub(super) fn call(self, outcome: &Outcome<Value>, arg: Option<*mut c_void>) -> i32 {
        // SAFETY: as above; the result lives during the call.
        result::with_result(outcome, arg, |result| unsafe { (self.function)(self.context, result) })
    }

    /// As [`call`](Self::call); a code other than 0 is a failure, unless it is the outcome's own.
    pub(super) fn try_call(self, outcome: &Outcome<Value>, arg: Option<*mut c_void>) -> Result<(), Failure> {
        match (self.call(outcome, arg), &outcome.result) {
            (0, _) => Ok(()),
            (code, Err(error)) if is_code_of(code, error) => Ok(()),
            (code, _) => Err(failed(code)),
        }
    }

    /// As [`call`](Self::call), for an outcome that only the callback sees: a code other than 0 is a failure.
    pub(super) fn try_call_last(self, outcome: &Outcome<Value>) -> Result<(), Failure> {
        match (self.call(outcome, None), &outcome.result) {
            (0, _) => Ok(()),
            (code, Err(error)) if is_code_of(code, error) => Err(Failure { code, message: message(error) }),
            (code, _) => Err(failed(code)),
        }
    }

    /// As [`call`](Self::call), for a job with a handle.
    pub(super) fn call_with(self, id: ftpool_job_id, completion: &Completion<Value>) {
        // SAFETY: as above.
        result::with_completion(id, completion, |result| unsafe {
            (self.function)(self.context, result);
        });
    }
}

fn is_code_of(code: i32, error: &JobError) -> bool {
    code == classify(error).1
}

fn failed(code: i32) -> Failure {
    Failure { code, message: "the callback failed".into() }
}

/// A settle callback and its context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settle {
    function: unsafe extern "C" fn(*mut c_void, *const ftpool_result, *mut *mut c_void) -> i32,
    context: *mut c_void,
}

// SAFETY: as for `Callback`.
unsafe impl Send for Settle {}

impl Settle {
    pub(super) fn new(function: ftpool_settle_fn, context: *mut c_void) -> Option<Self> {
        function.map(|function| Self { function, context })
    }

    pub(super) fn decide(self, outcome: &mut Outcome<Value>, arg: Option<*mut c_void>) {
        let mut value = outcome.result.as_ref().map_or(ptr::null_mut(), |value| value.0);
        // SAFETY: as above; the value's variable lives during the call, too.
        let call = |result: *const _| unsafe { (self.function)(self.context, result, &raw mut value) };
        let code = result::with_result(outcome, arg, call);
        match &outcome.result {
            _ if code == 0 => outcome.result = Ok(Value(value)),
            Err(error) if is_code_of(code, error) => {}
            _ => outcome.result = Err(JobError::Failed(Box::new(failed(code)))),
        }
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
        // SAFETY: the caller that passed the function states that it may be called with these pointers.
        unsafe { (self.0)(pointer) };
    }
}
