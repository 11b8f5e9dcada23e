//! Which worker the calling thread is.

use super::core::Core;
use super::worker::Worker;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

per_thread!(CURRENT: Cell<*const Worker> = Cell::new(ptr::null()));

per_thread! {
    /// The number of the pool that this thread was started for. It stays while thread-locals are dropped.
    HOME: Cell<u64> = Cell::new(0)
}

/// The calling thread is `worker` until the guard is dropped.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    /// The worker that this thread is besides: a job may run another pool's job itself.
    outer: *const Worker,
    _inner: PhantomData<&'a Worker>,
}

pub(super) fn enter(worker: &Worker) -> Entered<'_> {
    Entered { outer: CURRENT.with(|current| current.replace(worker)), _inner: PhantomData }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.outer));
    }
}

/// The calling thread was started by this pool.
pub(super) fn belong_to(core: &Core) {
    HOME.with(|home| home.set(core.number));
}

/// Whether this pool has started the calling thread, which may be dropping its thread-locals.
pub(super) fn belongs_to(core: &Core) -> bool {
    HOME.with(Cell::get) == core.number
}

/// What `ask` finds out from the worker this thread is; `None` outside a job.
pub(crate) fn with<R>(ask: impl FnOnce(&Worker) -> R) -> Option<R> {
    // SAFETY: the pointer is null, or a guard on this very thread keeps the worker alive until it is another one.
    unsafe { CURRENT.with(Cell::get).as_ref() }.map(ask)
}

impl Core {
    /// Whether the calling thread is one of this pool's workers.
    #[cold]
    pub(crate) fn is_current(&self) -> bool {
        with(|worker| worker.core().number == self.number).unwrap_or(false)
    }
}
