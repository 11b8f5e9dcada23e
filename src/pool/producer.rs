//! Which lane the calling thread submits to.

use super::core::Core;
use crate::queue::{Lane, Producing};
use crate::sys::lock::LockGuard;
use crate::sys::thread::per_thread;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

per_thread! {
    /// The pool this thread submitted to last, and its lane there; null for the shared lane. Has no destructor, so it
    /// can be read at any time in the life of a thread.
    LAST: Cell<(u64, *const Lane)> = Cell::new((0, ptr::null()))
}

per_thread! {
    /// Every lane this thread owns, with the number of its pool.
    OWNED: RefCell<Owned> = RefCell::new(Owned(Vec::new()))
}

/// `None` stands for the shared lane: a thread that began there stays there, so that its jobs stay in order.
struct Owned(Vec<(u64, Option<Arc<Lane>>)>);

impl Drop for Owned {
    fn drop(&mut self) {
        // An error means that it is gone already, which happens under the model checker only.
        let _ = LAST.try_with(|last| last.set((0, ptr::null())));
        self.0.iter().filter_map(|(_, lane)| lane.as_ref()).for_each(|lane| lane.orphan());
    }
}

/// A visit to the lane that the calling thread submits to.
pub(super) struct Visit<'a> {
    pub(super) lane: Producing<'a>,
    /// Given back after the lane was left.
    _sharing: Option<LockGuard<'a, ()>>,
}

/// Visits the calling thread's lane of `core`.
///
/// # Safety
///
/// 1. No user's code runs during the visit: it might submit again.
#[inline(always)]
pub(super) unsafe fn visit(core: &Core) -> Visit<'_> {
    let (pool, lane) = LAST.with(Cell::get);
    let own = if pool == core.number { lane } else { look_up(core) };
    // SAFETY: `OWNED` keeps the lane alive until this thread's locals are destroyed, and then clears `LAST`.
    let (lane, _sharing) = match unsafe { own.as_ref() } {
        Some(own) => (own, None),
        // The lock's holder may not exist in this process; here the visit finds the pool closed, and that is all.
        None if core.is_forked() => (core.lanes.unlocked(), None),
        None => core.lanes.share(),
    };
    // SAFETY: this thread owns the lane or has locked it, and by the caller's 1 there is no other visit of its own.
    Visit { lane: unsafe { lane.produce() }, _sharing }
}

/// Finds or acquires the lane and remembers it. Null means the shared lane: there are too many threads, the pool keeps
/// one order for all, or this thread's locals are gone.
#[cold]
fn look_up(core: &Core) -> *const Lane {
    if core.settings.ordered || core.is_forked() {
        return ptr::null();
    }
    let found = OWNED.try_with(|owned| {
        let lanes = &mut owned.borrow_mut().0;
        if let Some((_, lane)) = lanes.iter().find(|(pool, _)| *pool == core.number) {
            return lane.as_ref().map_or(ptr::null(), Arc::as_ptr);
        }
        // A lane that only this thread still knows of belonged to a pool that is gone.
        lanes.retain(|(_, lane)| lane.as_ref().is_none_or(|lane| Arc::strong_count(lane) > 1));
        let lane = core.lanes.acquire();
        let pointer = lane.as_ref().map_or(ptr::null(), Arc::as_ptr);
        lanes.push((core.number, lane));
        pointer
    });
    match found {
        Ok(lane) => {
            LAST.with(|last| last.set((core.number, lane)));
            lane
        }
        Err(_) => ptr::null(),
    }
}
