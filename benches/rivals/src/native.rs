//! Pools of C and C++, each compiled by `build.rs` where its library is installed.

use crate::machine::said;
use crate::rival::{Entrant, Rival};
use crate::tally::record;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

/// `struct Rival` of `native/rival.h`.
#[repr(C)]
struct Table {
    make: unsafe extern "C" fn(c_int) -> *mut c_void,
    submit: unsafe extern "C" fn(*mut c_void, usize, usize, extern "C" fn(usize)),
    drop: unsafe extern "C" fn(*mut c_void),
}

/// `struct Handles`.
#[repr(C)]
struct HandlesTable {
    make: unsafe extern "C" fn(c_int) -> *mut c_void,
    sum: unsafe extern "C" fn(*mut c_void, usize) -> usize,
    drop: unsafe extern "C" fn(*mut c_void),
}

type Square = extern "C" fn(usize) -> usize;
type Keep = unsafe extern "C" fn(*mut c_void, usize, usize);

/// `struct Outcomes`.
#[repr(C)]
struct OutcomesTable {
    make: unsafe extern "C" fn(c_int) -> *mut c_void,
    submit: unsafe extern "C" fn(*mut c_void, usize, Square),
    read: unsafe extern "C" fn(*mut c_void, Keep, *mut c_void) -> usize,
    drop: unsafe extern "C" fn(*mut c_void),
}

/// The constant of that name, if it was compiled in.
macro_rules! table {
    ($cfg:ident, $symbol:ident: $table:ty) => {{
        #[cfg($cfg)]
        let table = {
            unsafe extern "C" {
                static $symbol: $table;
            }
            // SAFETY: a constant of this type, compiled in.
            Some(unsafe { &$symbol })
        };
        #[cfg(not($cfg))]
        let table = None;
        table
    }};
}

/// Somebody who takes part if installed.
struct Native {
    name: &'static str,
    /// What to install; a package of Debian's, unless it says otherwise.
    package: &'static str,
    goal: Option<f64>,
    one_in: usize,
    table: Option<&'static Table>,
}

impl Native {
    const fn new(name: &'static str, package: &'static str, goal: f64, table: Option<&'static Table>) -> Self {
        Self { name, package, goal: Some(goal), one_in: 1, table }
    }

    /// A thread for each job: a hundredth of the jobs takes as long as all of others.
    const fn slow(name: &'static str, table: Option<&'static Table>) -> Self {
        Self { name, package: "g++", goal: None, one_in: 100, table }
    }
}

fn all() -> [Native; 11] {
    [
        Native::new("oneTBB enqueue", "libtbb-dev", 0.125, table!(native_tbb, rival_tbb: Table)),
        Native::new("libuv queue_work", "libuv1-dev", 0.125, table!(native_uv, rival_uv: Table)),
        Native::new("GLib GThreadPool", "libglib2.0-dev", 0.10, table!(native_glib, rival_glib: Table)),
        Native::new("Boost.Asio post", "libboost-dev", 0.10, table!(native_asio, rival_asio: Table)),
        Native::new("C-Thread-Pool", "cthreadpool-dev", 0.10, table!(native_thpool, rival_thpool: Table)),
        Native::new(
            "thread_pool (C++)",
            "libthread-pool-dev",
            0.10,
            table!(native_thread_pool, rival_thread_pool: Table),
        ),
        Native::new("Taskflow silent_async", TASKFLOW, 0.10, table!(native_taskflow, rival_taskflow: Table)),
        Native::new("BS::thread_pool detach", BS, 0.10, table!(native_bs, rival_bs: Table)),
        Native { goal: None, ..Native::new("OpenMP tasks", "g++", 1.0, table!(native_omp, rival_omp: Table)) },
        Native::slow("std::async (1 job in 100)", table!(native_async, rival_async: Table)),
        Native::slow("pthread per job (1 job in 100)", table!(native_pthread, rival_pthread: Table)),
    ]
}

const TASKFLOW: &str = "headers: https://github.com/taskflow/taskflow, RIVALS_INCLUDE=folder";
const BS: &str = "header: https://github.com/bshoshany/thread-pool, RIVALS_INCLUDE=folder";

/// A pool behind such a table.
struct NativePool {
    table: &'static Table,
    pool: *mut c_void,
}

// SAFETY: the pools are made for submits from any thread.
unsafe impl Send for NativePool {}
// SAFETY: as above, several at once.
unsafe impl Sync for NativePool {}

extern "C" fn job(index: usize) {
    record(index);
}

impl Rival for NativePool {
    fn submit(&self, indices: Range<usize>) {
        // SAFETY: the pool lives, and the job may be called with every index on any thread.
        unsafe { (self.table.submit)(self.pool, indices.start, indices.end, job) };
    }
}

impl Drop for NativePool {
    fn drop(&mut self) {
        // SAFETY: nobody uses the pool after this, and all its jobs have run.
        unsafe { (self.table.drop)(self.pool) };
    }
}

/// Those that are installed.
pub fn entrants() -> impl Iterator<Item = Entrant> {
    all().into_iter().filter_map(|Native { name, goal, one_in, table, .. }| {
        let table = table?;
        let pool = move |workers: usize| -> Arc<dyn Rival> {
            let workers = workers.try_into().expect("a number of workers");
            // SAFETY: the function takes any number of workers above 0.
            Arc::new(NativePool { table, pool: unsafe { (table.make)(workers) } })
        };
        Some(Entrant { name, goal, one_in, pool: Box::new(pool) })
    })
}

/// One line for each that is not.
pub fn missing() -> impl Iterator<Item = String> {
    let missing = all().into_iter().filter(|native| native.table.is_none());
    missing.map(|Native { name, package, .. }| match package.contains(' ') {
        true => format!("{name}: not installed ({package})"),
        false => format!("{name}: not installed (apt-get install {package})"),
    })
}

/// The versions of Debian's packages that are there.
pub fn versions() -> impl Iterator<Item = (String, String)> {
    let packages = all().into_iter().map(|native| native.package).filter(|package| !package.contains(' '));
    packages.filter_map(|package| {
        Some((package.into(), said("dpkg-query", &["--showformat", "${Version}", "--show", package])?))
    })
}

/// A pool whose jobs have futures.
pub struct Handles {
    pub name: &'static str,
    /// A thread for each job.
    pub slow: bool,
    table: &'static HandlesTable,
    pool: *mut c_void,
}

impl Handles {
    /// Submits `jobs` jobs that return their numbers, waits for all, and returns the sum.
    pub fn sum(&self, jobs: usize) -> usize {
        // SAFETY: the pool lives.
        unsafe { (self.table.sum)(self.pool, jobs) }
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        // SAFETY: nobody uses the pool after this, and all its jobs have run.
        unsafe { (self.table.drop)(self.pool) };
    }
}

/// Those that are installed, with so many workers.
pub fn handles(workers: usize) -> Vec<Handles> {
    let all: [(_, Option<&'static HandlesTable>); 4] = [
        ("thread_pool (C++), std::future", table!(native_thread_pool, handles_thread_pool: HandlesTable)),
        ("Taskflow async", table!(native_taskflow, handles_taskflow: HandlesTable)),
        ("BS::thread_pool submit_task", table!(native_bs, handles_bs: HandlesTable)),
        ("std::async (1 job in 100)", table!(native_async, handles_async: HandlesTable)),
    ];
    let make = |(name, table): (&'static str, Option<&'static HandlesTable>)| {
        let table = table?;
        // SAFETY: the function takes any number of workers above 0.
        let pool = unsafe { (table.make)(workers as c_int) };
        Some(Handles { name, slow: name.starts_with("std::async"), table, pool })
    };
    all.into_iter().filter_map(make).collect()
}

/// A pool whose outcomes come back through a queue.
pub struct Outcomes {
    pub name: &'static str,
    table: &'static OutcomesTable,
    pool: *mut c_void,
}

impl Outcomes {
    /// Submits a number to be squared.
    pub fn submit(&self, number: usize, square: Square) {
        // SAFETY: the pool lives, and the function may be called with every number on any thread.
        unsafe { (self.table.submit)(self.pool, number, square) };
    }

    /// Waits for one outcome at least, and hands on all that it gets.
    pub fn read(&self, mut keep: &mut dyn FnMut(usize, usize)) -> usize {
        unsafe extern "C" fn call(to: *mut c_void, number: usize, square: usize) {
            // SAFETY: `read` gave this reference, which outlives the call, and nobody else uses it meanwhile.
            let keep = unsafe { &mut *to.cast::<&mut dyn FnMut(usize, usize)>() };
            keep(number, square);
        }
        // SAFETY: the pool lives, and `call` takes what is given to it.
        unsafe { (self.table.read)(self.pool, call, ptr::from_mut(&mut keep).cast()) }
    }
}

impl Drop for Outcomes {
    fn drop(&mut self) {
        // SAFETY: nobody uses the pool after this, and all its jobs have run.
        unsafe { (self.table.drop)(self.pool) };
    }
}

/// Those that are installed, with so many workers.
pub fn outcomes(workers: usize) -> Vec<Outcomes> {
    let all: [(_, Option<&'static OutcomesTable>); 2] = [
        ("GThreadPool + GAsyncQueue", table!(native_glib, outcomes_glib: OutcomesTable)),
        ("libuv, callback when done", table!(native_uv, outcomes_uv: OutcomesTable)),
    ];
    let make = |(name, table): (&'static str, Option<&'static OutcomesTable>)| {
        let table = table?;
        // SAFETY: the function takes any number of workers above 0.
        Some(Outcomes { name, table, pool: unsafe { (table.make)(workers as c_int) } })
    };
    all.into_iter().filter_map(make).collect()
}
