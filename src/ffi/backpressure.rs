//! What happens when jobs come faster than they run, in C.

use super::check::{self, Call, Checked, status};
use super::ftpool_status::{self, *};
use super::{ftpool, ftpool_config, ftpool_fn, ftpool_job_id, time};
use crate::{Builder, Policy, WaterMark};
use std::ffi::c_void;

/// A policy for a full queue: a submit waits until there is room.
pub const FTPOOL_POLICY_BLOCK: u32 = 0;
/// A policy for a full queue: a submit waits for policy_timeout_ns and then returns FTPOOL_FULL.
pub const FTPOOL_POLICY_TIMED: u32 = 1;
/// A policy for a full queue: a submit returns FTPOOL_FULL at once.
pub const FTPOOL_POLICY_REJECT: u32 = 2;
/// A policy for a full queue: the submitting thread runs the job itself, in the call.
pub const FTPOOL_POLICY_CALLER_RUNS: u32 = 3;
/// A policy for a full queue: the oldest queued job is cancelled to make room.
pub const FTPOOL_POLICY_DISCARD_OLDEST: u32 = 4;
/// A policy without a limit on queued jobs: every submit waits until a worker starts its job; max_queued is ignored.
pub const FTPOOL_POLICY_HAND_OFF: u32 = 5;

/// A water mark: the queue has fallen to low_water jobs.
pub const FTPOOL_WATER_LOW: u32 = 0;
/// A water mark: the queue has risen to high_water jobs.
pub const FTPOOL_WATER_HIGH: u32 = 1;

/// Called when the number of queued jobs has reached a mark, FTPOOL_WATER_HIGH or FTPOOL_WATER_LOW, always alternating
/// and never concurrently; on the thread that submits or cancels, or on a worker between two jobs. Must return, as a
/// job must, and should be short.
pub type ftpool_water_fn = Option<unsafe extern "C" fn(context: *mut c_void, mark: u32, queued: usize)>;

/// As ftpool_submit(), but waits for room until the timeout and no longer, whatever the policy for a full queue is.
/// FTPOOL_NOW only tries.
///
/// **Ownership**, **Thread safety:** as ftpool_submit(). **Returns:** as ftpool_submit(); FTPOOL_FULL if there was no
/// room in time, and `arg` stays the caller's; FTPOOL_E_INVALID also if the timeout is not valid.
///
/// # Safety
///
/// As for ftpool_submit().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_try_submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    timeout_ns: i64,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1; a submit is a visit, which the pool's end waits for.
    let pool = unsafe { check::pool(pool) };
    let offered = pool.and_then(|pool| {
        let (deadline, call) = (time::deadline(timeout_ns)?, Call::new(function, arg)?);
        let job = move || {
            call.run();
        };
        pool.offer(job, deadline).map_err(|refused| refused.error.into())
    });
    // SAFETY: the caller's 3.
    status(offered.map(|id| unsafe { check::store(out_id, id.get()) }))
}

/// The builder with the bound and the marks that a config asks for.
pub(super) fn bounded(mut builder: Builder, config: &ftpool_config) -> Checked<Builder> {
    let timeout = time::duration(config.policy_timeout_ns)?;
    let policy = match config.policy {
        FTPOOL_POLICY_BLOCK => Policy::Block,
        FTPOOL_POLICY_TIMED => timeout.map_or(Policy::Block, Policy::Timed),
        FTPOOL_POLICY_REJECT => Policy::Reject,
        FTPOOL_POLICY_CALLER_RUNS => Policy::CallerRuns,
        FTPOOL_POLICY_DISCARD_OLDEST => Policy::DiscardOldest,
        FTPOOL_POLICY_HAND_OFF => Policy::HandOff,
        _ => return Err(FTPOOL_E_INVALID),
    };
    builder = builder.max_queued(config.max_queued, policy);
    let Some(function) = config.water_callback else { return Ok(builder) };
    let tell = Tell { function, context: config.water_context };
    Ok(builder.water_marks(config.low_water, config.high_water, move |water, queued| tell.call(water, queued)))
}

#[derive(Clone, Copy)]
struct Tell {
    function: unsafe extern "C" fn(*mut c_void, u32, usize),
    context: *mut c_void,
}

// SAFETY: whoever gives a callback states that it may be called with its context on any thread.
unsafe impl Send for Tell {}
// SAFETY: as above.
unsafe impl Sync for Tell {}

impl Tell {
    fn call(&self, mark: WaterMark, queued: usize) {
        let mark = match mark {
            WaterMark::Low => FTPOOL_WATER_LOW,
            WaterMark::High => FTPOOL_WATER_HIGH,
        };
        // SAFETY: whoever gave the callback states that it may be called with its context.
        unsafe { (self.function)(self.context, mark, queued) };
    }
}
