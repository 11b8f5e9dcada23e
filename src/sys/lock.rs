//! A mutex without poisoning: no user code runs while one of ours is held, and our own panics abort.

#[cfg(loom)]
use loom::sync as imp;
#[cfg(not(loom))]
use std::sync as imp;

use super::process::Birthplace;
pub(crate) use imp::MutexGuard as LockGuard;

#[derive(Debug, Default)]
pub(crate) struct Lock<T>(imp::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(imp::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Locks it unless it is held.
    pub(crate) fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        self.0.try_lock().ok()
    }

    /// Locks it. `None` if it is held and was made `elsewhere`, in an ancestor of this process: its holder may have
    /// stayed there.
    #[inline]
    pub(crate) fn lock_unless(&self, elsewhere: impl FnOnce() -> bool) -> Option<LockGuard<'_, T>> {
        self.try_lock().or_else(|| self.lock_held(elsewhere))
    }

    #[cold]
    fn lock_held(&self, elsewhere: impl FnOnce() -> bool) -> Option<LockGuard<'_, T>> {
        if elsewhere() { None } else { Some(self.lock()) }
    }
}

/// A lock that may be asked for in the child of a fork, too. If another thread had it then, nobody will ever release it
/// there, and what it guards may be half changed.
#[derive(Debug)]
pub(crate) struct ForkedLock<T> {
    lock: Lock<T>,
    birthplace: Birthplace,
}

impl<T> ForkedLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { lock: Lock::new(value), birthplace: Birthplace::here() }
    }

    /// `None` if its holder may have stayed in the parent.
    #[inline]
    pub(crate) fn lock(&self) -> Option<LockGuard<'_, T>> {
        self.lock.lock_unless(|| self.is_elsewhere())
    }

    /// Whether it was made in an ancestor of this process.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.birthplace.is_elsewhere()
    }
}
