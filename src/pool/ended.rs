//! How many of those that take part in something have ended.

use crate::sync::{Deadline, EventCount, awake};
use crate::sys::atomic::{AtomicUsize, Ordering};

/// Counts ends. Outlives what it counts for.
///
/// # Memory ordering
///
/// The release of [`now`](Self::now) pairs with the waiter's acquire: it sees what was done before the end.
#[derive(Debug)]
pub(super) struct Ended {
    count: AtomicUsize,
    changed: EventCount,
}

impl Ended {
    pub(super) fn new() -> Self {
        Self { count: AtomicUsize::new(0), changed: EventCount::new() }
    }

    pub(super) fn now(&self) {
        self.count.fetch_add(1, Ordering::Release);
        self.changed.notify();
    }

    /// Waits until so many have ended.
    pub(super) fn wait_for(&self, count: usize) {
        let all_ended = || self.count.load(Ordering::Acquire) >= count;
        let _wait = awake::wait(Deadline::NEVER, all_ended, || self.count.load(Ordering::Relaxed) as u64);
        self.changed.wait_until(Deadline::NEVER, || all_ended().then_some(()));
    }
}
