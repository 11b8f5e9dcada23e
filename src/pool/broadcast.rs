//! Calls: work that every worker does once. Protocol: `README.md`, "Calls".

use super::core::Core;
use super::job::{Job, Task, Unrun};
use super::joint_outcome::JointOutcome;
use super::nested::Parent;
use super::producer;
use super::submit::Refusal;
use super::unwind::Payload;
use super::worker::Worker;
use crate::queue;
use crate::sync::{WaitGroup, awake};
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::unique;
use std::sync::Arc;

/// What the calls of one broadcast share. Lies in the caller's frame.
struct Broadcast<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    /// What waits.
    parent: Parent,
    outcome: JointOutcome,
    /// Whether a worker ended its call unrun, because its start hook has failed.
    unrun: AtomicBool,
    /// Calls that have not ended.
    left: WaitGroup,
}

/// One worker's call.
struct BroadcastCall {
    shared: *const Broadcast<'static>,
}

// SAFETY: 1. `Broadcast` is `Sync`; 2. its owner waits for every call.
unsafe impl Send for BroadcastCall {}

/// Starts workers up to the limit, runs `body(number)` once on each, and returns when all have ended. An inner error is
/// the first panic of the body.
pub(crate) fn run(core: &Arc<Core>, body: &(dyn Fn(usize) + Sync)) -> Result<Result<(), Payload>, Refusal> {
    if core.is_current() {
        return Err(Refusal::Deadlock);
    }
    let (outcome, unrun, left) = (JointOutcome::default(), AtomicBool::new(false), WaitGroup::new());
    let shared = Broadcast { body, parent: Parent::current(), outcome, unrun, left };
    core.call_all(|| {
        shared.left.add(1);
        Job::new(BroadcastCall { shared: (&raw const shared).cast() })
    })?;
    awake::wait_for_all(&shared.left);
    if shared.unrun.load(Ordering::Relaxed)
        && let Some(broken) = core.refusal()
    {
        return Err(broken);
    }
    Ok(shared.outcome.settle())
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

impl Task for BroadcastCall {
    fn run(self, worker: &Worker) {
        // SAFETY: 1. the caller waits until this call executes `left.done`.
        let shared = unsafe { &*self.shared };
        worker.run_part(shared.parent, || shared.outcome.run(|| (shared.body)(worker.number())));
        shared.outcome.take_failure(worker);
        worker.ended();
        shared.left.done();
    }

    fn cancel(self, _core: &Core, _id: u64, _why: Unrun) {
        // SAFETY: as above.
        let shared = unsafe { &*self.shared };
        shared.unrun.store(true, Ordering::Relaxed);
        shared.left.done();
    }
}
