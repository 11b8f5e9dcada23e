//! What lies in the queue for a delayed job that is due.

use super::TickInfo;
use crate::pool::Worker;
use crate::pool::core::Core;
use crate::pool::job::{Job, Task, Unrun};
use crate::queue::Lent;

/// The job lies in the timers' slab, and whoever claims this from the queue may take it: a worker needs no lock. The
/// node is freed later.
#[derive(Debug)]
pub(super) struct JobHint {
    pub(super) job: Lent<Option<Job>>,
    pub(super) id: u64,
    /// When it was due, on the monotonic clock.
    pub(super) due: u64,
}

impl JobHint {
    /// # Safety
    ///
    /// 1. The caller has claimed this from the queue of `core`.
    pub(super) unsafe fn take(self, _core: &Core) -> Job {
        // SAFETY: 1. by 1, and a hint is queued once; 2. the pool keeps its timers to its own end.
        unsafe { self.job.take() }.expect("a job is lent with its node")
    }
}

impl Task for JobHint {
    fn run(self, worker: &Worker) {
        let (id, due) = (self.id, self.due);
        let began = worker.core().settings.clock.now();
        // SAFETY: 1. the worker runs what it has claimed.
        let job = unsafe { self.take(worker.core()) };
        worker.spend(id);
        let outside = worker.enter_tick(id, TickInfo { number: 1, began, late_by: began.saturating_sub(due) });
        job.run(worker);
        worker.leave_tick(outside);
    }

    fn cancel(self, _queue_id: u64, _why: Unrun) {
        unreachable!("a hint is cancelled with its pool");
    }

    fn cancel_in(self, core: &Core, _queue_id: u64, why: Unrun) -> u64 {
        let id = self.id;
        // SAFETY: 1. it is cancelled by whoever has claimed it.
        let job = unsafe { self.take(core) };
        core.free_spent(&[id]);
        core.end_job(job, id, why)
    }
}
