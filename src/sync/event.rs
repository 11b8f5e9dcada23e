//! Events that are set once.

use super::Deadline;
use crate::sys::atomic::Ordering;
use crate::sys::constant::constant;
use crate::sys::futex::Futex;

/// An event that is set once, and that any number of threads can wait for.
///
/// What a thread did before [`set`](Self::set) is visible to threads that have seen the event set.
///
/// # Examples
///
/// ```
/// use fastthreadpool::Event;
///
/// let ready = Event::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| ready.wait());
///     ready.set();
/// });
/// assert!(ready.is_set());
/// ```
///
/// # Memory ordering
///
/// Everything is in one word: `set`'s releasing exchange pairs with the acquiring loads. A waiter marks the word before
/// it sleeps, so the exchange says whether there is a waiter to wake.
#[derive(Debug)]
#[repr(transparent)]
pub struct Event {
    word: Futex,
}

const CLEAR: u32 = 0;
const WAITED_FOR: u32 = 1;
const SET: u32 = 2;

impl Event {
    constant! {
        /// Makes an event that is not set.
        pub fn new() -> Self {
            Self { word: Futex::new(CLEAR) }
        }
    }

    /// Sets the event and wakes all waiters. Setting it again does nothing.
    pub fn set(&self) {
        if self.word.swap(SET, Ordering::Release) == WAITED_FOR {
            self.word.wake_all();
        }
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) == SET
    }

    /// Waits until the event is set.
    pub fn wait(&self) {
        self.wait_until(Deadline::NEVER);
    }

    /// Waits until the event is set or the deadline passes; returns whether it is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Event};
    ///
    /// let event = Event::new();
    /// assert!(!event.wait_until(Deadline::NOW));
    /// event.set();
    /// assert!(event.wait_until(Deadline::NOW));
    /// ```
    pub fn wait_until(&self, deadline: impl Into<Deadline>) -> bool {
        let deadline = deadline.into();
        while !self.is_set() {
            if deadline.has_passed() {
                return false;
            }
            match self.word.compare_exchange(CLEAR, WAITED_FOR, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) | Err(WAITED_FOR) => self.word.wait(WAITED_FOR, deadline.remaining()),
                Err(_) => {}
            }
        }
        true
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}
