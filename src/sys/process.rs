//! What befalls the process as a whole: it exits, or it is forked.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// A variable of the process behind a lock. The model checker does not know it: no protocol may rest on it.
#[derive(Debug)]
pub(crate) struct Global<T>(Mutex<T>);

impl<T> Global<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, unless somebody has it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// Whom the process tells what befalls it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(loom, expect(dead_code, reason = "nothing befalls a model's process"))]
pub(crate) struct Watcher {
    /// `exit` has begun: called among the functions that were registered with `atexit`, which run in reverse order.
    pub(crate) exit: fn(),
    /// A fork is about to happen; one of the next two follows on the same thread.
    pub(crate) before_fork: fn(),
    pub(crate) after_fork_in_parent: fn(),
    /// The calling thread is the only one in this process.
    pub(crate) after_fork_in_child: fn(),
}

static WATCHER: OnceLock<Watcher> = OnceLock::new();

/// From now on `watcher` is told. The first caller's is kept, as there is one in the whole library.
pub(crate) fn watch(watcher: Watcher) {
    WATCHER.get_or_init(|| {
        imp::register();
        watcher
    });
}

#[cfg(loom)]
mod imp {
    pub(super) fn register() {
        // A model has no process of its own.
    }
}

#[cfg(not(loom))]
mod imp {
    use super::{WATCHER, Watcher};

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

    extern "C" fn exit() {
        tell(|watcher| watcher.exit);
    }

    #[cfg(unix)]
    extern "C" fn prepare() {
        tell(|watcher| watcher.before_fork);
    }

    #[cfg(unix)]
    extern "C" fn parent() {
        tell(|watcher| watcher.after_fork_in_parent);
    }

    #[cfg(unix)]
    extern "C" fn child() {
        tell(|watcher| watcher.after_fork_in_child);
    }

    fn tell(what: fn(&Watcher) -> fn()) {
        if let Some(watcher) = WATCHER.get() {
            what(watcher)();
        }
    }

    /// Without memory for it the process is not watched: what is lost is politeness at its end.
    pub(super) fn register() {
        let _ = atexit(exit);
        #[cfg(unix)]
        let _ = pthread_atfork(Some(prepare), Some(parent), Some(child));
    }
}
