//! Hooks: user code that a pool calls around its jobs.

use super::core::Core;
use super::timers::{Overrun, OverrunHook};
use super::worker::Worker;
use super::{current, frame, unwind};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Called on a worker, with its number. An error says what went wrong.
pub(crate) type WorkerHook = Arc<dyn Fn(usize) -> Result<(), String> + Send + Sync>;

/// Called on a worker, with the id of a failed job and its error.
pub(crate) type FailureHook = Arc<dyn Fn(u64, &(dyn Error + 'static)) + Send + Sync>;

/// Called with a line for the user's log.
pub(crate) type LogHook = Arc<dyn Fn(&str) + Send + Sync>;

/// The hooks of a pool.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) start: Option<WorkerHook>,
    pub(crate) stop: Option<WorkerHook>,
    pub(crate) failed: Option<FailureHook>,
    pub(crate) log: Option<LogHook>,
    pub(crate) overrun: Option<OverrunHook>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |name: &'static str, is_set: bool| is_set.then_some(name);
        let names = [
            set("start", self.start.is_some()),
            set("stop", self.stop.is_some()),
            set("failed", self.failed.is_some()),
            set("log", self.log.is_some()),
            set("overrun", self.overrun.is_some()),
        ];
        f.debug_set().entries(names.into_iter().flatten()).finish()
    }
}

/// Why a pool is broken: which hook failed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookError(Arc<String>);

impl HookError {
    pub(super) fn new(text: String) -> Self {
        Self(Arc::new(text))
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for HookError {}

impl Worker {
    /// Calls the start or stop hook, if there is one.
    pub(super) fn call_hook(&self, which: &str, hook: &Option<WorkerHook>) -> Result<(), HookError> {
        let Some(hook) = hook else { return Ok(()) };
        let returned = unwind::catch(|| hook(self.number()));
        let why = match (returned, self.take_failure()) {
            (Ok(Ok(())), None) => return Ok(()),
            (Ok(Err(text)), _) => text,
            (Ok(Ok(())), Some(declared)) => declared.to_string(),
            (Err(payload), _) => {
                let text = format!("it panicked: {}", unwind::message(payload.as_ref()));
                unwind::dispose(payload);
                text
            }
        };
        Err(HookError::new(format!("the {which} hook of worker {} failed: {why}", self.number())))
    }
}

impl Core {
    /// Reports a failed job to the hooks.
    #[cold]
    pub(super) fn tell_failure(&self, id: u64, error: &(dyn Error + 'static)) {
        let hooks = &self.settings.hooks;
        if let Some(failed) = &hooks.failed {
            swallow_panic(|| failed(id, error));
        }
        if hooks.log.is_some() {
            // Formatting the error is user code, too.
            swallow_panic(|| self.log(&format!("job {id}: {error}")));
        }
    }

    /// Reports a job that runs too long, on the thread that has found out.
    pub(super) fn call_overrun_hook(&self, overrun: Overrun<'_>) {
        if let Some(hook) = &self.settings.hooks.overrun {
            swallow_panic(|| hook(overrun));
        }
    }

    pub(super) fn log(&self, line: &str) {
        if let Some(log) = &self.settings.hooks.log {
            swallow_panic(|| log(&format!("{}: {line}", self.settings.prefix)));
        }
    }
}

/// Calls user code that belongs to no job.
pub(super) fn swallow_panic(code: impl FnOnce()) {
    let searches = current::with(Worker::begin_callback);
    if let Err(payload) = unwind::catch(|| frame::callback(code)) {
        unwind::dispose(payload);
    }
    if let Some(searches) = searches {
        current::with(|worker| worker.end_callback(searches));
    }
}
