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
pub(crate) struct Scope {
    core: Arc<Core>,
    /// The job that the scope is part of.
    parent: u64,
    left: WaitGroup,
    /// Jobs that may still be queued, if whoever waits is a worker of the pool, which runs them then.
    ids: Option<Lock<Vec<u64>>>,
    payload: Lock<Option<Payload>>,
    failure: Lock<Option<Box<Failure>>>,
}

struct Scoped<F> {
    code: F,
    scope: *const Scope,
}

// SAFETY: the code can be sent, and the scope can be shared.
unsafe impl<F: Send> Send for Scoped<F> {}

impl Scope {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
            parent: current::with(Worker::job).unwrap_or(0),
            left: WaitGroup::new(),
            ids: core.is_current().then(|| Lock::new(Vec::new())),
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
        match (self.core.submit(job), &self.ids) {
            (Ok(id), Some(ids)) => ids.lock().push(id),
            (Ok(_), None) => {}
            (Err(Rejected { job, .. }), _) => _ = job.cancel(&self.core, 0, Unrun::Cancelled),
        }
    }

    /// Waits until every job has ended, also those that jobs have spawned. In a job of the pool, this runs those that
    /// nobody has begun. Returns what the first job that panicked has thrown.
    pub(crate) fn wait(&self) -> Result<(), Payload> {
        if let Some(ids) = &self.ids {
            self.run_queued(ids);
        }
        awake::wait_for_all(&self.left);
        if let Some(failure) = self.failure.lock().take() {
            current::with(|worker| worker.fail(failure));
        }
        self.payload.lock().take().map_or(Ok(()), Err)
    }

    fn run_queued(&self, ids: &Lock<Vec<u64>>) {
        loop {
            let ids = mem::take(&mut *ids.lock());
            if ids.is_empty() {
                return;
            }
            // The job that was spawned last is the least likely to have been begun.
            current::with(|worker| worker.run_all_queued(ids.into_iter().rev()));
        }
    }
}

impl<F: FnOnce() + Send> Task for Scoped<F> {
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
