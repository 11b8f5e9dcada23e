//! Settle callbacks of C jobs: values that are lost or freed twice, failures that are hidden.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CPool, How, LIMIT_NS, SUBMIT_OPTIONS, Seen, Value, Which, c, waiting};
use common::{Gate, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut as number};
use std::sync::Mutex;

/// Returns its argument.
extern "C" fn returns(arg: *mut c_void) -> Value {
    arg
}

extern "C" fn fails(_arg: *mut c_void) -> Value {
    assert_eq!(c!(ftpool_fail(3, c"on purpose".as_ptr())), FTPOOL_OK);
    number(7)
}

extern "C" fn emits(arg: *mut c_void) -> Value {
    assert_eq!((ftpool_emit(arg), ftpool_emit(number(2))), (FTPOOL_OK, FTPOOL_OK));
    fails(arg)
}

/// Adds the context to a value, and makes it the value of a failure; leaves what did not run as it is.
extern "C" fn amend(context: *mut c_void, result: *const ftpool_result, value: *mut Value) -> i32 {
    // SAFETY: it is valid while this runs.
    let shown = unsafe { &*result };
    // SAFETY: so is the place for the value.
    let value = unsafe { &mut *value };
    assert_eq!(shown.value, *value);
    match shown.outcome {
        FTPOOL_OUTCOME_DONE | FTPOOL_OUTCOME_FAILED => {
            *value = number(value.addr() + context.addr());
            0
        }
        _ => shown.error_code,
    }
}

/// Refuses everything.
extern "C" fn refuse(_context: *mut c_void, _result: *const ftpool_result, value: *mut Value) -> i32 {
    // SAFETY: it is valid while this runs.
    unsafe { *value = number(99) };
    -8
}

fn settled_by(settle: ftpool_settle_fn, pool_results: *mut ftpool_results) -> ftpool_submit_options {
    ftpool_submit_options { results: pool_results, settle, callback_context: number(100), ..SUBMIT_OPTIONS }
}

/// Conformance 101: a value is replaced, a failure becomes a value, whatever is refused fails, and a failure whose code
/// is returned stays as it was.
#[test]
fn what_a_settling_callback_says_takes_the_results_place() {
    within_limit(|| {
        let gate = Gate::new();
        let block = waiting(&gate);
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        let (amending, refusing) =
            (settled_by(Some(amend), results.handle()), settled_by(Some(refuse), results.handle()));
        let submit = |function: extern "C" fn(*mut c_void) -> Value, options: &ftpool_submit_options| {
            pool.submit_with((Some(function), number(1)), options).expect("it is open")
        };
        let next = |which| results.read(which, LIMIT_NS).map(|seen| Seen::of(&seen)).expect("there is one");
        let replaced = submit(returns, &amending);
        assert_eq!(next(Which::Any), Seen::done(replaced, 101));
        let mended = submit(fails, &amending);
        assert_eq!(next(Which::Any), Seen::done(mended, 100));
        for function in [returns, fails] {
            let refused = submit(function, &refusing);
            assert_eq!(next(Which::Any), Seen::failed(refused, -8, "the callback failed"));
        }
        let emitting = submit(emits, &ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..amending });
        let seen = [next(Which::Any), next(Which::Any), next(Which::Any)];
        assert_eq!(seen, [101, 102, 100].map(|value| Seen::done(emitting, value)));
        assert_eq!((pool.wait_idle(LIMIT_NS), pool.failed()), (FTPOOL_OK, 2), "those that were refused");

        pool.submit(How::Last, &block).expect("it is open");
        gate.wait_started(1);
        let cancelled = submit(returns, &amending);
        assert_eq!((pool.cancel(cancelled), next(Which::Any)), (FTPOOL_OK, Seen::cancelled(cancelled)));
        gate.open();
    });
}

/// Returns the code that it is shown.
extern "C" fn pass_on(_context: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: it is valid while this runs.
    unsafe { &*result }.error_code
}

/// Conformance 22, 25: a callback that passes the code on changes nothing, and the reason is not lost.
#[test]
fn a_callback_that_returns_the_outcomes_own_code_leaves_it_as_it_was() {
    within_limit(|| {
        let gate = Gate::new();
        let block = waiting(&gate);
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        let options = ftpool_submit_options { results: results.handle(), callback: Some(pass_on), ..SUBMIT_OPTIONS };
        let failing = pool.submit_with((Some(fails), number(1)), &options).expect("it is open");
        assert_eq!(
            results.read(Which::Any, LIMIT_NS).map(|seen| Seen::of(&seen)).unwrap(),
            Seen::failed(failing, 3, "on purpose")
        );
        let emitting = ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..options };
        let failing = pool.submit_with((Some(emits), number(1)), &emitting).expect("it is open");
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let seen: Vec<_> = (0..3).map(|_| results.next(Which::Any).unwrap()).collect();
        let expected = [Seen::done(failing, 1), Seen::done(failing, 2), Seen::failed(failing, 3, "on purpose")];
        assert!(expected.iter().all(|expected| seen.contains(expected)), "{seen:?}");
        pool.submit(How::Last, &block).expect("it is open");
        gate.wait_started(1);
        let cancelled = pool.submit_with((Some(returns), number(1)), &options).expect("it is open");
        assert_eq!(pool.cancel(cancelled), FTPOOL_OK);
        assert_eq!(results.next(Which::Any), Ok(Seen::cancelled(cancelled)));
        gate.open();
    });
}

/// Conformance 101: a job cannot have both callbacks.
#[test]
fn a_job_with_two_callbacks_is_refused() {
    extern "C" fn agree(_context: *mut c_void, _result: *const ftpool_result) -> i32 {
        0
    }
    within_limit(|| {
        let pool = CPool::of(1);
        let results = pool.results();
        let options = ftpool_submit_options { callback: Some(agree), ..settled_by(Some(amend), results.handle()) };
        assert_eq!(pool.submit_with((Some(returns), number(1)), &options), Err(FTPOOL_E_INVALID));
        assert_eq!(results.next(Which::Any), Err(FTPOOL_EMPTY));
    });
}

/// A job's pool and results, and what its callbacks were told when they emitted.
struct Canceller {
    pool: *mut ftpool,
    results: *mut ftpool_results,
    told: Mutex<Vec<(u64, ftpool_status)>>,
}

impl Canceller {
    fn options(&self, flags: u32) -> ftpool_submit_options {
        let context = std::ptr::from_ref(self).cast_mut().cast();
        let callback: ftpool_callback = Some(emit_in_callback);
        ftpool_submit_options { flags, results: self.results, callback, callback_context: context, ..SUBMIT_OPTIONS }
    }
}

extern "C" fn emit_in_callback(context: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: the test passes a `Canceller`, which outlives its pool.
    let canceller = unsafe { &*context.cast::<Canceller>() };
    // SAFETY: it is valid while this runs.
    let result = unsafe { &*result };
    let told = (result.id, ftpool_emit(number(9)));
    lock(&canceller.told).push(told);
    result.error_code
}

/// Cancels two jobs, and emits.
extern "C" fn cancel_others(arg: *mut c_void) -> Value {
    // SAFETY: the test passes a `Canceller`, which outlives its pool.
    let canceller = unsafe { &*arg.cast::<Canceller>() };
    let (mut id, mut job) = (0, null_mut());
    assert_eq!(c!(ftpool_submit_with(canceller.pool, Some(returns), arg, &canceller.options(0), &mut id)), FTPOOL_OK);
    assert_eq!(c!(ftpool_cancel(canceller.pool, id)), FTPOOL_OK);
    assert_eq!(c!(ftpool_submit_job(canceller.pool, Some(returns), arg, &mut job)), FTPOOL_OK);
    assert_eq!(c!(ftpool_job_on_done(job, Some(emit_in_callback), arg, null_mut())), FTPOOL_OK);
    assert_eq!(c!(ftpool_job_cancel(job)), FTPOOL_OK);
    c!(ftpool_job_release(job));
    assert_eq!(ftpool_emit(number(1)), FTPOOL_OK);
    null_mut()
}

/// Conformance 18, 101: the callbacks of jobs that an emitting job cancels run on its thread, but are not its code. Its
/// own callback is.
#[test]
fn the_callback_of_another_job_does_not_emit_for_the_one_that_cancels_it() {
    within_limit(|| {
        let pool = CPool::of(1);
        let results = pool.results();
        let canceller = Canceller { pool: pool.handle(), results: results.handle(), told: Mutex::default() };
        let job = (Some(cancel_others as _), std::ptr::from_ref(&canceller).cast_mut().cast());
        let emitting = pool.submit_with(job, &canceller.options(FTPOOL_SUBMIT_EMITS)).expect("it is open");
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let told = lock(&canceller.told);
        assert_eq!(told.iter().map(|told| told.1).collect::<Vec<_>>(), [FTPOOL_E_INVALID, FTPOOL_E_INVALID, FTPOOL_OK]);
        assert_eq!(told[2].0, emitting);
        let seen = [told[0].0].map(Seen::cancelled).into_iter().chain([9, 1].map(|value| Seen::done(emitting, value)));
        assert_eq!(results.take(9), seen.collect::<Vec<_>>());
    });
}
