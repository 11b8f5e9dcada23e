//! Start deadlines and run limits of C jobs: wrong outcomes, leaked arguments, fields that are not checked.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, RESULT, SUBMIT_OPTIONS, Which, c, job, text};
use common::{Count, Gate, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static FREED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn free_arg(_arg: *mut c_void) {
    FREED.fetch_add(1, SeqCst);
}

unsafe extern "C" fn told(context: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: the context is a counter that outlives the pool.
    let count = unsafe { &*context.cast::<AtomicU32>() };
    // SAFETY: the result lives during the call.
    let result = unsafe { &*result };
    assert_eq!((result.outcome, result.error_code), (FTPOOL_OUTCOME_EXPIRED, FTPOOL_TIMEOUT as i32));
    count.fetch_add(1, SeqCst);
    0
}

/// Start deadline, line by line: outcome, code, message, callback, arg_free, job state, counts.
#[test]
fn an_expired_c_job_is_reported_everywhere() {
    within_limit(|| {
        let (gate, calls, mut clock) = (Gate::new(), AtomicU32::new(0), null_mut());
        assert_eq!(c!(ftpool_clock_new(&mut clock)), FTPOOL_OK);
        let door = gate.door();
        let (busy, never) = (
            || {
                door.pass();
                0
            },
            || unreachable!("nobody begins it"),
        );
        let pool = CPool::new(&ftpool_config { workers: 1, clock, ..CONFIG }).unwrap();
        let results = pool.results();
        pool.submit(c_common::How::Last, &busy).unwrap();
        gate.wait_started(1);
        let options = ftpool_submit_options {
            results: results.handle(),
            arg_free: Some(free_arg),
            callback: Some(told),
            callback_context: (&raw const calls).cast_mut().cast(),
            start_within_ns: 1000,
            ..SUBMIT_OPTIONS
        };
        let id = pool.submit_with(job(&never), &options).unwrap();
        let nowhere = ftpool_submit_options { results: null_mut(), ..options };
        pool.submit_with(job(&never), &nowhere).unwrap();
        let ((function, argument), mut handle) = (job(&never), null_mut());
        assert_eq!(c!(ftpool_submit_job_with(pool.handle(), function, argument, &nowhere, &mut handle)), FTPOOL_OK);
        assert_eq!(c!(ftpool_job_state(handle)), FTPOOL_JOB_QUEUED);
        assert_eq!(c!(ftpool_clock_advance(clock, 1000)), FTPOOL_OK);
        assert_eq!((calls.load(SeqCst), FREED.load(SeqCst)), (3, 3));

        let seen = results.next(Which::Any).unwrap();
        assert_eq!((seen.id, seen.outcome, seen.value), (id, FTPOOL_OUTCOME_EXPIRED, 0));
        assert_eq!(seen.message.as_deref(), Some("the job was not started in time"));
        assert_eq!(c!(ftpool_job_state(handle)), FTPOOL_JOB_EXPIRED);
        let mut result = RESULT;
        assert_eq!(c!(ftpool_job_wait(handle, FTPOOL_FOREVER, &mut result)), FTPOOL_OK);
        assert_eq!((result.outcome, result.error_code), (FTPOOL_OUTCOME_EXPIRED, FTPOOL_TIMEOUT as i32));
        assert_eq!(c!(ftpool_job_cancel(handle)), FTPOOL_EMPTY);
        c!(ftpool_job_release(handle));
        assert_eq!((pool.failed(), c!(ftpool_expired(pool.handle()))), (0, 3));
        gate.open();
        drop((results, pool));
        c!(ftpool_clock_free(clock));
    });
}

type Overruns = Mutex<Vec<(u64, String, u64)>>;

unsafe extern "C" fn note(context: *mut c_void, id: u64, name: *const c_char, ran_ns: u64) -> i32 {
    // SAFETY: the context is a list that outlives the pool.
    unsafe { &*context.cast::<Overruns>() }.lock().unwrap().push((id, text(name), ran_ns));
    1
}

/// Run limit: the hook is called once with name and id, and can ask the job to stop.
#[test]
fn a_c_job_that_overruns_is_told_of_and_asked_to_stop() {
    within_limit(|| {
        let (overruns, begun) = (Overruns::default(), Count::new());
        let context = (&raw const overruns).cast_mut().cast();
        let endless = || {
            begun.add();
            while ftpool_self_cancelled() == 0 {
                std::thread::yield_now();
            }
            7
        };
        let pool = CPool::new(&ftpool_config { workers: 1, overrun: Some(note), context, ..CONFIG }).unwrap();
        for name in [c"backup".as_ptr(), null()] {
            let options = ftpool_submit_options { run_limit_ns: 2_000_000, name, ..SUBMIT_OPTIONS };
            let ((function, argument), mut handle, mut result) = (job(&endless), null_mut(), RESULT);
            assert_eq!(c!(ftpool_submit_job_with(pool.handle(), function, argument, &options, &mut handle)), FTPOOL_OK);
            assert_eq!(c!(ftpool_job_wait(handle, FTPOOL_FOREVER, &mut result)), FTPOOL_OK);
            assert_eq!((result.outcome, result.value as usize), (FTPOOL_OUTCOME_DONE, 7));
            let told = overruns.lock().unwrap().pop().unwrap();
            let expected = if name.is_null() { "" } else { "backup" };
            assert_eq!((told.0, told.1.as_str()), (c!(ftpool_job_get_id(handle)), expected));
            assert!(told.2 >= 2_000_000 && overruns.lock().unwrap().is_empty());
            c!(ftpool_job_release(handle));
        }
        assert_eq!(begun.get(), 2);
    });
}

/// Invalid options are refused, and nothing is taken.
#[test]
fn options_that_make_no_sense_for_a_deadline_or_a_handle_are_refused() {
    within_limit(|| {
        let never = || unreachable!("it was refused");
        let pool = CPool::of(1);
        let results = pool.results();
        for (start_within_ns, run_limit_ns) in [(-1, 0), (0, -1), (i64::MIN, i64::MIN)] {
            let options = ftpool_submit_options { start_within_ns, run_limit_ns, ..SUBMIT_OPTIONS };
            assert_eq!(pool.submit_with(job(&never), &options), Err(FTPOOL_E_INVALID));
        }
        let ((function, argument), mut handle) = (job(&never), std::ptr::dangling_mut());
        let somewhere = ftpool_submit_options { results: results.handle(), ..SUBMIT_OPTIONS };
        let flagged = |flags| ftpool_submit_options { flags, ..SUBMIT_OPTIONS };
        for options in [somewhere, flagged(FTPOOL_SUBMIT_EMITS), flagged(32)] {
            let status = c!(ftpool_submit_job_with(pool.handle(), function, argument, &options, &mut handle));
            assert_eq!(status, FTPOOL_E_INVALID);
            assert!(handle.is_null());
        }
        assert_eq!(
            c!(ftpool_submit_job_with(pool.handle(), function, argument, &SUBMIT_OPTIONS, null_mut())),
            FTPOOL_E_INVALID
        );
        assert_eq!(c!(ftpool_submit_job_with(null_mut(), function, argument, null(), &mut handle)), FTPOOL_E_INVALID);
    });
}

/// A handle to a job without options, in a group, before others.
#[test]
fn a_handle_may_come_with_no_options_or_a_place_before_others() {
    within_limit(|| {
        let gate = Gate::new();
        let (door, order) = (gate.door(), Mutex::new(Vec::new()));
        let note = |number| move |order: &Mutex<Vec<usize>>| order.lock().unwrap().push(number);
        let (first, last) = (note(1), note(2));
        let busy = || {
            door.pass();
            0
        };
        let (first, last) = (
            || {
                first(&order);
                1
            },
            || {
                last(&order);
                2
            },
        );
        let pool = CPool::of(1);
        pool.submit(c_common::How::Last, &busy).unwrap();
        gate.wait_started(1);
        let flags = ftpool_submit_options { flags: FTPOOL_SUBMIT_FIRST, ..SUBMIT_OPTIONS };
        let (mut jobs, (f2, a2), (f1, a1)) = ([null_mut(); 2], job(&last), job(&first));
        assert_eq!(c!(ftpool_submit_job_with(pool.handle(), f2, a2, null(), &mut jobs[1])), FTPOOL_OK);
        assert_eq!(c!(ftpool_submit_job_with(pool.handle(), f1, a1, &flags, &mut jobs[0])), FTPOOL_OK);
        gate.open();
        for (job, value) in jobs.into_iter().zip([1, 2]) {
            let mut result = RESULT;
            assert_eq!(c!(ftpool_job_wait(job, FTPOOL_FOREVER, &mut result)), FTPOOL_OK);
            assert_eq!(result.value as usize, value);
            c!(ftpool_job_release(job));
        }
        assert_eq!(*order.lock().unwrap(), [1, 2]);
    });
}
