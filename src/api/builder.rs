//! Configuring a pool.

use super::backpressure::Backpressure;
use super::{BuildError, ManualClock, Policy, Pool, WaterMark};
use crate::pool::{Hooks, MOST_WORKERS, PanicDetail, Settings};
use crate::sys::clock::Clock;
use crate::sys::thread::usable_cpus;
use std::time::Duration;

/// The settings of a new [`Pool`]. Made by [`Pool::builder`].
///
/// # Examples
///
/// ```
/// let pool = fastthreadpool::Pool::builder().workers(4).name("io").build()?;
/// assert_eq!(pool.alive(), 0); // no thread before the first job
/// # Ok::<(), fastthreadpool::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `build` is called"]
pub struct Builder {
    workers: i32,
    name: String,
    stack_size: Option<usize>,
    ordered: bool,
    timing: bool,
    extra_workers: usize,
    idle_timeout: Option<Duration>,
    jobs_per_worker: Option<u64>,
    pub(super) hooks: Hooks,
    panic_detail: PanicDetail,
    backpressure: Backpressure,
    clock: Option<ManualClock>,
}

/// This number of workers, and every smaller one, stands for the default.
const DEFAULT_WORKERS: i32 = -9999;

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: DEFAULT_WORKERS,
            name: "ThreadPool".into(),
            stack_size: None,
            ordered: false,
            timing: false,
            extra_workers: 0,
            idle_timeout: None,
            jobs_per_worker: None,
            hooks: Hooks::default(),
            panic_detail: PanicDetail::default(),
            backpressure: Backpressure::default(),
            clock: None,
        }
    }
}

impl Builder {
    /// Sets the limit on workers, which comes to between 1 and 32 768. By default one for each usable processor, as
    /// counted by affinity and cgroup quota.
    ///
    /// A number above 0 is the limit itself. 0 to −9998 is added to the number of usable processors: −1 leaves one
    /// processor free. −9999 and below is the default.
    pub fn workers(mut self, workers: i32) -> Self {
        self.workers = workers;
        self
    }

    /// Sets the prefix of the threads' names: the threads are called `<name>-0`, `<name>-1` and so on, as they are
    /// started. "ThreadPool" by default. Where the system keeps fewer bytes (Linux: 15), the prefix is cut, not the
    /// number.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the stack size of workers in bytes. By default that of new Rust threads: 2 MiB, or `RUST_MIN_STACK`.
    ///
    /// A job's closure is moved to the stack with everything that it owns. Without optimisation, each of some ten calls
    /// there copies it: box what is larger than 100 KiB, or enlarge the stack.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Sets whether jobs start in the order of submission across all submitting threads. Off by default: then only the
    /// jobs of one thread are in order, which lets threads submit without slowing each other down.
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.ordered = ordered;
        self
    }

    /// Sets whether the pool measures how long jobs are queued and run ([`Outcome::times`](crate::Outcome::times)). Off
    /// by default. It costs three clock reads and an allocation for each job with an outcome.
    pub fn timing(mut self, timing: bool) -> Self {
        self.timing = timing;
        self
    }

    /// Sets how many workers there may be beyond the limit, one for each job that is [`blocking`](crate::blocking). 0
    /// by default. Limit and extra workers together are cut to 32 768.
    pub fn extra_workers(mut self, extra: usize) -> Self {
        self.extra_workers = extra;
        self
    }

    /// Sets how long an idle worker stays before its thread ends. By default workers stay.
    ///
    /// An idle pool then shrinks, down to no threads, and grows again when there are jobs.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sets how many jobs a worker runs before a new thread replaces it, for jobs that leak per-thread state. By
    /// default there is no limit; 0 means 1. A limit costs throughput, because workers then take jobs one at a time.
    pub fn jobs_per_worker(mut self, jobs: u64) -> Self {
        self.jobs_per_worker = Some(jobs);
        self
    }

    /// Limits the number of queued jobs; `policy` says what a submit does when there is no room. 0 means no limit.
    ///
    /// A job is queued from when it is accepted until it starts, in a group or not. The pool's own jobs may submit
    /// above the limit, because a job that waited for room could occupy the worker that has to make it. So may
    /// callbacks of jobs that end without having run. Delayed and scheduled jobs are queued above the limit when they
    /// are due.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Policy, Pool};
    ///
    /// let pool = Pool::builder().workers(2).max_queued(100, Policy::Block).build()?;
    /// for n in 0..10_000_u64 {
    ///     pool.spawn(move || assert!(n < 10_000))?; // waits while 100 are queued
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_queued(mut self, limit: usize, policy: Policy) -> Self {
        self.backpressure.bound(limit, policy);
        self
    }

    /// Calls `callback` with [`WaterMark::High`] when the number of queued jobs rises to `high`, and with
    /// [`WaterMark::Low`] when it then falls to `low`. The second argument is the number of queued jobs.
    ///
    /// The calls alternate and are never concurrent. They are made on a thread that submits or cancels, on the timer
    /// thread, or on a worker between two jobs, so the callback should be short: set a flag, wake a thread. If the
    /// queue rises and falls again during a call, neither change is reported.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Pool, WaterMark};
    ///
    /// let pool = Pool::builder()
    ///     .water_marks(10, 1000, |mark, queued| match mark {
    ///         WaterMark::High => println!("{queued} jobs are queued: submit fewer"),
    ///         WaterMark::Low => println!("{queued} jobs are queued: submit more"),
    ///     })
    ///     .build()?;
    /// # Ok::<(), fastthreadpool::BuildError>(())
    /// ```
    pub fn water_marks(
        mut self,
        low: usize,
        high: usize,
        callback: impl Fn(WaterMark, usize) + Send + Sync + 'static,
    ) -> Self {
        self.backpressure.mark(low, high, callback);
        self
    }

    /// Records where jobs panic: file, line and column ([`Panic::location`](crate::Panic::location)), which are also in
    /// the text of the failure.
    ///
    /// Only a panic hook can see that. So the first pool built with this setting installs a hook for the process, which
    /// also calls the previous one; a hook that is installed later should do the same.
    pub fn panic_locations(mut self) -> Self {
        self.panic_detail = self.panic_detail.max(PanicDetail::Location);
        self
    }

    /// As [`panic_locations`](Self::panic_locations), and records the stack as well
    /// ([`Panic::backtrace`](crate::Panic::backtrace)), which takes milliseconds for each panic.
    pub fn panic_backtraces(mut self) -> Self {
        self.panic_detail = PanicDetail::Backtrace;
        self
    }

    /// Sets a clock for delayed and scheduled jobs, instead of the system's, for tests.
    pub fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Makes the pool. Its threads are started when there are jobs for them.
    ///
    /// # Errors
    ///
    /// [`BuildError::InvalidWorkers`] if the number of workers comes to less than 1 or more than 32 768,
    /// [`BuildError::InvalidWaterMarks`] if the low mark is not below the high one, [`BuildError::InvalidName`] if the
    /// name contains a NUL byte.
    pub fn build(self) -> Result<Pool, BuildError> {
        if self.name.contains('\0') {
            return Err(BuildError::InvalidName);
        }
        Ok(Pool::with_settings(self.settings()?))
    }

    /// The global pool, which [`Pool::shutdown`] does not end.
    pub(super) fn build_permanent() -> Pool {
        let settings = Self::default().settings().expect("the default is valid");
        Pool::with_settings(Settings { permanent: true, ..settings })
    }

    fn settings(self) -> Result<Settings, BuildError> {
        let workers = self.limit()?;
        Ok(Settings {
            workers,
            extra_workers: self.extra_workers.min(MOST_WORKERS - workers),
            prefix: self.name,
            stack_size: self.stack_size,
            ordered: self.ordered,
            timing: self.timing,
            idle_timeout: self.idle_timeout,
            jobs_per_worker: self.jobs_per_worker.map(|jobs| jobs.max(1)),
            hooks: self.hooks,
            panic_detail: self.panic_detail,
            limits: self.backpressure.limits()?,
            permanent: false,
            clock: self.clock.as_ref().map_or_else(Clock::system, ManualClock::clock),
        })
    }

    fn limit(&self) -> Result<usize, BuildError> {
        let cpus = usable_cpus();
        let workers = match self.workers {
            asked if asked > 0 => i64::from(asked),
            asked if asked <= DEFAULT_WORKERS => cpus as i64,
            asked => cpus as i64 + i64::from(asked),
        };
        match usize::try_from(workers) {
            Ok(limit) if (1..=MOST_WORKERS).contains(&limit) => Ok(limit),
            _ => Err(BuildError::InvalidWorkers { asked: self.workers, cpus, workers, most: MOST_WORKERS }),
        }
    }
}
