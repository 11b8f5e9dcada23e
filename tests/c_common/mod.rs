//! The C functions as tests call them: by a macro, or by objects that are freed when they are dropped.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

use crate::common::Gate;
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::{
    self, ftpool, ftpool_callback, ftpool_config, ftpool_fn, ftpool_result, ftpool_results, ftpool_results_options,
    ftpool_submit_options,
};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr::{null, null_mut};

/// Calls a C function.
macro_rules! c {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: a test passes NULL, or the handle of an object that it has not freed yet, and variables of its own;
        // the arguments of jobs outlive the pool.
        unsafe { fastthreadpool::ffi::$function($($argument),*) }
    }};
}
pub(crate) use c;

/// A minute: what takes longer hangs.
pub(crate) const LIMIT_NS: i64 = 60_000_000_000;

pub(crate) const CONFIG: ftpool_config = ftpool_config {
    size: size_of::<ftpool_config>(),
    workers: 0,
    ordered: 0,
    name: null(),
    stack_size: 0,
    timing: 0,
    start: None,
    stop: None,
    failed: None,
    log: None,
    context: null_mut(),
    policy: 0,
    max_queued: 0,
    policy_timeout_ns: 0,
    low_water: 0,
    high_water: 0,
    water_callback: None,
    water_context: null_mut(),
    clock: null_mut(),
    idle_timeout_ns: 0,
    jobs_per_worker: 0,
    extra_workers: 0,
    overrun: None,
};

pub(crate) const RESULT: ftpool_result = ftpool_result {
    size: size_of::<ftpool_result>(),
    id: 0,
    value: null_mut(),
    error_message: null(),
    queued_ns: 0,
    run_ns: 0,
    outcome: 0,
    error_code: 0,
    arg: null_mut(),
    tick: 0,
    late_by_ns: 0,
};

pub(crate) const SUBMIT_OPTIONS: ftpool_submit_options = ftpool_submit_options {
    size: size_of::<ftpool_submit_options>(),
    results: null_mut(),
    callback: None,
    settle: None,
    callback_context: null_mut(),
    arg_free: None,
    flags: 0,
    group: null_mut(),
    start_within_ns: 0,
    run_limit_ns: 0,
    name: null(),
    delay_ns: 0,
    wall_ns: 0,
    leeway_ns: 0,
};

pub(crate) const RESULTS_OPTIONS: ftpool_results_options = ftpool_results_options {
    size: size_of::<ftpool_results_options>(),
    done_max: 0,
    value_free: None,
    callback: None,
    callback_context: null_mut(),
};

/// A job's value: a number as a pointer.
pub(crate) type Value = *mut c_void;

pub(crate) fn value(number: usize) -> Value {
    std::ptr::without_provenance_mut(number)
}

extern "C" fn call<F: Fn() -> usize + Sync>(argument: *mut c_void) -> Value {
    // SAFETY: the argument is a closure that outlives the pool, and that any thread may call.
    let closure = unsafe { &*argument.cast::<F>() };
    value(closure())
}

/// A closure as a C program passes it: a function and its argument. What it returns is its value.
pub(crate) fn job<F: Fn() -> usize + Sync>(closure: &F) -> (ftpool_fn, *mut c_void) {
    (Some(call::<F>), std::ptr::from_ref(closure).cast_mut().cast())
}

extern "C" fn show<F: Fn(&ftpool_result) -> i32 + Sync>(context: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: the context is a closure that outlives the pool, and that any thread may call.
    let closure = unsafe { &*context.cast::<F>() };
    // SAFETY: the result is the library's, and valid during the call.
    closure(unsafe { &*result })
}

/// A closure as a C program passes a callback: a function and its context.
pub(crate) fn callback<F: Fn(&ftpool_result) -> i32 + Sync>(closure: &F) -> (ftpool_callback, *mut c_void) {
    (Some(show::<F>), std::ptr::from_ref(closure).cast_mut().cast())
}

/// The content of a C string.
pub(crate) fn text(text: *const c_char) -> String {
    assert!(!text.is_null());
    // SAFETY: it is a C string: of the library's, which is read before the library may free it.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().expect("the library speaks UTF-8").to_string()
}

/// Which of the submitting functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Last,
    First,
    Batch,
}

pub(crate) const EVERY_HOW: [How; 3] = [How::Last, How::First, How::Batch];

/// A pool that is freed when it is dropped, while the closures that are its jobs still live.
#[derive(Debug)]
pub(crate) struct CPool<'jobs> {
    handle: *mut ftpool,
    jobs: PhantomData<Cell<&'jobs ()>>,
}

// SAFETY: the header says so: any thread may call.
unsafe impl Send for CPool<'_> {}
// SAFETY: as above.
unsafe impl Sync for CPool<'_> {}

impl<'jobs> CPool<'jobs> {
    pub(crate) fn new(config: *const ftpool_config) -> Result<Self, ftpool_status> {
        let mut handle = std::ptr::dangling_mut();
        let status = c!(ftpool_new(config, &mut handle));
        assert_eq!(handle.is_null(), status != FTPOOL_OK);
        if status == FTPOOL_OK { Ok(Self { handle, jobs: PhantomData }) } else { Err(status) }
    }

    pub(crate) fn of(workers: i32) -> Self {
        Self::new(&ftpool_config { workers, ..CONFIG }).expect("a pool of this size can be made")
    }

    pub(crate) fn handle(&self) -> *mut ftpool {
        self.handle
    }

    /// The job's id, which only success writes.
    pub(crate) fn submit<F>(&self, how: How, closure: &'jobs F) -> Result<u64, ftpool_status>
    where
        F: Fn() -> usize + Sync,
    {
        let ((function, argument), mut id) = (job(closure), u64::MAX);
        let status = match how {
            How::Last => c!(ftpool_submit(self.handle, function, argument, &mut id)),
            How::First => c!(ftpool_submit_first(self.handle, function, argument, &mut id)),
            How::Batch => c!(ftpool_submit_batch(self.handle, function, &argument, 1, &mut id)),
        };
        accepted(status, id)
    }

    /// The caller states that the argument, and what is in the options, outlives the pool.
    pub(crate) fn submit_with(
        &self,
        (function, argument): (ftpool_fn, *mut c_void),
        options: &ftpool_submit_options,
    ) -> Result<u64, ftpool_status> {
        let mut id = u64::MAX;
        accepted(c!(ftpool_submit_with(self.handle, function, argument, options, &mut id)), id)
    }

    pub(crate) fn cancel(&self, id: u64) -> ftpool_status {
        c!(ftpool_cancel(self.handle, id))
    }

    pub(crate) fn wait_idle(&self, timeout_ns: i64) -> ftpool_status {
        c!(ftpool_wait_idle(self.handle, timeout_ns))
    }

    pub(crate) fn shutdown(&self, mode: u32, timeout_ns: i64) -> ftpool_status {
        c!(ftpool_shutdown(self.handle, mode, timeout_ns))
    }

    /// Alive, busy, pending.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [c!(ftpool_alive(self.handle)), c!(ftpool_busy(self.handle)), c!(ftpool_pending(self.handle))]
    }

    pub(crate) fn failed(&self) -> u64 {
        c!(ftpool_failed(self.handle))
    }

    pub(crate) fn results(&self) -> CResults<'jobs> {
        let mut handle = null_mut();
        assert_eq!(c!(ftpool_results_new(self.handle, &mut handle)), FTPOOL_OK);
        assert!(!handle.is_null());
        CResults { handle, jobs: PhantomData }
    }

    pub(crate) fn results_with(
        &self,
        options: *const ftpool_results_options,
    ) -> Result<CResults<'jobs>, ftpool_status> {
        let mut handle = std::ptr::dangling_mut();
        let status = c!(ftpool_results_new_with(self.handle, options, &mut handle));
        assert_eq!(handle.is_null(), status != FTPOOL_OK);
        if status == FTPOOL_OK { Ok(CResults { handle, jobs: PhantomData }) } else { Err(status) }
    }
}

impl Drop for CPool<'_> {
    fn drop(&mut self) {
        c!(ftpool_free(self.handle));
    }
}

fn accepted(status: ftpool_status, id: u64) -> Result<u64, ftpool_status> {
    assert_eq!(id == u64::MAX, status != FTPOOL_OK, "an output is written on success only");
    assert_ne!(id, 0);
    if status == FTPOOL_OK { Ok(id) } else { Err(status) }
}

/// A results object that is freed when it is dropped.
#[derive(Debug)]
pub(crate) struct CResults<'jobs> {
    handle: *mut ftpool_results,
    jobs: PhantomData<Cell<&'jobs ()>>,
}

// SAFETY: the header says so: any thread may call.
unsafe impl Send for CResults<'_> {}
// SAFETY: as above.
unsafe impl Sync for CResults<'_> {}

/// An outcome, copied.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: u64,
    pub(crate) outcome: u32,
    pub(crate) value: usize,
    pub(crate) code: i32,
    pub(crate) message: Option<String>,
}

impl Seen {
    pub(crate) fn of(result: &ftpool_result) -> Self {
        assert_eq!((result.queued_ns, result.run_ns), (0, 0), "nothing is measured");
        let message = (!result.error_message.is_null()).then(|| text(result.error_message));
        let (id, outcome, code) = (result.id, result.outcome, result.error_code);
        Self { id, outcome, value: result.value.addr(), code, message }
    }

    pub(crate) fn done(id: u64, value: usize) -> Self {
        Self { id, outcome: ffi::FTPOOL_OUTCOME_DONE, value, code: 0, message: None }
    }

    pub(crate) fn failed(id: u64, code: i32, message: &str) -> Self {
        Self { id, outcome: ffi::FTPOOL_OUTCOME_FAILED, value: 0, code, message: Some(message.into()) }
    }

    pub(crate) fn cancelled(id: u64) -> Self {
        let (outcome, code) = (ffi::FTPOOL_OUTCOME_CANCELLED, FTPOOL_CANCELLED as i32);
        Self { id, outcome, value: 0, code, message: Some("the job was cancelled before it started".into()) }
    }
}

/// Which of the reading functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Which {
    Any,
    Done,
    Failed,
}

impl<'jobs> CResults<'jobs> {
    pub(crate) fn handle(&self) -> *mut ftpool_results {
        self.handle
    }

    pub(crate) fn submit<F>(&self, how: How, closure: &'jobs F) -> Result<u64, ftpool_status>
    where
        F: Fn() -> usize + Sync,
    {
        let ((function, argument), mut id) = (job(closure), u64::MAX);
        let status = match how {
            How::Last => c!(ftpool_results_submit(self.handle, function, argument, &mut id)),
            How::First => c!(ftpool_results_submit_first(self.handle, function, argument, &mut id)),
            How::Batch => c!(ftpool_results_submit_batch(self.handle, function, &argument, 1, &mut id)),
        };
        accepted(status, id)
    }

    /// Reads one outcome. The size stays, and without success so does all.
    pub(crate) fn read(&self, which: Which, timeout_ns: i64) -> Result<ftpool_result, ftpool_status> {
        let mut result = ftpool_result { id: u64::MAX, ..RESULT };
        let status = match which {
            Which::Any => c!(ftpool_results_next(self.handle, timeout_ns, &mut result)),
            Which::Done => c!(ftpool_results_next_done(self.handle, timeout_ns, &mut result)),
            Which::Failed => c!(ftpool_results_next_failed(self.handle, timeout_ns, &mut result)),
        };
        assert_eq!(result.size, RESULT.size);
        accepted(status, result.id).map(|_| result)
    }

    pub(crate) fn next(&self, which: Which) -> Result<Seen, ftpool_status> {
        self.read(which, LIMIT_NS).map(|result| Seen::of(&result))
    }

    pub(crate) fn take(&self, capacity: usize) -> Vec<Seen> {
        let (mut taken, mut count) = (vec![RESULT; capacity], usize::MAX);
        assert_eq!(c!(ftpool_results_take(self.handle, capacity, taken.as_mut_ptr(), &mut count)), FTPOOL_OK);
        taken[..count].iter().map(Seen::of).collect()
    }

    /// The numbers of outcomes in the done and in the failed queue.
    pub(crate) fn waiting(&self) -> [usize; 2] {
        [c!(ftpool_results_done_count(self.handle)), c!(ftpool_results_failed_count(self.handle))]
    }
}

impl Drop for CResults<'_> {
    fn drop(&mut self) {
        c!(ftpool_results_free(self.handle));
    }
}

/// A job that waits at the gate.
pub(crate) fn waiting(gate: &Gate) -> impl Fn() -> usize + Sync + use<> {
    let door = gate.door();
    move || {
        door.pass();
        0
    }
}
