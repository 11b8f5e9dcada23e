//! A value that one thread at a time may use.

use super::Deadline;
use super::raw_lock::RawLock;
use crate::sys::cell::UnsafeCell;
use crate::sys::constant::constant;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A mutual exclusion lock around a value, for short critical sections.
///
/// Acquiring it is one atomic exchange and releasing it is a plain store, where other locks need a second exchange: on
/// Linux the waiters pay for the memory ordering, with `membarrier`. A waiter spins for some microseconds, then sleeps;
/// one that has been overtaken for a millisecond gets the lock next.
///
/// The lock is not recursive: a thread that locks it twice deadlocks. There is no poisoning: a panic releases the lock,
/// and the next owner finds the value as it was left.
///
/// # Examples
///
/// ```
/// use fastthreadpool::FastLock;
///
/// static TOTAL: FastLock<u64> = FastLock::new(0);
///
/// std::thread::scope(|scope| {
///     for n in 0..4 {
///         scope.spawn(move || *TOTAL.lock() += n);
///     }
/// });
/// assert_eq!(*TOTAL.lock(), 6);
/// ```
#[repr(C)]
pub struct FastLock<T: ?Sized> {
    raw: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: sending the lock sends the value, which is `Send`.
unsafe impl<T: ?Sized + Send> Send for FastLock<T> {}

// SAFETY: one thread at a time accesses the value, so it is sent rather than shared.
unsafe impl<T: ?Sized + Send> Sync for FastLock<T> {}

impl<T> FastLock<T> {
    constant! {
        /// Makes a lock around `value`, which is free.
        pub fn new(value: T) -> Self {
            Self { raw: RawLock::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Consumes the lock and returns the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> FastLock<T> {
    /// Acquires the lock, waiting for it without a limit. Dropping the guard releases it.
    ///
    /// # Examples
    ///
    /// ```
    /// let names = fastthreadpool::FastLock::new(Vec::new());
    /// names.lock().push("ann");
    /// assert_eq!(names.lock().len(), 1);
    /// ```
    #[inline]
    pub fn lock(&self) -> FastLockGuard<'_, T> {
        self.raw.acquire();
        FastLockGuard::new(self)
    }

    /// Acquires the lock if it is free; `None` if it is not.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = fastthreadpool::FastLock::new(1);
    /// let guard = lock.try_lock().expect("the lock is free");
    /// assert!(lock.try_lock().is_none());
    /// drop(guard);
    /// assert!(lock.try_lock().is_some());
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<FastLockGuard<'_, T>> {
        self.raw.try_acquire().then(|| FastLockGuard::new(self))
    }

    /// Acquires the lock, waiting for it until the deadline, which may be a [`Duration`](std::time::Duration) from now;
    /// `None` if the deadline passed first.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let lock = fastthreadpool::FastLock::new(1);
    /// let guard = lock.lock();
    /// assert!(lock.lock_until(Duration::from_millis(1)).is_none());
    /// drop(guard);
    /// assert!(lock.lock_until(Duration::from_millis(1)).is_some());
    /// ```
    pub fn lock_until(&self, deadline: impl Into<Deadline>) -> Option<FastLockGuard<'_, T>> {
        self.raw.acquire_until(deadline.into()).then(|| FastLockGuard::new(self))
    }

    /// Whether the lock is held at this moment.
    pub fn is_locked(&self) -> bool {
        self.raw.is_held()
    }

    /// Borrows the value without locking: the exclusive borrow of the lock proves that no thread holds it.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: the lock is borrowed exclusively, for as long as the value is.
        self.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: Default> Default for FastLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for FastLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for FastLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lock = f.debug_struct("FastLock");
        match self.try_lock() {
            Some(guard) => lock.field("value", &&*guard),
            None => lock.field("value", &format_args!("<locked>")),
        };
        lock.finish()
    }
}

/// Access to a [`FastLock`]'s value; dropping it releases the lock.
#[must_use = "the lock is released when the guard is dropped"]
pub struct FastLockGuard<'lock, T: ?Sized> {
    lock: &'lock FastLock<T>,
    /// Shared like `&mut T`.
    value: PhantomData<&'lock mut T>,
}

impl<'lock, T: ?Sized> FastLockGuard<'lock, T> {
    #[inline(always)]
    fn new(lock: &'lock FastLock<T>) -> Self {
        Self { lock, value: PhantomData }
    }
}

impl<T: ?Sized> Deref for FastLockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a guard exists while its thread has the lock.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized> DerefMut for FastLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: a guard exists while its thread has the lock, and this one is borrowed exclusively.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized> Drop for FastLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for FastLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for FastLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
