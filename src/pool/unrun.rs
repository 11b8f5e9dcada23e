//! Jobs that end without having run, and what users' code may not wait for meanwhile.

use super::core::Core;
use super::job::{Job, Unrun};
use super::unwind;
use crate::queue::Item;
use crate::sys::atomic::Ordering;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::{iter, ptr};

per_thread! {
    /// What the calling thread ends, the innermost one.
    ENDING: Cell<*const Ending> = Cell::new(ptr::null())
}

/// The calling thread tells a job of this pool that it will never run, and drops it: users' code. The job counts as
/// pending until that is over.
#[derive(Debug)]
struct Ending {
    pool: u64,
    outer: *const Ending,
}

struct Entered<'a>(&'a Ending);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        ENDING.with(|innermost| innermost.set(self.0.outer));
    }
}

impl Core {
    /// Ends a job that was accepted and taken out of the queue without having run. Returns the id that users know it
    /// by.
    pub(super) fn end_unrun(&self, id: u64, item: Item) -> u64 {
        let id = self.end_pending(id, item, Unrun::Cancelled);
        self.count_cancelled(1);
        id
    }

    /// Ends a job that is still queued: it was not begun in time.
    pub(super) fn expire(&self, id: u64) {
        let Some(item) = self.take_out(id) else { return };
        self.expired.fetch_add(1, Ordering::Release);
        self.end_pending(id, item, Unrun::Expired);
        self.count_cancelled(1);
    }

    fn end_pending(&self, id: u64, item: Item, why: Unrun) -> u64 {
        let ending = Ending { pool: self.number, outer: ENDING.with(Cell::get) };
        ENDING.with(|innermost| innermost.set(&raw const ending));
        let _entered = Entered(&ending);
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so no other job was made of the item.
        self.end_job(unsafe { Job::from_item(item) }, id, why)
    }

    /// Whether the calling thread ends a job that this pool still counts as pending: whoever waits for all of them here
    /// waits for itself.
    pub(super) fn is_ending_one(&self) -> bool {
        // SAFETY: the pointer is null, or `end_pending` keeps what it points to further down this thread's stack.
        let innermost = unsafe { ENDING.with(Cell::get).as_ref() };
        // SAFETY: as above.
        iter::successors(innermost, |ending| unsafe { ending.outer.as_ref() }).any(|ending| ending.pool == self.number)
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
}
