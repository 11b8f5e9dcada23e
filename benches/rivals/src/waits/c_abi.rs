//! The semaphores and locks of `libfastthreadpool.so`, as a C program sees them: `waits.c`, compiled with the header, and the
//! library for what the header does not inline.

use super::locks::{Contest, Lock};
use super::race::Waits;
use super::semaphores::Permits;
use crate::c_abi::{functions, open};
use std::cell::UnsafeCell;
use std::path::Path;
use std::time::Duration;

/// What `waits.c` calls of the library.
#[repr(C)]
struct Functions {
    lock_acquire_for: unsafe extern "C" fn(*mut [u32; 2], i64) -> i32,
    lock_release_checked: unsafe extern "C" fn(*mut [u32; 2]) -> i32,
    lock_wake_next: unsafe extern "C" fn(*mut [u32; 2]),
    semaphore_acquire_for: unsafe extern "C" fn(*mut [u64; 4], u32, i64) -> i32,
    semaphore_release_slow: unsafe extern "C" fn(*mut [u64; 4], u32) -> i32,
}

/// What a thread of a contest does.
#[repr(C)]
struct CContest {
    times: usize,
    inside: u32,
    outside: u32,
    every: bool,
}

unsafe extern "C" {
    fn c_waits_load(loaded: *const Functions);
    fn c_lock_contest(lock: *mut [u32; 2], count: *mut u64, contest: *const CContest) -> u64;
    fn c_lock_alone(lock: *mut [u32; 2], count: *mut u64, times: usize);
    fn c_semaphore_acquire(semaphore: *mut [u64; 4]) -> i32;
    fn c_semaphore_release(semaphore: *mut [u64; 4]) -> i32;
    fn c_semaphore_alone(semaphore: *mut [u64; 4], times: usize) -> usize;
}

/// Loads the library, before anybody uses the types below.
pub fn load(path: &Path) -> Result<(), libloading::Error> {
    let library = open(path)?;
    let functions = functions!(
        library,
        Functions {
            lock_acquire_for,
            lock_release_checked,
            lock_wake_next,
            semaphore_acquire_for,
            semaphore_release_slow
        }
    );
    // SAFETY: it copies them; nobody uses them yet.
    unsafe { c_waits_load(&functions) };
    Ok(())
}

/// `ftpool_semaphore`.
pub struct CSemaphore(UnsafeCell<[u64; 4]>);

// SAFETY: any thread may use it.
unsafe impl Sync for CSemaphore {}

impl Permits for CSemaphore {
    const NAME: &'static str = "Semaphore (C ABI)";

    fn new(permits: u32) -> Self {
        Self(UnsafeCell::new([permits.into(), 0, 0, 0])) // FTPOOL_SEMAPHORE_INIT
    }

    #[inline(always)]
    fn acquire(&self) {
        // SAFETY: it is initialised.
        let status = unsafe { c_semaphore_acquire(self.0.get()) };
        assert_eq!(status, 0);
    }

    #[inline(always)]
    fn release(&self) {
        // SAFETY: it is initialised.
        let status = unsafe { c_semaphore_release(self.0.get()) };
        assert_eq!(status, 0);
    }

    fn alone(&self, times: usize) {
        // SAFETY: it is initialised.
        let done = unsafe { c_semaphore_alone(self.0.get(), times) };
        assert_eq!(done, times);
    }
}

/// `ftpool_lock`.
pub struct CLock(UnsafeCell<[u32; 2]>, UnsafeCell<u64>);

// SAFETY: any thread may use it, and the count while it has it.
unsafe impl Sync for CLock {}

impl Lock for CLock {
    const NAME: &'static str = "FastLock (C ABI)";

    fn new() -> Self {
        Self(UnsafeCell::new([0, 0]), UnsafeCell::new(0)) // FTPOOL_LOCK_INIT
    }

    /// For the count in the end.
    fn with(&self, section: impl FnOnce(&mut u64)) {
        // SAFETY: all threads have ended.
        section(unsafe { &mut *self.1.get() });
    }

    fn count_alone(&self, times: usize) {
        // SAFETY: it is initialised, and the count is changed by who has the lock.
        unsafe { c_lock_alone(self.0.get(), self.1.get(), times) };
    }

    fn count_beside(&self, times: usize, Contest { inside, outside, .. }: Contest, waits: &mut Waits) {
        let contest = CContest { times, inside, outside, every: waits.are_all_timed() };
        // SAFETY: it is initialised, and the count is changed by who has the lock.
        let longest = unsafe { c_lock_contest(self.0.get(), self.1.get(), &contest) };
        waits.add(Duration::from_nanos(longest));
    }
}
