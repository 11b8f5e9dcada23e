//! A counting semaphore.

use super::Deadline;
use super::permits::MAX;
use super::raw_semaphore::{AcquireError, RawSemaphore, ReleaseError};
use crate::sys::constant::constant;
use std::fmt;
use std::panic::RefUnwindSafe;

/// A number of permits that threads take and give back.
///
/// Taking a permit that is there is one atomic exchange, and so is giving one back; giving back *n* wakes at most *n*
/// waiters with one system call. A waiter spins for some microseconds, then sleeps.
///
/// A semaphore made by [`new`](Self::new) is quick: a thread that comes by may take a permit before one that has been
/// waiting. One made by [`fair`](Self::fair) gives permits in the order of asking. In both, who asks for several
/// permits at once gets all or nothing, and nobody overtakes it.
///
/// ```
/// use fastthreadpool::Semaphore;
///
/// static DISKS: Semaphore = Semaphore::new(2);
///
/// std::thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| {
///             let _permit = DISKS.permit().expect("nobody closes it");
///             // at most two threads at a time
///         });
///     }
/// });
/// assert_eq!(DISKS.value(), 2);
/// ```
///
/// What a thread did before [`release`](Self::release) is visible to whoever takes the permit.
pub struct Semaphore {
    raw: RawSemaphore,
}

impl Semaphore {
    /// The most permits a semaphore can have: 2³¹ − 1.
    pub const MAX: u32 = MAX;

    constant! {
        /// A semaphore with this many permits that gives them quickly rather than in order.
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
        /// A semaphore with this many permits that gives them in the order of asking: slower, but nobody is overtaken.
        ///
        /// # Panics
        ///
        /// If there are more than [`MAX`](Self::MAX).
        pub fn fair(permits: u32) -> Self {
            assert!(permits <= MAX, "too many permits");
            Self { raw: RawSemaphore::new(permits, true) }
        }
    }

    /// Takes a permit, waiting for it as long as it takes. It is given back by [`release`](Self::release), by any
    /// thread.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Closed`] if the semaphore is or gets closed.
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

    /// Takes a permit if one is there.
    ///
    /// # Errors
    ///
    /// [`AcquireError::TimedOut`] if none is there or others wait in line for it; [`AcquireError::Closed`].
    #[inline]
    pub fn try_acquire(&self) -> Result<(), AcquireError> {
        self.acquire_many(1, Deadline::NOW)
    }

    /// Takes `permits` permits at once or none at all. Waits for them until the deadline, which may be a
    /// [`Duration`](std::time::Duration) from now.
    ///
    /// # Errors
    ///
    /// [`AcquireError::TimedOut`] if they did not come free in time; [`AcquireError::Closed`];
    /// [`AcquireError::TooMany`].
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

    /// Takes a permit that is given back when the guard is dropped.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Closed`] if the semaphore is or gets closed.
    pub fn permit(&self) -> Result<Permit<'_>, AcquireError> {
        self.permits(1, Deadline::NEVER)
    }

    /// Takes `permits` permits, all or nothing, that are given back when the guard is dropped.
    ///
    /// # Errors
    ///
    /// As [`acquire_many`](Self::acquire_many).
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

    /// Gives `permits` permits back, or adds new ones, and wakes at most as many waiters. Allowed on any thread, and on
    /// a closed semaphore.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if there would be more than [`MAX`](Self::MAX); nothing is added then.
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

    /// The permits that are free, at the moment of asking.
    pub fn value(&self) -> u32 {
        self.raw.value()
    }

    /// Ends the giving of permits: who waits, and who asks from now on, gets [`AcquireError::Closed`].
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

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed()
    }
}

// No user's code runs while anything in it is half done.
impl RefUnwindSafe for Semaphore {}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("value", &self.value()).field("closed", &self.is_closed()).finish()
    }
}

/// Permits of a [`Semaphore`]; dropping it gives them back.
#[derive(Debug)]
#[must_use = "the permits are given back when this is dropped"]
pub struct Permit<'semaphore> {
    semaphore: &'semaphore Semaphore,
    permits: u32,
}

impl Permit<'_> {
    /// Keeps the permits: they are not given back, unless by [`Semaphore::release`].
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Refused only if others have given back more than they took: then there are enough without these.
        let _ = self.semaphore.release(self.permits);
    }
}
