//! Work that every worker does once. Protocol: `README.md`, "Calls".

use super::core::Core;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::submit::Refusal;
use super::unwind::{self, Payload};
use super::worker::Worker;
use super::{current, producer};
use crate::queue;
use crate::sync::{WaitGroup, awake};
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::lock::Lock;
use crate::sys::unique;
use std::sync::Arc;

/// What all workers are called to.
struct Whole<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    /// What the body has thrown first.
    payload: Lock<Option<Payload>>,
    /// What the body has declared.
    failure: Lock<Option<Box<Failure>>>,
    /// A worker could not do its part: its start hook has failed.
    unfit: AtomicBool,
    /// Parts that have not ended.
    left: WaitGroup,
}

/// One worker's part.
struct Part {
    whole: *const Whole<'static>,
    parent: u64,
}

// SAFETY: the whole can be shared, and its caller waits for every part.
unsafe impl Send for Part {}

/// Runs `body(number)` once on every worker, those included that can be started, and returns when all have ended. An
/// inner error is what the body has thrown.
pub(crate) fn run(core: &Arc<Core>, body: &(dyn Fn(usize) + Sync)) -> Result<Result<(), Payload>, Refusal> {
    if core.is_current() {
        return Err(Refusal::Deadlock);
    }
    let whole = Whole {
        body,
        payload: Lock::new(None),
        failure: Lock::new(None),
        unfit: AtomicBool::new(false),
        left: WaitGroup::new(),
    };
    let parent = current::with(Worker::job).unwrap_or(0);
    core.call_all(|| {
        whole.left.add(1);
        Job::new(Part { whole: (&raw const whole).cast(), parent })
    })?;
    awake::wait_for_all(&whole.left);
    if whole.unfit.load(Ordering::Relaxed)
        && let Some(broken) = core.refusal()
    {
        return Err(broken);
    }
    if let Some(failure) = whole.failure.lock().take() {
        current::with(|worker| worker.fail(failure));
    }
    Ok(whole.payload.lock().take().map_or(Ok(()), Err))
}

impl Core {
    /// Gives every worker a `call()`.
    fn call_all(self: &Arc<Self>, call: impl Fn() -> Job) -> Result<(), Refusal> {
        // SAFETY: 1. the crew runs no user's code, and calls that are made are not dropped here.
        let _visit = unsafe { producer::visit(self) };
        if let Some(why) = self.refusal() {
            return Err(why);
        }
        let calling = |somebody| self.front.call(somebody);
        self.crew.call(|number| self.start(number), call, calling).map_err(Refusal::NoThread)
    }
}

impl Worker {
    /// Does what this worker is called to.
    #[cold]
    pub(super) fn answer_calls(&self) {
        let calls = self.station.take_calls();
        self.core.crew.answer(calls.len(), |somebody| self.core.front.call(somebody));
        for job in calls {
            self.execute(queue::first_id(unique::number()), job.into_item());
        }
    }
}

impl Task for Part {
    fn run(self, worker: &Worker) {
        worker.stand_in_for(self.parent);
        // SAFETY: the caller waits until this part says that it has ended.
        let whole = unsafe { &*self.whole };
        if let Err(payload) = unwind::catch(|| (whole.body)(worker.number())) {
            unwind::keep_first(&whole.payload, payload);
        }
        if let Some(failure) = worker.take_failure() {
            whole.failure.lock().replace(failure);
        }
        worker.ended();
        whole.left.done();
    }

    fn cancel(self, _id: u64, _why: Unrun) {
        // SAFETY: as above.
        let whole = unsafe { &*self.whole };
        whole.unfit.store(true, Ordering::Relaxed);
        whole.left.done();
    }
}
