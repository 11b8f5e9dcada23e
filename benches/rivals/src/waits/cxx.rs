//! What C++20 gives, where a compiler for it is installed.

use super::semaphores::Permits;
use std::ffi::c_void;

unsafe extern "C" {
    fn rival_semaphore_new(permits: u32) -> *mut c_void;
    fn rival_semaphore_free(semaphore: *mut c_void);
    fn rival_semaphore_acquire(semaphore: *mut c_void);
    fn rival_semaphore_release(semaphore: *mut c_void);
}

/// `std::counting_semaphore<>`.
pub struct CxxSemaphore(*mut c_void);

// SAFETY: any thread may use it.
unsafe impl Sync for CxxSemaphore {}

impl Permits for CxxSemaphore {
    const NAME: &'static str = "C++20 counting_semaphore";

    fn new(permits: u32) -> Self {
        // SAFETY: any number below its limit will do.
        Self(unsafe { rival_semaphore_new(permits) })
    }

    #[inline(always)]
    fn acquire(&self) {
        // SAFETY: it is not freed yet.
        unsafe { rival_semaphore_acquire(self.0) };
    }

    #[inline(always)]
    fn release(&self) {
        // SAFETY: it is not freed yet.
        unsafe { rival_semaphore_release(self.0) };
    }
}

impl Drop for CxxSemaphore {
    fn drop(&mut self) {
        // SAFETY: it came from `rival_semaphore_new`, and nobody uses it any more.
        unsafe { rival_semaphore_free(self.0) };
    }
}
