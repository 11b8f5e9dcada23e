//! Which worker the calling thread is.

use super::core::Core;
use super::worker::Worker;
use crate::sys::thread::{self, per_thread};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

per_thread!(CURRENT: Cell<*const Worker> = Cell::new(ptr::null()));

per_thread! {
    /// The number of the pool that started this thread; 0 for none. Valid while thread-locals are destroyed.
    HOME: Cell<u64> = Cell::new(0)
}

/// The calling thread is `worker` until the guard is dropped.
pub(super) struct Entered<'a> {
    _entered: thread::Entered<Worker>,
    _worker: PhantomData<&'a Worker>,
}

/// The thread may have a worker already: a job may run another pool's job as a guest.
pub(super) fn enter(worker: &Worker) -> Entered<'_> {
    Entered { _entered: thread::enter(&CURRENT, worker), _worker: PhantomData }
}

/// The calling thread was started by this pool.
pub(super) fn belong_to(core: &Core) {
    HOME.with(|home| home.set(core.number));
}

/// Whether this pool has started the calling thread. Works while thread-locals are destroyed.
pub(super) fn belongs_to(core: &Core) -> bool {
    HOME.with(Cell::get) == core.number
}

/// Calls `ask` with the calling thread's worker; `None` if it has none.
pub(crate) fn with<R>(ask: impl FnOnce(&Worker) -> R) -> Option<R> {
    // SAFETY: the pointer is null, or an `Entered` on this thread borrows the worker until it restores the previous
    // pointer.
    unsafe { CURRENT.with(Cell::get).as_ref() }.map(ask)
}

/// The id of the job that the calling thread is running; 0 if none is.
#[inline]
pub(crate) fn job() -> u64 {
    with(Worker::job).unwrap_or(0)
}

impl Core {
    /// Whether the calling thread is a worker of this pool, or a submitter that runs one of its jobs.
    #[cold]
    pub(crate) fn is_current(&self) -> bool {
        with(|worker| worker.core().number == self.number).unwrap_or(false)
    }
}
