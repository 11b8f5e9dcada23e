//! Jobs that end without having run: cancelled, or not begun in time.

use super::core::Core;
use super::job::{Job, Unrun};
use super::timers::is_timer;
use super::unwind;
use crate::queue::Item;
use crate::sys::atomic::Ordering;

impl Core {
    /// Cancels a queued job or a timer. False if it is neither: unknown, claimed by a worker, done or cancelled before.
    pub(crate) fn cancel(&self, id: u64) -> bool {
        if self.is_forked() {
            return false;
        }
        if is_timer(id) {
            return self.cancel_timer(id);
        }
        let Some(item) = self.take_out(id) else { return false };
        self.end_unrun(id, item);
        true
    }

    /// Takes a job out of the queue, if nobody has begun it. It takes a heavy fence only where a worker has come near.
    pub(super) fn take_out(&self, id: u64) -> Option<Item> {
        let lane = self.store.lane_of(id).map(|number| self.lanes.numbered(number));
        lane.and_then(|lane| lane.take_out(&self.store, id)).or_else(|| self.store.revoke(id))
    }

    /// Cancels every job that is queued now; returns how many.
    pub(crate) fn cancel_all(&self) -> usize {
        if self.is_forked() {
            return 0;
        }
        let mut count = 0;
        self.cancel_each(&mut |_| count += 1);
        count
    }

    /// Cancels every job that is queued now, and tells of each.
    pub(super) fn cancel_each(&self, cancelled: &mut dyn FnMut(u64)) {
        self.calm_storm();
        self.store.revoke_all(|id, item| cancelled(self.end_unrun(id, item)));
    }

    /// The ids of the jobs that are queued now, ascending.
    pub(crate) fn queued(&self) -> Vec<u64> {
        if self.is_forked() { Vec::new() } else { self.named(|| self.store.queued()) }
    }

    /// Ends a job that was accepted and taken out of the queue without having run. Returns the id that users know it
    /// by.
    pub(super) fn end_unrun(&self, id: u64, item: Item) -> u64 {
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so no other job was made of the item.
        let id = self.cancel_job(unsafe { Job::from_item(item) }, id);
        self.count_cancelled(1);
        id
    }

    /// Ends a job that is still queued: it was not begun in time.
    pub(super) fn expire(&self, id: u64) {
        let Some(item) = self.take_out(id) else { return };
        self.expired.fetch_add(1, Ordering::Release);
        // SAFETY: as in `end_unrun`.
        self.end_job(unsafe { Job::from_item(item) }, id, Unrun::Expired);
        self.count_cancelled(1);
    }

    /// Tells a job that it was cancelled.
    pub(super) fn cancel_job(&self, job: Job, id: u64) -> u64 {
        self.end_job(job, id, Unrun::Cancelled)
    }

    /// Tells a job that it will never run. Returns the id that users know it by.
    pub(super) fn end_job(&self, job: Job, id: u64, why: Unrun) -> u64 {
        unwind::catch(|| job.cancel(self, id, why)).unwrap_or_else(|payload| {
            unwind::dispose(payload);
            id
        })
    }

    pub(super) fn count_cancelled(&self, count: u64) {
        self.cancelled.count_shared(count);
        self.place_is_free();
        self.groups.notify();
        self.ended_elsewhere();
    }

    pub(super) fn cancelled(&self) -> u64 {
        self.cancelled.gone()
    }
}
