//! Several copies of the library in one process, as a program and its plugins may have them: this test contains one and
//! loads two more.
#![cfg(all(feature = "capi", target_os = "linux"))]

mod common;

use common::within_limit;
use fastthreadpool::ffi::*;
use std::cell::UnsafeCell;
use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::{env, fs, thread};

type OnLock = unsafe extern "C" fn(*mut ftpool_lock);
type Acquire = unsafe extern "C" fn(*mut ftpool_semaphore) -> i32;
type Release = unsafe extern "C" fn(*mut ftpool_semaphore, u32) -> i32;
type New = unsafe extern "C" fn(*const ftpool_config, *mut *mut ftpool) -> i32;
type Submit = unsafe extern "C" fn(*mut ftpool, ftpool_fn, *mut c_void, *mut u64) -> i32;
type Free = unsafe extern "C" fn(*mut ftpool);
type ShutdownAll = unsafe extern "C" fn(u32, i64) -> i32;

/// Some functions of one copy.
#[derive(Clone, Copy)]
struct Copy {
    lock: OnLock,
    unlock: OnLock,
    acquire: Acquire,
    release: Release,
    new: New,
    submit: Submit,
    free: Free,
    shutdown_all: ShutdownAll,
}

/// A function of a loaded library.
fn symbol(library: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the library stays loaded, and the name is a C string.
    let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!symbol.is_null(), "{name:?} is missing");
    symbol
}

macro_rules! load {
    ($library:expr, $name:literal, $type:ty) => {
        // SAFETY: the header declares it with this type.
        unsafe { std::mem::transmute::<*mut c_void, $type>(symbol($library, $name)) }
    };
}

impl Copy {
    fn load(path: &Path) -> Self {
        let path = CString::new(path.to_str().expect("cargo's paths are readable")).expect("without zeroes");
        // SAFETY: our own library does nothing harmful when it is loaded. It is never unloaded.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!library.is_null(), "{path:?} cannot be loaded");
        Self {
            lock: load!(library, c"ftpool_lock_acquire", OnLock),
            unlock: load!(library, c"ftpool_lock_release", OnLock),
            acquire: load!(library, c"ftpool_semaphore_acquire", Acquire),
            release: load!(library, c"ftpool_semaphore_release", Release),
            new: load!(library, c"ftpool_new", New),
            submit: load!(library, c"ftpool_submit", Submit),
            free: load!(library, c"ftpool_free", Free),
            shutdown_all: load!(library, c"ftpool_shutdown_all", ShutdownAll),
        }
    }
}

/// The library that cargo built along with the test, and another file of it, which the loader takes for another
/// library.
fn two_more(test: &str) -> [Copy; 2] {
    let library = env::current_exe().expect("a test knows its own path").with_file_name("libfastthreadpool.so");
    let other = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("copy-{test}-{}.so", std::process::id()));
    fs::copy(&library, &other).expect("cargo builds it with the tests");
    let copies = [Copy::load(&library), Copy::load(&other)];
    fs::remove_file(&other).expect("it was just made");
    assert!(copies[0].lock as usize != copies[1].lock as usize, "both are one");
    copies
}

/// Shared by threads that call different copies.
struct Shared {
    lock: UnsafeCell<ftpool_lock>,
    semaphore: UnsafeCell<ftpool_semaphore>,
    counts: [UnsafeCell<usize>; 2],
}

// SAFETY: a count is changed by who has the lock, or the only permit.
unsafe impl Sync for Shared {}

impl Shared {
    fn count(&self, which: usize) {
        // SAFETY: the caller has the lock or the permit.
        unsafe { *self.counts[which].get() += 1 };
    }
}

/// Each copy chooses its own fence mode; a lock's two sides may use different ones.
#[test]
fn copies_share_a_lock_and_a_semaphore() {
    within_limit(|| {
        const ROUNDS: usize = 20_000;
        let shared = Shared {
            lock: UnsafeCell::new(ftpool_lock { opaque: [0; 2] }),
            semaphore: UnsafeCell::new(ftpool_semaphore { opaque: [1, 0, 0, 0] }),
            counts: [UnsafeCell::new(0), UnsafeCell::new(0)],
        };
        let own = |shared: &Shared| {
            // SAFETY: zeroes are a free lock.
            unsafe { ftpool_lock_acquire(shared.lock.get()) };
            shared.count(0);
            // SAFETY: as above.
            unsafe { ftpool_lock_release(shared.lock.get()) };
            // SAFETY: it was initialised as FTPOOL_SEMAPHORE_INIT(1) does.
            unsafe { ftpool_semaphore_acquire(shared.semaphore.get()) };
            shared.count(1);
            // SAFETY: as above.
            unsafe { ftpool_semaphore_release(shared.semaphore.get(), 1) };
        };
        let foreign = |copy: Copy, shared: &Shared| {
            // SAFETY: as in `own`.
            unsafe { (copy.lock)(shared.lock.get()) };
            shared.count(0);
            // SAFETY: as in `own`.
            unsafe { (copy.unlock)(shared.lock.get()) };
            // SAFETY: as in `own`.
            unsafe { (copy.acquire)(shared.semaphore.get()) };
            shared.count(1);
            // SAFETY: as in `own`.
            unsafe { (copy.release)(shared.semaphore.get(), 1) };
        };
        let shared = &shared;
        thread::scope(|scope| {
            scope.spawn(move || (0..ROUNDS).for_each(|_| own(shared)));
            for copy in two_more("lock") {
                scope.spawn(move || (0..ROUNDS).for_each(|_| foreign(copy, shared)));
            }
        });
        // SAFETY: the threads have ended.
        let counts = [0, 1].map(|which| unsafe { *shared.counts[which].get() });
        assert_eq!(counts, [3 * ROUNDS; 2]);
    });
}

extern "C" fn note(argument: *mut c_void) -> *mut c_void {
    // SAFETY: the argument is a count that outlives the pools.
    unsafe { &*argument.cast::<AtomicUsize>() }.fetch_add(1, SeqCst);
    null_mut()
}

/// Pools of several copies run side by side, and a call on all pools of one copy does not affect the others'.
#[test]
fn copies_have_pools_of_their_own() {
    within_limit(|| {
        const JOBS: usize = 1000;
        let copies = two_more("pools");
        let count = AtomicUsize::new(0);
        let argument = (&raw const count).cast_mut().cast();
        let pools = copies.map(|copy| {
            let mut pool = null_mut();
            // SAFETY: all defaults, and a place for the handle.
            assert_eq!(unsafe { (copy.new)(null(), &mut pool) }, 0);
            pool
        });
        let own = fastthreadpool::Pool::new().expect("the system has threads");
        let submit = |copy: Copy, pool| {
            // SAFETY: the pool is not freed yet, and the count outlives it.
            unsafe { (copy.submit)(pool, Some(note), argument, null_mut()) }
        };
        for _ in 0..JOBS {
            own.spawn(|| {}).expect("it is open");
            assert_eq!([submit(copies[0], pools[0]), submit(copies[1], pools[1])], [0; 2]);
        }
        // SAFETY: any thread may call it.
        assert_eq!(unsafe { (copies[0].shutdown_all)(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER) }, 0);
        assert_ne!(submit(copies[0], pools[0]), 0, "its own are closed");
        assert_eq!(submit(copies[1], pools[1]), 0, "the other's are not");
        own.spawn(|| {}).expect("nor is this one's");
        for (copy, pool) in copies.into_iter().zip(pools) {
            // SAFETY: it is freed once.
            unsafe { (copy.free)(pool) };
        }
        assert_eq!(count.into_inner(), 2 * JOBS + 1);
    });
}
