//! Numbers and layouts that programs were compiled with, and what the C functions promise.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CPool, EVERY_HOW, How, LIMIT_NS, Seen, Which, c, job, text, waiting};
use common::{Count, Gate, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ffi::CStr;
use std::mem::offset_of;
use std::ptr::null;
use std::sync::Mutex;
use std::thread;

const STATUSES: [(ftpool_status, i32, &str); 18] = [
    (FTPOOL_OK, 0, "FTPOOL_OK"),
    (FTPOOL_TIMEOUT, 1, "FTPOOL_TIMEOUT"),
    (FTPOOL_EMPTY, 2, "FTPOOL_EMPTY"),
    (FTPOOL_CANCELLED, 3, "FTPOOL_CANCELLED"),
    (FTPOOL_FULL, 4, "FTPOOL_FULL"),
    (FTPOOL_E_INVALID, -1, "FTPOOL_E_INVALID"),
    (FTPOOL_E_NOMEM, -2, "FTPOOL_E_NOMEM"),
    (FTPOOL_E_SHUTDOWN, -3, "FTPOOL_E_SHUTDOWN"),
    (FTPOOL_E_DEADLOCK, -4, "FTPOOL_E_DEADLOCK"),
    (FTPOOL_E_THREAD, -5, "FTPOOL_E_THREAD"),
    (FTPOOL_E_VERSION, -6, "FTPOOL_E_VERSION"),
    (FTPOOL_E_PANIC, -7, "FTPOOL_E_PANIC"),
    (FTPOOL_E_JOB, -8, "FTPOOL_E_JOB"),
    (FTPOOL_E_FORKED, -9, "FTPOOL_E_FORKED"),
    (FTPOOL_E_BROKEN, -10, "FTPOOL_E_BROKEN"),
    (FTPOOL_E_UNSUPPORTED, -11, "FTPOOL_E_UNSUPPORTED"),
    (FTPOOL_E_OVERFLOW, -12, "FTPOOL_E_OVERFLOW"),
    (FTPOOL_E_BUSY, -13, "FTPOOL_E_BUSY"),
];

/// A change of these breaks every program that was compiled before.
#[test]
fn a_number_of_the_abi_has_changed() {
    assert_eq!(
        (size_of::<ftpool_status>(), size_of::<ftpool_job_id>(), size_of::<ftpool_fn>()),
        (4, 8, size_of::<usize>())
    );
    assert_eq!((FTPOOL_NOW, FTPOOL_FOREVER), (0_i64, -1_i64));
    assert_eq!((FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL), (0_u32, 1_u32));
    let outcomes = [FTPOOL_OUTCOME_DONE, FTPOOL_OUTCOME_FAILED, FTPOOL_OUTCOME_CANCELLED, FTPOOL_OUTCOME_EXPIRED];
    assert_eq!(outcomes, [0_u32, 1, 2, 3]);
    assert_eq!([FTPOOL_CANCEL_QUEUED, FTPOOL_CANCEL_TIMERS], [1_u32, 2]);
    assert_eq!([FTPOOL_SUBMIT_FIRST, FTPOOL_SUBMIT_EMITS, FTPOOL_SUBMIT_RETURN_ARG], [1_u32, 2, 4]);
    assert_eq!([FTPOOL_SUBMIT_OR_NOW, FTPOOL_SUBMIT_BACK], [8_u32, 16]);
    let policies = [FTPOOL_POLICY_BLOCK, FTPOOL_POLICY_TIMED, FTPOOL_POLICY_REJECT, FTPOOL_POLICY_CALLER_RUNS];
    assert_eq!(policies, [0, 1, 2, 3]);
    assert_eq!(
        [FTPOOL_POLICY_DISCARD_OLDEST, FTPOOL_POLICY_HAND_OFF, FTPOOL_WATER_LOW, FTPOOL_WATER_HIGH],
        [4, 5, 0, 1]
    );
    assert_eq!([FTPOOL_PRIORITY_NORMAL, FTPOOL_PRIORITY_HIGH, FTPOOL_PRIORITY_LOW], [0, 1, 2]);
    STATUSES.iter().for_each(|&(status, number, _)| assert_eq!(status as i32, number));
}

/// A change of these breaks every program that was compiled before, unless it adds a field at the end.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_struct_of_the_abi_has_changed() {
    type Config = ftpool_config;
    assert_eq!((size_of::<Config>(), align_of::<Config>()), (176, 8));
    assert_eq!([offset_of!(Config, size), offset_of!(Config, workers), offset_of!(Config, ordered)], [0, 8, 12]);
    assert_eq!([offset_of!(Config, name), offset_of!(Config, stack_size), offset_of!(Config, timing)], [16, 24, 32]);
    let hooks =
        [offset_of!(Config, start), offset_of!(Config, stop), offset_of!(Config, failed), offset_of!(Config, log)];
    assert_eq!((hooks, offset_of!(Config, context)), ([40, 48, 56, 64], 72));
    let bound = [offset_of!(Config, policy), offset_of!(Config, max_queued), offset_of!(Config, policy_timeout_ns)];
    assert_eq!(bound, [80, 88, 96]);
    assert_eq!([offset_of!(Config, low_water), offset_of!(Config, high_water)], [104, 112]);
    assert_eq!([offset_of!(Config, water_callback), offset_of!(Config, water_context)], [120, 128]);
    assert_eq!([offset_of!(Config, clock), offset_of!(Config, overrun)], [136, 168]);

    type Timer = ftpool_timer_options;
    assert_eq!((size_of::<Timer>(), align_of::<Timer>()), (72, 8));
    let first = [offset_of!(Timer, size), offset_of!(Timer, results), offset_of!(Timer, arg_free)];
    assert_eq!(first, [0, 8, 16]);
    let times = [offset_of!(Timer, delay_ns), offset_of!(Timer, wall_ns), offset_of!(Timer, interval_ns)];
    assert_eq!(times, [24, 32, 40]);
    let rest = [offset_of!(Timer, leeway_ns), offset_of!(Timer, max_runs), offset_of!(Timer, missed)];
    assert_eq!((rest, offset_of!(Timer, flags)), ([48, 56, 64], 68));

    type Outcome = ftpool_result;
    assert_eq!((size_of::<Outcome>(), align_of::<Outcome>()), (80, 8));
    assert_eq!([offset_of!(Outcome, tick), offset_of!(Outcome, late_by_ns)], [64, 72]);
    assert_eq!([offset_of!(Outcome, size), offset_of!(Outcome, id), offset_of!(Outcome, value)], [0, 8, 16]);
    let rest = [offset_of!(Outcome, error_message), offset_of!(Outcome, queued_ns), offset_of!(Outcome, run_ns)];
    assert_eq!(rest, [24, 32, 40]);
    assert_eq!([offset_of!(Outcome, outcome), offset_of!(Outcome, error_code), offset_of!(Outcome, arg)], [48, 52, 56]);

    type Submit = ftpool_submit_options;
    assert_eq!((size_of::<Submit>(), align_of::<Submit>()), (112, 8));
    assert_eq!([offset_of!(Submit, size), offset_of!(Submit, results), offset_of!(Submit, callback)], [0, 8, 16]);
    assert_eq!([offset_of!(Submit, settle), offset_of!(Submit, callback_context)], [24, 32]);
    assert_eq!([offset_of!(Submit, arg_free), offset_of!(Submit, flags), offset_of!(Submit, group)], [40, 48, 56]);
    let times = [offset_of!(Submit, start_within_ns), offset_of!(Submit, run_limit_ns), offset_of!(Submit, name)];
    assert_eq!(times, [64, 72, 80]);
    let due = [offset_of!(Submit, delay_ns), offset_of!(Submit, wall_ns), offset_of!(Submit, leeway_ns)];
    assert_eq!(due, [88, 96, 104]);

    type Results = ftpool_results_options;
    assert_eq!((size_of::<Results>(), align_of::<Results>()), (40, 8));
    assert_eq!([offset_of!(Results, size), offset_of!(Results, done_max), offset_of!(Results, value_free)], [0, 8, 16]);
    assert_eq!([offset_of!(Results, callback), offset_of!(Results, callback_context)], [24, 32]);
}

/// Every status has a name and a sentence of its own, and no other number has.
#[test]
fn every_status_is_explained() {
    let named = (-1000..1000).filter(|&status| text(ftpool_status_name(status)) != "FTPOOL_?");
    assert_eq!(named.count(), STATUSES.len());
    let explained = (-1000..1000).map(|status| text(ftpool_status_message(status)));
    assert_eq!(explained.collect::<std::collections::BTreeSet<_>>().len(), STATUSES.len() + 1);
    for (status, number, name) in STATUSES {
        assert_eq!(text(ftpool_status_name(number)), name, "{status:?}");
        assert_eq!(format!("{status:?}"), name);
    }
    for stranger in [i32::MIN, i32::MAX, 5, -14] {
        assert_eq!(text(ftpool_status_name(stranger)), "FTPOOL_?");
        assert_eq!(text(ftpool_status_message(stranger)), "not a status of this library");
    }
}

#[test]
fn the_library_states_the_version_of_cargo_toml() {
    let version = text(ftpool_version_string());
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let number = version.split('.').fold(0, |number, part| number * 1000 + part.parse::<u32>().unwrap());
    assert_eq!(ftpool_version_number(), number);
}

/// Conformance 13, 57, 77.
#[test]
fn jobs_run_in_the_order_of_their_submitting() {
    within_limit(|| {
        let (gate, order) = (Gate::new(), Mutex::new(Vec::new()));
        let block = waiting(&gate);
        let jobs: Vec<_> = (0..20)
            .map(|n| (n, &order))
            .map(|(n, order)| {
                move || {
                    lock(order).push(n);
                    n
                }
            })
            .collect();
        let (pool, gate) = (CPool::of(1), gate);
        assert_eq!(pool.counts(), [0, 0, 0]);
        pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        (0..3).for_each(|n| assert!(pool.submit(How::Last, &jobs[n]).is_ok()));
        (10..13).for_each(|n| assert!(pool.submit(How::First, &jobs[n]).is_ok()));
        let (function, mut ids) = (job(&jobs[0]).0, [0; 4]);
        let arguments = [3, 4, 5, 6].map(|n: usize| job(&jobs[n]).1);
        assert_eq!(
            c!(ftpool_submit_batch(pool.handle(), function, arguments.as_ptr(), 4, ids.as_mut_ptr())),
            FTPOOL_OK
        );
        assert_eq!(pool.cancel(ids[2]), FTPOOL_OK);
        assert_eq!(pool.counts(), [1, 1, 10]);
        gate.open();
        assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS), FTPOOL_OK);
        assert_eq!(pool.counts(), [0, 0, 0]);
        assert_eq!(*lock(&order), [12, 11, 10, 0, 1, 2, 3, 4, 6]);
    });
}

/// Conformance 51, 52.
#[test]
fn a_job_is_cancelled_once_and_only_before_it_begins() {
    within_limit(|| {
        let (gate, ran) = (Gate::new(), Count::new());
        let (block, count) = (waiting(&gate), || ran.add());
        let (other, pool, gate) = (CPool::of(1), CPool::of(1), gate);
        let running = pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let ids = EVERY_HOW.map(|how| pool.submit(how, &count).unwrap());
        for id in ids {
            assert_eq!(other.cancel(id), FTPOOL_EMPTY, "it is another pool's");
            assert_eq!([pool.cancel(id), pool.cancel(id)], [FTPOOL_OK, FTPOOL_EMPTY]);
        }
        assert_eq!([running, 0, u64::MAX].map(|id| pool.cancel(id)), [FTPOOL_EMPTY; 3]);
        gate.open();
        assert_eq!(pool.wait_idle(FTPOOL_FOREVER), FTPOOL_OK);
        assert_eq!([pool.cancel(running), pool.cancel(ids[0])], [FTPOOL_EMPTY; 2]);
        assert_eq!((ran.get(), pool.failed()), (0, 0));
    });
}

/// Conformance 16, 18, 20, 31, 55, 69.
#[test]
fn every_job_leaves_one_outcome() {
    within_limit(|| {
        let gate = Gate::new();
        let (block, seven) = (waiting(&gate), || 7);
        let fail = || {
            c!(ftpool_fail(-77, c"no luck".as_ptr()));
            8
        };
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        let blocked = results.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let done = EVERY_HOW.map(|how| results.submit(how, &seven).unwrap());
        let failed = EVERY_HOW.map(|how| results.submit(how, &fail).unwrap());
        let cancelled = EVERY_HOW.map(|how| results.submit(how, &seven).unwrap());
        assert_eq!(cancelled.map(|id| pool.cancel(id)), [FTPOOL_OK; 3]);
        assert_eq!(results.waiting(), [0, 3]);
        assert!((0..3).all(|n| results.next(Which::Failed) == Ok(Seen::cancelled(cancelled[n]))));
        gate.open();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        assert_eq!((results.waiting(), pool.failed()), ([4, 3], 3));

        assert_eq!(results.take(0), []);
        let failures = results.take(2); // failed ones first; a job ahead of the others ends before them
        assert_eq!(failures, [failed[1], failed[0]].map(|id| Seen::failed(id, -77, "no luck")));
        assert_eq!(results.next(Which::Done), Ok(Seen::done(blocked, 0)));
        assert_eq!(results.next(Which::Done), Ok(Seen::done(done[1], 7)));
        let rest = results.take(9);
        assert_eq!(rest[0], Seen::failed(failed[2], -77, "no luck"));
        assert_eq!(rest[1..], [done[0], done[2]].map(|id| Seen::done(id, 7)));
        assert_eq!(
            [Which::Any, Which::Done, Which::Failed].map(|which| results.next(which)),
            [const { Err(FTPOOL_EMPTY) }; 3]
        );
        assert_eq!(results.take(9), []);
    });
}

/// Conformance 68, 70: "not yet" and "nothing more" are two things, for each queue.
#[test]
fn a_reader_is_told_whether_more_will_come() {
    within_limit(|| {
        let gate = Gate::new();
        let (block, fail) = (waiting(&gate), || {
            c!(ftpool_fail(1, null()));
            1
        });
        let (pool, gate) = (CPool::of(2), gate);
        let (busy, unused) = (pool.results(), pool.results());
        let readers = [Which::Any, Which::Done, Which::Failed];
        let read = |results: &c_common::CResults, timeout| readers.map(|which| results.read(which, timeout).err());
        assert_eq!(read(&busy, FTPOOL_FOREVER), [Some(FTPOOL_EMPTY); 3], "nothing was submitted");
        busy.submit(How::Last, &block).unwrap();
        for timeout in [FTPOOL_NOW, 1, 1_000_000] {
            assert_eq!(read(&busy, timeout), [Some(FTPOOL_TIMEOUT); 3]);
            assert_eq!(read(&unused, timeout), [Some(FTPOOL_EMPTY); 3]);
        }
        busy.submit(How::Last, &fail).unwrap();
        assert!(busy.next(Which::Failed).is_ok());
        assert_eq!(read(&busy, FTPOOL_NOW), [Some(FTPOOL_TIMEOUT); 3]);
        thread::scope(|scope| {
            let reader = scope.spawn(|| busy.read(Which::Failed, FTPOOL_FOREVER).err());
            gate.open();
            assert_eq!(reader.join().unwrap(), Some(FTPOOL_EMPTY), "a value is no failure");
        });
        assert!(busy.read(Which::Any, FTPOOL_NOW).is_ok());
        assert_eq!(read(&busy, FTPOOL_FOREVER), [Some(FTPOOL_EMPTY); 3]);
    });
}

/// Reliability R5; conformance 35.
#[test]
fn a_failure_arrives_as_it_was_declared() {
    within_limit(|| {
        let long = "x".repeat(100_000);
        let long_c = std::ffi::CString::new(long.as_str()).unwrap();
        type Declaration<'a> = (i32, Option<&'a CStr>, &'a str);
        let declarations: [Declaration; 6] = [
            (5, Some(c"text"), "text"),
            (i32::MIN, Some(c""), ""),
            (0, None, ""),
            (i32::MAX, Some(&long_c), &long),
            (-7, Some(c"\xc3\xa4 is UTF-8"), "\u{e4} is UTF-8"),
            (1, Some(c"\xff is not"), "\u{fffd} is not"),
        ];
        let fail = |at: usize| {
            let (code, message, _) = declarations[at];
            assert_eq!(c!(ftpool_fail(123, c"of several calls the last one counts".as_ptr())), FTPOOL_OK);
            assert_eq!(c!(ftpool_fail(code, message.map_or(null(), CStr::as_ptr))), FTPOOL_OK);
            99
        };
        let jobs: Vec<_> = (0..declarations.len()).map(|at| (at, &fail)).map(|(at, fail)| move || fail(at)).collect();
        let fine = || 1;
        let pool = CPool::of(1);
        let results = pool.results();
        for (job, (code, _, message)) in jobs.iter().zip(declarations) {
            let id = results.submit(How::Last, job).unwrap();
            assert_eq!(results.next(Which::Any), Ok(Seen::failed(id, code, message)));
            pool.submit(How::Last, job).unwrap();
            let id = results.submit(How::Last, &fine).unwrap();
            assert_eq!(results.next(Which::Any), Ok(Seen::done(id, 1)), "a failure is one job's");
        }
        assert_eq!(pool.failed(), 2 * declarations.len() as u64);
        assert_eq!(c!(ftpool_fail(1, c"no job".as_ptr())), FTPOOL_E_INVALID);
    });
}

/// What the header says of ftpool_result.error_message.
#[test]
fn messages_live_until_the_next_read_of_their_thread() {
    within_limit(|| {
        let fail = || {
            c!(ftpool_fail(1, c"still there".as_ptr()));
            0
        };
        let pool = CPool::of(2);
        let (results, others) = (pool.results(), pool.results());
        for results in [&results, &others] {
            (0..8).for_each(|_| assert!(results.submit(How::Last, &fail).is_ok()));
        }
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let last = others.read(Which::Failed, FTPOOL_NOW).unwrap();
        assert_eq!(text(last.error_message), "still there");
        let (mut taken, mut count) = ([c_common::RESULT; 8], 0);
        assert_eq!(c!(ftpool_results_take(results.handle(), 8, taken.as_mut_ptr(), &mut count)), FTPOOL_OK);
        assert_eq!(count, 8);
        let elsewhere = thread::scope(|scope| scope.spawn(|| others.take(7).len()).join());
        assert_eq!(elsewhere.unwrap(), 7);
        assert_eq!((results.take(8), others.next(Which::Any)), (vec![], Err(FTPOOL_EMPTY)), "nothing is read");
        drop((results, others, pool));
        assert!(taken.iter().all(|result| text(result.error_message) == "still there"));
    });
}
