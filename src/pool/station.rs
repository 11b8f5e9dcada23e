//! What a worker shares with others.

use super::job::Job;
use super::water_marks::DequeueCounter;
use crate::queue::{Batch, LAG};
use crate::sync::Parker;
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering, count};
use crate::sys::hint;
use crate::sys::lock::Lock;
use crate::sys::wake_cpu::WakeCpu;
use std::time::{Duration, Instant};

/// So many jobs are worth what it costs to take half of them from a worker.
const WORTH: usize = 16;

/// How often a thief looks whether a worker with fewer gets on.
const PATIENCE: u32 = 4;

/// A worker's shared half: where it sleeps, what it is working through, and what it has done.
///
/// # Memory ordering
///
/// Counters have one writer; its release stores pair with the readers' acquire loads, so that whoever sees a job
/// counted sees what the job did.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) parker: Parker,
    pub(super) wake_cpu: WakeCpu,
    pub(super) batch: Batch,
    /// Jobs that have begun. Counted in bounded pools only.
    pub(super) begun: DequeueCounter,
    finished: AtomicU64,
    failed: AtomicU64,
    running: AtomicBool,
    /// Jobs for this worker alone.
    calls: Lock<Vec<Job>>,
    is_called: AtomicBool,
    born: Instant,
    /// When the worker was woken, in nanoseconds since `born`; 0 for never, or if it has been asked for.
    roused: AtomicU64,
}

impl Station {
    pub(super) fn new() -> Self {
        Self {
            parker: Parker::new(),
            wake_cpu: WakeCpu::new(),
            batch: Batch::new(),
            begun: DequeueCounter::new(),
            finished: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            running: AtomicBool::new(false),
            calls: Lock::new(Vec::new()),
            is_called: AtomicBool::new(false),
            born: Instant::now(),
            roused: AtomicU64::new(0),
        }
    }

    /// Hands the sleeping worker its token. Who wants `help` goes on working, and needs its processor for itself.
    pub(super) fn rouse(&self, help: bool) {
        if help {
            self.wake_cpu.avoid_this_cpu();
        }
        self.roused.store((self.born.elapsed().as_nanos() as u64).max(1), Ordering::Relaxed); // The token orders it.
        self.parker.unpark();
    }

    /// When the worker got the token that has ended its sleep; `None` if none has.
    pub(super) fn roused(&self) -> Option<Instant> {
        let roused = self.roused.swap(0, Ordering::Relaxed);
        (roused > 0).then(|| self.born + Duration::from_nanos(roused))
    }

    /// Whether the worker is about to come to the rest of its batch by itself. To take some of that costs it, and all
    /// who run, a fence that takes longer than some short jobs.
    pub(super) fn keeps_up(&self) -> bool {
        let gets_on = || {
            let before = self.finished();
            hint::linger(LAG);
            self.finished() > before
        };
        let comes_to = |rest| rest == 0 || rest < WORTH && gets_on();
        hint::may_spin() && (0..PATIENCE).all(|_| comes_to(self.batch.rest()))
    }

    /// A job that this worker shall run, and no other.
    pub(super) fn call(&self, job: Job) {
        self.calls.lock().push(job);
        self.is_called.store(true, Ordering::Release);
    }

    #[inline]
    pub(super) fn is_called(&self) -> bool {
        self.is_called.load(Ordering::Acquire)
    }

    /// The jobs that this worker was called to.
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
