//! Jobs that borrow, and whoever waits for all of them.

use super::core::Core;
use super::current;
use super::job::{Job, Task, Unrun};
use super::running::Failure;
use super::submit::Rejected;
use super::unwind::{self, Payload};
use super::worker::Worker;
use crate::sync::{Deadline, EventCount, awake};
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::lock::Lock;
use std::mem;
use std::sync::Arc;

/// Code that borrows for `'a`.
type Code<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Counts the jobs of a scope.
///
/// # Memory ordering
///
/// A job's release of its count pairs with the waiter's acquire: it sees what the job did.
#[derive(Debug)]
pub(crate) struct Scope {
    core: Arc<Core>,
    /// The job that the scope is part of.
    parent: u64,
    left: AtomicUsize,
    changed: EventCount,
    /// Jobs that may still be queued.
    ids: Lock<Vec<u64>>,
    payload: Lock<Option<Payload>>,
    failure: Lock<Option<Box<Failure>>>,
}

struct Scoped {
    code: Code<'static>,
    scope: Arc<Scope>,
}

impl Scope {
    pub(crate) fn new(core: &Arc<Core>) -> Arc<Self> {
        Arc::new(Self {
            core: Arc::clone(core),
            parent: current::with(Worker::job).unwrap_or(0),
            left: AtomicUsize::new(0),
            changed: EventCount::new(),
            ids: Lock::new(Vec::new()),
            payload: Lock::new(None),
            failure: Lock::new(None),
        })
    }

    /// Runs `code` on a worker, or here and now if the pool takes no more jobs.
    ///
    /// # Safety
    ///
    /// 1. What the code borrows lives until [`wait`](Self::wait) has returned, which is called in any case.
    pub(crate) unsafe fn spawn(self: &Arc<Self>, code: Code<'_>) {
        // SAFETY: the caller's 1: the code is gone before the lifetime ends.
        let code = unsafe { mem::transmute::<Code<'_>, Code<'static>>(code) };
        self.left.fetch_add(1, Ordering::Relaxed);
        match self.core.submit(Job::new(Scoped { code, scope: Arc::clone(self) })) {
            Ok(id) => self.ids.lock().push(id),
            Err(Rejected { job, .. }) => _ = job.cancel(&self.core, 0, Unrun::Cancelled),
        }
    }

    /// Waits until every job has ended, also those that jobs have spawned. In a job of the pool, this runs those that
    /// nobody has begun. Returns what the first job that panicked has thrown.
    pub(crate) fn wait(&self) -> Result<(), Payload> {
        loop {
            let ids = mem::take(&mut *self.ids.lock());
            if ids.is_empty() {
                break;
            }
            // The job that was spawned last is the least likely to have been begun.
            current::with(|worker| worker.run_all_queued(&self.core, ids.into_iter().rev()));
        }
        let ended = || self.left.load(Ordering::Acquire) == 0;
        let _wait = awake::wait(Deadline::NEVER, ended, || 0);
        self.changed.wait_until(Deadline::NEVER, || ended().then_some(()));
        if let Some(failure) = self.failure.lock().take() {
            current::with(|worker| worker.fail(failure));
        }
        self.payload.lock().take().map_or(Ok(()), Err)
    }

    fn ended(&self, thrown: Option<Payload>) {
        if let Some(thrown) = thrown {
            let mut first = self.payload.lock();
            if first.is_none() {
                *first = Some(thrown);
            } else {
                drop(first);
                unwind::dispose(thrown);
            }
        }
        self.left.fetch_sub(1, Ordering::Release);
        self.changed.notify();
    }
}

impl Task for Scoped {
    fn run(self, worker: &Worker) {
        worker.stand_in_for(self.scope.parent);
        let thrown = unwind::catch(self.code).err();
        if let Some(failure) = worker.take_failure() {
            self.scope.failure.lock().replace(failure);
        }
        worker.ended();
        self.scope.ended(thrown);
    }

    /// A job that never had an id was refused, and is run by whoever wanted to submit it.
    fn cancel(self, id: u64, _why: Unrun) {
        let thrown = if id == 0 { unwind::catch(self.code).err() } else { unwind::catch(|| drop(self.code)).err() };
        self.scope.ended(thrown);
    }
}
