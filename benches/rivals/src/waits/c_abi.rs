//! The semaphores and locks of `libfastthreadpool.so`, as a C program that loads it would see them.

use super::locks::Lock;
use super::semaphores::Permits;
use libloading::Library;
use std::cell::UnsafeCell;
use std::path::Path;
use std::sync::OnceLock;

struct Functions {
    acquire: unsafe extern "C" fn(*mut [u64; 4]) -> i32,
    release: unsafe extern "C" fn(*mut [u64; 4], u32) -> i32,
    lock: unsafe extern "C" fn(*mut [u32; 2]),
    unlock: unsafe extern "C" fn(*mut [u32; 2]),
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Loads the library; what it has to do with is in the types below.
pub fn load(path: &Path) -> Result<(), libloading::Error> {
    // SAFETY: our own library has no initialisers that could do harm.
    let library: &'static Library = Box::leak(Box::new(unsafe { Library::new(path) }?));
    let functions = Functions {
        // SAFETY: the header declares it with this type.
        acquire: unsafe { *library.get(b"ftpool_semaphore_acquire\0")? },
        // SAFETY: the header declares it with this type.
        release: unsafe { *library.get(b"ftpool_semaphore_release\0")? },
        // SAFETY: the header declares it with this type.
        lock: unsafe { *library.get(b"ftpool_lock_acquire\0")? },
        // SAFETY: the header declares it with this type.
        unlock: unsafe { *library.get(b"ftpool_lock_release\0")? },
    };
    let _ = FUNCTIONS.set(functions);
    Ok(())
}

fn functions() -> &'static Functions {
    FUNCTIONS.get().expect("the library was loaded")
}

/// `ftpool_semaphore`.
pub struct CSemaphore(UnsafeCell<[u64; 4]>, &'static Functions);

// SAFETY: any thread may use it.
unsafe impl Sync for CSemaphore {}

impl Permits for CSemaphore {
    const NAME: &'static str = "Semaphore (C ABI)";

    fn new(permits: u32) -> Self {
        Self(UnsafeCell::new([permits.into(), 0, 0, 0]), functions()) // FTPOOL_SEMAPHORE_INIT
    }

    #[inline(always)]
    fn acquire(&self) {
        // SAFETY: it is initialised.
        let status = unsafe { (self.1.acquire)(self.0.get()) };
        assert_eq!(status, 0);
    }

    #[inline(always)]
    fn release(&self) {
        // SAFETY: it is initialised.
        let status = unsafe { (self.1.release)(self.0.get(), 1) };
        assert_eq!(status, 0);
    }
}

/// `ftpool_lock`.
pub struct CLock(UnsafeCell<[u32; 2]>, UnsafeCell<u64>, &'static Functions);

// SAFETY: any thread may use it, and the count while it has it.
unsafe impl Sync for CLock {}

impl Lock for CLock {
    const NAME: &'static str = "FastLock (C ABI)";

    fn new() -> Self {
        Self(UnsafeCell::new([0, 0]), UnsafeCell::new(0), functions()) // FTPOOL_LOCK_INIT
    }

    #[inline(always)]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        // SAFETY: it is initialised.
        unsafe { (self.2.lock)(self.0.get()) };
        // SAFETY: this thread has the lock.
        section(unsafe { &mut *self.1.get() });
        // SAFETY: this thread has the lock.
        unsafe { (self.2.unlock)(self.0.get()) };
    }
}
