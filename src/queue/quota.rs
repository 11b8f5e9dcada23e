//! A bound on what waits to be read.

use crate::sync::{Deadline, EventCount};
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering};

/// So many places. A writer takes one before it writes and waits if there is none; a reader gives it back.
///
/// # Memory ordering
///
/// Places are only counted; what lies in them is published by other means. The event count orders a writer that is
/// about to sleep against a reader that gives a place back, or somebody who lifts the bound.
#[derive(Debug)]
pub(crate) struct Quota {
    places: u64,
    taken: AtomicU64,
    lifted: AtomicBool,
    /// Nobody gives places back any more.
    abandoned: AtomicBool,
    changed: EventCount,
}

impl Quota {
    pub(crate) fn new(places: u64) -> Self {
        Self {
            places,
            taken: AtomicU64::new(0),
            lifted: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            changed: EventCount::new(),
        }
    }

    /// Takes a place; waits for one until the bound is lifted.
    pub(crate) fn take(&self) {
        let free = |taken| (taken < self.places || self.is_lifted()).then_some(taken + 1);
        let take = || self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok().map(drop);
        self.changed.wait_until(Deadline::NEVER, take).expect("never has not come yet");
    }

    /// Takes a place that there may not be: for those who must not wait.
    pub(crate) fn take_anyway(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn give_back(&self, places: usize) {
        self.taken.fetch_sub(places as u64, Ordering::Relaxed);
        self.changed.notify();
    }

    /// Until the bound is imposed again nobody waits.
    pub(crate) fn lift(&self) {
        self.lifted.store(true, Ordering::Release);
        self.changed.notify();
    }

    /// The reader has gone: nobody ever waits again.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.changed.notify();
    }

    /// From now on those who find no place wait again.
    pub(crate) fn impose(&self) {
        self.lifted.store(false, Ordering::Release);
    }

    fn is_lifted(&self) -> bool {
        self.lifted.load(Ordering::Acquire) || self.abandoned.load(Ordering::Acquire)
    }
}
