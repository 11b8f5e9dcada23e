//! A place where one thread sleeps until another gives it a token.

use super::Deadline;
use crate::sys::atomic::Ordering;
use crate::sys::constant::constant;
use crate::sys::futex::Futex;
use std::time::Duration;

/// A parker blocks a thread until another thread unparks it: [`park`](Self::park) waits for a token and takes it,
/// [`unpark`](Self::unpark) makes the token available.
///
/// It is like [`std::thread::park`], but with a token of its own: no unrelated `unpark` ends the wait, and a timeout
/// can be told from a token. Tokens do not add up: two unparks before a park count as one. It is meant for one waiting
/// thread; if there are several, a token wakes one of them.
///
/// # Examples
///
/// ```
/// use fastthreadpool::Parker;
///
/// let parker = Parker::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| parker.unpark());
///     parker.park();
/// });
/// ```
///
/// # Memory ordering
///
/// `unpark`'s releasing exchange, and `nudge`'s, pair with `park`'s acquiring exchange.
#[derive(Debug)]
#[repr(transparent)]
pub struct Parker {
    token: Futex,
}

const NONE: u32 = 0;
const TOKEN: u32 = 1;
/// No token, but a reason to wake up.
const NUDGE: u32 = 2;

/// What has ended a sleep before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roused {
    ByToken,
    ByNudge,
}

impl Parker {
    constant! {
        /// Makes a parker without a token.
        pub fn new() -> Self {
            Self { token: Futex::new(NONE) }
        }
    }

    /// Waits for a token and takes it.
    pub fn park(&self) {
        self.park_until(Deadline::NEVER);
    }

    /// Waits for a token until the deadline, and takes it; returns whether it did.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Parker};
    ///
    /// let parker = Parker::new();
    /// assert!(!parker.park_until(Deadline::NOW));
    /// parker.unpark();
    /// assert!(parker.park_until(Deadline::NOW));
    /// ```
    pub fn park_until(&self, deadline: impl Into<Deadline>) -> bool {
        let deadline = deadline.into();
        loop {
            match self.park_lightly(deadline) {
                Some(Roused::ByToken) => return true,
                Some(Roused::ByNudge) => {}
                None => return false,
            }
        }
    }

    /// As [`park_until`](Self::park_until), but a nudge ends it too. `None` at the deadline.
    pub(crate) fn park_lightly(&self, deadline: Deadline) -> Option<Roused> {
        loop {
            let seen = self.token.swap(NONE, Ordering::Acquire);
            if seen & TOKEN != 0 {
                return Some(Roused::ByToken);
            }
            if seen & NUDGE != 0 {
                return Some(Roused::ByNudge);
            }
            if deadline.has_passed() {
                return None;
            }
            self.token.wait(NONE, deadline.remaining());
        }
    }

    /// Whether there is a token or a nudge, which stays.
    pub(crate) fn is_roused(&self) -> bool {
        self.token.load(Ordering::Relaxed) != NONE
    }

    /// Returns when the wall clock shows `limit` since 1970, or at any time before: callers check the clock again.
    pub(crate) fn park_for_wall(&self, limit: Duration) {
        if self.token.swap(NONE, Ordering::Acquire) == NONE {
            self.token.wait_for_wall(NONE, limit);
            // A token that was stored meanwhile is taken by the next call, which then returns at once.
        }
    }

    /// Makes the token available, and wakes the waiting thread.
    pub fn unpark(&self) {
        self.token.swap(TOKEN, Ordering::Release);
        self.token.wake_one();
    }

    /// Ends [`park_lightly`](Self::park_lightly), but gives no token: `park` and `park_until` continue to sleep.
    pub(crate) fn nudge(&self) {
        self.token.fetch_or(NUDGE, Ordering::Release);
        self.token.wake_one();
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}
