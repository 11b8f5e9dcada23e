//! Scopes: jobs that borrow, and a thread that waits for all of them. Protocol: `README.md`, "Scopes".

use super::core::Core;
use super::current;
use super::job::{Job, Task, Unrun};
use super::joint_outcome::JointOutcome;
use super::nested::Parent;
use super::submit::Rejected;
use super::unwind::Payload;
use super::worker::Worker;
use crate::sync::{WaitGroup, awake};
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::lock::Lock;
use std::mem;
use std::sync::Arc;

/// The id that stands for a job that is in no queue: it was refused, or cancelled before.
const NOT_QUEUED: u64 = 0;

/// The jobs that one thread waits for. Lies in that thread's frame; a job's last access to it is `left.end`.
#[derive(Debug)]
pub(crate) struct Scope<'pool> {
    core: &'pool Arc<Core>,
    /// What waits.
    parent: Parent,
    left: WaitGroup,
    /// Jobs that may still be queued; kept if the waiting thread is a worker of the pool, which runs them.
    spawned: Option<Lock<Spawned>>,
    /// Jobs that were cancelled while they were queued. The waiting thread runs them.
    cancelled: Lock<Vec<Job>>,
    /// Whether there are any, to be read without the lock. Set before `left.end`.
    has_cancelled: AtomicBool,
    outcome: JointOutcome,
}

/// Ids of jobs. The last one is stored apart, so that a scope with one job allocates nothing.
#[derive(Debug, Default)]
struct Spawned {
    /// 0 for none.
    last: u64,
    others: Vec<u64>,
}

struct Scoped<'scope, F> {
    code: F,
    scope: *const Scope<'scope>,
}

// SAFETY: 1. the code is `Send`; 2. `Scope` is `Sync`.
unsafe impl<F: Send> Send for Scoped<'_, F> {}

impl Spawned {
    fn push(&mut self, id: u64) {
        let earlier = mem::replace(&mut self.last, id);
        if earlier != 0 {
            self.others.push(earlier);
        }
    }

    /// Takes all of them, the last one first.
    fn take(&mut self) -> impl Iterator<Item = u64> + use<> {
        let Self { last, others } = mem::take(self);
        Some(last).filter(|&id| id != 0).into_iter().chain(others.into_iter().rev())
    }
}

impl<'pool> Scope<'pool> {
    pub(crate) fn new(core: &'pool Arc<Core>) -> Self {
        Self {
            core,
            parent: Parent::current(),
            left: WaitGroup::new(),
            spawned: core.is_current().then(Lock::default),
            cancelled: Lock::default(),
            has_cancelled: AtomicBool::new(false),
            outcome: JointOutcome::default(),
        }
    }

    /// Runs `code` on a worker, or at once if the pool refuses it.
    ///
    /// # Safety
    ///
    /// 1. The scope, and what the code borrows, live until [`wait`](Self::wait) has returned, which is called in any
    ///    case.
    pub(crate) unsafe fn spawn(&self, code: impl FnOnce() + Send) {
        self.left.begin();
        // SAFETY: 1. by the caller's 1: the code is dropped before `left` is 0, for which `wait` waits.
        let job = unsafe { Job::borrowing(Scoped { code, scope: self }) };
        match (self.core.submit(job), &self.spawned) {
            (Ok(id), Some(spawned)) => spawned.lock().push(id),
            (Ok(_), None) => {}
            (Err(Rejected { job, .. }), _) => self.run_here(job),
        }
    }

    /// Waits until all jobs have ended, including those that jobs have spawned. In a job of the pool, it runs those
    /// that were not begun; anywhere those that were cancelled. An error is the first panic.
    pub(crate) fn wait(&self) -> Result<(), Payload> {
        loop {
            if let Some(spawned) = &self.spawned {
                while self.run_queued(spawned) {}
            }
            awake::wait_for_all(&self.left);
            if !self.has_cancelled.load(Ordering::Relaxed) {
                return self.outcome.settle();
            }
            self.has_cancelled.store(false, Ordering::Relaxed);
            // Out of the lock first: these jobs may spawn others that are cancelled.
            let cancelled = mem::take(&mut *self.cancelled.lock());
            for job in cancelled {
                self.left.begin();
                self.run_here(job);
            }
        }
    }

    /// Runs a job that no worker will run.
    fn run_here(&self, job: Job) {
        _ = job.cancel(self.core, NOT_QUEUED, Unrun::Cancelled);
    }

    /// Runs the jobs that were not begun, the last one first, because it is the least likely to have been begun. False
    /// if none was spawned since the last call.
    fn run_queued(&self, spawned: &Lock<Spawned>) -> bool {
        let mut ids = spawned.lock().take().peekable();
        let some = ids.peek().is_some();
        current::with(|worker| worker.run_all_queued(ids));
        some
    }
}

impl<F: FnOnce() + Send> Task for Scoped<'_, F> {
    fn run(self, worker: &Worker) {
        // SAFETY: 1. `Scope::spawn`'s obligation: the scope lives until `left.end` below.
        let scope = unsafe { &*self.scope };
        worker.run_part(scope.parent, || scope.outcome.run(self.code));
        scope.outcome.take_failure(worker);
        worker.ended();
        scope.left.end(); // From here on the scope may be gone.
    }

    fn cancel(self, _core: &Core, id: u64, _why: Unrun) {
        // SAFETY: as above.
        let scope = unsafe { &*self.scope };
        if id == NOT_QUEUED {
            scope.outcome.run(self.code);
        } else {
            // SAFETY: 1. as for the job that this one was: the scope's `wait` runs it.
            scope.cancelled.lock().push(unsafe { Job::borrowing(self) });
            scope.has_cancelled.store(true, Ordering::Relaxed);
        }
        scope.left.end(); // As above.
    }
}
