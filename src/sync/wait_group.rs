//! Wait groups: waiting until several tasks are done.

use super::Deadline;
use crate::sys::atomic::Ordering;
use crate::sys::constant::constant;
use crate::sys::futex::Futex;

/// A count of tasks in progress; any number of threads can wait until it is 0.
///
/// What a thread did before [`done`](Self::done) is visible to threads that have seen the count at 0, which may then
/// drop the group. It can be used again; a waiter that has not returned by then also waits for the new tasks.
///
/// # Examples
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
/// the word before it sleeps, so the last subtraction says whether there is a waiter to wake.
#[derive(Debug)]
#[repr(transparent)]
pub struct WaitGroup {
    word: Futex,
}

const WAITED_FOR: u32 = 1;
const ONE: u32 = 2;

impl WaitGroup {
    constant! {
        /// Makes a group whose count is 0.
        pub fn new() -> Self {
            Self { word: Futex::new(0) }
        }
    }

    /// Adds `tasks` to the count. Call it before the tasks begin, so that the count is not 0 too early.
    ///
    /// # Panics
    ///
    /// If the count would be more than 2³¹ − 1.
    pub fn add(&self, tasks: u32) {
        assert!(self.try_add(tasks), "too many tasks to wait for");
    }

    /// False if there would be too many.
    pub(crate) fn try_add(&self, tasks: u32) -> bool {
        let more = |word: u32| word.checked_add(tasks.checked_mul(ONE)?);
        self.word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Subtracts one task from the count. The last one wakes all waiters.
    ///
    /// # Panics
    ///
    /// If the count is 0.
    pub fn done(&self) {
        assert!(self.try_done(), "no task is in progress");
    }

    /// False if the count is 0.
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
            panic!("too many tasks to wait for");
        }
    }

    /// As [`done`](Self::done), but one exchange that never retries. The count must not be 0, and the group must not be
    /// used again once it is.
    pub(crate) fn end(&self) {
        let sleepers = self.word.sleepers();
        if self.word.fetch_sub(ONE, Ordering::Release) == ONE | WAITED_FOR {
            sleepers.wake_all(); // The group may be gone.
        }
    }

    /// The number of tasks in progress.
    pub fn count(&self) -> u32 {
        self.word.load(Ordering::Acquire) / ONE
    }

    /// Waits until the count is 0.
    pub fn wait(&self) {
        self.wait_until(Deadline::NEVER);
    }

    /// Waits until the count is 0 or the deadline passes; returns whether it is 0.
    ///
    /// # Examples
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
