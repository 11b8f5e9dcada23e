//! Jobs that wait for other jobs of their pool. Protocol: `README.md`, "Waiting in a job".

use super::closing::WaitError;
use super::job::Job;
use super::running::Failure;
use super::timers::{TickInfo, is_timer};
use super::unrun::TakenOut;
use super::{Worker, current};
use crate::sys::atomic::{AtomicBool, Ordering};
use std::ptr;

/// The most jobs below the running one on a worker's stack, if they wait by handles.
const MOST_NESTED: usize = 64;

/// The state of a job that waits on this thread for one that runs on top of it.
#[derive(Debug)]
pub(super) struct Suspended {
    job: u64,
    failure: Option<Box<Failure>>,
    stop_flag: *const AtomicBool,
    overrun_flag: *const AtomicBool,
    tick: Option<TickInfo>,
    /// Whether the waiting job is in a blocking region.
    blocks: bool,
}

/// The job that waits for parts of its work, which other threads may run; or a thread without a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parent {
    job: u64,
    stop_flag: *const AtomicBool,
    overrun_flag: *const AtomicBool,
}

// SAFETY: the flags are atomic, and outlive the code of the job, which waits for its parts.
unsafe impl Send for Parent {}
// SAFETY: as above.
unsafe impl Sync for Parent {}

impl Parent {
    const NONE: Self = Self { job: 0, stop_flag: ptr::null(), overrun_flag: ptr::null() };

    /// What the calling thread is running.
    pub(super) fn current() -> Self {
        let of = |worker: &Worker| Self {
            job: worker.job.get(),
            stop_flag: worker.stop_flag.get(),
            overrun_flag: worker.overrun_flag.get(),
        };
        current::with(of).unwrap_or(Self::NONE)
    }
}

impl Worker {
    /// Waits in a job until one of the jobs `awaited` has ended: runs one that was not begun (of those that seem
    /// `queued`), or else sleeps by `park`. It runs no other job, which might need a lock that the waiting one holds.
    pub(crate) fn wait_for_one(
        &self,
        mut queued: impl Iterator<Item = u64>,
        awaited: impl FnOnce() -> Vec<u64>,
        park: impl FnOnce(),
    ) -> Result<(), WaitError> {
        let mut too_deep = false;
        if queued.any(|id| {
            too_deep = self.suspended.borrow().len() >= MOST_NESTED;
            !too_deep && self.run_queued(id)
        }) {
            return Ok(());
        }
        if too_deep && !self.core.has_free_worker() {
            return Err(WaitError::Deadlock); // No other worker may ever run it.
        }
        let awaited = awaited();
        if !awaited.is_empty() && awaited.iter().all(|&id| is_timer(id)) {
            return Err(WaitError::Deadlock); // When one is due, there may be no other worker for it.
        }
        let waiting = self.core.waits.begin(self.stack(), awaited);
        let _waiting = waiting.ok_or(WaitError::Deadlock)?;
        park();
        Ok(())
    }

    /// Runs the jobs `ids` of the pool that were not begun, at any depth: the scopes that wait for them are nested as
    /// deep, and their wait cannot return an error.
    pub(super) fn run_all_queued(&self, ids: impl Iterator<Item = u64>) {
        ids.for_each(|id| {
            self.run_queued(id);
        });
    }

    /// The jobs on this thread's stack.
    fn stack(&self) -> Vec<u64> {
        let running = Some(self.job.get()).filter(|&job| job != 0);
        self.suspended.borrow().iter().map(|suspended| suspended.job).chain(running).collect()
    }

    pub(super) fn is_nested(&self) -> bool {
        !self.suspended.borrow().is_empty()
    }

    /// Runs a job on top of the current one, if it is still queued.
    fn run_queued(&self, id: u64) -> bool {
        let Some(TakenOut { item, counted }) = self.core.take_out(id) else { return false };
        drop(counted); // It is not its group's any more.
        let (job, failure) = (self.job.replace(id), self.failure.take());
        let (stop_flag, overrun_flag) = (self.stop_flag.replace(ptr::null()), self.overrun_flag.replace(ptr::null()));
        let tick = self.tick.take();
        let blocks = self.unblock();
        self.suspended.borrow_mut().push(Suspended { job, failure, stop_flag, overrun_flag, tick, blocks });
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so the item is turned back into a job once.
        unsafe { Job::from_item(item) }.run(self);
        let suspended = self.suspended.borrow_mut().pop().expect("pushed above");
        self.job.set(suspended.job);
        self.failure.replace(suspended.failure);
        self.stop_flag.set(suspended.stop_flag);
        self.overrun_flag.set(suspended.overrun_flag);
        self.tick.set(suspended.tick);
        self.station.set_running(true);
        if suspended.blocks {
            self.block();
        }
        // Counted as cancelled, because the station counts only jobs that it has taken out of lanes.
        self.core.count_cancelled(1);
        true
    }

    /// Runs `code`, a part of the work of `parent`: under its id, and asked to stop when it is.
    pub(super) fn run_part<R>(&self, parent: Parent, code: impl FnOnce() -> R) -> R {
        if parent.job != 0 {
            self.job.set(parent.job);
        }
        let stop_flag = self.stop_flag.replace(parent.stop_flag);
        let overrun_flag = self.overrun_flag.replace(parent.overrun_flag);
        let result = code();
        self.stop_flag.set(stop_flag);
        self.overrun_flag.set(overrun_flag);
        result
    }

    /// The same inside another running job; returns the failure that the code has declared.
    pub(super) fn run_piece(&self, parent: Parent, code: impl FnOnce()) -> Option<Box<Failure>> {
        let (job, failure) = (self.job.get(), self.failure.take());
        self.run_part(parent, code);
        self.job.set(job);
        self.failure.replace(failure)
    }

    /// Runs `code`, in which [`is_asked_to_stop`](Self::is_asked_to_stop) says whether `flag` was set.
    pub(crate) fn with_stop_flag<R>(&self, flag: &AtomicBool, code: impl FnOnce() -> R) -> R {
        let outer = self.stop_flag.replace(flag);
        let result = code();
        self.stop_flag.set(outer);
        result
    }

    /// Whether the running job was asked to stop.
    pub(crate) fn is_asked_to_stop(&self) -> bool {
        // SAFETY: the pointer is null, or `with_stop_flag` borrows its target until it restores the previous pointer,
        // maybe on the thread of the job that waits for this part of it.
        let stop = unsafe { self.stop_flag.get().as_ref() };
        // SAFETY: the pointer is null, or `watch` owns its target until `Watched` restores the previous pointer, as
        // above.
        let overrun = unsafe { self.overrun_flag.get().as_ref() };
        [stop, overrun].into_iter().flatten().any(|flag| flag.load(Ordering::Acquire))
    }
}
