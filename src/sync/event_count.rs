//! Waiting for a condition that other threads make true without taking a lock.

use super::Deadline;
use crate::sys::atomic::Ordering;
use crate::sys::fence;
use crate::sys::futex::Futex;

/// One word: odd while somebody may be waiting, and a new value for every wake-up.
///
/// Whoever makes a condition true calls [`notify`](Self::notify) afterwards: a load and a branch while nobody waits.
/// Protocol and proof: `README.md`, "Event count".
///
/// # Memory ordering
///
/// The waiter's `fetch_or` and the notifier's load are ordered by the asymmetric fence pair. The condition itself
/// brings its own acquire and release.
#[derive(Debug)]
pub(crate) struct EventCount {
    word: Futex,
}

const WAITING: u32 = 1;

impl EventCount {
    pub(crate) fn new() -> Self {
        Self { word: Futex::new(0) }
    }

    /// Returns what `condition` gave once it gives something, or `None` when the deadline has passed and it still
    /// gives nothing.
    pub(crate) fn wait_until<R>(&self, deadline: Deadline, mut condition: impl FnMut() -> Option<R>) -> Option<R> {
        loop {
            if let Some(result) = condition() {
                return Some(result);
            }
            if deadline.has_passed() {
                return None;
            }
            let ticket = self.word.fetch_or(WAITING, Ordering::SeqCst) | WAITING; // W1
            fence::heavy(); // W2
            if let Some(result) = condition() {
                return Some(result); // W3: the bit stays set; the next notifier clears it at the price of one call.
            }
            self.word.wait(ticket, deadline.remaining()); // W4
        }
    }

    /// Whether anybody may be waiting. Called after a light fence.
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        self.word.load(Ordering::Relaxed) & WAITING != 0
    }

    /// Wakes every waiter, so that it looks at its condition again.
    #[inline]
    pub(crate) fn notify(&self) {
        fence::light(); // N1
        if self.has_waiters() {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        let seen = self.word.load(Ordering::Relaxed);
        // N2: of several notifiers the one whose exchange succeeds wakes everyone who waited before it.
        let next = seen.wrapping_add(WAITING);
        if seen & WAITING != 0 && self.word.compare_exchange(seen, next, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            self.word.wake_all(); // N3
        }
    }
}
