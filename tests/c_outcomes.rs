//! What C jobs leave behind: arguments and values that are freed twice or never, callbacks, emitted values, bounds.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CPool, CResults, LIMIT_NS, RESULTS_OPTIONS, SUBMIT_OPTIONS, Seen, Value, Which, c, callback};
use c_common::{How, job, waiting};
use common::{Gate, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::{from_ref, null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// An argument, and a value, which counts what was done with it.
#[derive(Debug, Default)]
struct Item {
    runs: AtomicUsize,
    arg_frees: AtomicUsize,
    value_frees: AtomicUsize,
}

impl Item {
    fn address(&self) -> *mut c_void {
        from_ref(self).cast_mut().cast()
    }

    fn job(&self, function: extern "C" fn(*mut c_void) -> Value) -> (ftpool_fn, *mut c_void) {
        (Some(function), self.address())
    }

    /// How often it ran, was freed as an argument, and was freed as a value.
    fn counts(&self) -> [usize; 3] {
        [&self.runs, &self.arg_frees, &self.value_frees].map(|count| count.load(SeqCst))
    }
}

fn item<'a>(address: *mut c_void) -> &'a Item {
    // SAFETY: tests pass items that outlive the pool.
    unsafe { &*address.cast::<Item>() }
}

extern "C" fn free_arg(address: *mut c_void) {
    assert_eq!(ftpool_emit(address), FTPOOL_E_INVALID, "no job's code");
    item(address).arg_frees.fetch_add(1, SeqCst);
}

extern "C" fn free_value(address: *mut c_void) {
    item(address).value_frees.fetch_add(1, SeqCst);
}

extern "C" fn returns(address: *mut c_void) -> Value {
    item(address).runs.fetch_add(1, SeqCst);
    address
}

extern "C" fn fails(address: *mut c_void) -> Value {
    assert_eq!(c!(ftpool_fail(3, c"on purpose".as_ptr())), FTPOOL_OK);
    returns(address);
    null_mut()
}

/// Emits three values: the argument, three times.
extern "C" fn emits(address: *mut c_void) -> Value {
    (0..3).for_each(|_| assert_eq!(ftpool_emit(address), FTPOOL_OK));
    returns(address)
}

extern "C" fn emits_and_fails(address: *mut c_void) -> Value {
    emits(address);
    fails(address)
}

/// Returns the status of an attempt to emit.
extern "C" fn tries_to_emit(address: *mut c_void) -> Value {
    c_common::value(ftpool_emit(address) as i32 as u32 as usize)
}

const FREES_VALUES: ftpool_results_options = ftpool_results_options { value_free: Some(free_value), ..RESULTS_OPTIONS };

/// Options for jobs with an argument to free, whose outcomes go here.
fn to(results: &CResults) -> ftpool_submit_options {
    ftpool_submit_options { results: results.handle(), arg_free: Some(free_arg), ..SUBMIT_OPTIONS }
}

/// Reliability R6: NULL where it must not be, and where it may be.
#[test]
fn nothing_where_something_is_needed() {
    within_limit(|| {
        let thing = Item::default();
        let pool = CPool::of(1);
        let (results, (function, argument), mut id, mut fd) = (pool.results(), thing.job(returns), 7, 7);
        let refused = [
            c!(ftpool_submit_with(null_mut(), function, argument, &to(&results), &mut id)),
            c!(ftpool_submit_with(pool.handle(), None, argument, &to(&results), &mut id)),
            c!(ftpool_results_new_with(pool.handle(), null(), null_mut())),
            c!(ftpool_results_fd(null_mut(), &mut fd)),
            c!(ftpool_results_fd(results.handle(), null_mut())),
            ftpool_emit(argument),
        ];
        assert_eq!((refused, id, fd, thing.counts()), ([FTPOOL_E_INVALID; 6], 7, 7, [0; 3]));
        let mut made = std::ptr::dangling_mut();
        assert_eq!(c!(ftpool_results_new_with(null_mut(), &RESULTS_OPTIONS, &mut made)), FTPOOL_E_INVALID);
        assert!(made.is_null(), "pointers are NULL after a failure");

        assert_eq!(c!(ftpool_submit_with(pool.handle(), function, argument, null(), null_mut())), FTPOOL_OK);
        drop(pool.results_with(null()).unwrap());
        assert_eq!((pool.wait_idle(LIMIT_NS), thing.counts()), (FTPOOL_OK, [1, 0, 0]));
    });
}

/// Options as another version of the header declares them.
#[repr(C)]
struct Other<T> {
    known: T,
    tail: [u64; 600],
}

/// Reliability R6: a program that was compiled with an older or a newer header.
#[test]
fn options_of_other_sizes() {
    within_limit(|| {
        let thing = Item::default();
        let pool = CPool::of(1);
        let results = pool.results();
        let mut submit = Other { known: to(&results), tail: [0; 600] };
        let mut make = Other { known: FREES_VALUES, tail: [0; 600] };
        let known = [size_of::<ftpool_submit_options>(), size_of::<ftpool_results_options>()];
        let mut ask = |size_of: fn(usize) -> usize, last: u64| {
            (submit.known.size, make.known.size) = (size_of(known[0]), size_of(known[1]));
            (submit.tail[1], make.tail[1]) = (last, last);
            let made = pool.results_with(&raw const make.known).err().unwrap_or(FTPOOL_OK);
            [pool.submit_with(thing.job(returns), &submit.known).err().unwrap_or(FTPOOL_OK), made]
        };
        let refused: [fn(usize) -> usize; 5] = [|_| 0, |_| 12, |known| known + 9, |_| 4097, |_| usize::MAX];
        refused.iter().for_each(|&size| assert_eq!(ask(size, 0), [FTPOOL_E_INVALID; 2]));
        let accepted: [fn(usize) -> usize; 4] = [|_| 8, |known| known, |known| known + 8, |_| 4096];
        accepted.iter().for_each(|&size| assert_eq!(ask(size, 0), [FTPOOL_OK; 2], "all that is not known is 0"));
        assert_eq!(ask(|known| known + 16, 1), [FTPOOL_E_VERSION; 2]);
        assert_eq!(ask(|known| known + 8, 1), [FTPOOL_OK; 2], "it ends before");
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        assert_eq!(thing.counts(), [5, 4, 0], "with a size of 8 there was no arg_free");
        assert_eq!(results.waiting(), [4, 0]);
    });
}

/// Reliability R6, conformance 26: invalid options are refused, and nothing is taken.
#[test]
fn options_that_contradict_themselves() {
    within_limit(|| {
        let thing = Item::default();
        let (pool, other) = (CPool::of(1), CPool::of(1));
        let (results, foreign) = (pool.results(), other.results());
        let flags = |flags| ftpool_submit_options { flags, ..to(&results) };
        let without_free = |flags| ftpool_submit_options { flags, arg_free: None, ..SUBMIT_OPTIONS };
        for options in [
            flags(32),
            flags(1 << 31),
            flags(u32::MAX),
            flags(FTPOOL_SUBMIT_RETURN_ARG),
            without_free(FTPOOL_SUBMIT_RETURN_ARG | FTPOOL_SUBMIT_EMITS),
            to(&foreign),
        ] {
            assert_eq!(pool.submit_with(thing.job(returns), &options), Err(FTPOOL_E_INVALID));
        }
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS), FTPOOL_OK);
        assert_eq!(pool.submit_with(thing.job(returns), &to(&results)), Err(FTPOOL_E_SHUTDOWN));
        assert_eq!((results.waiting(), results.next(Which::Any)), ([0, 0], Err(FTPOOL_EMPTY)));
        drop((results, foreign, pool, other));
        assert_eq!(thing.counts(), [0; 3], "nothing was taken");
    });
}

/// Conformance 21, 31, 55: ran, failed, refused by its callback, emitted, cancelled alone or by the shutdown.
#[test]
fn an_argument_is_freed_once_however_its_job_ends() {
    within_limit(|| {
        let (gate, things, refuse) = (Gate::new(), <[Item; 8]>::default(), |_: &ftpool_result| 9);
        let block = waiting(&gate);
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        let options = to(&results);
        let (refused, refuse_context) = callback(&refuse);
        let refusing = ftpool_submit_options { callback: refused, callback_context: refuse_context, ..options };
        let emitting = ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..options };
        let nowhere = ftpool_submit_options { results: null_mut(), ..options };
        pool.submit_with(things[0].job(returns), &options).unwrap();
        pool.submit_with(things[1].job(fails), &options).unwrap();
        pool.submit_with(things[2].job(returns), &refusing).unwrap();
        pool.submit_with(things[3].job(emits), &emitting).unwrap();
        pool.submit_with(things[4].job(emits_and_fails), &emitting).unwrap();
        pool.submit_with(things[5].job(fails), &nowhere).unwrap();
        assert_eq!((pool.wait_idle(LIMIT_NS), pool.failed()), (FTPOOL_OK, 4));
        pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let cancelled = pool.submit_with(things[6].job(returns), &options).unwrap();
        pool.submit_with(things[7].job(returns), &refusing).unwrap();
        assert_eq!((pool.cancel(cancelled), things[6].counts()), (FTPOOL_OK, [0, 1, 0]));
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_CANCEL, FTPOOL_NOW), FTPOOL_TIMEOUT);
        gate.open();
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_CANCEL, LIMIT_NS), FTPOOL_OK);
        assert_eq!(results.waiting(), [7, 5]);
        drop((results, pool));
        assert!(things.iter().all(|thing| thing.counts()[1..] == [1, 0]), "and no value: there is no value_free");
    });
}

/// The argument is freed before its outcome can be read, so that a reader may rely on it.
#[test]
fn an_argument_is_freed_before_the_outcome_is_read() {
    within_limit(|| {
        let things: Vec<_> = (0..500).map(|_| Item::default()).collect();
        let pool = CPool::of(2);
        let results = pool.results();
        for (n, thing) in things.iter().enumerate() {
            pool.submit_with(thing.job(if n % 3 == 0 { fails } else { returns }), &to(&results)).unwrap();
        }
        for _ in 0..things.len() {
            let seen = results.read(Which::Any, LIMIT_NS).unwrap();
            assert!(seen.value.is_null() || item(seen.value).counts() == [1, 1, 0]);
        }
        assert!(things.iter().all(|thing| thing.counts() == [1, 1, 0]));
    });
}

/// What the header says about value_free: it is called with every value that was not read, and no other.
#[test]
fn unread_values_are_freed_once() {
    within_limit(|| {
        let (gate, [read, unread, emitted, refused, late], refuse) =
            (Gate::new(), <[Item; 5]>::default(), |_: &ftpool_result| 9);
        let block = waiting(&gate);
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results_with(&FREES_VALUES).unwrap();
        let options = ftpool_submit_options { arg_free: None, ..to(&results) };
        pool.submit_with(read.job(returns), &options).unwrap();
        assert_eq!(results.next(Which::Done).unwrap().value, read.address().addr());
        pool.submit_with(unread.job(returns), &options).unwrap();
        let emitting = ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..options };
        pool.submit_with(emitted.job(emits_and_fails), &emitting).unwrap();
        assert_eq!((pool.wait_idle(LIMIT_NS), emitted.counts()), (FTPOOL_OK, [2, 0, 0]));
        let (function, context) = callback(&refuse);
        let refusing = ftpool_submit_options { callback: function, callback_context: context, ..options };
        pool.submit_with(refused.job(returns), &refusing).unwrap();
        pool.submit_with(refused.job(emits), &ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..refusing })
            .unwrap();
        assert_eq!((pool.wait_idle(LIMIT_NS), results.waiting()), (FTPOOL_OK, [4, 3]));
        assert_eq!(refused.counts(), [2, 0, 4], "one that was returned and three that were emitted");
        pool.submit(How::Last, &block).unwrap();
        pool.submit_with(late.job(returns), &options).unwrap();
        drop(results);
        gate.open();
        drop(pool);
        let freed = [&read, &unread, &emitted, &refused, &late].map(|thing| thing.counts()[2]);
        assert_eq!(freed, [0, 1, 3, 4, 1]);
    });
}

/// Conformance 22, 25, 31, 55: on the worker, or where the job is cancelled; its code is the job's failure.
#[test]
fn a_callback_is_shown_the_outcome_and_may_refuse_it() {
    within_limit(|| {
        let (gate, thing, log) = (Gate::new(), Item::default(), Mutex::new(Vec::new()));
        let note = |result: &ftpool_result| {
            lock(&log).push((Seen::of(result), ftpool_self_id(), result.arg.addr()));
            if result.outcome == FTPOOL_OUTCOME_DONE { 0 } else { -5 }
        };
        let block = waiting(&gate);
        let (pool, gate) = (CPool::of(1), gate);
        let (results, (function, context)) = (pool.results(), callback(&note));
        let options = ftpool_submit_options {
            callback: function,
            callback_context: context,
            flags: FTPOOL_SUBMIT_RETURN_ARG,
            results: results.handle(),
            ..SUBMIT_OPTIONS
        };
        let done = pool.submit_with(thing.job(returns), &options).unwrap();
        let failed = pool.submit_with(thing.job(fails), &options).unwrap();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let cancelled = pool.submit_with(thing.job(returns), &options).unwrap();
        assert_eq!(pool.cancel(cancelled), FTPOOL_OK);
        let value = thing.address().addr();
        let shown = [Seen::done(done, value), Seen::failed(failed, 3, "on purpose"), Seen::cancelled(cancelled)];
        let expected: Vec<_> = shown.into_iter().zip([done, failed, 0]).map(|(s, id)| (s, id, value)).collect();
        assert_eq!(*lock(&log), expected);
        assert_eq!(results.next(Which::Done), Ok(Seen::done(done, value)));
        for id in [failed, cancelled] {
            let seen = results.read(Which::Failed, LIMIT_NS).unwrap();
            assert_eq!((Seen::of(&seen), seen.arg), (Seen::failed(id, -5, "the callback failed"), thing.address()));
        }
        assert_eq!(pool.failed(), 2, "a cancelled job fails if its callback does");
    });
}

/// Conformance 18, 25, 27, 28: in their order under one id, then at most one failure.
#[test]
fn emitted_values_and_a_failure_arrive_in_order() {
    within_limit(|| {
        let (thing, order, calls) = (Item::default(), Mutex::new(Vec::new()), AtomicUsize::new(0));
        let count_up = || (1..=1000).filter(|&n| ftpool_emit(c_common::value(n)) == FTPOOL_OK).count();
        let nothing = || 5;
        let note = |result: &ftpool_result| {
            lock(&order).push(Seen::of(result));
            if calls.fetch_add(1, SeqCst) == 1 { 44 } else { 0 }
        };
        let pool = CPool::of(2);
        let (results, (function, context)) = (pool.results(), callback(&note));
        let options = ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, arg_free: None, ..to(&results) };
        assert!(pool.submit_with(job(&nothing), &options).is_ok());
        assert_eq!(results.next(Which::Any), Err(FTPOOL_EMPTY), "no value is no outcome");
        let id = pool.submit_with(job(&count_up), &options).unwrap();
        assert!((1..=1000).all(|n| results.next(Which::Any) == Ok(Seen::done(id, n))));
        let failing = pool.submit_with(thing.job(emits_and_fails), &options).unwrap();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        assert_eq!(results.next(Which::Failed), Ok(Seen::failed(failing, 3, "on purpose")));
        assert_eq!(results.take(9).len(), 3);
        let refusing = ftpool_submit_options { callback: function, callback_context: context, ..options };
        let id = pool.submit_with(thing.job(emits), &refusing).unwrap();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let value = || Seen::done(id, thing.address().addr());
        assert_eq!(*lock(&order), [value(), value(), value()]);
        assert_eq!(results.take(9), [Seen::failed(id, 44, "the callback failed"), value(), value()]);
    });
}

/// What the header says about ftpool_emit: only in a job that was submitted with FTPOOL_SUBMIT_EMITS.
#[test]
fn emitting_where_no_job_emits() {
    within_limit(|| {
        let (thing, statuses) = (Item::default(), Mutex::new(Vec::new()));
        let tries = |_: &ftpool_result| {
            lock(&statuses).push(ftpool_emit(null_mut()));
            0
        };
        let pool = CPool::of(1);
        let (function, context) = callback(&tries);
        let dispatched = ftpool_results_options { callback: function, callback_context: context, ..RESULTS_OPTIONS };
        let (results, dispatched) = (pool.results(), pool.results_with(&dispatched).unwrap());
        let invalid = FTPOOL_E_INVALID as i32 as u32 as usize;
        let id = pool.submit_with(thing.job(tries_to_emit), &to(&results)).unwrap();
        assert_eq!(results.next(Which::Any), Ok(Seen::done(id, invalid)));
        let plain = ftpool_submit_options {
            callback: function,
            callback_context: context,
            results: dispatched.handle(),
            ..SUBMIT_OPTIONS
        };
        pool.submit_with(thing.job(returns), &plain).unwrap();
        let nowhere = ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..SUBMIT_OPTIONS };
        pool.submit_with(thing.job(emits), &nowhere).unwrap();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        drop(dispatched);
        assert_eq!(*lock(&statuses), [FTPOOL_E_INVALID; 2]);
    });
}

/// Conformance 32: with values, failures and cancellations alike, by reading and by callback.
#[test]
fn an_argument_travels_back_when_asked() {
    within_limit(|| {
        let (gates, thing, log) = ([Gate::new(), Gate::new()], Item::default(), Mutex::new(Vec::new()));
        let note = |result: &ftpool_result| {
            lock(&log).push((result.outcome, result.arg.addr()));
            -1
        };
        let blocks = gates.each_ref().map(waiting);
        let (pool, gates) = (CPool::of(1), gates);
        let (function, context) = callback(&note);
        let dispatched = ftpool_results_options { callback: function, callback_context: context, ..RESULTS_OPTIONS };
        let (read, dispatched) = (pool.results(), pool.results_with(&dispatched).unwrap());
        let mut expected = Vec::new();
        for ((flags, block), gate) in [0, FTPOOL_SUBMIT_RETURN_ARG].into_iter().zip(&blocks).zip(&gates) {
            pool.submit(How::Last, block).unwrap();
            for results in [&read, &dispatched] {
                let options = ftpool_submit_options { results: results.handle(), flags, ..SUBMIT_OPTIONS };
                let cancelled = [fails, returns, returns].map(|f| pool.submit_with(thing.job(f), &options).unwrap())[2];
                assert_eq!(pool.cancel(cancelled), FTPOOL_OK);
            }
            let arg = if flags == 0 { 0 } else { thing.address().addr() };
            let outcomes = [FTPOOL_OUTCOME_CANCELLED, FTPOOL_OUTCOME_FAILED, FTPOOL_OUTCOME_DONE];
            expected.extend(outcomes.map(|outcome| (outcome, arg)));
            gate.open();
            assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        }
        let by_reading = (0..6).map(|_| read.read(Which::Any, LIMIT_NS).unwrap());
        let mut seen = [by_reading.map(|seen| (seen.outcome, seen.arg.addr())).collect::<Vec<_>>(), Vec::new()];
        drop(dispatched);
        seen[1].clone_from(&lock(&log));
        expected.sort_unstable();
        for mut seen in seen {
            seen.sort_unstable();
            assert_eq!(seen, expected);
        }
    });
}
