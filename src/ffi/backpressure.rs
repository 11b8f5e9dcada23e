//! Backpressure in C.

use super::check::{self, Call, Checked, status};
use super::ftpool_status::{self, *};
use super::shared::Shared;
use super::{ftpool, ftpool_config, ftpool_fn, ftpool_job_id, time};
use crate::{Builder, Policy, WaterMark};
use std::ffi::c_void;

/// ftpool_config.policy: if the queue is full, a submit waits until there is room.
pub const FTPOOL_POLICY_BLOCK: u32 = 0;
/// ftpool_config.policy: if the queue is full, a submit waits for policy_timeout_ns, then returns FTPOOL_FULL.
pub const FTPOOL_POLICY_TIMED: u32 = 1;
/// ftpool_config.policy: if the queue is full, a submit returns FTPOOL_FULL at once.
pub const FTPOOL_POLICY_REJECT: u32 = 2;
/// ftpool_config.policy: if the queue is full, the submitting thread runs the job itself, in the call.
pub const FTPOOL_POLICY_CALLER_RUNS: u32 = 3;
/// ftpool_config.policy: if the queue is full, the queued job with the lowest id is cancelled to make room. That is the
/// oldest of its thread, and with ftpool_config.ordered the oldest of all.
pub const FTPOOL_POLICY_DISCARD_OLDEST: u32 = 4;
/// ftpool_config.policy: every submit waits until a worker starts its job; max_queued is ignored.
pub const FTPOOL_POLICY_HAND_OFF: u32 = 5;

/// Passed to ftpool_config.water_callback: the number of queued jobs has fallen to low_water.
pub const FTPOOL_WATER_LOW: u32 = 0;
/// Passed to ftpool_config.water_callback: the number of queued jobs has risen to high_water.
pub const FTPOOL_WATER_HIGH: u32 = 1;

/// Called with FTPOOL_WATER_HIGH or FTPOOL_WATER_LOW and the number of queued jobs. The calls alternate and are never
/// concurrent. They are made on a thread that submits or cancels, on the timer thread, or on a worker between two jobs,
/// so the function should be short. It must return, as a job must.
pub type ftpool_water_fn = Option<unsafe extern "C" fn(context: *mut c_void, mark: u32, queued: usize)>;

/// As ftpool_submit(), but waits for room in the queue no longer than the timeout, whatever the policy is (with
/// FTPOOL_POLICY_HAND_OFF, until a worker starts the job). FTPOOL_NOW does not wait.
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
    // SAFETY: the caller's 1; a pool waits for submits before it is freed.
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

/// Sets the limit on queued jobs and the water marks of a config.
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
    let Some(callback) = config.water_callback else { return Ok(builder) };
    let context = Shared(config.water_context);
    Ok(builder.water_marks(config.low_water, config.high_water, move |mark, queued| {
        let mark = match mark {
            WaterMark::Low => FTPOOL_WATER_LOW,
            WaterMark::High => FTPOOL_WATER_HIGH,
        };
        // SAFETY: the caller of ftpool_new states that the callback may be called with its context on any thread.
        unsafe { callback(context.get(), mark, queued) };
    }))
}
