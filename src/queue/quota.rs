//! A bound on unread entries.

use crate::sync::{Deadline, EventCount};
use crate::sys::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sys::process::Birthplace;

/// A number of places. A writer takes one before it writes, and waits if there is none; a reader gives it back.
///
/// # Memory ordering
///
/// Places are only counted; entries are published elsewhere. The event count orders a writer that is about to sleep
/// against a reader that gives a place back, or a thread that lifts the bound.
#[derive(Debug)]
pub(crate) struct Quota {
    places: u64,
    taken: AtomicU64,
    lifted: AtomicBool,
    /// No more places will be given back.
    abandoned: AtomicBool,
    birthplace: Birthplace,
    changed: EventCount,
}

impl Quota {
    pub(crate) fn new(places: u64) -> Self {
        Self {
            places,
            taken: AtomicU64::new(0),
            lifted: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            birthplace: Birthplace::here(),
            changed: EventCount::new(),
        }
    }

    /// Takes a place; waits for one until the bound is lifted.
    pub(crate) fn take(&self) {
        let free = |taken| (taken < self.places || self.is_lifted()).then_some(taken + 1);
        let take = || self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok().map(drop);
        self.changed.wait_until(Deadline::NEVER, take).expect("it has no deadline");
    }

    /// Takes a place even if there is none: for threads that must not wait.
    pub(crate) fn take_anyway(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn give_back(&self, places: usize) {
        self.taken.fetch_sub(places as u64, Ordering::Relaxed);
        self.changed.notify();
    }

    /// No writer waits until the bound is imposed again.
    pub(crate) fn lift(&self) {
        self.lifted.store(true, Ordering::Release);
        self.changed.notify();
    }

    /// The reader has gone: no writer waits again.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.changed.notify();
    }

    /// From now on writers that find no place wait again.
    pub(crate) fn impose(&self) {
        self.lifted.store(false, Ordering::Release);
    }

    /// Also in the child of a fork, for a copy of a writer: the readers are in the parent.
    fn is_lifted(&self) -> bool {
        self.lifted.load(Ordering::Acquire) || self.abandoned.load(Ordering::Acquire) || self.birthplace.is_elsewhere()
    }
}
