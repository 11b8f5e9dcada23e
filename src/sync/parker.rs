//! Where one thread sleeps until another hands it a token.

use super::Deadline;
use crate::sys::atomic::Ordering;
use crate::sys::futex::Futex;

/// A token for one sleeper: [`unpark`](Self::unpark) leaves it, [`park`](Self::park) waits for it and takes it.
///
/// Tokens do not add up; the caller makes sure that there is one `park` for one `unpark`.
///
/// # Memory ordering
///
/// `unpark`'s release store pairs with `park`'s acquire exchange.
#[derive(Debug)]
pub(crate) struct Parker {
    token: Futex,
}

const NONE: u32 = 0;
const TOKEN: u32 = 1;

impl Parker {
    pub(crate) fn new() -> Self {
        Self { token: Futex::new(NONE) }
    }

    /// Called by the one thread that sleeps here.
    pub(crate) fn park(&self) {
        self.park_until(Deadline::NEVER);
    }

    /// As [`park`](Self::park), but gives up at the deadline; false if it did.
    pub(crate) fn park_until(&self, deadline: Deadline) -> bool {
        while self.token.swap(NONE, Ordering::Acquire) == NONE {
            if deadline.has_passed() {
                return false;
            }
            self.token.wait(NONE, deadline.remaining());
        }
        true
    }

    pub(crate) fn unpark(&self) {
        self.token.swap(TOKEN, Ordering::Release);
        self.token.wake_one();
    }
}
