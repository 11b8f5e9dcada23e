//! C programs that pass invalid arguments: each call returns a status, and nothing breaks.
#![cfg(feature = "capi")]

mod c_common;
mod common;
#[path = "c_common/driver.rs"]
mod driver;
#[path = "c_common/work.rs"]
mod work;

use c_common::{CONFIG, CPool, EVERY_HOW, How, LIMIT_NS, RESULT, Seen, Which, c, job, waiting};
use common::{Count, Gate, Random, eventually, within_limit};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ptr::{null, null_mut};
use std::thread;

/// Reliability R6: the object is NULL.
#[test]
fn no_object() {
    let (pool, results, mut result) = (null_mut(), null_mut(), RESULT);
    let ((function, argument), mut id, mut count) = (job(&|| 0), 7, 7);
    let statuses: [ftpool_status; 14] = [
        c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_NOW)),
        c!(ftpool_wait_idle(pool, FTPOOL_NOW)),
        c!(ftpool_submit(pool, function, argument, &mut id)),
        c!(ftpool_submit_first(pool, function, argument, &mut id)),
        c!(ftpool_submit_batch(pool, function, &argument, 1, &mut id)),
        c!(ftpool_submit_batch(pool, function, null(), 0, null_mut())),
        c!(ftpool_cancel(pool, 1)),
        c!(ftpool_results_submit(results, function, argument, &mut id)),
        c!(ftpool_results_submit_first(results, function, argument, &mut id)),
        c!(ftpool_results_submit_batch(results, function, &argument, 1, &mut id)),
        c!(ftpool_results_next(results, FTPOOL_FOREVER, &mut result)),
        c!(ftpool_results_next_done(results, FTPOOL_FOREVER, &mut result)),
        c!(ftpool_results_next_failed(results, FTPOOL_FOREVER, &mut result)),
        c!(ftpool_results_take(results, 1, &mut result, &mut count)),
    ];
    assert_eq!(statuses, [FTPOOL_E_INVALID; 14]);
    assert_eq!((id, count, result.id), (7, 7, 0), "outputs are written on success only");
    let mut made = std::ptr::dangling_mut();
    assert_eq!(c!(ftpool_results_new(pool, &mut made)), FTPOOL_E_INVALID);
    assert!(made.is_null(), "pointers are NULL after a failure");

    assert_eq!([c!(ftpool_alive(pool)), c!(ftpool_busy(pool)), c!(ftpool_pending(pool))], [0; 3]);
    assert_eq!([c!(ftpool_failed(pool)), c!(ftpool_expired(pool)), c!(ftpool_worker_limit(pool)) as u64], [0; 3]);
    assert_eq!([c!(ftpool_results_done_count(results)), c!(ftpool_results_failed_count(results))], [0; 2]);
    c!(ftpool_free(pool));
    c!(ftpool_results_free(results));
}

/// Reliability R6: every other argument is NULL, where that is an error and where it is allowed.
#[test]
fn no_argument() {
    within_limit(|| {
        let three = || 3;
        let (pool, (function, argument)) = (CPool::of(1), job(&three));
        let (results, mut id, mut result) = (pool.results(), 7, RESULT);
        let (to, from, null_id) = (pool.handle(), results.handle(), null_mut());
        let refused = [
            c!(ftpool_new(&CONFIG, null_mut())),
            c!(ftpool_results_new(to, null_mut())),
            c!(ftpool_submit(to, None, argument, &mut id)),
            c!(ftpool_submit_first(to, None, argument, &mut id)),
            c!(ftpool_submit_batch(to, None, &argument, 1, &mut id)),
            c!(ftpool_submit_batch(to, None, null(), 0, &mut id)),
            c!(ftpool_results_submit(from, None, argument, &mut id)),
            c!(ftpool_results_submit_first(from, None, argument, &mut id)),
            c!(ftpool_results_submit_batch(from, None, &argument, 1, &mut id)),
            c!(ftpool_results_next(from, FTPOOL_NOW, null_mut())),
            c!(ftpool_results_next_done(from, FTPOOL_NOW, null_mut())),
            c!(ftpool_results_next_failed(from, FTPOOL_NOW, null_mut())),
            c!(ftpool_results_take(from, 1, &mut result, null_mut())),
            c!(ftpool_results_take(from, 0, null_mut(), null_mut())),
            c!(ftpool_results_take(from, 1, null_mut(), &mut 0)),
            c!(ftpool_fail(1, null())),
        ];
        assert_eq!((refused, id), ([FTPOOL_E_INVALID; 16], 7));
        for count in [1, 1000, usize::MAX / 16, usize::MAX] {
            assert_eq!(c!(ftpool_submit_batch(to, function, null(), count, &mut id)), FTPOOL_E_INVALID);
            assert_eq!(c!(ftpool_results_submit_batch(from, function, null(), count, &mut id)), FTPOOL_E_INVALID);
        }
        for count in [usize::MAX, usize::MAX / 8, isize::MAX as usize / 8] {
            assert_eq!(c!(ftpool_submit_batch(to, function, &argument, count, &mut id)), FTPOOL_E_INVALID);
            assert_eq!(c!(ftpool_results_submit_batch(from, function, &argument, count, &mut id)), FTPOOL_E_INVALID);
        }
        assert_eq!(c!(ftpool_submit_batch(to, function, null(), 0, null_id)), FTPOOL_OK);
        assert_eq!(c!(ftpool_results_submit_batch(from, function, null(), 0, null_id)), FTPOOL_OK);
        assert_eq!((pool.counts(), results.waiting()), ([0, 0, 0], [0, 0]), "nothing was taken, no thread was started");

        let accepted = [
            c!(ftpool_submit(to, function, argument, null_id)),
            c!(ftpool_submit_first(to, function, argument, null_id)),
            c!(ftpool_submit_batch(to, function, &argument, 1, null_id)),
            c!(ftpool_results_submit(from, function, argument, null_id)),
            c!(ftpool_results_submit_first(from, function, argument, null_id)),
            c!(ftpool_results_submit_batch(from, function, &argument, 1, null_id)),
            c!(ftpool_results_take(from, 0, null_mut(), &mut 0)),
        ];
        assert_eq!(accepted, [FTPOOL_OK; 7]);
        assert_eq!((0..3).map(|_| results.next(Which::Any).unwrap().value).sum::<usize>(), 9);
    });
}

/// Returns the status of making a pool with this config.
fn status_of(config: &ftpool_config) -> ftpool_status {
    CPool::new(config).err().unwrap_or(FTPOOL_OK)
}

/// Reliability R6; conformance 1, 3.
#[test]
fn configs_with_impossible_values() {
    let (ordered, most) = (|ordered| ftpool_config { ordered, ..CONFIG }, 32_768);
    let workers = |workers| ftpool_config { workers, ..CONFIG };
    assert_eq!(
        [0, 1, 2, u32::MAX].map(|n| status_of(&ordered(n))),
        [FTPOOL_OK, FTPOOL_OK, FTPOOL_E_INVALID, FTPOOL_E_INVALID]
    );
    let refused = [-9998, -5000, most + 1, i32::MAX];
    assert_eq!(refused.map(|n| status_of(&workers(n))), [FTPOOL_E_INVALID; 4]);
    let cpus = CPool::new(null()).map(|pool| c!(ftpool_worker_limit(pool.handle()))).unwrap();
    for (asked, limit) in [(0, cpus), (-9999, cpus), (i32::MIN, cpus), (1, 1), (7, 7), (most, most as usize)] {
        assert_eq!(c!(ftpool_worker_limit(CPool::of(asked).handle())), limit, "{asked}");
    }
    let but_one = CPool::new(&workers(-1)).map(|pool| c!(ftpool_worker_limit(pool.handle())));
    assert_eq!(but_one.unwrap_or(0), cpus - 1, "none is not a number of workers");
}

/// A config as another version of the header declares it.
#[repr(C)]
struct OtherConfig {
    known: ftpool_config,
    tail: [u64; 600],
}

/// Reliability R6: a program that was compiled with an older or a newer header.
#[test]
fn configs_of_other_sizes() {
    const KNOWN: usize = size_of::<ftpool_config>();
    let full = ftpool_config { workers: 3, ordered: 7, ..CONFIG };
    let mut other = OtherConfig { known: full, tail: [0; 600] };
    let make = |other: &mut OtherConfig, size: usize| {
        other.known.size = size;
        status_of(&other.known)
    };
    for size in [0, 1, 7, 4097, usize::MAX / 2, usize::MAX] {
        assert_eq!(make(&mut other, size), FTPOOL_E_INVALID, "{size}");
    }
    for size in [12, 20, KNOWN - 1, KNOWN + 1] {
        assert_eq!(make(&mut other, size), FTPOOL_E_INVALID, "{size}: it may end within a pointer");
    }
    assert_eq!(make(&mut other, 16), FTPOOL_E_INVALID, "the field ordered is known, and 7");
    assert_eq!(make(&mut other, 8), FTPOOL_OK, "a field that an older program does not have is 0");
    other.known.ordered = 1;
    for size in [16, 24, 32, KNOWN, KNOWN + 8, 4096] {
        assert_eq!(make(&mut other, size), FTPOOL_OK, "{size}: all that is not known is 0");
    }
    for at in [0, 1, (4096 - KNOWN) / 8 - 1] {
        other.tail[at] = 1 << 63;
        assert_eq!(make(&mut other, KNOWN + 8 + 8 * at), FTPOOL_E_VERSION);
        assert_eq!(make(&mut other, KNOWN + 8 * at), FTPOOL_OK, "it ends before");
        assert_eq!(make(&mut other, 4096), FTPOOL_E_VERSION);
        other.tail[at] = 0;
    }
    let sized = |workers| ftpool_config { size: 16, workers, ..CONFIG };
    assert_eq!(c!(ftpool_worker_limit(CPool::new(&sized(5)).unwrap().handle())), 5);
}

/// What the header says about names and stacks.
#[test]
fn configs_with_a_name_and_a_stack() {
    within_limit(|| {
        fn deep(levels: usize) -> usize {
            let frame = std::hint::black_box([levels; 1024]);
            if levels == 0 { 0 } else { frame[levels] - levels + deep(levels - 1) }
        }
        let (dig, small) = (|| deep(1000), || 1);
        for (name, stack_size, job) in [
            (c"deep", 64 << 20, &dig as &(dyn Fn() -> usize + Sync)),
            (c"", 1, &small),
            (c"\xff\xfe", 0, &small),
            (c"a name that is longer than any system keeps of it", 0, &small),
        ] {
            let pool = CPool::new(&ftpool_config { workers: 1, name: name.as_ptr(), stack_size, ..CONFIG }).unwrap();
            let results = pool.results();
            let run = || job();
            let (function, argument) = c_common::job(&run);
            assert_eq!(c!(ftpool_results_submit(results.handle(), function, argument, null_mut())), FTPOOL_OK);
            assert!(results.next(Which::Done).is_ok());
            #[cfg(target_os = "linux")]
            if name == c"deep" {
                assert_eq!(common::linux::threads_named("deep-0").len(), 1);
            }
        }
    });
}

/// A result as another version of the header declares it.
#[repr(C)]
#[derive(Clone, Copy)]
struct OtherResult {
    known: ftpool_result,
    tail: [u64; 2],
}

/// Reliability R6: results of other versions of the header, or not initialised.
#[test]
fn results_of_other_sizes() {
    const KNOWN: usize = size_of::<ftpool_result>();
    within_limit(|| {
        let nine = || 9;
        let pool = CPool::of(1);
        let results = pool.results();
        let ids = [(); 6].map(|()| results.submit(How::Last, &nine).unwrap());
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        for size in [0, 1, 8, 48, KNOWN - 1, KNOWN + 1, KNOWN + 4, 4104, usize::MAX, usize::MAX - 7, usize::MAX / 2 + 1]
        {
            let mut result = ftpool_result { size, ..RESULT };
            assert_eq!(c!(ftpool_results_next(results.handle(), FTPOOL_NOW, &mut result)), FTPOOL_E_INVALID, "{size}");
            assert_eq!(c!(ftpool_results_take(results.handle(), 1, &mut result, &mut 0)), FTPOOL_E_INVALID, "{size}");
            assert_eq!((result.size, result.id), (size, 0));
        }
        let blank = OtherResult { known: ftpool_result { size: size_of::<OtherResult>(), ..RESULT }, tail: [77; 2] };
        let mut one = blank;
        assert_eq!(c!(ftpool_results_next(results.handle(), FTPOOL_NOW, &mut one.known)), FTPOOL_OK);
        assert_eq!((Seen::of(&one.known), one.known.size, one.tail), (Seen::done(ids[0], 9), KNOWN + 16, [77; 2]));

        let (mut many, mut count) = ([blank; 4], 0);
        many[1..].iter_mut().for_each(|other| other.known.size = 12345);
        let first = (&raw mut many).cast::<ftpool_result>();
        assert_eq!(c!(ftpool_results_take(results.handle(), 3, first, &mut count)), FTPOOL_OK);
        assert_eq!(count, 3);
        for (other, id) in many.iter().zip(&ids[1..4]) {
            assert_eq!(
                (Seen::of(&other.known), other.known.size, other.tail),
                (Seen::done(*id, 9), KNOWN + 16, [77; 2])
            );
        }
        assert_eq!((many[3].known.size, many[3].known.id), (12345, 0), "more than the capacity is not touched");
        assert_eq!(results.take(3).len(), 2);
        assert_eq!(c!(ftpool_results_take(results.handle(), usize::MAX, &mut one.known, &mut count)), FTPOOL_OK);
        assert_eq!(count, 0);
    });
}

/// Reliability R6: numbers that are not a mode or a time.
#[test]
fn unknown_modes_and_negative_times() {
    within_limit(|| {
        let (gate, ran) = (Gate::new(), Count::new());
        let (block, count) = (waiting(&gate), || ran.add());
        let (pool, gate) = (CPool::of(1), gate);
        let results = pool.results();
        results.submit(How::Last, &block).unwrap();
        for mode in [2, 3, 256, u32::MAX] {
            assert_eq!(pool.shutdown(mode, FTPOOL_NOW), FTPOOL_E_INVALID);
        }
        for timeout in [-2, -1_000_000_000, i64::MIN + 1, i64::MIN] {
            assert_eq!(pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, timeout), FTPOOL_E_INVALID);
            assert_eq!(pool.wait_idle(timeout), FTPOOL_E_INVALID);
            for which in [Which::Any, Which::Done, Which::Failed] {
                assert_eq!(results.read(which, timeout).err(), Some(FTPOOL_E_INVALID));
            }
        }
        pool.submit(How::Last, &count).expect("a shutdown that is not valid does nothing");
        gate.open();
    });
}

/// Reliability R6: times that no clock can show.
#[test]
fn huge_times() {
    within_limit(|| {
        for timeout in [i64::MAX, i64::MAX - 1, i64::MAX / 2, 1 << 61] {
            let gate = Gate::new();
            let block = waiting(&gate);
            let (pool, gate) = (CPool::of(1), gate);
            let results = pool.results();
            let id = results.submit(How::Last, &block).unwrap();
            gate.wait_started(1);
            thread::scope(|scope| {
                let waits = [
                    scope.spawn(|| pool.wait_idle(timeout)),
                    scope.spawn(|| pool.shutdown(FTPOOL_SHUTDOWN_DRAIN, timeout)),
                    scope.spawn(|| results.read(Which::Any, timeout).map_or_else(|status| status, |_| FTPOOL_OK)),
                ];
                eventually("the pool is closed", || pool.submit(How::Last, &block).is_err());
                gate.open();
                assert_eq!(waits.map(|wait| wait.join().unwrap()), [FTPOOL_OK; 3]);
            });
            assert_eq!(pool.cancel(id), FTPOOL_EMPTY);
        }
    });
}

/// Reliability R6; conformance 52: no job is cancelled by an id that is not its own.
#[test]
fn stale_foreign_and_random_ids() {
    const ROUNDS: usize = 100_000;
    within_limit(|| {
        let ran = Count::new();
        let count = || ran.add();
        let (pool, other) = (CPool::of(2), CPool::of(1));
        let foreign = [(); 64].map(|()| other.submit(How::Last, &count).unwrap());
        let (mut random, mut stale) = (Random::new(6), vec![0_u64]);
        for round in 0..ROUNDS {
            let id = pool.submit(EVERY_HOW[round % 3], &count).unwrap();
            assert_eq!(pool.cancel(random.number()), FTPOOL_EMPTY);
            assert_eq!(pool.cancel(foreign[round % 64]), FTPOOL_EMPTY);
            let known = stale[random.below(stale.len() as u64) as usize];
            assert_eq!(pool.cancel(known), FTPOOL_EMPTY, "{known} is over");
            assert_eq!(pool.cancel(id.wrapping_add(1 + random.below(u64::from(u32::MAX)))), FTPOOL_EMPTY);
            assert_eq!(pool.cancel(id ^ 1 << (40 + random.below(24))), FTPOOL_EMPTY);
            if round % 100 == 99 {
                assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
                stale.push(id);
            }
        }
        assert_eq!((pool.wait_idle(LIMIT_NS), other.wait_idle(LIMIT_NS)), (FTPOOL_OK, FTPOOL_OK));
        assert_eq!(ran.get(), ROUNDS + 64);
    });
}

/// Reliability R6; conformance 62, 63.
#[test]
fn everything_after_a_shutdown() {
    within_limit(|| {
        for mode in [FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL] {
            for used in [false, true] {
                let count = || 1;
                let pool = CPool::of(2);
                let results = pool.results();
                let id = if used { results.submit(How::Last, &count).unwrap() } else { 0 };
                assert_eq!(pool.shutdown(mode, LIMIT_NS), FTPOOL_OK);
                for how in EVERY_HOW {
                    assert_eq!(pool.submit(how, &count), Err(FTPOOL_E_SHUTDOWN));
                    assert_eq!(results.submit(how, &count), Err(FTPOOL_E_SHUTDOWN));
                }
                let (none, function) = (null_mut(), job(&count).0);
                assert_eq!(c!(ftpool_submit_batch(pool.handle(), function, null(), 0, none)), FTPOOL_E_SHUTDOWN);
                assert_eq!((pool.cancel(id), pool.wait_idle(FTPOOL_FOREVER)), (FTPOOL_EMPTY, FTPOOL_OK));
                assert_eq!((pool.counts(), pool.failed()), ([0, 0, 0], 0));
                assert_eq!(c!(ftpool_worker_limit(pool.handle())), 2);
                assert_eq!(results.take(4).len(), usize::from(used));
                assert_eq!(pool.results().next(Which::Any), Err(FTPOOL_EMPTY));
                for again in [FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL] {
                    assert_eq!(pool.shutdown(again, FTPOOL_NOW), FTPOOL_OK);
                }
            }
        }
    });
}

/// Reliability R6: calls at random, good and bad. `FTPOOL_SOAK_CALLS` says how many, `FTPOOL_SOAK_SEED` repeats a run.
#[test]
fn random_calls_in_random_order() {
    let number = |name, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let seed = number("FTPOOL_SOAK_SEED", u64::from(std::process::id()));
    let calls = number("FTPOOL_SOAK_CALLS", 100_000);
    println!("FTPOOL_SOAK_SEED={seed} FTPOOL_SOAK_CALLS={calls}");
    if calls <= 100_000 { within_limit(move || driver::drive(seed, calls)) } else { driver::drive(seed, calls) }
}
