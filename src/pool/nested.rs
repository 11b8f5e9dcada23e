//! What a worker does whose job waits for another job.

use super::Worker;
use super::closing::Unfinished;
use super::job::Job;
use super::running::Failure;
use super::timers::{TickInfo, is_timer};
use super::unrun::TakenOut;
use crate::sys::atomic::{AtomicBool, Ordering};
use std::ptr;

/// Jobs that may lie above one another on a worker's stack when one waits for another by its handle.
const MOST_NESTED: usize = 64;

/// A job that waits on this thread for the one that is running.
#[derive(Debug)]
pub(super) struct Suspended {
    job: u64,
    failure: Option<Box<Failure>>,
    asked: *const AtomicBool,
    overrun: *const AtomicBool,
    tick: Option<TickInfo>,
    /// The waiting job blocks; the one that is running does not.
    blocks: bool,
}

impl Worker {
    /// Waits in a job until one of the jobs `awaited` has ended: runs one that nobody has begun (of those that seem
    /// `queued`), or else sleeps by `park`. No other job is ever run here: it might need what the waiting one has
    /// locked.
    pub(crate) fn wait_for_one(
        &self,
        mut queued: impl Iterator<Item = u64>,
        awaited: impl FnOnce() -> Vec<u64>,
        park: impl FnOnce(),
    ) -> Result<(), Unfinished> {
        let mut too_deep = false;
        if queued.any(|id| {
            too_deep = self.below.borrow().len() >= MOST_NESTED;
            !too_deep && self.run_queued(id)
        }) {
            return Ok(());
        }
        if too_deep && !self.core.has_free_hands() {
            return Err(Unfinished::Deadlock); // Nobody else may ever come to it.
        }
        let awaited = awaited();
        if !awaited.is_empty() && awaited.iter().all(|&id| is_timer(id)) {
            return Err(Unfinished::Deadlock); // By the time it is due there may be no worker for it but this one.
        }
        let waiting = self.core.waits.begin(self.stack(), awaited);
        let _waiting = waiting.ok_or(Unfinished::Deadlock)?;
        park();
        Ok(())
    }

    /// Runs those of the pool's jobs `ids` that nobody has begun, however deep that is: whoever waits for all of them
    /// has called itself as often, and cannot be told that it waits in vain.
    pub(super) fn run_all_queued(&self, ids: impl Iterator<Item = u64>) {
        ids.for_each(|id| {
            self.run_queued(id);
        });
    }

    /// The jobs on this thread.
    fn stack(&self) -> Vec<u64> {
        let running = Some(self.job.get()).filter(|&job| job != 0);
        self.below.borrow().iter().map(|suspended| suspended.job).chain(running).collect()
    }

    pub(super) fn is_nested(&self) -> bool {
        !self.below.borrow().is_empty()
    }

    /// Runs a job here and now, if it is still queued.
    fn run_queued(&self, id: u64) -> bool {
        let Some(TakenOut { item, counted }) = self.core.take_out(id) else { return false };
        drop(counted); // It is not its group's any more.
        let (job, failure) = (self.job.replace(id), self.failure.take());
        let (asked, overrun) = (self.asked.replace(ptr::null()), self.overrun.replace(ptr::null()));
        let tick = self.tick.take();
        let blocks = self.unblock();
        self.below.borrow_mut().push(Suspended { job, failure, asked, overrun, tick, blocks });
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so no other job was made of the item.
        unsafe { Job::from_item(item) }.run(self);
        let suspended = self.below.borrow_mut().pop().expect("pushed above");
        self.job.set(suspended.job);
        self.failure.replace(suspended.failure);
        self.asked.set(suspended.asked);
        self.overrun.set(suspended.overrun);
        self.tick.set(suspended.tick);
        self.station.set_running(true);
        if suspended.blocks {
            self.block();
        }
        // Not the station's count: a bound counts what workers take out of lanes.
        self.core.count_cancelled(1);
        true
    }

    /// The job that is running is a piece of the job `id`, and goes by its name.
    pub(super) fn stand_in_for(&self, id: u64) {
        if id != 0 {
            self.job.set(id);
        }
    }

    /// Runs `code`, a piece of the job `id`, in the middle of the running one; returns the failure that it has
    /// declared.
    pub(super) fn lend(&self, id: u64, code: impl FnOnce()) -> Option<Box<Failure>> {
        let (job, failure) = (self.job.get(), self.failure.take());
        self.stand_in_for(id);
        code();
        self.job.set(job);
        self.failure.replace(failure)
    }

    /// Runs `code`, which can ask [`is_asked`](Self::is_asked) whether `asked` was set.
    pub(crate) fn with_asked<R>(&self, asked: &AtomicBool, code: impl FnOnce() -> R) -> R {
        let outer = self.asked.replace(asked);
        let result = code();
        self.asked.set(outer);
        result
    }

    /// Whether somebody has asked the running job to come to an end.
    pub(crate) fn is_asked(&self) -> bool {
        // SAFETY: the pointer is null, or `with_asked` keeps what it points to borrowed until it puts the old one back.
        let asked = unsafe { self.asked.get().as_ref() };
        // SAFETY: the same holds for `watch`.
        let overrun = unsafe { self.overrun.get().as_ref() };
        [asked, overrun].into_iter().flatten().any(|asked| asked.load(Ordering::Acquire))
    }
}
