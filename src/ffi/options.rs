//! Jobs with more to them than a function and its argument.

use super::callback::{Callback, Free, ftpool_callback, ftpool_free_fn};
use super::check::{self, Call, Checked, status};
use super::ftpool_status::{self, *};
use super::result::{Returned, Value};
use super::{emit, ftpool, ftpool_fn, ftpool_group, ftpool_job_id, ftpool_results};
use crate::api::{Declared, Request};
use crate::{Emitter, JobError, JobId, Pool};
use std::ffi::c_void;
use std::ptr;

/// A submit flag: before every job of the pool that is queued.
pub const FTPOOL_SUBMIT_FIRST: u32 = 1;
/// A submit flag: the job sends its values out with ftpool_emit(); what it returns is ignored.
pub const FTPOOL_SUBMIT_EMITS: u32 = 2;
/// A submit flag: the outcome carries the job's argument. Not with FTPOOL_SUBMIT_EMITS: such a job may end without one.
pub const FTPOOL_SUBMIT_RETURN_ARG: u32 = 4;

/// What a job shall have beyond its function and argument. Begin with FTPOOL_SUBMIT_OPTIONS_INIT, which means nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_submit_options {
    /// sizeof(ftpool_submit_options), set by FTPOOL_SUBMIT_OPTIONS_INIT.
    pub size: usize,
    /// Where the outcome goes, an object of the same pool; NULL: nowhere.
    pub results: *mut ftpool_results,
    /// Called with the outcome on the worker, before anybody else sees it; with FTPOOL_SUBMIT_EMITS with every value,
    /// and with the failure if there is one. For a job that is cancelled, on the thread that cancels it. If it returns
    /// other than 0 the job has failed with that code, and the value goes to value_free. May be NULL.
    pub callback: ftpool_callback,
    /// Handed to the callback.
    pub callback_context: *mut c_void,
    /// Called with the argument exactly once when the accepted job has ended in whatever way: ran, failed, cancelled. May
    /// be NULL, and must be with FTPOOL_SUBMIT_RETURN_ARG.
    pub arg_free: ftpool_free_fn,
    /// FTPOOL_SUBMIT_FIRST, _EMITS, _RETURN_ARG, or'ed together; 0 for none.
    pub flags: u32,
    /// A group of the same pool that the job joins; FTPOOL_SUBMIT_FIRST then means before all that are queued in the
    /// group. NULL: none.
    pub group: *mut ftpool_group,
}

/// Runs `function(arg)` on a worker, some time, with `options`, which may be NULL. `out_id` may be NULL.
///
/// **Ownership:** `arg` is the job's from now on; see arg_free. After a failure nothing was taken and nothing is called.
/// The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as ftpool_submit();
/// FTPOOL_E_INVALID also if the options' size, flags or results object are not valid; FTPOOL_E_VERSION if they have fields
/// that this library does not know.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `options` is
///    NULL or points to as many bytes as its size field says, and its functions may be called as described. 4. `out_id` is
///    NULL or writable.
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

/// # Safety
///
/// As for [`ftpool_submit_with`].
unsafe fn submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_submit_options,
) -> Checked<JobId> {
    let mut asked = ftpool_submit_options {
        size: 0,
        results: ptr::null_mut(),
        callback: None,
        callback_context: ptr::null_mut(),
        arg_free: None,
        flags: 0,
        group: ptr::null_mut(),
    };
    // SAFETY: the caller's 1.
    let pool = unsafe { check::pool(pool) }?;
    let call = Call::new(function, arg)?;
    if !options.is_null() {
        // SAFETY: 1. the caller's 3; 2. numbers and pointers.
        asked = unsafe { check::known_part(options, asked) }?;
    }
    const KNOWN: u32 = FTPOOL_SUBMIT_FIRST | FTPOOL_SUBMIT_EMITS | FTPOOL_SUBMIT_RETURN_ARG;
    let returns_arg = asked.flags & FTPOOL_SUBMIT_RETURN_ARG != 0;
    let emits = asked.flags & FTPOOL_SUBMIT_EMITS != 0;
    if asked.flags & !KNOWN != 0 || returns_arg && (emits || asked.arg_free.is_some()) {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 3.
    let results = unsafe { asked.results.as_ref() };
    // SAFETY: the caller's 3.
    let group = unsafe { asked.group.as_ref() };
    let fits = results.is_none_or(|results| results.results.belongs_to(&pool));
    if !fits || group.is_some_and(|group| !group.0.is_of(&pool)) {
        return Err(FTPOOL_E_INVALID);
    }
    let code = move |emitter: &Emitter<'_, Value>| match emits {
        true => {
            emit::within(emitter, || call.run());
            Ok(None)
        }
        false => Ok(Some(Value(call.run()))),
    };
    let mut request = request(&pool, results, code, &asked, call);
    if let Some(group) = group {
        request = request.group(&group.0);
    }
    Ok(request.submit()?)
}

fn request<'a, F>(
    pool: &'a Pool,
    results: Option<&'a ftpool_results>,
    code: F,
    asked: &ftpool_submit_options,
    call: Call,
) -> Request<'a, Value, F>
where
    F: FnOnce(&Emitter<'_, Value>) -> Result<Option<Value>, JobError> + Send + 'static,
{
    let mut request = pool.request(results.map(|results| &results.results), code);
    if asked.flags & FTPOOL_SUBMIT_FIRST != 0 {
        request = request.first();
    }
    if let Some(callback) = Callback::new(asked.callback, asked.callback_context) {
        let free = results.and_then(|results| Free::new(results.value_free));
        let returned = (asked.flags & FTPOOL_SUBMIT_RETURN_ARG != 0).then_some(call);
        request = request.try_then(move |outcome| {
            match (callback.call(outcome, returned.map(Call::argument)), &outcome.result) {
                (0, _) => Ok(()),
                (code, result) => {
                    if let (Some(free), Ok(value)) = (free, result) {
                        free.call(value.0);
                    }
                    Err(Declared { code, message: "the callback failed".into() })
                }
            }
        });
    }
    match Free::new(asked.arg_free) {
        Some(free) => request.finally(move || free.call(call.argument())),
        None if asked.flags & FTPOOL_SUBMIT_RETURN_ARG != 0 => {
            request.sending(move || Some(Box::new(Returned(call.argument()))))
        }
        None => request,
    }
}
