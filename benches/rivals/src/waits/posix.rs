//! What the C library gives.

use super::locks::Lock;
use super::semaphores::Permits;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

/// `sem_t`. Boxed, because it must stay where it was made.
pub struct PosixSemaphore(Box<UnsafeCell<libc::sem_t>>);

// SAFETY: any thread may use a semaphore.
unsafe impl Sync for PosixSemaphore {}

impl Permits for PosixSemaphore {
    const NAME: &'static str = "POSIX sem_t";

    fn new(permits: u32) -> Self {
        // SAFETY: zeroes are a valid `sem_t`, if not a semaphore yet.
        let place = Self(Box::new(UnsafeCell::new(unsafe { MaybeUninit::zeroed().assume_init() })));
        // SAFETY: the place is writable and stays.
        let failed = unsafe { libc::sem_init(place.0.get(), 0, permits) };
        assert_eq!(failed, 0);
        place
    }

    #[inline(always)]
    fn acquire(&self) {
        // SAFETY: it was initialised. Interrupted by a signal, it is called again.
        while unsafe { libc::sem_wait(self.0.get()) } != 0 {}
    }

    #[inline(always)]
    fn release(&self) {
        // SAFETY: it was initialised.
        let failed = unsafe { libc::sem_post(self.0.get()) };
        assert_eq!(failed, 0);
    }
}

/// `pthread_mutex_t` as it comes.
pub type NormalMutex = PosixMutex<{ libc::PTHREAD_MUTEX_NORMAL }>;

/// The one of glibc that spins first.
pub type AdaptiveMutex = PosixMutex<{ libc::PTHREAD_MUTEX_ADAPTIVE_NP }>;

/// A mutex of a kind, and the count that it protects.
pub struct PosixMutex<const KIND: libc::c_int>(Box<UnsafeCell<libc::pthread_mutex_t>>, UnsafeCell<u64>);

// SAFETY: any thread may use a mutex, and the count only while it has it.
unsafe impl<const KIND: libc::c_int> Sync for PosixMutex<KIND> {}

impl<const KIND: libc::c_int> Lock for PosixMutex<KIND> {
    const NAME: &'static str = match KIND {
        libc::PTHREAD_MUTEX_NORMAL => "pthread_mutex, normal",
        _ => "pthread_mutex, adaptive",
    };

    fn new() -> Self {
        let mutex = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the place is writable.
        unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) };
        // SAFETY: the attributes are initialised.
        let failed = unsafe { libc::pthread_mutexattr_settype(attributes.as_mut_ptr(), KIND) };
        assert_eq!(failed, 0);
        // SAFETY: the place is writable and stays, the attributes are initialised.
        let failed = unsafe { libc::pthread_mutex_init(mutex.get(), attributes.as_ptr()) };
        assert_eq!(failed, 0);
        Self(mutex, UnsafeCell::new(0))
    }

    #[inline(always)]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        // SAFETY: it was initialised.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
        // SAFETY: this thread has the mutex.
        section(unsafe { &mut *self.1.get() });
        // SAFETY: this thread has the mutex.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}
