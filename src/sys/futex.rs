//! A 32-bit word that threads can sleep on: Linux `futex`, the portable `atomic-wait`, or the model checker's version.

use super::atomic::{AtomicU32, AtomicU64};

/// A word to sleep on. `wait` may return spuriously, so callers check the word again. Zeroed memory is a valid word
/// of 0.
#[derive(Debug)]
#[cfg_attr(not(loom), repr(transparent))]
pub(crate) struct Futex {
    word: AtomicU32,
    #[cfg(loom)]
    kernel: Kernel,
}

/// A 64-bit word whose high half threads can sleep on; the low half may change meanwhile.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct WideFutex {
    word: AtomicU64,
    #[cfg(loom)]
    kernel: Kernel,
}

impl std::ops::Deref for WideFutex {
    type Target = AtomicU64;

    #[inline(always)]
    fn deref(&self) -> &AtomicU64 {
        &self.word
    }
}

impl std::ops::Deref for Futex {
    type Target = AtomicU32;

    #[inline(always)]
    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

impl Futex {
    /// Wakes one sleeper. Uses only the word's address.
    pub(crate) fn wake_one(&self) {
        self.sleepers().wake_one();
    }

    /// Wakes all sleepers. Uses only the word's address.
    pub(crate) fn wake_all(&self) {
        self.sleepers().wake_all();
    }
}

impl WideFutex {
    /// Wakes up to `count` sleepers. Uses only the word's address.
    pub(crate) fn wake(&self, count: u32) {
        self.sleepers().wake(count);
    }
}

impl Sleepers {
    pub(crate) fn wake_one(self) {
        self.wake(1);
    }

    pub(crate) fn wake_all(self) {
        self.wake(u32::MAX);
    }
}

#[cfg(not(loom))]
impl Futex {
    pub(crate) const fn new(value: u32) -> Self {
        Self { word: AtomicU32::new(value) }
    }
}

#[cfg(not(loom))]
impl WideFutex {
    pub(crate) const fn new(value: u64) -> Self {
        Self { word: AtomicU64::new(value) }
    }

    fn high_half(&self) -> *const u32 {
        self.word.as_ptr().cast_const().cast::<u32>().wrapping_add(usize::from(cfg!(target_endian = "little")))
    }
}

#[cfg(all(not(loom), target_os = "linux", not(ftpool_portable)))]
mod imp {
    use super::{Futex, WideFutex};
    use std::ptr;
    use std::time::Duration;

    /// The sleepers of a word. They can be woken even after the word was freed.
    #[derive(Debug)]
    pub(crate) struct Sleepers(*const u32);

    fn timespec(time: Duration) -> libc::timespec {
        let tv_sec = time.as_secs().try_into().unwrap_or(libc::time_t::MAX);
        libc::timespec { tv_sec, tv_nsec: time.subsec_nanos() as libc::c_long }
    }

    /// # Safety
    ///
    /// 1. `address` is that of a word that outlives the call.
    unsafe fn wait(address: *const u32, expected: u32, timeout: Option<Duration>) {
        let limit = timeout.map(timespec);
        let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: 1. the caller's 1; 2. `limit` is null or a live timespec.
        unsafe { libc::syscall(libc::SYS_futex, address, operation, expected, limit) };
    }

    impl Sleepers {
        /// Wakes up to `count` of them.
        pub(super) fn wake(self, count: u32) {
            let count = libc::c_int::try_from(count).unwrap_or(libc::c_int::MAX);
            let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the kernel uses the address as a key only; nothing is read or written through it.
            unsafe { libc::syscall(libc::SYS_futex, self.0, operation, count) };
        }
    }

    impl Futex {
        /// Sleeps while the word is `expected`, at most for `timeout`.
        pub(crate) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            // SAFETY: 1. the word outlives the call, `self` is borrowed.
            unsafe { wait(self.word.as_ptr(), expected, timeout) };
        }

        /// Sleeps while the word is `expected`, at most until the wall clock shows `limit` since 1970. Follows the
        /// clock when it is set.
        pub(crate) fn wait_for_wall(&self, expected: u32, limit: Duration) {
            let limit = timespec(limit);
            let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
            let (limit, unused) = (&raw const limit, ptr::null::<u32>());
            let any = libc::FUTEX_BITSET_MATCH_ANY;
            // SAFETY: 1. the word outlives the call, `self` is borrowed; 2. `limit` is a live timespec.
            unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), operation, expected, limit, unused, any) };
        }

        pub(crate) fn sleepers(&self) -> Sleepers {
            Sleepers(self.word.as_ptr())
        }
    }

    impl WideFutex {
        /// Sleeps while the high half is `expected`, at most for `timeout`.
        pub(crate) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            // SAFETY: 1. the word outlives the call, `self` is borrowed.
            unsafe { wait(self.high_half(), expected, timeout) };
        }

        pub(super) fn sleepers(&self) -> Sleepers {
            Sleepers(self.high_half())
        }
    }
}

#[cfg(all(not(loom), any(not(target_os = "linux"), ftpool_portable)))]
mod imp {
    use super::{AtomicU32, Futex, WideFutex};
    use std::time::Duration;

    /// The sleepers of a word. They can be woken even after the word was freed.
    #[derive(Debug)]
    pub(crate) struct Sleepers(*const AtomicU32);

    impl Sleepers {
        /// Wakes up to `count` of them, or all if that takes fewer calls.
        pub(super) fn wake(self, count: u32) {
            match count {
                0..8 => (0..count).for_each(|_| atomic_wait::wake_one(self.0)),
                _ => atomic_wait::wake_all(self.0),
            }
        }
    }

    /// `atomic-wait` has no timed wait: a timed sleeper checks the word this often.
    const POLL_INTERVAL: Duration = Duration::from_millis(1);

    fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
        match timeout {
            None => atomic_wait::wait(word, expected),
            Some(timeout) => std::thread::sleep(timeout.min(POLL_INTERVAL)),
        }
    }

    impl Futex {
        pub(crate) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            wait(&self.word, expected, timeout);
        }

        /// Callers check the wall clock again.
        pub(crate) fn wait_for_wall(&self, expected: u32, _limit: Duration) {
            self.wait(expected, Some(POLL_INTERVAL));
        }

        pub(crate) fn sleepers(&self) -> Sleepers {
            Sleepers(&raw const self.word)
        }
    }

    impl WideFutex {
        /// A separate word to sleep on would have to be changed after the wide one, when a sleeper may already have
        /// freed both.
        pub(crate) fn wait(&self, expected: u32, timeout: Option<Duration>) {
            // SAFETY: half of the word is an aligned `u32`, which lives as long as `self` is borrowed. Only
            // `atomic-wait` reads it, with one load, as the kernel would; no processor that we support minds that the
            // load is narrower than the exchanges it races with.
            let half = unsafe { AtomicU32::from_ptr(self.high_half().cast_mut()) };
            wait(half, expected, timeout);
        }

        pub(super) fn sleepers(&self) -> Sleepers {
            Sleepers(self.high_half().cast())
        }
    }
}

#[cfg(loom)]
use imp::Kernel;
use imp::Sleepers;

#[cfg(loom)]
mod imp {
    use super::{AtomicU32, AtomicU64, Futex, WideFutex};
    use crate::sys::atomic::{Ordering, fence};
    use loom::sync::{Condvar, Mutex};
    use std::sync::Arc;
    use std::time::Duration;

    /// What a kernel keeps for a word. It outlives the word while a thread is waking sleepers.
    #[derive(Clone, Debug)]
    pub(super) struct Kernel(Arc<(Mutex<()>, Condvar)>);

    /// The sleepers of a word. They can be woken even after the word was freed.
    #[derive(Debug)]
    pub(crate) struct Sleepers(Kernel);

    impl Sleepers {
        /// Wakes up to `count` of them.
        pub(super) fn wake(self, count: u32) {
            fence(Ordering::SeqCst);
            let Kernel(kernel) = self.0;
            let _gate = kernel.0.lock().unwrap();
            match count {
                0..8 => (0..count).for_each(|_| kernel.1.notify_one()),
                _ => kernel.1.notify_all(),
            }
        }
    }

    impl Kernel {
        fn new() -> Self {
            Self(Arc::new((Mutex::new(()), Condvar::new())))
        }

        /// The kernel compares under its own lock and with a full barrier; time never passes in a model.
        fn wait(&self, is_expected: impl FnOnce() -> bool) {
            let gate = self.0.0.lock().unwrap();
            fence(Ordering::SeqCst);
            if is_expected() {
                drop(self.0.1.wait(gate).unwrap());
            }
        }
    }

    impl Futex {
        pub(crate) fn new(value: u32) -> Self {
            Self { word: AtomicU32::new(value), kernel: Kernel::new() }
        }

        pub(crate) fn wait(&self, expected: u32, _timeout: Option<Duration>) {
            self.kernel.wait(|| self.word.load(Ordering::Relaxed) == expected);
        }

        pub(crate) fn wait_for_wall(&self, expected: u32, limit: Duration) {
            self.wait(expected, Some(limit));
        }

        pub(crate) fn sleepers(&self) -> Sleepers {
            Sleepers(self.kernel.clone())
        }
    }

    impl WideFutex {
        pub(crate) fn new(value: u64) -> Self {
            Self { word: AtomicU64::new(value), kernel: Kernel::new() }
        }

        pub(crate) fn wait(&self, expected: u32, _timeout: Option<Duration>) {
            self.kernel.wait(|| (self.word.load(Ordering::Relaxed) >> 32) as u32 == expected);
        }

        pub(super) fn sleepers(&self) -> Sleepers {
            Sleepers(self.kernel.clone())
        }
    }
}
