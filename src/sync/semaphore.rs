//! A counting semaphore.

use super::Deadline;
use super::permits::MAX;
use super::raw_semaphore::{AcquireError, RawSemaphore, ReleaseError};
use crate::sys::constant::constant;
use std::fmt;
use std::panic::RefUnwindSafe;

/// A counting semaphore: a number of permits that threads acquire and release.
///
/// Acquiring an available permit is one atomic exchange, and so is releasing one; releasing *n* wakes at most *n*
/// waiters with one system call. A waiter spins for some microseconds, then sleeps.
///
/// A semaphore made by [`new`](Self::new) is fast but not fair: a thread that has just arrived may get a permit ahead
/// of one that has been waiting. One made by [`fair`](Self::fair) grants permits in the order of the requests. In both,
/// a request for several permits is granted as a whole or not at all, and while it waits it is not overtaken.
///
/// What a thread did before [`release`](Self::release) is visible to the thread that acquires the permit.
///
/// # Examples
///
/// ```
/// use fastthreadpool::Semaphore;
///
/// static DISKS: Semaphore = Semaphore::new(2);
///
/// std::thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| {
///             let _permit = DISKS.permit().expect("it is never closed");
///             // at most two threads at a time
///         });
///     }
/// });
/// assert_eq!(DISKS.value(), 2);
/// ```
pub struct Semaphore {
    raw: RawSemaphore,
}

impl Semaphore {
    /// The most permits a semaphore can have: 2³¹ − 1.
    pub const MAX: u32 = MAX;

    constant! {
        /// Makes a semaphore with this many permits that is fast rather than fair.
        ///
        /// # Panics
        ///
        /// If there are more than [`MAX`](Self::MAX).
        pub fn new(permits: u32) -> Self {
            assert!(permits <= MAX, "too many permits");
            Self { raw: RawSemaphore::new(permits, false) }
        }
    }

    constant! {
        /// Makes a semaphore with this many permits that grants them in the order of the requests. It is slower, but no
        /// request is overtaken.
        ///
        /// # Panics
        ///
        /// If there are more than [`MAX`](Self::MAX).
        pub fn fair(permits: u32) -> Self {
            assert!(permits <= MAX, "too many permits");
            Self { raw: RawSemaphore::new(permits, true) }
        }
    }

    /// Acquires a permit, waiting for it without a limit. Any thread may [`release`](Self::release) it.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Closed`] if the semaphore is closed, or is closed meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = fastthreadpool::Semaphore::new(8);
    /// semaphore.acquire()?;
    /// assert_eq!(semaphore.value(), 7);
    /// semaphore.release(1)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn acquire(&self) -> Result<(), AcquireError> {
        self.acquire_many(1, Deadline::NEVER)
    }

    /// Acquires a permit if one is available, without waiting.
    ///
    /// # Errors
    ///
    /// [`AcquireError::TimedOut`] if none is available, or other threads are queued for it; [`AcquireError::Closed`].
    #[inline]
    pub fn try_acquire(&self) -> Result<(), AcquireError> {
        self.acquire_many(1, Deadline::NOW)
    }

    /// Acquires `permits` permits together, or none, waiting for them until the deadline, which may be a
    /// [`Duration`](std::time::Duration) from now.
    ///
    /// # Errors
    ///
    /// [`AcquireError::TimedOut`] if they did not become available in time; [`AcquireError::Closed`];
    /// [`AcquireError::TooMany`] if there cannot be so many.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{AcquireError, Deadline, Semaphore};
    ///
    /// let semaphore = Semaphore::new(3);
    /// semaphore.acquire_many(2, Deadline::NEVER)?;
    /// assert_eq!(semaphore.acquire_many(2, Deadline::NOW), Err(AcquireError::TimedOut));
    /// assert_eq!(semaphore.value(), 1);
    /// # Ok::<(), AcquireError>(())
    /// ```
    #[inline]
    pub fn acquire_many(&self, permits: u32, deadline: impl Into<Deadline>) -> Result<(), AcquireError> {
        self.raw.acquire(permits, deadline.into())
    }

    /// Acquires a permit, waiting for it without a limit. Dropping the guard releases it.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Closed`] if the semaphore is closed, or is closed meanwhile.
    pub fn permit(&self) -> Result<Permit<'_>, AcquireError> {
        self.permits(1, Deadline::NEVER)
    }

    /// Acquires `permits` permits like [`acquire_many`](Self::acquire_many). Dropping the guard releases them.
    ///
    /// # Errors
    ///
    /// As for [`acquire_many`](Self::acquire_many).
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{Deadline, Semaphore};
    ///
    /// let semaphore = Semaphore::new(3);
    /// let two = semaphore.permits(2, Deadline::NEVER)?;
    /// assert_eq!(semaphore.value(), 1);
    /// drop(two);
    /// assert_eq!(semaphore.value(), 3);
    /// # Ok::<(), fastthreadpool::AcquireError>(())
    /// ```
    pub fn permits(&self, permits: u32, deadline: impl Into<Deadline>) -> Result<Permit<'_>, AcquireError> {
        self.acquire_many(permits, deadline).map(|()| Permit { semaphore: self, permits })
    }

    /// Releases `permits` permits, or adds new ones, and wakes at most as many waiters. Allowed on any thread, and on a
    /// closed semaphore.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if there would be more than [`MAX`](Self::MAX); nothing is added then.
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{ReleaseError, Semaphore};
    ///
    /// let semaphore = Semaphore::new(0);
    /// semaphore.release(5)?;
    /// assert_eq!(semaphore.release(Semaphore::MAX), Err(ReleaseError));
    /// assert_eq!(semaphore.value(), 5);
    /// # Ok::<(), ReleaseError>(())
    /// ```
    #[inline]
    pub fn release(&self, permits: u32) -> Result<(), ReleaseError> {
        self.raw.release(permits)
    }

    /// The number of permits that are available at this moment.
    pub fn value(&self) -> u32 {
        self.raw.value()
    }

    /// Closes the semaphore: all waiting and all later acquires return [`AcquireError::Closed`].
    ///
    /// # Examples
    ///
    /// ```
    /// use fastthreadpool::{AcquireError, Semaphore};
    ///
    /// let semaphore = Semaphore::new(1);
    /// semaphore.close();
    /// assert_eq!(semaphore.acquire(), Err(AcquireError::Closed));
    /// ```
    pub fn close(&self) {
        self.raw.close();
    }

    /// Whether the semaphore was closed.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed()
    }
}

// No user code runs while its state is inconsistent.
impl RefUnwindSafe for Semaphore {}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("value", &self.value()).field("closed", &self.is_closed()).finish()
    }
}

/// Acquired permits of a [`Semaphore`]; dropping this releases them.
#[derive(Debug)]
#[must_use = "the permits are released when this is dropped"]
pub struct Permit<'semaphore> {
    semaphore: &'semaphore Semaphore,
    permits: u32,
}

impl Permit<'_> {
    /// Keeps the permits acquired, until they are released by [`Semaphore::release`].
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Fails only if others have released more than they acquired: then there are enough without these.
        let _ = self.semaphore.release(self.permits);
    }
}
