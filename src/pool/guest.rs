//! Guests: submitters that run their job themselves, because the queue is full; joiners that help a worker.

use super::core::Core;
use super::job::Job;
use super::station::Station;
use super::{Worker, current};
use crate::queue;
use crate::sys::atomic::{AtomicU64, Ordering};
use crate::sys::lock::Lock;
use crate::sys::{CachePadded, unique};
use std::sync::Arc;

/// Counts of jobs that were run like this. They only grow, so quiescence can sum them (`README.md`, "Quiescence").
#[derive(Debug, Default)]
pub(super) struct Guests {
    begun: AtomicU64,
    ended: AtomicU64,
    /// Includes jobs that failed without having run.
    failed: AtomicU64,
    /// Unused stations, for reuse: allocating one takes longer than everything else here.
    spare: Lock<Vec<Arc<CachePadded<Station>>>>,
}

impl Guests {
    /// Called in a visit, so that the pool's end waits for these jobs.
    pub(super) fn begin(&self, count: u64) {
        self.begun.fetch_add(count, Ordering::SeqCst);
    }

    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn count_failed(&self, count: u64) {
        self.failed.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Acquire)
    }
}

impl Core {
    /// Runs a job that was counted by [`Guests::begin`] on the calling thread; returns its id.
    pub(super) fn run_guest(self: &Arc<Self>, job: Job) -> u64 {
        let id = queue::first_id(unique::number());
        self.as_guest(|worker| worker.execute(id, job.into_item()));
        if !self.is_forked() {
            self.guests.ended.fetch_add(1, Ordering::SeqCst);
            self.ended_elsewhere();
        }
        id
    }

    /// Runs `code`, for whose end one of the pool's jobs waits, as a worker would run it: it waits for no worker.
    pub(super) fn as_guest<R>(self: &Arc<Self>, code: impl FnOnce(&Worker) -> R) -> R {
        let spare = self.guests.spare.lock().pop();
        let station = spare.unwrap_or_else(|| Arc::new(CachePadded::new(Station::new())));
        let failed_before = station.failed();
        let worker = Worker::guest(Arc::clone(self), Arc::clone(&station));
        let returned = {
            let _current = current::enter(&worker);
            code(&worker)
        };
        // In the child of a fork, whoever holds a lock may not exist.
        if !self.is_forked() {
            self.guests.count_failed(station.failed() - failed_before);
            self.guests.spare.lock().push(station);
        }
        returned
    }
}
