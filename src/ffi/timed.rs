//! Delayed and scheduled C jobs with options.

use super::callback::ftpool_free_fn;
use super::check::{self, Call, Checked, status};
use super::ftpool_status::{self, *};
use super::owned::Owned;
use super::result::Value;
use super::time::nanoseconds;
use super::{ftpool, ftpool_fn, ftpool_job_id, ftpool_results};
use crate::{Due, JobId, MissedTicks, Schedule};
use std::convert::Infallible;
use std::ffi::c_void;
use std::time::UNIX_EPOCH;

/// ftpool_timer_options.missed: ticks that are due while the job of an earlier tick is queued or running are skipped.
/// If several ticks are due at once, because a clock has jumped, the job runs once.
pub const FTPOOL_MISSED_SKIP: u32 = 0;
/// ftpool_timer_options.missed: such ticks are merged into one run, as soon as the earlier job has ended. If several
/// ticks are due at once, because a clock has jumped, the job runs once.
pub const FTPOOL_MISSED_COALESCE: u32 = 1;
/// ftpool_timer_options.missed: each such tick queues a job. Jobs may pile up, and several may run at the same time.
pub const FTPOOL_MISSED_QUEUE: u32 = 2;

/// A flag of ftpool_timer_options: when due, the job goes behind the queued jobs, not ahead of them.
pub const FTPOOL_TIMER_BACK: u32 = 1;
/// A flag of ftpool_timer_options: the interval counts from the end of each run, so that no ticks are missed.
pub const FTPOOL_TIMER_FIXED_DELAY: u32 = 2;
/// A flag of ftpool_timer_options: the schedule ends after a run that fails.
pub const FTPOOL_TIMER_STOP_ON_ERROR: u32 = 4;
/// A flag of ftpool_timer_options: a `wall_ns` that has passed means now, and is not an error.
pub const FTPOOL_TIMER_OR_NOW: u32 = 8;
/// A flag of ftpool_timer_options: the first tick of a schedule comes now, not after one interval. `delay_ns` and
/// `wall_ns` must be 0.
pub const FTPOOL_TIMER_AT_ONCE: u32 = 16;

/// When a job is due, and its other options, for ftpool_submit_timed(). Initialise it with FTPOOL_TIMER_OPTIONS_INIT,
/// which means now and once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_timer_options {
    /// sizeof(ftpool_timer_options), set by FTPOOL_TIMER_OPTIONS_INIT.
    pub size: usize,
    /// The results object for outcomes, which must be of the same pool. NULL: none. Every run of a schedule leaves an
    /// outcome under the schedule's id, and a schedule that is cancelled leaves one more, FTPOOL_OUTCOME_CANCELLED;
    /// while the schedule is active, readers wait for more.
    pub results: *mut ftpool_results,
    /// Called with the argument exactly once when the accepted job has ended in any way; for a schedule, after its last
    /// run; on any thread. May be NULL.
    pub arg_free: ftpool_free_fn,
    /// How long after the submit the job is due. For a schedule, 0 means one interval.
    pub delay_ns: i64,
    /// If not 0, the job is due when the wall clock shows this time, in nanoseconds since 1970; `delay_ns` must then be
    /// 0. All ticks of a schedule then go by the wall clock.
    pub wall_ns: i64,
    /// The time from tick to tick; 0 for a job that runs once, for which max_runs, missed and the flags other than
    /// FTPOOL_TIMER_BACK and _OR_NOW must be 0.
    pub interval_ns: i64,
    /// How much later the job, or the whole schedule, may be, so that the machine wakes up less often.
    pub leeway_ns: i64,
    /// The number of runs after which a schedule ends; 0 means no limit. A tick that was cancelled while it was queued
    /// counts as a run.
    pub max_runs: u64,
    /// FTPOOL_MISSED_SKIP, _COALESCE or _QUEUE.
    pub missed: u32,
    /// FTPOOL_TIMER_BACK, _FIXED_DELAY, _STOP_ON_ERROR, _OR_NOW, _AT_ONCE, or'ed together; 0 for none.
    pub flags: u32,
}

/// Runs `function(arg)` on a worker when it is due, once or again and again, as `options` says. `options` may be NULL,
/// which means now and once. `out_id` may be NULL.
///
/// **Ownership:** `arg` belongs to the job from now on; see arg_free. If this fails, nothing was taken and nothing is
/// called. The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as
/// ftpool_submit_later(); FTPOOL_E_INVALID also if a time is negative or, without FTPOOL_TIMER_OR_NOW, has passed, or
/// another field is not valid; FTPOOL_E_VERSION if the options have fields that this library does not know.
///
/// # Safety
///
/// 1. `pool` is NULL or a pool that was not freed. 2. `function` may be called with `arg` on any thread. 3. `options`
///    is NULL or points to as many bytes as its size field says, and its functions may be called as described. 4.
///    `out_id` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftpool_submit_timed(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_timer_options,
    out_id: *mut ftpool_job_id,
) -> ftpool_status {
    // SAFETY: the caller's 1 to 3.
    let id = unsafe { submit(pool, function, arg, options) };
    // SAFETY: the caller's 4.
    status(id.map(|id| unsafe { check::store(out_id, id.get()) }))
}

/// # Safety
///
/// As for [`ftpool_submit_timed`].
unsafe fn submit(
    pool: *mut ftpool,
    function: ftpool_fn,
    arg: *mut c_void,
    options: *const ftpool_timer_options,
) -> Checked<JobId> {
    // SAFETY: the caller's 1.
    let pool = unsafe { check::retained(pool) }?;
    let call = Call::new(function, arg)?;
    // SAFETY: 1. the caller's 3; 2. numbers and pointers.
    let asked = unsafe { check::known_part(options) }?;
    let due = DueOptions::from(&asked);
    let (has_time, due) = (due.has_time(), due.check()?);
    let plan = plan(&asked, has_time, due)?;
    // SAFETY: the caller's 3.
    let results = unsafe { asked.results.as_ref() }.map(|results| &results.results);
    if results.is_some_and(|results| !results.belongs_to(&pool)) {
        return Err(FTPOOL_E_INVALID);
    }
    Owned::new(call, asked.arg_free).submit(|owned| match (results, plan) {
        (None, None) => Ok(pool.try_spawn_at(due, move || discard(&owned))?),
        (None, Some(plan)) => Ok(pool.try_schedule(plan, move || discard(&owned))?),
        (Some(results), None) => Ok(results.submit_at(due, move || Value(owned.run()))?),
        (Some(results), Some(plan)) => Ok(results.schedule(plan, move || Value(owned.run()))?),
    })
}

fn discard(owned: &Owned) -> Result<(), Infallible> {
    owned.run();
    Ok(())
}

/// What options say about the time at which a job is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct DueOptions {
    pub(super) delay_ns: i64,
    pub(super) wall_ns: i64,
    pub(super) leeway_ns: i64,
    pub(super) or_now: bool,
    pub(super) back: bool,
}

impl DueOptions {
    pub(super) fn has_time(self) -> bool {
        (self.delay_ns, self.wall_ns) != (0, 0)
    }

    pub(super) fn check(self) -> Checked<Due> {
        let (delay, wall) = (nanoseconds(self.delay_ns)?, nanoseconds(self.wall_ns)?);
        let mut due = match (self.delay_ns, self.wall_ns) {
            (_, 0) => Due::after(delay),
            (0, _) => Due::at_wall_clock(UNIX_EPOCH + wall),
            _ => return Err(FTPOOL_E_INVALID),
        };
        if self.or_now {
            due = due.or_now();
        }
        if self.back {
            due = due.back();
        }
        Ok(due.leeway(nanoseconds(self.leeway_ns)?))
    }
}

impl From<&ftpool_timer_options> for DueOptions {
    fn from(asked: &ftpool_timer_options) -> Self {
        Self {
            delay_ns: asked.delay_ns,
            wall_ns: asked.wall_ns,
            leeway_ns: asked.leeway_ns,
            or_now: asked.flags & FTPOOL_TIMER_OR_NOW != 0,
            back: asked.flags & FTPOOL_TIMER_BACK != 0,
        }
    }
}

/// The schedule; `None` for a job that runs once.
fn plan(asked: &ftpool_timer_options, has_time: bool, due: Due) -> Checked<Option<Schedule>> {
    const ONCE: u32 = FTPOOL_TIMER_BACK | FTPOOL_TIMER_OR_NOW;
    const KNOWN: u32 = ONCE | FTPOOL_TIMER_FIXED_DELAY | FTPOOL_TIMER_STOP_ON_ERROR | FTPOOL_TIMER_AT_ONCE;
    let missed = match asked.missed {
        FTPOOL_MISSED_SKIP => MissedTicks::Skip,
        FTPOOL_MISSED_COALESCE => MissedTicks::Coalesce,
        FTPOOL_MISSED_QUEUE => MissedTicks::Queue,
        _ => return Err(FTPOOL_E_INVALID),
    };
    let interval = nanoseconds(asked.interval_ns)?;
    let known = if interval.is_zero() { ONCE } else { KNOWN };
    if asked.flags & !known != 0 || (interval.is_zero() && (asked.missed, asked.max_runs) != (0, 0)) {
        return Err(FTPOOL_E_INVALID);
    }
    let at_once = asked.flags & FTPOOL_TIMER_AT_ONCE != 0;
    if at_once && has_time {
        return Err(FTPOOL_E_INVALID);
    }
    if interval.is_zero() {
        return Ok(None);
    }
    let first = if at_once || has_time { due } else { due.delayed_by(interval) };
    let mut plan = Schedule::every(interval).first(first);
    plan = plan.missed(missed);
    if asked.flags & FTPOOL_TIMER_FIXED_DELAY != 0 {
        plan = plan.fixed_delay();
    }
    if asked.flags & FTPOOL_TIMER_STOP_ON_ERROR != 0 {
        plan = plan.stop_on_error();
    }
    if asked.max_runs > 0 {
        plan = plan.max_runs(asked.max_runs);
    }
    Ok(Some(plan))
}
