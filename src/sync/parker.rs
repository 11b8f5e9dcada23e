//! Where one thread sleeps until another hands it a token.

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
        while self.token.swap(NONE, Ordering::Acquire) == NONE {
            self.token.wait(NONE, None);
        }
    }

    pub(crate) fn unpark(&self) {
        self.token.swap(TOKEN, Ordering::Release);
        self.token.wake_one();
    }
}
