//! C loops that fail: their code and message reach the thread that called them.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CPool, LIMIT_NS, RESULT, c, job, text, value};
use common::within_limit;
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::{from_ref, null, null_mut};
use std::sync::Barrier;

const ITEMS: usize = 2_000;

/// What the calling thread's last failed loop tells: the outcome, the code and the message.
fn failure() -> Result<(u32, i32, String), ftpool_status> {
    let mut result = ftpool_result { id: 7, value: value(7), ..RESULT };
    match c!(ftpool_loop_failure(&mut result)) {
        FTPOOL_OK => {
            assert_eq!((result.id, result.value, result.tick), (0, null_mut(), 0));
            Ok((result.outcome, result.error_code, text(result.error_message)))
        }
        status => Err(status),
    }
}

fn told(code: i32, message: &str) -> Result<(u32, i32, String), ftpool_status> {
    Ok((FTPOOL_OUTCOME_FAILED, code, message.into()))
}

fn fail_last(i: usize) {
    (0..500).for_each(|_| std::hint::spin_loop());
    if i == ITEMS - 1 {
        assert_eq!(c!(ftpool_fail(3, c"no space".as_ptr())), FTPOOL_OK);
    }
}

extern "C" fn one(_context: *mut c_void, i: usize) {
    fail_last(i);
}

extern "C" fn some(_context: *mut c_void, begin: usize, end: usize) {
    (begin..end).for_each(fail_last);
}

extern "C" fn mapped(number: *mut c_void) -> *mut c_void {
    fail_last(number.addr());
    number
}

extern "C" fn fold(_context: *mut c_void, begin: usize, end: usize, _value: *mut c_void) {
    (begin..end).for_each(fail_last);
}

extern "C" fn fold_well(_context: *mut c_void, _begin: usize, _end: usize, _value: *mut c_void) {}

extern "C" fn combine_well(_context: *mut c_void, _into: *mut c_void, _from: *const c_void) {}

extern "C" fn combine_badly(_context: *mut c_void, _into: *mut c_void, _from: *const c_void) {
    assert_eq!(c!(ftpool_fail(4, null())), FTPOOL_OK);
}

extern "C" fn pass(_context: *mut c_void, _i: usize) {}

/// Runs one failing loop after another.
fn fail_in_each_loop(pool: &CPool<'_>) {
    let (to, end, none, mut sum) = (pool.handle(), ITEMS, null_mut(), 0_u64);
    let mut values: Vec<_> = (0..end).map(value).collect();
    let (args, place): (_, *mut c_void) = (values.as_mut_ptr(), (&raw mut sum).cast());
    let loops: [&dyn Fn() -> ftpool_status; 4] = [
        &|| c!(ftpool_for(to, 0, end, 0, Some(one), none)),
        &|| c!(ftpool_for_range(to, 0, end, 7, Some(some), none)),
        &|| c!(ftpool_map(to, Some(mapped), args, end, args)),
        &|| c!(ftpool_reduce(to, 0, end, 0, Some(fold), Some(combine_well), none, 8, place)),
    ];
    assert_eq!(failure(), Err(FTPOOL_EMPTY));
    for run in loops {
        assert_eq!((run(), failure(), failure()), (FTPOOL_E_JOB, told(3, "no space"), Err(FTPOOL_EMPTY)));
    }
    let (fold, combine): (ftpool_reduce_body, ftpool_combine) = (Some(fold_well), Some(combine_badly));
    assert_eq!(c!(ftpool_reduce(to, 0, 9, 1, fold, combine, none, 8, place)), FTPOOL_E_JOB);
    assert_eq!(c!(ftpool_for(to, 0, 9, 0, Some(pass), none)), FTPOOL_OK);
    assert_eq!(std::thread::spawn(failure).join().unwrap(), Err(FTPOOL_EMPTY), "it is the calling thread's");
    assert_eq!((failure(), failure()), (told(4, ""), Err(FTPOOL_EMPTY)));
}

/// Conformance 84: of every kind of loop, outside and in a job; it is told once.
#[test]
fn a_failed_loop_tells_its_code_and_message() {
    within_limit(|| {
        let pool = CPool::of(2);
        fail_in_each_loop(&pool);
        let in_job = || {
            fail_in_each_loop(&pool);
            0
        };
        let ((function, argument), mut result) = (job(&in_job), RESULT);
        assert_eq!(c!(ftpool_run(pool.handle(), function, argument, &mut result)), FTPOOL_OK);
        assert_eq!((result.outcome, pool.failed()), (FTPOOL_OUTCOME_DONE, 0), "it is not the job's");
    });
}

extern "C" fn fail_on_the_worker(barrier: *mut c_void, i: usize) {
    // SAFETY: the test passes a barrier that outlives the call.
    unsafe { &*barrier.cast::<Barrier>() }.wait();
    if ftpool_worker_index() >= 0 {
        assert_eq!(c!(ftpool_fail(i as i32, c"on the worker".as_ptr())), FTPOOL_OK);
    }
}

/// Conformance 84: the item that fails is not the caller's.
#[test]
fn a_failure_reaches_the_caller_from_another_thread() {
    within_limit(|| {
        let (pool, barrier) = (CPool::of(1), Barrier::new(2));
        let context = from_ref(&barrier).cast_mut().cast();
        assert_eq!(c!(ftpool_for(pool.handle(), 5, 7, 1, Some(fail_on_the_worker), context)), FTPOOL_E_JOB);
        let (outcome, code, message) = failure().unwrap();
        assert_eq!((outcome, message.as_str()), (FTPOOL_OUTCOME_FAILED, "on the worker"));
        assert!([5, 6].contains(&code));
    });
}

/// Fails as the inner loop has failed.
extern "C" fn run_inner(pool: *mut c_void, _i: usize) {
    let mut result = RESULT;
    assert_eq!(c!(ftpool_for(pool.cast(), 0, ITEMS, 0, Some(one), null_mut())), FTPOOL_E_JOB);
    assert_eq!(c!(ftpool_loop_failure(&mut result)), FTPOOL_OK);
    assert_eq!(c!(ftpool_fail(result.error_code, result.error_message)), FTPOOL_OK);
}

/// Conformance 84: to the loop around it, and to the job around that.
#[test]
fn a_failure_of_a_loop_is_passed_on() {
    within_limit(|| {
        let pool = CPool::of(2);
        let outer = || {
            let mut result = RESULT;
            assert_eq!(c!(ftpool_for(pool.handle(), 0, 3, 1, Some(run_inner), pool.handle().cast())), FTPOOL_E_JOB);
            assert_eq!(c!(ftpool_loop_failure(&mut result)), FTPOOL_OK);
            assert_eq!(c!(ftpool_fail(result.error_code, result.error_message)), FTPOOL_OK);
            0
        };
        let ((function, argument), mut result) = (job(&outer), RESULT);
        assert_eq!(c!(ftpool_run(pool.handle(), function, argument, &mut result)), FTPOOL_OK);
        let seen = (result.outcome, result.error_code, text(result.error_message));
        assert_eq!(Ok(seen), told(3, "no space"));
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
    });
}

/// Reliability R6: and the failure is kept.
#[test]
fn a_result_that_is_not_valid_gets_a_status() {
    within_limit(|| {
        let pool = CPool::of(1);
        assert_eq!(c!(ftpool_for(pool.handle(), 0, ITEMS, 0, Some(one), null_mut())), FTPOOL_E_JOB);
        let mut short = ftpool_result { size: 8, ..RESULT };
        assert_eq!(c!(ftpool_loop_failure(null_mut())), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_loop_failure(&mut short)), FTPOOL_E_INVALID);
        assert_eq!(failure(), told(3, "no space"));
    });
}
