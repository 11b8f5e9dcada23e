//! Pools of C and C++, each compiled by `build.rs` where its library is installed.

use crate::rival::{Entrant, Rival};
use crate::tally::record;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::Arc;

/// `struct Rival` of `native/rival.h`.
#[repr(C)]
struct Table {
    make: unsafe extern "C" fn(c_int) -> *mut c_void,
    submit: unsafe extern "C" fn(*mut c_void, usize, usize, extern "C" fn(usize)),
    drop: unsafe extern "C" fn(*mut c_void),
}

/// Somebody who takes part if installed.
struct Native {
    name: &'static str,
    package: &'static str,
    goal: f64,
    table: Option<&'static Table>,
}

macro_rules! native {
    ($name:literal, $package:literal, $goal:literal, $cfg:ident, $symbol:ident) => {{
        #[cfg($cfg)]
        let table = {
            unsafe extern "C" {
                static $symbol: Table;
            }
            // SAFETY: a constant of this type, compiled in.
            Some(unsafe { &$symbol })
        };
        #[cfg(not($cfg))]
        let table = None;
        Native { name: $name, package: $package, goal: $goal, table }
    }};
}

fn all() -> [Native; 6] {
    [
        native!("oneTBB enqueue", "libtbb-dev", 0.125, native_tbb, rival_tbb),
        native!("libuv queue_work", "libuv1-dev", 0.125, native_uv, rival_uv),
        native!("GLib GThreadPool", "libglib2.0-dev", 0.10, native_glib, rival_glib),
        native!("Boost.Asio post", "libboost-dev", 0.10, native_asio, rival_asio),
        native!("C-Thread-Pool", "cthreadpool-dev", 0.10, native_thpool, rival_thpool),
        native!("thread_pool (C++)", "libthread-pool-dev", 0.10, native_thread_pool, rival_thread_pool),
    ]
}

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
    all().into_iter().filter_map(|Native { name, goal, table, .. }| {
        let table = table?;
        let pool = move |workers: usize| -> Arc<dyn Rival> {
            let workers = workers.try_into().expect("a number of workers");
            // SAFETY: the function takes any number of workers above 0.
            Arc::new(NativePool { table, pool: unsafe { (table.make)(workers) } })
        };
        Some(Entrant { name, goal: Some(goal), pool: Box::new(pool) })
    })
}

/// One line for each that is not.
pub fn missing() -> impl Iterator<Item = String> {
    let missing = all().into_iter().filter(|native| native.table.is_none());
    missing.map(|native| format!("{}: not installed (apt-get install {})", native.name, native.package))
}
