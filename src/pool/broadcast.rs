//! Calls: work that every worker does once. Protocol: `README.md`, "Calls".

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

/// What the calls of one broadcast share. Lies in the caller's frame.
struct Whole<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    /// The first panic of the body.
    payload: Lock<Option<Payload>>,
    /// A failure that the body has declared.
    failure: Lock<Option<Box<Failure>>>,
    /// Whether a worker ended its call unrun, because its start hook has failed.
    unfit: AtomicBool,
    /// Calls that have not ended.
    left: WaitGroup,
}

/// One worker's call.
struct Part {
    whole: *const Whole<'static>,
    parent: u64,
}

// SAFETY: 1. `Whole` is `Sync`; 2. its owner waits for every part.
unsafe impl Send for Part {}

/// Starts workers up to the limit, runs `body(number)` once on each, and returns when all have ended. An inner error is
/// the first panic of the body.
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
    /// Gives each worker a `make_call()`.
    fn call_all(self: &Arc<Self>, make_call: impl Fn() -> Job) -> Result<(), Refusal> {
        // SAFETY: 1. the crew runs no user code, and no call is dropped here.
        let _visit = unsafe { producer::visit(self) };
        if let Some(why) = self.refusal() {
            return Err(why);
        }
        let announce = |any| self.front.call(any);
        self.crew.call(|number| self.start(number), make_call, announce).map_err(Refusal::NoThread)
    }
}

impl Worker {
    /// Runs this worker's calls.
    #[cold]
    pub(super) fn run_calls(&self) {
        let calls = self.station.take_calls();
        self.core.crew.calls_taken(calls.len(), |any| self.core.front.call(any));
        for job in calls {
            self.execute(queue::first_id(unique::number()), job.into_item());
        }
    }
}

impl Task for Part {
    fn run(self, worker: &Worker) {
        worker.run_as(self.parent);
        // SAFETY: 1. the caller waits until this part calls `left.done`.
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
