//! Waiting until several things are done.

use super::Deadline;
use crate::sys::atomic::Ordering;
use crate::sys::constant::constant;
use crate::sys::futex::Futex;

/// Counts things that are in progress; any number of threads can wait until all of them are done.
///
/// What a thread did before [`done`](Self::done) is visible to whoever saw that all is done, and may then drop the
/// group. It can be reused; a waiter that has not returned by then also waits for the new things.
///
/// ```
/// use fastthreadpool::{Pool, WaitGroup};
/// use std::sync::Arc;
///
/// let (pool, group) = (Pool::new()?, Arc::new(WaitGroup::new()));
/// for _ in 0..3 {
///     let group = Arc::clone(&group);
///     group.add(1);
///     pool.spawn(move || group.done())?;
/// }
/// group.wait();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Memory ordering
///
/// Everything is in one word: `done`'s releasing subtraction pairs with the waiters' acquiring loads. A waiter marks
/// the word before it sleeps, so the last subtraction says whether there is anybody to wake.
#[derive(Debug)]
#[repr(transparent)]
pub struct WaitGroup {
    word: Futex,
}

const WAITED_FOR: u32 = 1;
const ONE: u32 = 2;

impl WaitGroup {
    constant! {
        /// A group of nothing, which counts as done.
        pub fn new() -> Self {
            Self { word: Futex::new(0) }
        }
    }

    /// Adds `things` to the count. Call it before they begin, or all may seem done too early.
    ///
    /// # Panics
    ///
    /// If there are more than 2³¹ − 1 of them.
    pub fn add(&self, things: u32) {
        assert!(self.try_add(things), "too many things to wait for");
    }

    /// False if there would be too many.
    pub(crate) fn try_add(&self, things: u32) -> bool {
        let more = |word: u32| word.checked_add(things.checked_mul(ONE)?);
        self.word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Marks one thing as done. The last one wakes all waiters.
    ///
    /// # Panics
    ///
    /// If nothing is in progress.
    pub fn done(&self) {
        assert!(self.try_done(), "nothing is under way that could be done");
    }

    /// False if nothing is in progress.
    pub(crate) fn try_done(&self) -> bool {
        let less = |word: u32| match word / ONE {
            0 => None,
            1 => Some(0),
            _ => Some(word - ONE),
        };
        let sleepers = self.word.sleepers();
        let before = self.word.fetch_update(Ordering::Release, Ordering::Relaxed, less);
        if before == Ok(ONE | WAITED_FOR) {
            sleepers.wake_all(); // The group may be gone.
        }
        before.is_ok()
    }

    /// As [`add`](Self::add) of one, but one exchange that never retries, for many threads at a time.
    pub(crate) fn begin(&self) {
        let before = self.word.fetch_add(ONE, Ordering::Relaxed);
        if before / ONE >= u32::MAX / ONE / 2 {
            self.word.fetch_sub(ONE, Ordering::Relaxed);
            panic!("too many things to wait for");
        }
    }

    /// As [`done`](Self::done), but one exchange that never retries. Something must be in progress, and the group may
    /// not be used again once all is done.
    pub(crate) fn end(&self) {
        let sleepers = self.word.sleepers();
        if self.word.fetch_sub(ONE, Ordering::Release) == ONE | WAITED_FOR {
            sleepers.wake_all(); // The group may be gone.
        }
    }

    /// How many things are in progress.
    pub fn count(&self) -> u32 {
        self.word.load(Ordering::Acquire) / ONE
    }

    /// Waits until all is done.
    pub fn wait(&self) {
        self.wait_until(Deadline::NEVER);
    }

    /// Waits until all is done or the deadline passes; returns whether all is done.
    ///
    /// ```
    /// use fastthreadpool::{Deadline, WaitGroup};
    ///
    /// let group = WaitGroup::new();
    /// group.add(1);
    /// assert!(!group.wait_until(Deadline::NOW));
    /// group.done();
    /// assert!(group.wait_until(Deadline::NOW));
    /// ```
    pub fn wait_until(&self, deadline: impl Into<Deadline>) -> bool {
        let deadline = deadline.into();
        loop {
            let seen = self.word.load(Ordering::Acquire);
            if seen / ONE == 0 {
                return true;
            }
            if deadline.has_passed() {
                return false;
            }
            let marked = seen | WAITED_FOR;
            if self.word.compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                self.word.wait(marked, deadline.remaining());
            }
        }
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}
