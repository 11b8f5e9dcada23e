//! Jobs that end without having run, and what their callbacks must not wait for.

use super::closing::Unfinished;
use super::core::Core;
use super::groups::Group;
use super::job::{Job, Unrun};
use super::unwind;
use crate::queue::Item;
use crate::sys::atomic::Ordering;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::{iter, ptr};

per_thread! {
    /// The innermost such end on the calling thread.
    ENDING: Cell<*const Ending> = Cell::new(ptr::null())
}

/// The calling thread runs the callbacks and destructors of a job that will never run: user code. The job counts as
/// pending until they are over.
#[derive(Debug)]
struct Ending {
    pool: u64,
    /// The group that it is cancelled with, or null. Only compared.
    group: *const Group,
    outer: *const Ending,
}

/// Restores the enclosing one.
struct Entered<'a> {
    innermost: &'a Cell<*const Ending>,
    outer: *const Ending,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.innermost.set(self.outer);
    }
}

impl Core {
    /// Ends a cancelled job that was taken out of its queue. Returns the id that users know.
    pub(super) fn end_unrun(&self, id: u64, item: Item) -> u64 {
        let id = self.end_pending(id, item, Unrun::Cancelled, ptr::null());
        self.count_cancelled(1);
        id
    }

    /// The same, for a job that is cancelled with its group, and counts there as ending.
    pub(super) fn end_grouped(&self, id: u64, item: Item, group: &Group) {
        self.end_pending(id, item, Unrun::Cancelled, group); // G5
        group.has_ended_one(); // G6
        self.count_cancelled(1); // G7
    }

    /// Ends a job that was not begun in time, if it is still queued.
    pub(super) fn expire(&self, id: u64) {
        let Some(item) = self.take_out(id) else { return };
        self.expired.fetch_add(1, Ordering::Release);
        self.end_pending(id, item, Unrun::Expired, ptr::null());
        self.count_cancelled(1);
    }

    fn end_pending(&self, id: u64, item: Item, why: Unrun, group: *const Group) -> u64 {
        ENDING.with(|innermost| {
            let outer = innermost.get();
            let ending = Ending { pool: self.number, group, outer };
            innermost.set(&raw const ending);
            let _entered = Entered { innermost, outer };
            // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so the item is turned back into a job once.
            self.end_job(unsafe { Job::from_item(item) }, id, why)
        })
    }

    /// Whether the calling thread ends a job of this pool, which counts as pending: it would wait for itself if it
    /// waited for all jobs.
    pub(super) fn is_ending_job(&self) -> bool {
        is_ending(|ending| ending.pool == self.number)
    }

    /// Whether the calling thread may wait until the group is quiescent.
    pub(crate) fn may_wait_for_group(&self, group: &Group) -> Result<(), Unfinished> {
        self.may_wait()?;
        if is_ending(|ending| ptr::eq(ending.group, group)) { Err(Unfinished::Deadlock) } else { Ok(()) }
    }

    /// Tells a job that it was cancelled.
    pub(super) fn cancel_job(&self, job: Job, id: u64) -> u64 {
        self.end_job(job, id, Unrun::Cancelled)
    }

    /// Tells a job that it will never run. Returns the id that users know.
    pub(super) fn end_job(&self, job: Job, id: u64, why: Unrun) -> u64 {
        unwind::catch(|| job.cancel(self, id, why)).unwrap_or_else(|payload| {
            unwind::dispose(payload);
            id
        })
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
