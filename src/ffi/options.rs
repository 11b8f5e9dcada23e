//! C jobs with options.

use super::callback::{Callback, Free, Settle, ftpool_callback, ftpool_free_fn, ftpool_settle_fn};
use super::check::{self, Call, Checked, status};
use super::ftpool_status::{self, *};
use super::result::{Returned, Value};
use super::time::nanoseconds;
use super::timed::DueOptions;
use super::{emit, ftpool, ftpool_fn, ftpool_group, ftpool_job, ftpool_job_id, ftpool_results, handle};
use crate::api::Request;
use crate::{Due, Emitter, JobError, JobHandle, JobId, Pool};
use std::ffi::{c_char, c_void};

/// A flag of ftpool_submit_options: the job goes ahead of every queued job of the pool, or of its group.
pub const FTPOOL_SUBMIT_FIRST: u32 = 1;
/// A flag of ftpool_submit_options: the job emits its values with ftpool_emit(); what it returns is ignored.
pub const FTPOOL_SUBMIT_EMITS: u32 = 2;
/// A flag of ftpool_submit_options: the outcome has the job's argument in ftpool_result.arg. Not with
/// FTPOOL_SUBMIT_EMITS, because such a job may end without an outcome. If the outcome is not read, the argument is
/// lost: value_free is called with values only.
pub const FTPOOL_SUBMIT_RETURN_ARG: u32 = 4;
/// A flag of ftpool_submit_options: a `wall_ns` that has passed means now, and is not an error.
pub const FTPOOL_SUBMIT_OR_NOW: u32 = 8;
/// A flag of ftpool_submit_options: when due, a delayed job goes behind the queued jobs, not ahead of them.
pub const FTPOOL_SUBMIT_BACK: u32 = 16;

/// The options of a job, for ftpool_submit_with(). Initialise it with FTPOOL_SUBMIT_OPTIONS_INIT, which means none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_submit_options {
    /// sizeof(ftpool_submit_options), set by FTPOOL_SUBMIT_OPTIONS_INIT.
    pub size: usize,
    /// The results object for the outcome, which must be of the same pool. NULL: none.
    pub results: *mut ftpool_results,
    /// Called with the outcome before it can be read: on the thread that has run the job, or on the one that cancelled
    /// or expired it. If there is neither `results` nor a handle, nobody else sees the value. With FTPOOL_SUBMIT_EMITS
    /// it is called with every value, and with the failure if there is one. If it returns anything but 0, the job fails
    /// with that code, and the value is passed to the value_free of `results`, if there is one; a failure whose own
    /// code is returned stays as it was. May be NULL.
    pub callback: ftpool_callback,
    /// Called instead of `callback`, which must be NULL then, and decides how the job ends. May be NULL.
    pub settle: ftpool_settle_fn,
    /// Passed to `callback` or `settle`. It must stay valid until the job has ended.
    pub callback_context: *mut c_void,
    /// Called with the argument exactly once when the accepted job has ended in any way (done, failed, cancelled or
    /// expired), after `callback` or `settle` and on the same thread, before the outcome can be read. May be NULL. It
    /// must be NULL with FTPOOL_SUBMIT_RETURN_ARG.
    pub arg_free: ftpool_free_fn,
    /// FTPOOL_SUBMIT_FIRST, _EMITS, _RETURN_ARG, _OR_NOW, _BACK, or'ed together; 0 for none.
    pub flags: u32,
    /// A group of the same pool, whose limit and priority then apply. NULL: none.
    pub group: *mut ftpool_group,
    /// If not 0, a deadline for the start of the job, counted from the submit: a job that no worker has started by then
    /// ends FTPOOL_OUTCOME_EXPIRED at that moment, not when a worker would have reached it. Its callback and arg_free
    /// are then usually called on the pool's timer thread. A submit that waits for room returns FTPOOL_FULL at the same
    /// deadline. FTPOOL_E_THREAD may also mean the timer thread.
    pub start_within_ns: i64,
    /// If not 0, ftpool_config.overrun is called once if the job runs longer than this. If the system refuses what that
    /// needs (memory, the timer thread), the job runs nevertheless.
    pub run_limit_ns: i64,
    /// The name that overrun is called with. Copied. NULL means "".
    pub name: *const c_char,
    /// If not 0, the job is due this long after the submit, as with ftpool_submit_later(). Not with `group` or
    /// `start_within_ns`, and FTPOOL_SUBMIT_FIRST has no effect. A job of the same pool can wait for it only with a
    /// time limit.
    pub delay_ns: i64,
    /// If not 0, the job is due when the wall clock shows this time, in nanoseconds since 1970, as with
    /// ftpool_submit_at(); `delay_ns` must then be 0. Otherwise as `delay_ns`.
    pub wall_ns: i64,
    /// How much later a delayed job may be, so that the machine wakes up less often.
    pub leeway_ns: i64,
}

/// Queues `function(arg)` to run on a worker, with `options`, which may be NULL. `out_id` may be NULL.
///
/// **Ownership:** `arg` belongs to the job from now on; see arg_free. If this fails, nothing was taken and nothing is
/// called. The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as
/// ftpool_submit(); FTPOOL_E_INVALID also if the options' size, flags, times, callbacks, group or results object are
/// not valid, or exclude one another; FTPOOL_E_VERSION if they have fields that this library does not know.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `options`
///    is NULL or points to as many bytes as its size field says, and its functions may be called as described. 4.
///    `out_id` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_with(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_submit_options,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    let id = unsafe { submit(pool, function, arg, options) };
    // SAFETY: the caller's 4.
    status(id.map(|id| unsafe { check::store(out_id, id.get()) }))
}

/// As ftpool_submit_with(), and returns a handle to the job in `*out_job`. The outcome goes to the handle, so `options`
/// must not have a results object or FTPOOL_SUBMIT_EMITS.
///
/// **Ownership:** as ftpool_submit_with(); the handle as ftpool_submit_job(). **Thread safety:** as
/// ftpool_submit_with(). **Returns:** as ftpool_submit_with(); FTPOOL_E_INVALID also if `out_job` is NULL. `*out_job`
/// is NULL on failure.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `options`
///    is NULL or points to as many bytes as its size field says, and its functions may be called as described. 4.
///    `out_job` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_job_with(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_submit_options,
    out_job: *mut *mut ftpool_job,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    let submit = || unsafe { submit_job(pool, function, arg, options) }.map(handle::into_ptr);
    // SAFETY: the caller's 4.
    unsafe { check::store_new(out_job, submit) }
}

/// # Safety
///
/// As for [`ftpool_submit_with`].
unsafe fn submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_submit_options,
) -> Checked<JobId> {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::pool(pool) }?;
    let call = Call::new(function, arg)?;
    // SAFETY: 1. the caller's 3; 2. numbers and pointers.
    let asked = unsafe { check::known_part(options) }?;
    // SAFETY: the caller's 3.
    Ok(unsafe { request(&pool, call, &asked) }?.submit()?)
}

/// # Safety
///
/// As for [`ftpool_submit_job_with`].
unsafe fn submit_job(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_submit_options,
) -> Checked<JobHandle<Value>> {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::pool(pool) }?;
    let call = Call::new(function, arg)?;
    // SAFETY: 1. the caller's 3; 2. numbers and pointers.
    let asked = unsafe { check::known_part(options) }?;
    if !asked.results.is_null() || asked.flags & FTPOOL_SUBMIT_EMITS != 0 {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 3.
    Ok(unsafe { request(&pool, call, &asked) }?.submit_handle()?)
}

/// What a job's code returns: a value, or none if it emits values.
type CodeResult = Result<Option<Value>, JobError>;

/// The request for a job with these options.
///
/// # Safety
///
/// 1. The results object, the group and the name are NULL or valid.
unsafe fn request<'a>(
    pool: &'a Pool,
    call: Call,
    asked: &ftpool_submit_options,
) -> Checked<Request<'a, Value, impl FnOnce(&Emitter<'_, Value>) -> CodeResult + Send + 'static>> {
    const DUE: u32 = FTPOOL_SUBMIT_OR_NOW | FTPOOL_SUBMIT_BACK;
    const KNOWN: u32 = FTPOOL_SUBMIT_FIRST | FTPOOL_SUBMIT_EMITS | FTPOOL_SUBMIT_RETURN_ARG | DUE;
    let returns_arg = asked.flags & FTPOOL_SUBMIT_RETURN_ARG != 0;
    let emits = asked.flags & FTPOOL_SUBMIT_EMITS != 0;
    if asked.flags & !KNOWN != 0 || returns_arg && (emits || asked.arg_free.is_some()) {
        return Err(FTPOOL_E_INVALID);
    }
    if asked.callback.is_some() && asked.settle.is_some() {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 1.
    let results: Option<&'a ftpool_results> = unsafe { asked.results.as_ref() };
    // SAFETY: the caller's 1.
    let group: Option<&'a ftpool_group> = unsafe { asked.group.as_ref() };
    let same_pool = results.is_none_or(|results| results.results.belongs_to(pool))
        && group.is_none_or(|group| group.0.belongs_to(pool.core()));
    if !same_pool {
        return Err(FTPOOL_E_INVALID);
    }
    let (start_within, run_limit) = (nanoseconds(asked.start_within_ns)?, nanoseconds(asked.run_limit_ns)?);
    let due = due(asked)?;
    if due.is_some() && (group.is_some() || !start_within.is_zero()) {
        return Err(FTPOOL_E_INVALID);
    }
    let code = move |emitter: &Emitter<'_, Value>| match emits {
        true => {
            emit::within(emitter, || call.run());
            Ok(None)
        }
        false => Ok(Some(Value(call.run()))),
    };
    let mut request = Request::new(pool.core(), results.map(|results| &results.results), code);
    if asked.flags & FTPOOL_SUBMIT_FIRST != 0 {
        request = request.first();
    }
    if let Some(group) = group {
        request = request.group(&group.0);
    }
    if !start_within.is_zero() {
        request = request.start_within(start_within);
    }
    if let Some(due) = due {
        request = request.at(due);
    }
    if !run_limit.is_zero() {
        // SAFETY: the caller's 1.
        request = request.run_limit(unsafe { check::text(asked.name) }, run_limit);
    }
    let value_free = results.and_then(|results| Free::new(results.value_free));
    Ok(with_callbacks(request, call, asked, value_free))
}

/// When the job is due; `None` for a job that is not delayed.
fn due(asked: &ftpool_submit_options) -> Checked<Option<Due>> {
    let due = DueOptions {
        delay_ns: asked.delay_ns,
        wall_ns: asked.wall_ns,
        leeway_ns: asked.leeway_ns,
        or_now: asked.flags & FTPOOL_SUBMIT_OR_NOW != 0,
        back: asked.flags & FTPOOL_SUBMIT_BACK != 0,
    };
    let checked = due.check()?;
    Ok(due.has_time().then_some(checked))
}

fn with_callbacks<'a, F>(
    mut request: Request<'a, Value, F>,
    call: Call,
    asked: &ftpool_submit_options,
    value_free: Option<Free>,
) -> Request<'a, Value, F>
where
    F: FnOnce(&Emitter<'_, Value>) -> CodeResult + Send + 'static,
{
    let returned = (asked.flags & FTPOOL_SUBMIT_RETURN_ARG != 0).then_some(call);
    if let Some(callback) = Callback::new(asked.callback, asked.callback_context) {
        request = request.try_then(move |outcome| {
            let returned = callback.try_call(outcome, returned.map(Call::argument));
            if let (Err(_), Some(free), Ok(value)) = (&returned, value_free, &outcome.result) {
                free.call(value.0);
            }
            returned
        });
    }
    if let Some(settle) = Settle::new(asked.settle, asked.callback_context) {
        request = request.then_amend(move |outcome| {
            settle.decide(outcome, returned.map(Call::argument));
            Ok(())
        });
    }
    match (Free::new(asked.arg_free), returned) {
        (Some(free), _) => request.finally(move || free.call(call.argument())),
        (None, Some(call)) => request.finally_attach(move || Some(Box::new(Returned(call.argument())))),
        (None, None) => request,
    }
}
