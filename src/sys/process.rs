//! Events of the whole process: its exit and its forks.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A static variable behind a lock. The model checker does not see it, so no protocol may depend on it.
#[derive(Debug)]
pub(crate) struct Global<T>(Mutex<T>);

impl<T> Global<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks it unless it is held.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// A value for the whole process, made when it is first asked for and never dropped. There is no lock: in the child of
/// a fork, whoever holds it may not exist.
#[derive(Debug)]
pub(crate) struct Lasting<T>(AtomicPtr<T>);

impl<T: Send + Sync + 'static> Lasting<T> {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// The value; a new one if there is none, or one that `is_stale`. If several threads make one, all get the same,
    /// and the others are dropped.
    pub(crate) fn get(&self, is_stale: impl Fn(&T) -> bool, make: impl Fn() -> T) -> &'static T {
        let mut known = self.0.load(Ordering::Acquire);
        loop {
            // SAFETY: it is null, or was leaked below before it was published by the exchange.
            if let Some(value) = unsafe { known.as_ref() }
                && !is_stale(value)
            {
                return value;
            }
            let new = Box::into_raw(Box::new(make()));
            match self.0.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: it was leaked above, and nobody frees what was published.
                Ok(_) => return unsafe { &*new },
                Err(other) => {
                    // SAFETY: it was leaked above, and not published.
                    drop(unsafe { Box::from_raw(new) });
                    known = other;
                }
            }
        }
    }
}

/// What to call at these events, perhaps twice in a row.
#[cfg_attr(loom, expect(dead_code, reason = "a model has no process of its own"))]
#[cfg_attr(not(any(loom, unix)), expect(dead_code, reason = "only Unix has forks"))]
pub(crate) trait Watcher {
    /// `exit` was called. Runs among the functions registered with `atexit`, in reverse order of registration.
    fn exit();
    /// A fork is about to happen; one of the next two follows on the same thread.
    fn before_fork();
    fn after_fork_in_parent();
    /// The calling thread is the only one in this process.
    fn after_fork_in_child();
}

/// Changes with each fork that led to this process since the first pool was made. Only the first thread of a process
/// changes it, before there are others, so nothing need be ordered.
static FORKS: AtomicU16 = AtomicU16::new(0);

/// Which process something was made in. The model checker does not see it.
#[derive(Debug)]
pub(crate) struct Birthplace(u16);

impl Birthplace {
    pub(crate) fn here() -> Self {
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Whether that was an ancestor of this process, whose threads are not here.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.0 != FORKS.load(Ordering::Relaxed)
    }
}

/// Registers `W`, the only watcher of the library; later calls do nothing. There is no lock, as in [`Lasting`]: threads
/// that call this at the same time all register it.
pub(crate) fn watch<W: Watcher>() {
    /// Release: pairs with another thread's acquire here, which relies on the registration.
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.load(Ordering::Acquire) {
        imp::register::<W>();
        REGISTERED.store(true, Ordering::Release);
    }
}

#[cfg(loom)]
mod imp {
    pub(super) fn register<W>() {
        // There are no such events in a model.
    }
}

#[cfg(not(loom))]
mod imp {
    use super::Watcher;

    unsafe extern "C" {
        /// From the C standard: `call` may be any function, so this is safe to call.
        safe fn atexit(call: extern "C" fn()) -> std::ffi::c_int;
    }

    #[cfg(unix)]
    unsafe extern "C" {
        /// From POSIX: the functions may be any, so this is safe to call.
        safe fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> std::ffi::c_int;
    }

    extern "C" fn exit<W: Watcher>() {
        W::exit();
    }

    #[cfg(unix)]
    extern "C" fn prepare<W: Watcher>() {
        W::before_fork();
    }

    #[cfg(unix)]
    extern "C" fn parent<W: Watcher>() {
        W::after_fork_in_parent();
    }

    #[cfg(unix)]
    extern "C" fn child<W: Watcher>() {
        super::FORKS.fetch_add(1, super::Ordering::Relaxed);
        W::after_fork_in_child();
    }

    /// Fails only for lack of memory. Then nothing is called, and all that is lost is an orderly end of the process.
    pub(super) fn register<W: Watcher>() {
        let _ = atexit(exit::<W>);
        #[cfg(unix)]
        let _ = pthread_atfork(Some(prepare::<W>), Some(parent::<W>), Some(child::<W>));
    }
}
