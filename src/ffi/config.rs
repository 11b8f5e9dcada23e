//! The configuration of a pool in C.

use super::check::{self, Checked};
use super::hooks;
use super::{backpressure, ftpool_water_fn, time};
use super::{ftpool_clock, ftpool_failed_hook, ftpool_log_hook, ftpool_overrun_hook, ftpool_worker_hook};
use crate::{Builder, Pool};
use std::ffi::{c_char, c_void};

/// The configuration of a pool, for ftpool_new(). Initialise it with FTPOOL_CONFIG_INIT, then set the fields that
/// should not have their defaults. 0 in a field means its default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_config {
    /// sizeof(ftpool_config), set by FTPOOL_CONFIG_INIT. It tells the library which header the program was compiled
    /// with.
    pub size: usize,
    /// The limit on workers, up to 32 768. 0, or −9999 and below: one for each usable processor, as counted by affinity
    /// and cgroup quota. −1 to −9998: that many fewer than the usable processors.
    pub workers: i32,
    /// 1: jobs start in the order of submission across all threads. 0: only the jobs of one thread are in order.
    pub ordered: u32,
    /// The prefix of the threads' names, which are `<name>-0`, `<name>-1` and so on. NULL means "ThreadPool". Copied.
    /// Where the system keeps fewer bytes (Linux: 15), the prefix is cut, not the number.
    pub name: *const c_char,
    /// The stack size of workers in bytes. 0 means that of new Rust threads: 2 MiB, or RUST_MIN_STACK.
    pub stack_size: usize,
    /// 1: outcomes say how long jobs were queued and ran, which costs three clock reads and an allocation for each job
    /// with an outcome. 0: that is not measured.
    pub timing: u32,
    /// Called in each worker before its first job. May be NULL. If it calls ftpool_fail(), the pool is broken: queued
    /// jobs are cancelled, and every later submit returns FTPOOL_E_BROKEN; ftpool_check() tells why.
    pub start: ftpool_worker_hook,
    /// Called in each worker after its last job, unless its start hook has failed. May be NULL. If it calls
    /// ftpool_fail(), the pool is broken; the worker and a shutdown end as usual. It may submit jobs to its own pool
    /// only if the worker leaves an open pool (idle_timeout_ns, jobs_per_worker, extra_workers).
    pub stop: ftpool_worker_hook,
    /// Called once for every job that fails, with or without an outcome, before that can be read: on the thread that
    /// has run the job, or on the one that cancelled or expired it, if then its callback fails; possibly on several
    /// threads at a time. May be NULL.
    pub failed: ftpool_failed_hook,
    /// Called with a line of text where `failed` is called, and when a hook breaks the pool; possibly on several
    /// threads at a time. May be NULL.
    pub log: ftpool_log_hook,
    /// Passed to the four functions above, and to overrun. It must stay valid until the threads have ended.
    pub context: *mut c_void,
    /// What a submit does when max_queued jobs are queued: FTPOOL_POLICY_BLOCK, _TIMED, _REJECT, _CALLER_RUNS,
    /// _DISCARD_OLDEST or _HAND_OFF. The pool's own jobs never wait: they may submit above the limit. So may callbacks
    /// of jobs that end without having run. Delayed and scheduled jobs are queued above the limit when they are due.
    pub policy: u32,
    /// The most jobs that may be queued, that is accepted but not started. 0 means no limit.
    pub max_queued: usize,
    /// How long a submit waits with FTPOOL_POLICY_TIMED. 0: it does not wait. FTPOOL_FOREVER: without a limit.
    pub policy_timeout_ns: i64,
    /// The lower mark of water_callback. Without a callback, the marks have no effect.
    pub low_water: usize,
    /// The upper mark of water_callback, which must be above the lower one, and therefore not 0.
    pub high_water: usize,
    /// Called when the number of queued jobs has risen to high_water, and when it has then fallen to low_water. May be
    /// NULL.
    pub water_callback: ftpool_water_fn,
    /// Passed to water_callback. It must stay valid as long as `context`.
    pub water_context: *mut c_void,
    /// A clock for delayed and scheduled jobs, for tests. NULL means the system's clocks.
    pub clock: *mut ftpool_clock,
    /// How long an idle worker stays before its thread ends: an idle pool shrinks, down to no threads, and grows again
    /// when there are jobs. 0 and FTPOOL_FOREVER: workers stay.
    pub idle_timeout_ns: i64,
    /// How many jobs a worker runs before a new thread replaces it, for jobs that leak per-thread state. 0: no limit. A
    /// limit costs throughput, because workers then take jobs one at a time.
    pub jobs_per_worker: u64,
    /// How many workers there may be beyond the limit, one for each job that is in ftpool_blocking(). Cut so that there
    /// are at most 32 768 workers in all. ftpool_worker_limit() includes them. 0: none.
    pub extra_workers: u32,
    /// Called with `context` once for every job that exceeds its run_limit_ns (ftpool_submit_options), as soon as it
    /// does, usually on the timer thread, where it delays other timers: it should be short. May be NULL; then run
    /// limits have no effect.
    pub overrun: ftpool_overrun_hook,
}

/// The builder for a config.
///
/// # Safety
///
/// 1. `config` is NULL or points to as many bytes as its first field says. 2. Its name is NULL or a C string. 3. Its
///    functions are NULL or may be called with its context on any thread. 4. Its clock is NULL or was not freed.
pub(super) unsafe fn builder(config: *const ftpool_config) -> Checked<Builder> {
    // SAFETY: 1. the caller's 1; 2. numbers and pointers.
    let config = unsafe { check::known_part(config) }?;
    let mut builder = Pool::builder().workers(if config.workers == 0 { i32::MIN } else { config.workers });
    builder = builder.ordered(check::flag(config.ordered)?);
    builder = builder.timing(check::flag(config.timing)?);
    if config.stack_size > 0 {
        builder = builder.stack_size(config.stack_size);
    }
    builder = leaving(builder, &config)?.extra_workers(config.extra_workers as usize);
    // SAFETY: the caller's 4.
    if let Some(clock) = unsafe { config.clock.as_ref() } {
        builder = builder.clock(&clock.0);
    }
    if !config.name.is_null() {
        // SAFETY: the caller's 2.
        builder = builder.name(unsafe { check::text(config.name) });
    }
    backpressure::bounded(hooks::set(builder, &config), &config)
}

/// Sets when workers leave an open pool.
fn leaving(mut builder: Builder, config: &ftpool_config) -> Checked<Builder> {
    if let Some(timeout) = time::duration(config.idle_timeout_ns)?.filter(|timeout| !timeout.is_zero()) {
        builder = builder.idle_timeout(timeout);
    }
    if config.jobs_per_worker != 0 {
        builder = builder.jobs_per_worker(config.jobs_per_worker);
    }
    Ok(builder)
}
