//! Jobs that end without having run, and what their callbacks must not wait for.

use super::closing::WaitError;
use super::core::Core;
use super::groups::{EndingOne, Group};
use super::job::{Job, Unrun};
use super::unwind;
use crate::queue::Item;
use crate::sys::atomic::Ordering;
use crate::sys::thread::{self, per_thread};
use std::cell::Cell;
use std::error::Error;
use std::{iter, ptr};

/// A job that was taken out of the queue otherwise than by a worker whose turn it is.
#[derive(Debug)]
pub(super) struct TakenOut<'a> {
    pub(super) item: Item,
    /// A group's job counts there as long as this lives.
    pub(super) counted: Option<EndingOne<'a>>,
}

impl From<Item> for TakenOut<'_> {
    /// One that counts in no group, or there as running.
    fn from(item: Item) -> Self {
        Self { item, counted: None }
    }
}

per_thread! {
    /// The innermost such end on the calling thread.
    ENDING: Cell<*const Ending> = Cell::new(ptr::null())
}

/// The calling thread runs the callbacks and destructors of a job that will never run: user code. The job counts as
/// pending until they are over.
#[derive(Debug)]
struct Ending {
    pool: u64,
    /// The number of the group that it counts in, if any.
    group: Option<u64>,
    outer: *const Ending,
}

impl Core {
    /// Ends a cancelled job that was taken out of its queue. Returns the id that users know.
    pub(super) fn end_unrun(&self, id: u64, job: TakenOut<'_>) -> u64 {
        let id = self.end_one_of_several(id, job);
        self.check_low_mark();
        id
    }

    /// The same for one of several jobs that were taken out together. The caller reports the low mark after the last.
    pub(super) fn end_one_of_several(&self, id: u64, job: TakenOut<'_>) -> u64 {
        self.end_pending(id, job, Unrun::Cancelled)
    }

    /// Ends a job that was not begun in time, if it is still queued.
    pub(super) fn expire(&self, id: u64) {
        if let Some(job) = self.take_out(id) {
            self.end_pending(id, job, Unrun::Expired);
            self.check_low_mark();
        }
    }

    /// A job that never ran ends expired.
    pub(crate) fn count_expired(&self) {
        self.expired.fetch_add(1, Ordering::Release);
    }

    /// A job that never ran has failed by its callback. Calls user code.
    pub(crate) fn count_failure(&self, id: u64, error: &(dyn Error + 'static)) {
        self.guests.count_failed(1);
        self.tell_failure(id, error);
    }

    fn end_pending(&self, id: u64, job: TakenOut<'_>, why: Unrun) -> u64 {
        let TakenOut { item, counted } = job;
        let id = self.tell_unrun(id, item, why, counted.as_ref().map(EndingOne::group)); // G5
        if self.is_forked() {
            std::mem::forget(counted); // A callback has forked. Whoever holds a lock may not exist in this process.
        } else {
            drop(counted); // G6
            self.count_cancelled_unreported(1); // G7
        }
        id
    }

    fn tell_unrun(&self, id: u64, item: Item, why: Unrun, group: Option<u64>) -> u64 {
        let ending = Ending { pool: self.number, group, outer: ENDING.with(Cell::get) };
        let _entered = thread::enter(&ENDING, &raw const ending);
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so the item is turned back into a job once.
        self.end_job(unsafe { Job::from_item(item) }, id, why)
    }

    /// Whether the calling thread ends a job of this pool, which counts as pending: it would wait for itself if it
    /// waited for all jobs.
    pub(super) fn is_ending_job(&self) -> bool {
        is_ending(|ending| ending.pool == self.number)
    }

    /// Whether the calling thread may wait until the group is quiescent.
    pub(super) fn may_wait_for_group(&self, group: &Group) -> Result<(), WaitError> {
        self.may_wait()?;
        if is_ending(|ending| ending.group == Some(group.number())) { Err(WaitError::Deadlock) } else { Ok(()) }
    }

    /// Tells a job that it was cancelled.
    pub(super) fn cancel_job(&self, job: Job, id: u64) -> u64 {
        self.end_job(job, id, Unrun::Cancelled)
    }

    /// Tells a job that it will never run. Returns the id that users know.
    pub(super) fn end_job(&self, job: Job, id: u64, why: Unrun) -> u64 {
        let id = unwind::catch(|| job.cancel(self, id, why)).unwrap_or_else(|payload| {
            unwind::dispose(payload);
            id
        });
        self.drop_unread();
        id
    }

    /// Whoever is no worker may have delivered last to results that nobody reads any more, or dropped what would have:
    /// it drops what is in them. In the child of a fork, whoever holds the orphans' lock may not exist.
    pub(super) fn drop_unread(&self) {
        if !self.is_forked() && self.orphans.any() {
            self.orphans.reap();
        }
    }
}

/// Whether one of the ends on the calling thread is `such`.
fn is_ending(such: impl FnMut(&Ending) -> bool) -> bool {
    // SAFETY: the pointer is null, or to an `Ending` further down this thread's stack, which `Entered` removes before
    // it ends.
    let innermost = unsafe { ENDING.with(Cell::get).as_ref() };
    // SAFETY: as above.
    iter::successors(innermost, |ending| unsafe { ending.outer.as_ref() }).any(such)
}
