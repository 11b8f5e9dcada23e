//! Hooks of C programs.

use super::shared::Shared;
use super::time::from_duration;
use super::{ftpool_config, ftpool_job_id, result};
use crate::{Builder, JobError, JobId, Overrun};
use std::ffi::{c_char, c_void};

/// Called on a worker thread with the context of the config and the worker's index.
pub type ftpool_worker_hook = Option<unsafe extern "C" fn(context: *mut c_void, worker: u32)>;

/// Called for a job that has failed, with the context of the config, and the code and message of its ftpool_result. The
/// message belongs to the library, and is valid only during the call.
pub type ftpool_failed_hook =
    Option<unsafe extern "C" fn(context: *mut c_void, id: ftpool_job_id, code: i32, message: *const c_char)>;

/// Called with the context of the config, FTPOOL_LOG_ERROR and a line of text, which belongs to the library and is
/// valid only during the call. Later versions may have more levels.
pub type ftpool_log_hook = Option<unsafe extern "C" fn(context: *mut c_void, level: u32, line: *const c_char)>;

/// Called for a job that has exceeded its run limit, with the context of the config, the job's id and name, and for how
/// many nanoseconds it has been running. If it returns anything but 0, the job is asked to stop
/// (ftpool_self_cancelled()). The name belongs to the library, and is valid only during the call.
pub type ftpool_overrun_hook =
    Option<unsafe extern "C" fn(context: *mut c_void, id: ftpool_job_id, name: *const c_char, ran_ns: u64) -> i32>;

/// A level of ftpool_log_hook: a job or a hook has failed.
pub const FTPOOL_LOG_ERROR: u32 = 1;

/// Sets the hooks of a config.
pub(super) fn set(mut builder: Builder, config: &ftpool_config) -> Builder {
    let context = Shared(config.context);
    if let Some(start) = config.start {
        // SAFETY: the caller of ftpool_new states that the hook may be called with the context.
        builder = builder.on_start(move |worker| unsafe { start(context.get(), worker as u32) });
    }
    if let Some(stop) = config.stop {
        // SAFETY: as above.
        builder = builder.on_stop(move |worker| unsafe { stop(context.get(), worker as u32) });
    }
    if let Some(failed) = config.failed {
        builder = builder.on_failure(move |id: JobId, error: &JobError| {
            let (message, code) = (result::c_text(result::message(error)), result::classify(error).1);
            // SAFETY: as above.
            unsafe { failed(context.get(), id.get(), code, message.as_ptr()) };
        });
    }
    if let Some(log) = config.log {
        // SAFETY: as above.
        builder = builder
            .on_log(move |line| unsafe { log(context.get(), FTPOOL_LOG_ERROR, result::c_text(line.into()).as_ptr()) });
    }
    if let Some(overrun) = config.overrun {
        builder = builder.on_overrun(move |job: &Overrun<'_>| {
            let name = result::c_text(job.name().into());
            let ran_ns = from_duration(job.ran()).unsigned_abs();
            // SAFETY: as above.
            if unsafe { overrun(context.get(), job.id().get(), name.as_ptr(), ran_ns) } != 0 {
                job.request_cancel();
            }
        });
    }
    builder
}
