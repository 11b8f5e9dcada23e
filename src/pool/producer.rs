//! The lane that the calling thread submits to.

use super::core::Core;
use super::current;
use super::lanes::Submitter;
use crate::queue::{Producing, Reader, Writer, pair};
use crate::sys::lock::LockGuard;
use crate::sys::thread::per_thread;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

per_thread! {
    /// The submitters that this thread owns, with the numbers of their pools.
    OWNED: RefCell<Owned> = RefCell::new(Owned(Vec::new()))
}

/// `None` means the shared lane: a thread that began there stays there, so that its jobs stay in order.
struct Owned(Vec<(u64, Option<Arc<Submitter>>)>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.iter().filter_map(|(_, submitter)| submitter.as_ref()).for_each(|submitter| submitter.lane.orphan());
    }
}

/// A visit to the calling thread's lane.
pub(super) struct Visit<'a> {
    pub(super) lane: Producing<'a>,
    /// Released after the lane was left.
    _sharing: Option<LockGuard<'a, ()>>,
}

/// The calling thread's submitter; `None` if it uses the shared lane.
#[inline(always)]
fn own(core: &Core) -> Option<&Submitter> {
    core.lanes.own().or_else(|| look_up(core))
}

/// Visits the calling thread's own lane, if that is in the pool's table.
///
/// # Safety
///
/// As for [`visit`].
#[inline(always)]
pub(super) unsafe fn visit_own(core: &Core) -> Option<Producing<'_>> {
    // SAFETY: 1. this thread owns the lane, and by the caller's 1 it is in no other visit.
    core.lanes.own().map(|own| unsafe { own.lane.produce() })
}

/// Visits the calling thread's lane of `core`.
///
/// # Safety
///
/// 1. No user code runs during the visit: it might submit again.
#[inline(always)]
pub(super) unsafe fn visit(core: &Core) -> Visit<'_> {
    let (lane, _sharing) = match own(core) {
        Some(own) => (&own.lane, None),
        // The lock's holder may not exist in this process. The visit only finds the pool closed.
        None if core.is_forked() => (core.lanes.shared(), None),
        None => (core.lanes.shared(), Some(core.lanes.lock_shared())),
    };
    // SAFETY: 1. this thread owns the lane or has locked it (or finds it closed, in a forked child), and by the
    // caller's 1 it is in no other visit.
    Visit { lane: unsafe { lane.produce() }, _sharing }
}

impl Core {
    /// A writer for a job's outcome, and a reader for its handle.
    #[inline(always)]
    pub(crate) fn pair<V>(self: &Arc<Self>) -> (Writer<V, Weak<Self>>, Reader<V, Weak<Self>>) {
        match own(self) {
            // SAFETY: 1. the submitter is this thread's, and the call does not reenter its blocks.
            Some(own) => unsafe { own.slot_blocks.pair(|| Arc::downgrade(self)) },
            None => pair(Arc::downgrade(self)),
        }
    }

    /// Frees the slot blocks that threads still own in this pool.
    pub(super) fn close_slot_blocks(&mut self) {
        // SAFETY: 1. threads reach their submitters through the pool, to which the caller has exclusive access.
        self.lanes.submitters().for_each(|submitter| unsafe { submitter.slot_blocks.close() });
    }
}

/// Finds the calling thread's submitter or acquires one, and remembers it. `None` means the shared lane: there are too
/// many threads, the pool is ordered, or this thread's thread-locals are destroyed.
#[cold]
fn look_up(core: &Core) -> Option<&Submitter> {
    if core.settings.ordered || core.is_forked() {
        return None;
    }
    let found = OWNED.try_with(|owned| {
        let submitters = &mut owned.borrow_mut().0;
        if let Some((_, submitter)) = submitters.iter().find(|(pool, _)| *pool == core.number) {
            return submitter.as_ref().map(Arc::as_ptr);
        }
        // A submitter to which only this thread has a reference belonged to a pool that was destroyed.
        submitters.retain(|(_, submitter)| submitter.as_ref().is_none_or(|submitter| Arc::strong_count(submitter) > 1));
        let by_worker = current::with(|worker| worker.belongs_to(core)).unwrap_or(false);
        let submitter = core.lanes.acquire(by_worker);
        if let (true, Some(submitter)) = (by_worker, &submitter) {
            current::with(|worker| worker.round.submits_to(submitter.lane.number()));
        }
        let pointer = submitter.as_ref().map(Arc::as_ptr);
        submitters.push((core.number, submitter));
        pointer
    });
    // SAFETY: 1. `core.lanes` keeps a reference to it.
    let submitter = unsafe { &*found.ok()?? };
    core.lanes.enter(submitter);
    Some(submitter)
}
