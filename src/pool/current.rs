//! Which worker the calling thread is.

use super::core::Core;
use super::worker::Worker;
use crate::sys::thread::per_thread;
use std::cell::Cell;
use std::ptr;

per_thread!(CURRENT: Cell<*const Worker> = Cell::new(ptr::null()));

/// The calling thread is `worker` until the guard is dropped.
#[derive(Debug)]
pub(super) struct Entered<'a>(#[expect(dead_code, reason = "keeps the worker borrowed")] &'a Worker);

pub(super) fn enter(worker: &Worker) -> Entered<'_> {
    CURRENT.with(|current| current.set(worker));
    Entered(worker)
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(ptr::null()));
    }
}

/// What `ask` finds out from the worker this thread is; `None` outside a job.
pub(crate) fn with<R>(ask: impl FnOnce(&Worker) -> R) -> Option<R> {
    // SAFETY: the pointer is null, or a guard on this very thread keeps the worker alive until it is null again.
    unsafe { CURRENT.with(Cell::get).as_ref() }.map(ask)
}

impl Core {
    /// Whether the calling thread is one of this pool's workers.
    #[cold]
    pub(crate) fn is_current(&self) -> bool {
        with(|worker| worker.core().number == self.number).unwrap_or(false)
    }
}
