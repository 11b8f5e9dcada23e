//! One outcome of a C job.

use super::check::{self, Checked};
use super::clock::from_duration;
use super::ftpool_job_id;
use super::ftpool_status::*;
use crate::api::{Completion, Declared, Extra};
use crate::sys::clock::nanos;
use crate::{JobError, Outcome};
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::mem::ManuallyDrop;

/// An outcome: the job returned a value.
pub const FTPOOL_OUTCOME_DONE: u32 = 0;
/// An outcome: the job failed (ftpool_fail()) or panicked.
pub const FTPOOL_OUTCOME_FAILED: u32 = 1;
/// An outcome: the job was cancelled before it started.
pub const FTPOOL_OUTCOME_CANCELLED: u32 = 2;
/// An outcome: the job was not started in time.
pub const FTPOOL_OUTCOME_EXPIRED: u32 = 3;

/// The outcome of a job. Initialise it with FTPOOL_RESULT_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_result {
    /// sizeof(ftpool_result), set by FTPOOL_RESULT_INIT; never changed by the library.
    pub size: usize,
    /// The id that submitting the job gave.
    pub id: ftpool_job_id,
    /// What the job returned if the outcome is FTPOOL_OUTCOME_DONE, else NULL.
    pub value: *mut c_void,
    /// What went wrong if the outcome is not FTPOOL_OUTCOME_DONE, else NULL. It belongs to the library, and is valid
    /// until the calling thread next reads an outcome, from any results object or handle, or calls ftpool_check():
    /// print or copy it before that.
    pub error_message: *const c_char,
    /// Nanoseconds that the job was queued; 0 unless the pool measures (ftpool_config.timing).
    pub queued_ns: u64,
    /// Nanoseconds that the job ran; 0 unless the pool measures.
    pub run_ns: u64,
    /// FTPOOL_OUTCOME_DONE, _FAILED, _CANCELLED or _EXPIRED.
    pub outcome: u32,
    /// The code given to ftpool_fail() or returned by a callback; FTPOOL_E_PANIC for a panic, FTPOOL_CANCELLED for a
    /// cancelled job, FTPOOL_TIMEOUT for one that was not started in time, else 0.
    pub error_code: i32,
    /// The job's argument if it was submitted with FTPOOL_SUBMIT_RETURN_ARG, else NULL.
    pub arg: *mut c_void,
    /// Which tick of a schedule this was, as ftpool_self_tick() counts; 1 for a delayed job, 0 for all others, and for
    /// one that did not start.
    pub tick: u64,
    /// How many nanoseconds after its due time the job of that tick started.
    pub late_by_ns: i64,
}

thread_local! {
    /// The texts that the calling thread's last read of any gave out.
    static TEXTS: RefCell<Vec<CString>> = const { RefCell::new(Vec::new()) };
}

/// What a job returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value(pub(super) *mut c_void);

// SAFETY: whoever submits a C job states that what it returns may be handed to any thread.
unsafe impl Send for Value {}

/// An argument that travels back with the outcome.
#[derive(Debug)]
pub(super) struct Returned(pub(super) *mut c_void);

// SAFETY: whoever submits a C job states that its argument may be handed to any thread.
unsafe impl Send for Returned {}
// SAFETY: as above.
unsafe impl Sync for Returned {}

/// The size that a result states, if it has room for everything.
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

/// # Safety
///
/// 1. `place` points to a result.
#[inline(always)]
pub(super) unsafe fn fill(place: *mut ftpool_result, outcome: Outcome<Value>) {
    // SAFETY: the caller's 1.
    let place = unsafe { &mut *place };
    let text = place.say(&outcome);
    place.error_message = text.map_or(std::ptr::null(), keep_text);
}

/// As [`fill`], if it is a value and nothing else; any other outcome is given back.
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

/// Shows a callback an outcome that stays the library's, with the argument if it is not in there yet, and returns what
/// the callback returns.
pub(super) fn show<R>(
    outcome: &Outcome<Value>,
    arg: Option<*mut c_void>,
    callback: impl FnOnce(*const ftpool_result) -> R,
) -> R {
    let mut result = ftpool_result::EMPTY;
    let text = result.say(outcome).map(c_text);
    result.arg = arg.unwrap_or(result.arg);
    result.error_message = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    callback(&result)
}

/// As [`fill`], of a job whose outcome stays where it is.
///
/// # Safety
///
/// 1. `place` points to a result.
#[inline]
pub(super) unsafe fn fill_with(
    place: *mut ftpool_result,
    id: ftpool_job_id,
    outcome: Result<&Value, &JobError>,
    extra: Option<&Extra>,
) {
    // SAFETY: the caller's 1.
    let place = unsafe { &mut *place };
    let text = place.say_of(id, outcome, extra);
    place.error_message = text.map_or(std::ptr::null(), keep_text);
}

/// As [`show`], of a job whose outcome stays where it is.
pub(super) fn show_with(id: ftpool_job_id, end: &Completion<Value>, callback: impl FnOnce(*const ftpool_result)) {
    let mut result = ftpool_result::EMPTY;
    let text = result.say_of(id, end.result.as_ref(), end.extra.as_deref()).map(c_text);
    result.error_message = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    callback(&result);
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

    /// Says everything but the message, which it returns.
    #[inline(always)]
    fn say(&mut self, outcome: &Outcome<Value>) -> Option<String> {
        self.say_of(outcome.id.get(), outcome.result.as_ref(), outcome.extra())
    }

    /// What only some outcomes have.
    #[cold]
    fn say_more(&mut self, extra: &Extra) {
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

    /// The same, of a job's parts. Word by word, in place: put together elsewhere and copied in larger pieces it stalls
    /// the processor.
    #[inline(always)]
    fn say_of(
        &mut self,
        id: ftpool_job_id,
        outcome: Result<&Value, &JobError>,
        extra: Option<&Extra>,
    ) -> Option<String> {
        self.id = id;
        (self.queued_ns, self.run_ns) = (0, 0);
        self.arg = std::ptr::null_mut();
        (self.tick, self.late_by_ns) = (0, 0);
        if let Some(extra) = extra {
            self.say_more(extra);
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

pub(super) fn classify(error: &JobError) -> (u32, i32) {
    match error {
        JobError::Failed(error) => {
            let declared = error.downcast_ref::<Declared>();
            (FTPOOL_OUTCOME_FAILED, declared.map_or(FTPOOL_E_JOB as i32, |declared| declared.code))
        }
        JobError::Panicked(_) => (FTPOOL_OUTCOME_FAILED, FTPOOL_E_PANIC as i32),
        JobError::Cancelled => (FTPOOL_OUTCOME_CANCELLED, FTPOOL_CANCELLED as i32),
        JobError::Expired => (FTPOOL_OUTCOME_EXPIRED, FTPOOL_TIMEOUT as i32),
        JobError::TimedOut => (FTPOOL_OUTCOME_FAILED, FTPOOL_TIMEOUT as i32),
        JobError::Deadlock => (FTPOOL_OUTCOME_FAILED, FTPOOL_E_DEADLOCK as i32),
    }
}

/// The text given to ftpool_fail() as it was, anything else as the library puts it.
pub(super) fn message(error: &JobError) -> String {
    match error {
        JobError::Failed(error) => {
            error.downcast_ref::<Declared>().map_or_else(|| error.to_string(), |declared| declared.message.clone())
        }
        other => other.to_string(),
    }
}

/// Lets go of the texts that an earlier read of the calling thread gave out.
pub(super) fn forget_texts() {
    let _ = TEXTS.try_with(|texts| texts.borrow_mut().clear());
}

/// Keeps a text for the calling thread until its next read, for ever if its thread-locals are gone.
pub(super) fn keep_text(text: String) -> *const c_char {
    let text = ManuallyDrop::new(c_text(text));
    let pointer = text.as_ptr();
    let _ = TEXTS.try_with(|texts| texts.borrow_mut().push(ManuallyDrop::into_inner(text)));
    pointer
}

/// At a NUL byte the text ends.
pub(super) fn c_text(text: String) -> CString {
    let bytes = text.into_bytes().into_iter().take_while(|&byte| byte != 0).collect::<Vec<_>>();
    CString::new(bytes).unwrap_or_default()
}
