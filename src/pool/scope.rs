//! Jobs that borrow, and whoever waits for all of them.

use super::core::Core;
use super::current;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::submit::Rejected;
use super::unwind::{self, Payload};
use super::worker::Worker;
use crate::sync::{WaitGroup, awake};
use crate::sys::lock::Lock;
use std::mem;
use std::sync::Arc;

/// Jobs that are waited for. It lies where whoever waits has put it, and a job does not touch it after its end.
#[derive(Debug)]
pub(crate) struct Scope<'pool> {
    core: &'pool Arc<Core>,
    /// The job that the scope is part of.
    parent: u64,
    left: WaitGroup,
    /// Jobs that may still be queued, if whoever waits is a worker of the pool, which runs them then.
    spawned: Option<Lock<Spawned>>,
    payload: Lock<Option<Payload>>,
    failure: Lock<Option<Box<Failure>>>,
}

/// The ids of jobs, the last one apart: many scopes have only one, and need no memory for it.
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

// SAFETY: the code can be sent, and the scope can be shared.
unsafe impl<F: Send> Send for Scoped<'_, F> {}

impl Spawned {
    fn push(&mut self, id: u64) {
        let earlier = mem::replace(&mut self.last, id);
        if earlier != 0 {
            self.others.push(earlier);
        }
    }

    /// All of them, the last one first.
    fn take(&mut self) -> impl Iterator<Item = u64> + use<> {
        let Self { last, others } = mem::take(self);
        Some(last).filter(|&id| id != 0).into_iter().chain(others.into_iter().rev())
    }
}

impl<'pool> Scope<'pool> {
    pub(crate) fn new(core: &'pool Arc<Core>) -> Self {
        Self {
            core,
            parent: current::with(Worker::job).unwrap_or(0),
            left: WaitGroup::new(),
            spawned: core.is_current().then(Lock::default),
            payload: Lock::new(None),
            failure: Lock::new(None),
        }
    }

    /// Runs `code` on a worker, or here and now if the pool takes no more jobs.
    ///
    /// # Safety
    ///
    /// 1. The scope, and what the code borrows, live until [`wait`](Self::wait) has returned, which is called in any
    ///    case.
    pub(crate) unsafe fn spawn(&self, code: impl FnOnce() + Send) {
        self.left.begin();
        // SAFETY: the caller's 1: the code is gone before the scope has nothing left.
        let job = unsafe { Job::borrowing(Scoped { code, scope: self }) };
        match (self.core.submit(job), &self.spawned) {
            (Ok(id), Some(spawned)) => spawned.lock().push(id),
            (Ok(_), None) => {}
            (Err(Rejected { job, .. }), _) => _ = job.cancel(self.core, 0, Unrun::Cancelled),
        }
    }

    /// Waits until every job has ended, also those that jobs have spawned. In a job of the pool, this runs those that
    /// nobody has begun. Returns what the first job that panicked has thrown.
    pub(crate) fn wait(&self) -> Result<(), Payload> {
        if let Some(spawned) = &self.spawned {
            while self.run_queued(spawned) {}
        }
        awake::wait_for_all(&self.left);
        if let Some(failure) = self.failure.lock().take() {
            current::with(|worker| worker.fail(failure));
        }
        self.payload.lock().take().map_or(Ok(()), Err)
    }

    /// Runs those of the jobs that nobody has begun; false if none was spawned since the last call. The job that was
    /// spawned last is the least likely to have been begun.
    fn run_queued(&self, spawned: &Lock<Spawned>) -> bool {
        let mut ids = spawned.lock().take().peekable();
        let some = ids.peek().is_some();
        current::with(|worker| worker.run_all_queued(ids));
        some
    }
}

impl<F: FnOnce() + Send> Task for Scoped<'_, F> {
    fn run(self, worker: &Worker) {
        // SAFETY: `Scope::spawn`'s obligation: whoever waits does so until this has ended.
        let scope = unsafe { &*self.scope };
        worker.stand_in_for(scope.parent);
        if let Err(thrown) = unwind::catch(self.code) {
            unwind::keep_first(&scope.payload, thrown);
        }
        if let Some(failure) = worker.take_failure() {
            scope.failure.lock().replace(failure);
        }
        worker.ended();
        scope.left.end(); // The scope may be gone.
    }

    /// A job that never had an id was refused, and is run by whoever wanted to submit it.
    fn cancel(self, id: u64, _why: Unrun) {
        // SAFETY: as above.
        let scope = unsafe { &*self.scope };
        if let Err(thrown) = if id == 0 { unwind::catch(self.code) } else { unwind::catch(|| drop(self.code)) } {
            unwind::keep_first(&scope.payload, thrown);
        }
        scope.left.end(); // As above.
    }
}
