//! Result queues whose readers are gone, while jobs may still write to them.

use super::unwind;
use crate::queue::{Outcomes, Owner};
use crate::sys::atomic::{AtomicBool, Ordering};
use crate::sys::fence;
use crate::sys::lock::Lock;
use std::fmt;

/// What must be kept until it is settled: until no job can write to it any more.
pub(super) trait Orphan: Send {
    fn is_settled(&self) -> bool;

    /// Drops an unread outcome; false if there is none. Its destructor is user code.
    fn drop_next(&self) -> bool {
        false
    }
}

impl<D: Send, F: Send> Orphan for Owner<D, F> {
    fn is_settled(&self) -> bool {
        Self::is_settled(self)
    }

    fn drop_next(&self) -> bool {
        Outcomes::drop_next(self)
    }
}

/// Orphans are dropped by a worker that rests or leaves and finds them settled, or by a thread that has ended a job
/// unrun. All of them check after their last write, so the last writer of an orphan drops it, if no other thread has.
///
/// # Memory ordering
///
/// O1/O3 and write/O4 are a store-then-load race, ordered by the fences in between: the adopter finds the orphan
/// settled, or the other thread observes `any`, and waits for the lock until the orphan was added.
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
    /// Keeps `orphan`, or drops it now if it is settled.
    pub(super) fn adopt(&self, orphan: impl Orphan + 'static) {
        if orphan.is_settled() {
            return end(&orphan);
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
        end(&orphan);
    }

    /// Called after a last write.
    #[inline]
    pub(super) fn any(&self) -> bool {
        fence::light();
        self.any.load(Ordering::Relaxed) // O4
    }

    /// Drops the settled ones and their unread outcomes, whose destructors are user code.
    pub(super) fn reap(&self) {
        let mut settled = Vec::new();
        let mut kept = self.kept.lock();
        settled.extend(kept.extract_if(.., |orphan| orphan.is_settled()));
        self.any.store(!kept.is_empty(), Ordering::Relaxed);
        drop(kept);
        settled.iter().for_each(|orphan| end(&**orphan));
    }
}

/// Called before a settled orphan is dropped: drops its unread outcomes one by one, because each may panic.
fn end(orphan: &dyn Orphan) {
    while unwind::catch(|| orphan.drop_next()).unwrap_or_else(|payload| {
        unwind::dispose(payload);
        true
    }) {}
}
