//! Jobs that end expired unless they begin in time. Protocol: `TIMERS.md`, "Deadlines of jobs".

use super::deadlines::Expected;
use crate::pool::admission::Patience;
use crate::pool::core::Core;
use crate::pool::job::{Job, Task, Unrun};
use crate::pool::submit::{Rejected, Route};
use crate::pool::worker::Worker;
use crate::sync::Deadline;
use std::sync::Arc;

/// A task that owns an entry among the deadlines, and frees it when it is run or cancelled.
struct Expiring<T> {
    task: T,
    entry: u64,
}

impl Core {
    /// Submits a job that must begin by the moment `due` of the pool's monotonic clock; returns its id. Waits no longer
    /// than that for room.
    pub(crate) fn submit_expiring<T: Task + 'static>(
        self: &Arc<Self>,
        route: Route<'_>,
        due: u64,
        task: T,
    ) -> Result<u64, Rejected> {
        // Otherwise the pool may be destroyed after the visit.
        let core = Arc::clone(self);
        let entry = match core.reserve_deadline() {
            Ok(entry) => entry,
            Err(why) => return Err(Rejected { why, job: Job::new(task) }),
        };
        let job = Job::new(Expiring { task, entry });
        let clock = &core.settings.clock;
        let deadline = clock.instant(due).filter(|_| !clock.is_manual()).map_or(Deadline::NEVER, Deadline::from);
        let caller_runs = !matches!(route, Route::Group(..));
        let submitted = core.submit_guarded(job, Patience::PolicyUntil { deadline, caller_runs }, route);
        match &submitted {
            Ok(id) => core.arm_deadline(entry, Expected::Begin(*id), due),
            Err(_) => core.forget_deadline(entry),
        }
        submitted
    }
}

impl<T: Task> Task for Expiring<T> {
    fn run(self, worker: &Worker) {
        worker.retire_timer(self.entry);
        self.task.run(worker);
    }

    fn cancel(self, core: &Core, id: u64, why: Unrun) {
        core.forget_deadline(self.entry);
        self.task.cancel(core, id, why);
    }
}
