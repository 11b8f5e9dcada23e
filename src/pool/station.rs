//! The shared half of a worker.

use super::job::Job;
use super::water_marks::DequeueCounter;
use crate::queue::{Batch, LAG};
use crate::sync::Parker;
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering, count};
use crate::sys::hint;
use crate::sys::lock::Lock;
use crate::sys::wake_cpu::WakeCpu;
use std::time::{Duration, Instant};

/// With so many jobs left, splitting a batch is worth its heavy fence.
const MIN_SPLIT: usize = 16;

/// How often a thief checks whether a worker with fewer progresses.
const PROGRESS_CHECKS: u32 = 4;

/// A worker's shared half: its parker, its batch, its calls and its counters.
///
/// # Memory ordering
///
/// Each counter has one writer. Its release stores pair with the readers' acquire loads: a thread that observes a job
/// as counted observes what the job did.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) parker: Parker,
    pub(super) wake_cpu: WakeCpu,
    pub(super) batch: Batch,
    /// Jobs that have begun; counted only in bounded pools.
    pub(super) begun: DequeueCounter,
    finished: AtomicU64,
    failed: AtomicU64,
    running: AtomicBool,
    /// Jobs for this worker only.
    calls: Lock<Vec<Job>>,
    is_called: AtomicBool,
    created: Instant,
    /// When the worker was woken, in nanoseconds since `created`; 0 if it was not, or if that was read.
    woken_at: AtomicU64,
}

impl Station {
    pub(super) fn new() -> Self {
        Self {
            parker: Parker::new(),
            wake_cpu: WakeCpu::new(),
            batch: Batch::default(),
            begun: DequeueCounter::new(),
            finished: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            running: AtomicBool::new(false),
            calls: Lock::new(Vec::new()),
            is_called: AtomicBool::new(false),
            created: Instant::now(),
            woken_at: AtomicU64::new(0),
        }
    }

    /// Gives the sleeping worker its token. A caller that wants `help` continues to work on its own processor, so the
    /// worker is kept off that.
    pub(super) fn wake(&self, help: bool) {
        if help {
            self.wake_cpu.avoid_this_cpu();
        }
        self.wake_cpu.note_waker();
        let now = self.created.elapsed().as_nanos() as u64;
        self.woken_at.store(now.max(1), Ordering::Relaxed); // Ordered by the token.
        self.parker.unpark();
    }

    /// When the worker got the token that has ended its sleep; `None` if no token did.
    pub(super) fn take_woken_at(&self) -> Option<Instant> {
        let woken_at = self.woken_at.swap(0, Ordering::Relaxed);
        (woken_at > 0).then(|| self.created + Duration::from_nanos(woken_at))
    }

    /// Whether the worker will soon run the rest of its batch by itself. Splitting the batch costs a heavy fence, which
    /// interrupts all running threads for longer than some short jobs take.
    pub(super) fn keeps_up(&self) -> bool {
        let progresses = || {
            let before = self.finished();
            hint::linger(LAG);
            self.finished() > before
        };
        let will_run = |rest| rest == 0 || rest < MIN_SPLIT && progresses();
        hint::may_spin() && (0..PROGRESS_CHECKS).all(|_| will_run(self.batch.rest()))
    }

    /// Adds a job that only this worker runs.
    pub(super) fn call(&self, job: Job) {
        self.calls.lock().push(job);
        self.is_called.store(true, Ordering::Release);
    }

    #[inline]
    pub(super) fn is_called(&self) -> bool {
        self.is_called.load(Ordering::Acquire)
    }

    /// Takes all calls.
    pub(super) fn take_calls(&self) -> Vec<Job> {
        let mut calls = self.calls.lock();
        self.is_called.store(false, Ordering::Release);
        std::mem::take(&mut calls)
    }

    #[inline]
    pub(super) fn set_running(&self, running: bool) {
        self.running.store(running, Ordering::Release);
    }

    #[inline]
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn count_finished(&self) {
        count(&self.finished);
    }

    pub(super) fn count_failed(&self) {
        count(&self.failed);
    }

    pub(super) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Acquire)
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Acquire)
    }
}
