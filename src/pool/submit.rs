//! How a job comes in.

use super::core::Core;
use super::hooks::HookError;
use super::job::Job;
use super::producer;
use crate::queue::{Item, OutOfMemory, Producing};
use crate::sys::fence;
use std::io;
use std::sync::Arc;

/// Why a job was not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    Closed,
    OutOfMemory,
    NoThread(io::Error),
    Broken(HookError),
    Forked,
}

/// A job that was not accepted, handed back.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) why: Refusal,
    pub(crate) job: Job,
}

impl Core {
    /// Queues a job behind those that this thread has submitted before; returns its id.
    #[inline(always)]
    pub(crate) fn submit(self: &Arc<Self>, job: Job) -> Result<u64, Rejected> {
        self.submit_by(job, |lane, item| lane.push(&self.store, item))
    }

    /// Puts a job before all that are queued; returns its id.
    pub(crate) fn submit_first(self: &Arc<Self>, job: Job) -> Result<u64, Rejected> {
        self.submit_by(job, |_visit, item| self.front.push(&self.store, item))
    }

    #[inline(always)]
    fn submit_by(
        self: &Arc<Self>,
        job: Job,
        push: impl FnOnce(&mut Producing<'_>, Item) -> Result<u64, OutOfMemory>,
    ) -> Result<u64, Rejected> {
        // SAFETY: 1. queues and the crew run no user's code; a job that is rejected is dropped by the caller.
        let mut visit = unsafe { producer::visit(self) };
        if let Some(why) = self.refusal() {
            return Err(Rejected { why, job });
        }
        let item = job.into_item();
        let Ok(id) = push(&mut visit.lane, item) else {
            // SAFETY: the item was made of a job above and was not queued.
            return Err(Rejected { why: Refusal::OutOfMemory, job: unsafe { Job::from_item(item) } });
        };
        match self.work_is_visible() {
            Ok(()) => Ok(id),
            Err(refused) => match self.take_back(id) {
                Some(job) => Err(Rejected { why: Refusal::NoThread(refused), job }),
                None => Ok(id),
            },
        }
    }

    /// Queues all jobs or none; returns their ids.
    pub(crate) fn submit_batch(self: &Arc<Self>, jobs: Vec<Job>) -> Result<Vec<u64>, Refusal> {
        let items: Vec<Item> = jobs.into_iter().map(Job::into_item).collect();
        self.queue_batch(&items).inspect_err(|_| {
            // SAFETY: the items were made of jobs above and were not queued.
            items.iter().for_each(|&item| drop(unsafe { Job::from_item(item) }));
        })
    }

    fn queue_batch(self: &Arc<Self>, items: &[Item]) -> Result<Vec<u64>, Refusal> {
        // SAFETY: 1. queues and the crew run no user's code; jobs that are rejected are dropped by the caller.
        let mut visit = unsafe { producer::visit(self) };
        if let Some(why) = self.refusal() {
            return Err(why);
        }
        if items.is_empty() {
            return Ok(Vec::new()); // There is nothing to start a thread for.
        }
        // A worker first: once some of the jobs are claimed the others cannot be taken back. It stays until this visit
        // ends (Close, C3), and while it lives a refused thread is no error.
        if self.alive() == 0 {
            self.recruit_if(&|| true).map_err(Refusal::NoThread)?;
        }
        let mut ids = Vec::with_capacity(items.len());
        visit.lane.push_all(&self.store, items, |id| ids.push(id)).map_err(|OutOfMemory| Refusal::OutOfMemory)?;
        self.work_is_visible().expect("a refused thread is no error while a worker lives");
        Ok(ids)
    }

    /// Called after every push: makes sure that somebody comes to the work.
    #[inline]
    fn work_is_visible(self: &Arc<Self>) -> io::Result<()> {
        fence::light(); // S1
        if self.crew.needs_recruit() { self.recruit() } else { Ok(()) }
    }

    /// Takes a job of ours out of the queue again and drops it; false if somebody has it.
    pub(super) fn retract(&self, id: u64) -> bool {
        self.take_back(id).is_some()
    }

    /// Takes an accepted job out of the queue again, if nobody has claimed it; it counts as ended.
    fn take_back(&self, id: u64) -> Option<Job> {
        let item = self.store.revoke(id)?;
        self.count_cancelled(1);
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so no other job was made of the item.
        Some(unsafe { Job::from_item(item) })
    }
}
