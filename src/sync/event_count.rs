//! Waiting for a condition that other threads make true without taking a lock.

use super::Deadline;
use crate::sys::atomic::{Ordering, fence};
use crate::sys::fence;
use crate::sys::futex::Futex;

/// One word: bits, and a turn that changes with every wake-up.
///
/// A thread that makes a condition true calls [`notify`](Self::notify) afterwards: a load and a branch while nobody
/// waits, and a fence if a thread has waited lately. Protocol and proof: `README.md`, "Event count".
///
/// # Memory ordering
///
/// A waiter's `fetch_or` and a notifier's load are ordered by the asymmetric fence pair, or, once there was a wait, by
/// a full fence of each. The condition has its own acquire and release.
#[derive(Debug)]
pub(crate) struct EventCount {
    word: Futex,
}

/// A thread may be waiting.
const WAITING: u32 = 1;
/// Notifiers are asked to fence for themselves.
const ASKED: u32 = 2;
/// All notifiers observe the request, so waiters may rely on it.
const HEARD: u32 = 4;
const TURN: u32 = 8;

impl EventCount {
    pub(crate) fn new() -> Self {
        Self { word: Futex::new(0) }
    }

    /// Waits until `condition` returns something, and returns that; `None` if the deadline passes first.
    pub(crate) fn wait_until<R>(&self, deadline: Deadline, mut condition: impl FnMut() -> Option<R>) -> Option<R> {
        loop {
            if let Some(result) = condition() {
                return Some(result);
            }
            if deadline.has_passed() {
                return None;
            }
            let mut ticket = self.word.fetch_or(WAITING | ASKED, Ordering::SeqCst) | WAITING | ASKED; // W1
            if ticket & HEARD != 0 {
                fence(Ordering::SeqCst); // W2a
            } else {
                fence::heavy(); // W2b
                ticket = self.try_set_heard(ticket);
            }
            if let Some(result) = condition() {
                return Some(result); // W3: the bit stays set; the next notifier clears it, at the cost of one call.
            }
            self.word.wait(ticket, deadline.remaining()); // W4
        }
    }

    /// Race with a wake-up, or with [`relax`](Self::relax): the turn has changed, and the word stays as it is.
    fn try_set_heard(&self, ticket: u32) -> u32 {
        let heard = ticket | HEARD;
        let exchanged = self.word.compare_exchange(ticket, heard, Ordering::SeqCst, Ordering::Relaxed); // W2c
        if exchanged.is_ok() { heard } else { ticket }
    }

    /// Notifiers need not fence any more, until a thread waits again. Called now and then by readers that seldom wait.
    #[inline]
    pub(crate) fn relax(&self) {
        let seen = self.word.load(Ordering::Relaxed);
        if seen & (WAITING | ASKED) == ASKED {
            let next = (seen & !(ASKED | HEARD)).wrapping_add(TURN);
            let _ = self.word.compare_exchange(seen, next, Ordering::SeqCst, Ordering::Relaxed); // W5
        }
    }

    /// Whether a thread may be waiting. Called after a light fence.
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        self.word.load(Ordering::Relaxed) & (WAITING | ASKED) != 0 && self.has_waiters_after_fence()
    }

    #[cold]
    fn has_waiters_after_fence(&self) -> bool {
        fence(Ordering::SeqCst); // N1a
        self.word.load(Ordering::Relaxed) & WAITING != 0
    }

    /// Wakes every waiter, so that it checks its condition again.
    #[inline]
    pub(crate) fn notify(&self) {
        fence::light(); // N1
        if self.has_waiters() {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        // N2: of several notifiers the one whose exchange succeeds wakes all earlier waiters. Race with a
        // waiter at W2c: the bit is still there, and the exchange is tried again.
        while seen & WAITING != 0 {
            let next = (seen & !WAITING).wrapping_add(TURN);
            match self.word.compare_exchange(seen, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return self.word.wake_all(), // N3
                Err(now) => seen = now,
            }
        }
    }
}
