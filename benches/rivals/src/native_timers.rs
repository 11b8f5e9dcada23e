//! Timers of C and C++, each compiled by `build.rs` where its library is installed.

use std::ffi::c_void;
use std::time::Duration;

/// `struct Timers` of `native/timers.h`.
#[repr(C)]
struct Table {
    make: unsafe extern "C" fn() -> *mut c_void,
    insert: unsafe extern "C" fn(*mut c_void, usize, u64, extern "C" fn(usize)),
    cancel: unsafe extern "C" fn(*mut c_void, usize),
    reset: unsafe extern "C" fn(*mut c_void, usize, u64),
    fire: unsafe extern "C" fn(*mut c_void),
    look: unsafe extern "C" fn(*mut c_void),
    wait: unsafe extern "C" fn(*mut c_void),
    drop: unsafe extern "C" fn(*mut c_void),
}

/// Somebody who takes part.
#[derive(Clone, Copy)]
pub struct Entrant {
    pub name: &'static str,
    table: &'static Table,
}

/// Those whose libraries are installed: libuv1-dev, libboost-dev.
pub fn installed() -> Vec<Entrant> {
    Vec::from([
        #[cfg(native_uv_timers)]
        Entrant {
            name: "libuv timers (one thread only)",
            // SAFETY: a constant of this type, compiled in.
            table: unsafe { &timers_uv },
        },
        #[cfg(native_asio_timers)]
        Entrant {
            name: "Boost.Asio steady_timer (one thread only)",
            // SAFETY: as above.
            table: unsafe { &timers_asio },
        },
    ])
}

unsafe extern "C" {
    #[cfg(native_uv_timers)]
    static timers_uv: Table;
    #[cfg(native_asio_timers)]
    static timers_asio: Table;
}

/// Timers behind such a table, used by the thread that has made them.
#[derive(Debug)]
pub struct Timers {
    table: *const Table,
    timers: *mut c_void,
    inserted: usize,
}

impl Entrant {
    pub fn make(self) -> Timers {
        // SAFETY: the table's contract: it may be called at any time.
        Timers { table: self.table, timers: unsafe { (self.table.make)() }, inserted: 0 }
    }
}

fn nanos(delay: Duration) -> u64 {
    delay.as_nanos() as u64
}

impl Timers {
    fn table(&self) -> &'static Table {
        // SAFETY: it came from a reference to a constant.
        unsafe { &*self.table }
    }

    /// Calls `job` with its number: they count from 0.
    pub fn insert(&mut self, delay: Duration, job: extern "C" fn(usize)) -> usize {
        let number = self.inserted;
        self.inserted += 1;
        // SAFETY: the timers live, and numbers come in order.
        unsafe { (self.table().insert)(self.timers, number, nanos(delay), job) };
        number
    }

    /// It must wait.
    pub fn cancel(&mut self, number: usize) {
        assert!(number < self.inserted);
        // SAFETY: the timers live, and one has this number.
        unsafe { (self.table().cancel)(self.timers, number) };
    }

    /// It must wait.
    pub fn reset(&mut self, number: usize, delay: Duration) {
        assert!(number < self.inserted);
        // SAFETY: the timers live, and one has this number.
        unsafe { (self.table().reset)(self.timers, number, nanos(delay)) };
    }

    /// Lets time pass until everything that waits was called.
    pub fn fire(&mut self) {
        // SAFETY: the timers live.
        unsafe { (self.table().fire)(self.timers) };
    }

    /// Looks at the clock, as a loop does before it calls anybody.
    pub fn look(&mut self) {
        // SAFETY: the timers live.
        unsafe { (self.table().look)(self.timers) };
    }

    /// Waits until a job was called.
    pub fn wait(&mut self) {
        // SAFETY: the timers live.
        unsafe { (self.table().wait)(self.timers) };
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        // SAFETY: nobody uses them any more.
        unsafe { (self.table().drop)(self.timers) };
    }
}
