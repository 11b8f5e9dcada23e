//! A 32-bit word that threads can sleep on: Linux `futex`, the portable `atomic-wait`, or the model checker's version.

use super::atomic::AtomicU32;

/// A word to sleep on. `wait` may return at any time without a reason: callers look at the word again.
#[derive(Debug)]
pub(crate) struct Futex {
    word: AtomicU32,
    #[cfg(loom)]
    gate: loom::sync::Mutex<()>,
    #[cfg(loom)]
    sleepers: loom::sync::Condvar,
}

impl std::ops::Deref for Futex {
    type Target = AtomicU32;

    #[inline(always)]
    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

#[cfg(not(loom))]
impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Self { word: AtomicU32::new(value) }
    }
}

#[cfg(all(not(loom), target_os = "linux", not(ftpool_portable)))]
mod linux {
    use super::Futex;
    use std::ptr;
    use std::time::Duration;

    impl Futex {
        /// Sleeps while the word is `expected`, at most for `timeout`.
        pub(crate) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            let limit = timeout.map(|t| libc::timespec {
                tv_sec: t.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                tv_nsec: t.subsec_nanos().into(),
            });
            let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
            let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: 1. the word outlives the call, `self` is borrowed; 2. `limit` is null or a live timespec.
            unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), operation, expected, limit) };
        }

        pub(crate) fn wake_one(&self) {
            self.wake(1);
        }

        pub(crate) fn wake_all(&self) {
            self.wake(libc::c_int::MAX);
        }

        fn wake(&self, count: libc::c_int) {
            let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the kernel uses the address as a key only; nothing is read or written through it.
            unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), operation, count) };
        }
    }
}

#[cfg(all(not(loom), any(not(target_os = "linux"), ftpool_portable)))]
mod portable {
    use super::Futex;
    use std::time::Duration;

    /// `atomic-wait` has no timed wait: a timed sleeper looks at the word this often.
    const LOOK: Duration = Duration::from_millis(1);

    impl Futex {
        pub(crate) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            match timeout {
                None => atomic_wait::wait(&self.word, expected),
                Some(timeout) => std::thread::sleep(timeout.min(LOOK)),
            }
        }

        pub(crate) fn wake_one(&self) {
            atomic_wait::wake_one(&self.word);
        }

        pub(crate) fn wake_all(&self) {
            atomic_wait::wake_all(&self.word);
        }
    }
}

#[cfg(loom)]
mod model {
    use super::{AtomicU32, Futex};
    use crate::sys::atomic::{Ordering, fence};
    use loom::sync::{Condvar, Mutex};
    use std::time::Duration;

    impl Futex {
        pub(crate) fn new(value: u32) -> Self {
            Self { word: AtomicU32::new(value), gate: Mutex::new(()), sleepers: Condvar::new() }
        }

        /// The kernel compares under its own lock and with a full barrier; time never passes in a model.
        pub(crate) fn wait(&self, expected: u32, _timeout: Option<Duration>) {
            let gate = self.gate.lock().unwrap();
            fence(Ordering::SeqCst);
            if self.word.load(Ordering::Relaxed) == expected {
                drop(self.sleepers.wait(gate).unwrap());
            }
        }

        pub(crate) fn wake_one(&self) {
            fence(Ordering::SeqCst);
            let _gate = self.gate.lock().unwrap();
            self.sleepers.notify_one();
        }

        pub(crate) fn wake_all(&self) {
            fence(Ordering::SeqCst);
            let _gate = self.gate.lock().unwrap();
            self.sleepers.notify_all();
        }
    }
}
