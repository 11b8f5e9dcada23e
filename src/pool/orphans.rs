//! Queues whose readers are gone, and which jobs may still deliver to.

use super::unwind;
use crate::queue::Owner;
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::fence;
use crate::sys::lock::Lock;
use std::fmt;

/// Something that must be kept until it is settled.
pub(super) trait Orphan: Send {
    fn is_settled(&self) -> bool;
}

impl<D: Send, F: Send> Orphan for Owner<D, F> {
    fn is_settled(&self) -> bool {
        Self::is_settled(self)
    }
}

/// Kept until a worker that comes to rest, or leaves, finds them settled, or whoever has ended a job that did not run.
/// All of them look after their last delivery, so the one that delivers last to an orphan finds it, unless somebody did
/// before.
///
/// # Memory ordering
///
/// O1, O3 and a delivery, O4 are a store-then-load race, ordered by the fences in between: either the adopter finds the
/// orphan settled, or the other one sees `any`, and waits for the lock until the orphan is there.
#[derive(Default)]
pub(super) struct Orphans {
    any: AtomicBool,
    kept: Lock<Vec<Box<dyn Orphan>>>,
}

impl fmt::Debug for Orphans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orphans").field("any", &self.any).finish_non_exhaustive()
    }
}

impl Orphans {
    /// Takes `orphan` over, or drops it here if nobody can deliver to it any more.
    pub(super) fn adopt(&self, orphan: impl Orphan + 'static) {
        if orphan.is_settled() {
            unwind::dispose(orphan);
            return;
        }
        let mut kept = self.kept.lock();
        self.any.store(true, Ordering::Relaxed); // O1
        fence::heavy(); // O2
        let settled = orphan.is_settled(); // O3
        if !settled {
            kept.push(Box::new(orphan));
            return;
        }
        self.any.store(!kept.is_empty(), Ordering::Relaxed);
        drop(kept);
        unwind::dispose(orphan);
    }

    /// Called after a last delivery.
    #[inline]
    pub(super) fn any(&self) -> bool {
        fence::light();
        self.any.load(Ordering::Relaxed) // O4
    }

    /// Drops those that are settled, with what nobody has read: users' code.
    pub(super) fn reap(&self) {
        let mut settled = Vec::new();
        let mut kept = self.kept.lock();
        settled.extend(kept.extract_if(.., |orphan| orphan.is_settled()));
        self.any.store(!kept.is_empty(), Ordering::Relaxed);
        drop(kept);
        settled.into_iter().for_each(unwind::dispose);
    }
}
