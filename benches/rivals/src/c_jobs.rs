//! Jobs by the C ABI whose values are wanted.

use crate::c_abi::{CApi, JobFn, OK, Outcome};
use std::ffi::c_void;
use std::ptr;

/// A pool and a results object that stay to the end of the process.
pub struct CJobs {
    api: &'static CApi,
    pool: *mut c_void,
    results: *mut c_void,
}

extern "C" fn identity(argument: *mut c_void) -> *mut c_void {
    argument
}

/// FTPOOL_FOREVER.
const FOREVER: i64 = -1;

impl CJobs {
    pub fn new(api: &'static CApi, workers: usize) -> Self {
        Self { api, pool: api.new_pool(workers), results: api.results_of_a_new_pool(workers) }
    }

    /// Submits a job for each number below `jobs`, waits for the handles, and adds up what they returned.
    pub fn sum_of_handles(&self, jobs: usize) -> usize {
        let all: Vec<_> = (0..jobs).map(|n| self.submit(identity, n)).collect();
        all.into_iter().map(|job| self.join(job).addr()).sum()
    }

    /// What one job returns; its argument is NULL.
    pub fn value_of(&self, function: JobFn) -> *mut c_void {
        self.join(self.submit(function, 0))
    }

    fn submit(&self, function: JobFn, argument: usize) -> *mut c_void {
        let (mut job, argument) = (ptr::null_mut(), ptr::without_provenance_mut(argument));
        // SAFETY: the pool lives, the function takes the argument, and there is room for a pointer.
        let status = unsafe { (self.api.submit_job)(self.pool, function, argument, &mut job) };
        assert_eq!(status, OK, "ftpool_submit_job");
        job
    }

    /// The handle goes.
    fn join(&self, job: *mut c_void) -> *mut c_void {
        let mut outcome = Outcome::new();
        // SAFETY: `submit` gave the handle, which nobody uses after this, and the outcome says its size.
        let status = unsafe { (self.api.job_join)(job, FOREVER, &mut outcome) };
        assert_eq!(status, OK, "ftpool_job_join");
        outcome.value
    }

    /// Maps all numbers below `items` to themselves, and adds up.
    pub fn map_and_sum(&self, items: usize) -> usize {
        let arguments: Vec<*mut c_void> = (0..items).map(ptr::without_provenance_mut).collect();
        let mut values = vec![ptr::null_mut(); items];
        // SAFETY: the pool lives, there are so many arguments, and there is room for so many values.
        let status = unsafe { (self.api.map)(self.pool, identity, arguments.as_ptr(), items, values.as_mut_ptr()) };
        assert_eq!(status, OK, "ftpool_map");
        values.into_iter().map(<*mut c_void>::addr).sum()
    }

    /// Submits a job for each number below `items` to the results object, reads all outcomes, and adds up.
    pub fn submit_and_sum(&self, items: usize) -> usize {
        for n in 0..items {
            let argument = ptr::without_provenance_mut(n);
            // SAFETY: the results object lives, the job takes a number for its argument, and no id is wanted.
            let status = unsafe { (self.api.results_submit)(self.results, identity, argument, ptr::null_mut()) };
            assert_eq!(status, OK, "ftpool_results_submit");
        }
        let (mut sum, mut read) = (0, 0);
        let mut some = [Outcome::new(); 256];
        while read < items {
            let mut count = 0;
            // SAFETY: the results object lives, and the first outcome says its size.
            let status = unsafe { (self.api.results_next)(self.results, FOREVER, &mut some[0]) };
            assert_eq!(status, OK, "ftpool_results_next");
            // SAFETY: as above; there is room for the rest.
            let status = unsafe { (self.api.results_take)(self.results, some.len() - 1, &mut some[1], &mut count) };
            assert_eq!(status, OK, "ftpool_results_take");
            sum += some[..=count].iter().map(|outcome| outcome.value.addr()).sum::<usize>();
            read += count + 1;
        }
        sum
    }
}
