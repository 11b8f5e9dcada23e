//! A semaphore's protocol: which thread takes a permit, which sleeps, which is woken.

use super::Deadline;
use super::fast_lock::{FastLock, FastLockGuard};
use super::line::{Line, Verdict, Waiter};
use super::permits::{CLOSED, FAIR, MAX, Permits, QUEUED};
use super::spin::{self, Awaited, Spin};
use crate::sys::atomic::Ordering;
use crate::sys::constant::constant;
use crate::sys::futex::WideFutex;

/// Permits in one word, and a line for threads that wait in order. Zeroed memory is a semaphore without permits.
///
/// Protocol and proof: `README.md`, "Semaphore".
///
/// # Memory ordering
///
/// Everything is decided on `word`, so no fences are needed: a release's addition pairs with the acquiring exchange
/// that takes the permit, or that a thread makes for the first in line, whose verdict passes it on.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RawSemaphore {
    word: WideFutex,
    line: FastLock<Line>,
}

/// Why a permit of a [`Semaphore`](crate::Semaphore) was not acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// No permit became available in time.
    #[error("no permit became available in time; release one, or wait longer")]
    TimedOut,
    /// The semaphore was closed.
    #[error("the semaphore was closed; it grants no more permits")]
    Closed,
    /// More permits were requested than a semaphore can have.
    #[error("there cannot be so many permits; ask for {} at most", MAX)]
    TooMany,
}

/// Why permits were not released: there would be more than [`Semaphore::MAX`](crate::Semaphore::MAX).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there would be more than {} permits; release only what was acquired", MAX)]
pub struct ReleaseError;

impl RawSemaphore {
    constant! {
        /// At most [`MAX`] permits.
        pub(crate) fn new(permits: u32, fair: bool) -> Self {
            let fair = if fair { FAIR } else { 0 };
            Self { word: WideFutex::new(permits as u64 | fair), line: FastLock::new(Line::EMPTY) }
        }
    }

    #[inline(always)]
    pub(crate) fn acquire(&self, permits: u32, deadline: Deadline) -> Result<(), AcquireError> {
        let mut seen = Permits(self.word.load(Ordering::Relaxed));
        while let Some(next) = seen.take(permits) {
            match self.word.compare_exchange_weak(seen.0, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => seen = Permits(now),
            }
        }
        self.acquire_slowly(permits, deadline)
    }

    #[inline(always)]
    pub(crate) fn release(&self, permits: u32) -> Result<(), ReleaseError> {
        let mut seen = Permits(self.word.load(Ordering::Relaxed));
        while let Some(next) = seen.give(permits) {
            match self.word.compare_exchange_weak(seen.0, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => seen = Permits(now),
            }
        }
        self.release_slowly(permits)
    }

    pub(crate) fn value(&self) -> u32 {
        Permits(self.word.load(Ordering::Relaxed)).value()
    }

    pub(crate) fn close(&self) {
        let before = Permits(self.word.fetch_or(CLOSED, Ordering::Release));
        self.word.wake(u32::MAX); // C1
        if before.is(QUEUED) {
            self.serve(&mut self.line.lock());
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        Permits(self.word.load(Ordering::Acquire)).is(CLOSED)
    }

    #[cold]
    fn release_slowly(&self, permits: u32) -> Result<(), ReleaseError> {
        let give = |word| Permits(word).give_and_wake(permits);
        let before = self.word.fetch_update(Ordering::Release, Ordering::Relaxed, give).map_err(|_| ReleaseError)?;
        if Permits(before).somebody_sleeps() {
            self.word.wake(permits); // Uses only the address: a woken thread may free the semaphore.
        }
        if Permits(before).is(QUEUED) {
            self.serve(&mut self.line.lock());
        }
        Ok(())
    }

    fn is_fair(&self) -> bool {
        Permits(self.word.load(Ordering::Relaxed)).is(FAIR)
    }

    /// One attempt: `None` if there are not enough permits, or others are first.
    fn attempt(&self, permits: u32) -> Option<Result<(), AcquireError>> {
        let take = |word| Permits(word).take(permits);
        match self.word.fetch_update(Ordering::Acquire, Ordering::Acquire, take) {
            Ok(_) => Some(Ok(())),
            Err(word) => Permits(word).is(CLOSED).then_some(Err(AcquireError::Closed)),
        }
    }

    #[cold]
    fn acquire_slowly(&self, permits: u32, deadline: Deadline) -> Result<(), AcquireError> {
        if permits > MAX {
            return Err(AcquireError::TooMany);
        }
        let mut spin = Spin::new(Awaited::Section);
        loop {
            if let Some(answer) = self.attempt(permits) {
                spin.succeeded();
                return answer;
            }
            if deadline.has_passed() {
                return Err(AcquireError::TimedOut);
            }
            // A fair semaphore does not spin: a spinning thread would not be in line yet.
            if self.is_fair() || !spin.again() {
                return self.wait(permits, deadline);
            }
        }
    }

    /// Sleeps until the permits are there.
    pub(super) fn wait(&self, permits: u32, deadline: Deadline) -> Result<(), AcquireError> {
        if permits == 1 && !self.is_fair() { self.sleep(deadline) } else { self.queue(permits, deadline) }
    }

    /// Waits outside the line.
    fn sleep(&self, deadline: Deadline) -> Result<(), AcquireError> {
        // Whether this thread may have used up a wake-up. Then it owes one to other sleepers.
        let mut woken = false;
        loop {
            let seen = Permits(self.word.load(Ordering::Acquire));
            let (next, answer) = match seen.take(1).map(Permits) {
                Some(next) if woken && next.value() == 0 => (next.waiting(), Some(Ok(()))), // A1
                Some(next) => (next.0, Some(Ok(()))),                                       // A2
                None if seen.is(CLOSED) => return Err(AcquireError::Closed),
                None if seen.is(QUEUED) => return self.queue(1, deadline), // A3
                None if deadline.has_passed() => (seen.waiting(), Some(Err(AcquireError::TimedOut))), // A4
                None => (seen.waiting(), None),                            // A5
            };
            if self.word.compare_exchange(seen.0, next, Ordering::Acquire, Ordering::Relaxed).is_err() {
                continue;
            }
            if let Some(answer) = answer {
                if woken && Permits(next).value() > 0 {
                    self.word.wake(1); // A6
                }
                return answer;
            }
            spin::timed_sleep(|| self.word.wait(Permits(next).ticket(), deadline.remaining())); // A7
            woken = true;
            self.spin_for_permits();
        }
    }

    fn spin_for_permits(&self) {
        let mut spin = Spin::new(Awaited::Section);
        while Permits(self.word.load(Ordering::Relaxed)).take(1).is_none() {
            if !spin.again() {
                return;
            }
        }
        spin.succeeded();
    }

    /// Waits in line.
    fn queue(&self, permits: u32, deadline: Deadline) -> Result<(), AcquireError> {
        let waiter = Waiter::new(permits);
        let mut line = self.line.lock(); // Q1
        // SAFETY: 1. this function returns with a verdict, or after `leave`.
        unsafe { line.join(&waiter) };
        let before = Permits(self.word.fetch_or(QUEUED, Ordering::Relaxed)); // Q2
        if !before.is(QUEUED) {
            self.word.wake(u32::MAX); // Q2a: nobody sleeps outside the line.
        }
        self.serve(&mut line); // Q3
        drop(line);
        let verdict = waiter.wait(deadline).or_else(|| {
            let mut line = self.line.lock(); // Q4
            // SAFETY: 1. it joined above.
            if unsafe { line.leave(&waiter) } {
                self.serve(&mut line); // Those behind it may want less.
                return None;
            }
            drop(line);
            waiter.wait(Deadline::NEVER)
        });
        match verdict {
            Some(Verdict::Granted) => Ok(()),
            Some(Verdict::Closed) => Err(AcquireError::Closed),
            None => Err(AcquireError::TimedOut),
        }
    }

    /// Grants permits to the first in line, as long as there are enough.
    fn serve(&self, line: &mut FastLockGuard<'_, Line>) {
        while let Some(wants) = line.first_wants() {
            let take = |word| Permits(word).take_as_first(wants);
            let verdict = match self.word.fetch_update(Ordering::Acquire, Ordering::Acquire, take) {
                Ok(_) => Verdict::Granted,
                Err(word) if Permits(word).is(CLOSED) => Verdict::Closed,
                Err(_) => return,
            };
            line.dismiss_first(verdict);
        }
        self.word.fetch_and(!QUEUED, Ordering::Relaxed);
    }
}
