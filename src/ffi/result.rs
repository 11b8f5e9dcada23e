//! Outcomes of C jobs.

use super::check::{self, Checked};
use super::ftpool_status::*;
use super::time::from_duration;
use super::{emit, ftpool_job_id};
use crate::api::{Completion, Extra};
use crate::pool::Failure;
use crate::sys::clock::nanos;
use crate::{JobError, Outcome};
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::mem::ManuallyDrop;

/// ftpool_result.outcome: the job returned a value.
pub const FTPOOL_OUTCOME_DONE: u32 = 0;
/// ftpool_result.outcome: the job called ftpool_fail(), a callback of it failed, or it panicked.
pub const FTPOOL_OUTCOME_FAILED: u32 = 1;
/// ftpool_result.outcome: the job was cancelled before it started.
pub const FTPOOL_OUTCOME_CANCELLED: u32 = 2;
/// ftpool_result.outcome: the job did not start before its start deadline.
pub const FTPOOL_OUTCOME_EXPIRED: u32 = 3;

/// The outcome of a job. Initialise it with FTPOOL_RESULT_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_result {
    /// sizeof(ftpool_result), set by FTPOOL_RESULT_INIT. The library does not change it.
    pub size: usize,
    /// The id of the job.
    pub id: ftpool_job_id,
    /// What the job returned if the outcome is FTPOOL_OUTCOME_DONE; otherwise NULL.
    pub value: *mut c_void,
    /// What went wrong if the outcome is not FTPOOL_OUTCOME_DONE; otherwise NULL. It belongs to the library, and is
    /// valid until the calling thread next reads an outcome, from any results object or handle, or calls
    /// ftpool_loop_failure() or ftpool_check(). Print or copy it before that.
    pub error_message: *const c_char,
    /// For how many nanoseconds the job was queued; 0 unless ftpool_config.timing is set.
    pub queued_ns: u64,
    /// For how many nanoseconds the job ran; 0 unless ftpool_config.timing is set.
    pub run_ns: u64,
    /// FTPOOL_OUTCOME_DONE, _FAILED, _CANCELLED or _EXPIRED.
    pub outcome: u32,
    /// The code that was passed to ftpool_fail() or returned by a callback; FTPOOL_E_PANIC for a panic,
    /// FTPOOL_CANCELLED for a cancelled job, FTPOOL_TIMEOUT for an expired one; otherwise 0.
    pub error_code: i32,
    /// The job's argument if it was submitted with FTPOOL_SUBMIT_RETURN_ARG; otherwise NULL.
    pub arg: *mut c_void,
    /// The number of the tick of a schedule, as in ftpool_self_tick(); 1 for a delayed job; 0 for other jobs, and for a
    /// job that did not start.
    pub tick: u64,
    /// How many nanoseconds after its due time the job started; 0 where `tick` is 0.
    pub late_by_ns: i64,
}

thread_local! {
    /// The messages that the calling thread's last read returned, if it returned any.
    static TEXTS: RefCell<Vec<CString>> = const { RefCell::new(Vec::new()) };
}

/// What a job returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value(pub(super) *mut c_void);

// SAFETY: the submitter of a C job states that what it returns may be sent to any thread.
unsafe impl Send for Value {}

/// An argument that is returned with the outcome.
#[derive(Debug)]
pub(super) struct Returned(pub(super) *mut c_void);

// SAFETY: the submitter of a C job states that its argument may be sent to any thread.
unsafe impl Send for Returned {}
// SAFETY: as above.
unsafe impl Sync for Returned {}

/// The size field of a result, if it has room for all fields.
///
/// # Safety
///
/// 1. `result` is NULL or points to a result.
pub(super) unsafe fn check_size(result: *const ftpool_result) -> Checked<usize> {
    // SAFETY: the caller's 1: every result begins with its size.
    let size = *unsafe { check::object(result.cast::<usize>()) }?;
    let aligned = size.is_multiple_of(align_of::<ftpool_result>());
    let possible = size_of::<ftpool_result>()..=check::LARGEST_STRUCT;
    if possible.contains(&size) && aligned { Ok(size) } else { Err(FTPOOL_E_INVALID) }
}

/// Fills a result for the program that reads it.
///
/// # Safety
///
/// 1. `place` points to a result.
#[inline(always)]
pub(super) unsafe fn fill(place: *mut ftpool_result, outcome: Outcome<Value>) {
    // SAFETY: 1. the caller's 1.
    unsafe { fill_from(place, outcome.id.get(), outcome.result.as_ref(), outcome.extra()) };
}

/// As [`fill`] for an outcome that is a value and nothing else; returns any other outcome.
///
/// # Safety
///
/// 1. `place` points to a result.
#[inline(always)]
pub(super) unsafe fn fill_plain(place: *mut ftpool_result, outcome: Outcome<Value>) -> Option<Outcome<Value>> {
    if outcome.result.is_err() || !outcome.is_plain() {
        return Some(outcome);
    }
    // SAFETY: the caller's 1.
    unsafe { fill(place, outcome) };
    None
}

/// Calls `callback` with a temporary result for an outcome. `arg` is the job's argument if it is not attached yet.
pub(super) fn with_result<R>(
    outcome: &Outcome<Value>,
    arg: Option<*mut c_void>,
    callback: impl FnOnce(*const ftpool_result) -> R,
) -> R {
    let mut result = ftpool_result::EMPTY;
    let text = result.set(outcome.id.get(), outcome.result.as_ref(), outcome.extra()).map(c_text);
    result.arg = arg.unwrap_or(result.arg);
    result.error_message = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    emit::within_callback(result.id, || callback(&result))
}

/// As [`fill`], from the parts of an outcome.
///
/// # Safety
///
/// 1. `place` points to a result.
#[inline(always)]
pub(super) unsafe fn fill_from(
    place: *mut ftpool_result,
    id: ftpool_job_id,
    outcome: Result<&Value, &JobError>,
    extra: Option<&Extra>,
) {
    // SAFETY: the caller's 1.
    let place = unsafe { &mut *place };
    let text = place.set(id, outcome, extra);
    place.error_message = text.map_or(std::ptr::null(), keep_text);
}

/// As [`with_result`], for a job with a handle.
pub(super) fn with_completion(
    id: ftpool_job_id,
    completion: &Completion<Value>,
    callback: impl FnOnce(*const ftpool_result),
) {
    let mut result = ftpool_result::EMPTY;
    let text = result.set(id, completion.result.as_ref(), completion.extra.as_deref()).map(c_text);
    result.error_message = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    emit::within_callback(id, || callback(&result));
}

impl ftpool_result {
    const EMPTY: Self = Self {
        size: size_of::<Self>(),
        id: 0,
        value: std::ptr::null_mut(),
        error_message: std::ptr::null(),
        queued_ns: 0,
        run_ns: 0,
        outcome: FTPOOL_OUTCOME_DONE,
        error_code: 0,
        arg: std::ptr::null_mut(),
        tick: 0,
        late_by_ns: 0,
    };

    /// Sets the fields that few outcomes have.
    #[cold]
    fn set_extra(&mut self, extra: &Extra) {
        if let Some(times) = &extra.times {
            (self.queued_ns, self.run_ns) = (nanos(times.queued), nanos(times.ran));
        }
        if let Some(tick) = &extra.tick {
            (self.tick, self.late_by_ns) = (tick.number, from_duration(tick.late_by));
        }
        if let Some(returned) = extra.attachment.as_ref().and_then(|attached| attached.downcast_ref::<Returned>()) {
            self.arg = returned.0;
        }
    }

    /// Sets all fields but the message, which it returns. It writes word by word, in place: building the result
    /// elsewhere and copying it in larger pieces would stall store forwarding.
    #[inline(always)]
    fn set(&mut self, id: ftpool_job_id, outcome: Result<&Value, &JobError>, extra: Option<&Extra>) -> Option<String> {
        self.id = id;
        (self.queued_ns, self.run_ns) = (0, 0);
        self.arg = std::ptr::null_mut();
        (self.tick, self.late_by_ns) = (0, 0);
        if let Some(extra) = extra {
            self.set_extra(extra);
        }
        match outcome {
            Ok(Value(value)) => {
                self.value = *value;
                (self.outcome, self.error_code) = (FTPOOL_OUTCOME_DONE, 0);
                None
            }
            Err(error) => {
                self.value = std::ptr::null_mut();
                (self.outcome, self.error_code) = classify(error);
                Some(message(error))
            }
        }
    }
}

/// The outcome and the error code of a job that has no value.
pub(super) fn classify(error: &JobError) -> (u32, i32) {
    match error {
        JobError::Failed(error) => {
            let declared = error.downcast_ref::<Failure>();
            (FTPOOL_OUTCOME_FAILED, declared.map_or(FTPOOL_E_JOB as i32, |declared| declared.code))
        }
        JobError::Panicked(_) => (FTPOOL_OUTCOME_FAILED, FTPOOL_E_PANIC as i32),
        JobError::Cancelled => (FTPOOL_OUTCOME_CANCELLED, FTPOOL_CANCELLED as i32),
        JobError::Expired => (FTPOOL_OUTCOME_EXPIRED, FTPOOL_TIMEOUT as i32),
        JobError::TimedOut => (FTPOOL_OUTCOME_FAILED, FTPOOL_TIMEOUT as i32),
        JobError::Deadlock => (FTPOOL_OUTCOME_FAILED, FTPOOL_E_DEADLOCK as i32),
    }
}

/// The message that was passed to ftpool_fail(), or the text of any other error.
pub(super) fn message(error: &JobError) -> String {
    match error {
        JobError::Failed(error) => {
            error.downcast_ref::<Failure>().map_or_else(|| error.to_string(), |declared| declared.message.clone())
        }
        other => other.to_string(),
    }
}

/// Frees the messages that an earlier read of the calling thread returned.
pub(super) fn forget_texts() {
    let _ = TEXTS.try_with(|texts| texts.borrow_mut().clear());
}

/// Keeps a text until the calling thread's next read; for ever if its thread-locals were destroyed.
pub(super) fn keep_text(text: String) -> *const c_char {
    let text = ManuallyDrop::new(c_text(text));
    let pointer = text.as_ptr();
    let _ = TEXTS.try_with(|texts| texts.borrow_mut().push(ManuallyDrop::into_inner(text)));
    pointer
}

/// Converts a text, which ends at its first NUL byte.
pub(super) fn c_text(text: String) -> CString {
    let bytes = text.into_bytes().into_iter().take_while(|&byte| byte != 0).collect::<Vec<_>>();
    CString::new(bytes).unwrap_or_default()
}
