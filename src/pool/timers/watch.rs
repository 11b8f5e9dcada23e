//! Watched jobs, which are reported when they run too long. Protocol: `TIMERS.md`, "Deadlines of jobs".

use super::deadlines::Expected;
use crate::pool::core::Core;
use crate::pool::worker::Worker;
use crate::sys::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// The run of a watched job.
#[derive(Debug)]
pub(crate) struct Run {
    job: u64,
    name: Arc<str>,
    began: u64,
    asked: AtomicBool,
}

/// A job that runs longer than its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overrun<'a> {
    run: &'a Run,
    pub(crate) ran: Duration,
}

/// Called when a job overruns.
pub(crate) type OverrunHook = Arc<dyn Fn(Overrun<'_>) + Send + Sync>;

/// The run of a job is watched until this is dropped.
struct Watched<'a> {
    worker: &'a Worker,
    entry: u64,
    outer: *const AtomicBool,
}

impl Overrun<'_> {
    pub(crate) fn job(&self) -> u64 {
        self.run.job
    }

    pub(crate) fn name(&self) -> &str {
        &self.run.name
    }

    /// Asks the job to stop.
    pub(crate) fn ask(&self) {
        self.run.asked.store(true, Ordering::Release);
    }
}

impl Core {
    /// Whether jobs that run too long are reported.
    pub(crate) fn watches(&self) -> bool {
        self.settings.hooks.overrun.is_some()
    }

    /// Called after the lock, because it calls user code.
    pub(super) fn tell_overrun(&self, run: &Run) {
        let ran = Duration::from_nanos(self.settings.clock.now().saturating_sub(run.began));
        self.call_overrun_hook(Overrun { run, ran });
    }
}

impl Worker {
    /// Runs the code of the running job, which is reported if that takes longer than `limit` nanoseconds.
    pub(crate) fn watch<R>(&self, name: Arc<str>, limit: u64, code: impl FnOnce() -> R) -> R {
        let core = self.core();
        // If the job cannot be watched, it runs nevertheless.
        let entry = if core.watches() { core.reserve_deadline().ok() } else { None };
        let Some(entry) = entry else { return code() };
        let began = core.settings.clock.now();
        let run = Arc::new(Run { job: self.job(), name, began, asked: AtomicBool::new(false) });
        let _watched = Watched { worker: self, entry, outer: self.overrun_flag.replace(&raw const run.asked) };
        core.arm_deadline(entry, Expected::End(Arc::clone(&run)), began.saturating_add(limit));
        code()
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.worker.overrun_flag.set(self.outer);
        self.worker.core().forget_deadline(self.entry);
    }
}
