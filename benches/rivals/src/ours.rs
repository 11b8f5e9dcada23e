//! fastthreadpool, by both of its faces.

use crate::c_abi::{CApi, OK};
use crate::rival::Rival;
use crate::tally::{Round, record};
use fastthreadpool::{Group, Policy, Pool, Priority};
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::time::Duration;

/// Longer than any round takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the footprint needs beyond a race.
pub trait Ours: Rival {
    /// Submits some other job.
    fn run(&self, job: fn());
}

/// By the Rust API.
pub struct RustPool(Pool);

impl RustPool {
    pub fn new(workers: usize) -> Self {
        let workers = workers.try_into().expect("a number of workers");
        Self(Pool::builder().workers(workers).build().expect("a valid number of workers"))
    }

    /// With a bound on queued jobs.
    pub fn bounded(workers: usize, most: usize, policy: Policy) -> Self {
        let workers = workers.try_into().expect("a number of workers");
        Self(Pool::builder().workers(workers).max_queued(most, policy).build().expect("a valid number of workers"))
    }

    /// Whose jobs all go to one group without a limit of its own.
    pub fn grouped(workers: usize) -> Grouped {
        let pool = Self::new(workers);
        Grouped(pool.0.group(0, Priority::Normal), pool)
    }
}

/// A group of a pool.
pub struct Grouped(Group, RustPool);

impl Rival for Grouped {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.spawn(move || record(index)).expect("the pool is open");
        }
    }

    fn wait(&self, round: &Round) -> Result<(), String> {
        self.1.wait(round)
    }
}

impl Rival for RustPool {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.spawn(move || record(index)).expect("the pool is open");
        }
    }

    fn wait(&self, _round: &Round) -> Result<(), String> {
        self.0.wait_idle(PATIENCE).map_err(|error| error.to_string())?;
        (self.0.failed() == 0).then_some(()).ok_or("a job failed".into())
    }
}

impl Ours for RustPool {
    fn run(&self, job: fn()) {
        self.0.spawn(job).expect("the pool is open");
    }
}

/// By the C ABI.
pub struct CPool {
    api: &'static CApi,
    pool: *mut c_void,
}

// SAFETY: a pool may be used from every thread.
unsafe impl Send for CPool {}
// SAFETY: a pool may be used from several threads at once.
unsafe impl Sync for CPool {}

impl CPool {
    pub fn new(api: &'static CApi, workers: usize) -> Self {
        Self { api, pool: api.new_pool(workers) }
    }
}

extern "C" fn record_index(index: *mut c_void) -> *mut c_void {
    record(index.addr());
    ptr::null_mut()
}

extern "C" fn call(job: *mut c_void) -> *mut c_void {
    // SAFETY: `CPool::run` made the pointer of a function.
    let job = unsafe { std::mem::transmute::<*mut c_void, fn()>(job) };
    job();
    ptr::null_mut()
}

impl Rival for CPool {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            let argument = ptr::without_provenance_mut(index);
            // SAFETY: the pool lives, the job takes a number for its argument, and no id is wanted.
            let status = unsafe { (self.api.submit)(self.pool, record_index, argument, ptr::null_mut()) };
            assert_eq!(status, OK, "ftpool_submit");
        }
    }

    fn wait(&self, _round: &Round) -> Result<(), String> {
        // SAFETY: the pool lives.
        let status = unsafe { (self.api.wait_idle)(self.pool, PATIENCE.as_nanos() as i64) };
        if status == OK { Ok(()) } else { Err(format!("ftpool_wait_idle: {status}")) }
    }
}

impl Ours for CPool {
    fn run(&self, job: fn()) {
        // SAFETY: the pool lives, and the job takes a function for its argument.
        let status = unsafe { (self.api.submit)(self.pool, call, job as *mut c_void, ptr::null_mut()) };
        assert_eq!(status, OK, "ftpool_submit");
    }
}

impl Drop for CPool {
    fn drop(&mut self) {
        // SAFETY: nobody can use the pool after this.
        unsafe { (self.api.free)(self.pool) }
    }
}
