//! Hints: what lies in the pool's queue for a delayed job that is due.

use super::TickInfo;
use crate::pool::Worker;
use crate::pool::core::Core;
use crate::pool::job::{Job, Task, Unrun};
use crate::queue::Lent;

/// Refers to a job in the timers' slab. The thread that claims the hint from the queue may take the job, without a
/// lock; the node is freed later.
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
        // SAFETY: 1. by the caller's 1, and because a hint is queued once; 2. the pool owns its timers, and lives.
        unsafe { self.job.take() }.expect("a job is lent with its node")
    }
}

impl Task for JobHint {
    fn run(self, worker: &Worker) {
        let (id, due) = (self.id, self.due);
        let began = worker.core().settings.clock.now();
        // SAFETY: 1. a worker runs only what it has claimed.
        let job = unsafe { self.take(worker.core()) };
        worker.retire_timer(id);
        let outer = worker.enter_tick(id, TickInfo { number: 1, began, late_by: began.saturating_sub(due) });
        job.run(worker);
        worker.leave_tick(outer);
    }

    fn cancel(self, _core: &Core, _queue_id: u64, _why: Unrun) {
        unreachable!("a hint is cancelled with its pool");
    }

    fn cancel_in(self, core: &Core, _queue_id: u64, why: Unrun) -> u64 {
        let id = self.id;
        // SAFETY: 1. a thread cancels only what it has claimed.
        let job = unsafe { self.take(core) };
        core.free_retired(&[id]);
        core.end_job(job, id, why)
    }
}
