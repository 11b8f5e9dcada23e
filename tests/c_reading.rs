//! Readers of C jobs' outcomes that wait in other ways: callbacks, bounds, descriptors, times.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{CONFIG, CPool, CResults, EVERY_HOW, How, LIMIT_NS, RESULTS_OPTIONS, SUBMIT_OPTIONS, Seen, Which};
use c_common::{c, callback, job, waiting};
use common::{Count, Gate, eventually, lock, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// Conformance 13.
#[test]
fn a_job_that_is_to_be_first_is() {
    within_limit(|| {
        let (gate, order) = (Gate::new(), Mutex::new(Vec::new()));
        let block = waiting(&gate);
        let [early, late] = [1, 2].map(|n| {
            let order = &order;
            move || {
                lock(order).push(n);
                n
            }
        });
        let (pool, gate) = (CPool::of(1), gate);
        pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        pool.submit_with(job(&late), &SUBMIT_OPTIONS).unwrap();
        pool.submit_with(job(&early), &ftpool_submit_options { flags: FTPOOL_SUBMIT_FIRST, ..SUBMIT_OPTIONS }).unwrap();
        gate.open();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        assert_eq!(*lock(&order), [1, 2]);
    });
}

/// Conformance 23, 73: one thread, one outcome at a time; the free delivers what has arrived, and nothing later.
#[test]
fn a_results_callback_takes_every_outcome() {
    within_limit(|| {
        let (log, threads) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let (seven, fail) = (|| 7, || usize::from(c!(ftpool_fail(3, c"failed".as_ptr())) == FTPOOL_OK));
        let note = |result: &ftpool_result| {
            log.try_lock().expect("one at a time").push(Seen::of(result));
            lock(&threads).push((thread::current().id(), ftpool_self_id()));
            -1 // ignored
        };
        let pool = CPool::of(2);
        let (function, context) = callback(&note);
        let options = ftpool_results_options { callback: function, callback_context: context, ..RESULTS_OPTIONS };
        let results = pool.results_with(&options).unwrap();
        let expected: Vec<_> = (0..600)
            .map(|n| match n % 3 {
                0 => Seen::failed(results.submit(EVERY_HOW[n % 2], &fail).unwrap(), 3, "failed"),
                _ => Seen::done(results.submit(EVERY_HOW[n % 2], &seven).unwrap(), 7),
            })
            .collect();
        for which in [Which::Any, Which::Done, Which::Failed] {
            assert_eq!(results.next(which), Err(FTPOOL_E_BUSY));
        }
        let mut count = 77;
        let mut none = c_common::RESULT;
        assert_eq!(c!(ftpool_results_take(results.handle(), 1, &mut none, &mut count)), FTPOOL_E_BUSY);
        assert_eq!(c!(ftpool_results_fd(results.handle(), &mut 0)), FTPOOL_E_BUSY);
        assert_eq!((pool.wait_idle(LIMIT_NS), count), (FTPOOL_OK, 77));
        drop(results);
        let mut seen = lock(&log).drain(..).collect::<Vec<_>>();
        assert_eq!(seen.len(), 600, "all that had arrived was handed on");
        seen.sort_by_key(|seen| seen.id);
        let mut expected = expected;
        expected.sort_by_key(|seen| seen.id);
        assert_eq!(seen, expected);
        let threads = lock(&threads);
        assert!(threads.iter().all(|&(thread, job)| (thread, job) == (threads[0].0, 0)), "one thread, in no job");
    });
}

/// The results object may be freed by its own callback.
#[test]
fn a_callback_frees_its_results() {
    within_limit(|| {
        let (gone, seven) = (Mutex::new(None::<CResults>), || 7);
        let free = |_: &ftpool_result| {
            drop(lock(&gone).take());
            0
        };
        let pool = CPool::of(1);
        let (function, context) = callback(&free);
        let options = ftpool_results_options { callback: function, callback_context: context, ..RESULTS_OPTIONS };
        let results = pool.results_with(&options).unwrap();
        let handle = results.handle();
        let (function, argument) = job(&seven);
        *lock(&gone) = Some(results);
        assert_eq!(c!(ftpool_results_submit(handle, function, argument, std::ptr::null_mut())), FTPOOL_OK);
        eventually("the callback has freed it", || lock(&gone).is_none());
    });
}

/// Conformance 79: with a bound of 3, done and failed together; one read makes room for one.
#[test]
fn workers_wait_while_there_is_no_room() {
    within_limit(|| {
        let ran = Count::new();
        let [count, fail, emit] = [0, 1, 2].map(|what| {
            let ran = &ran;
            move || {
                if what == 1 {
                    c!(ftpool_fail(3, c"failed".as_ptr()));
                }
                (0..if what == 2 { 4 } else { 0 }).for_each(|_| assert_eq!(ftpool_emit(c_common::value(1)), FTPOOL_OK));
                ran.add()
            }
        });
        let pool = CPool::of(2);
        let results = pool.results_with(&ftpool_results_options { done_max: 3, ..RESULTS_OPTIONS }).unwrap();
        let options = ftpool_submit_options { results: results.handle(), ..SUBMIT_OPTIONS };
        for n in 0..20 {
            pool.submit_with(job(if n % 4 == 0 { &fail } else { &count }), &options).unwrap();
        }
        pool.submit_with(job(&emit), &ftpool_submit_options { flags: FTPOOL_SUBMIT_EMITS, ..options }).unwrap();
        let unread = || results.waiting().iter().sum::<usize>();
        for read in 0..24 {
            eventually("there are as many as there may be", || unread() == 3.min(24 - read));
            assert!(ran.get() <= read + 3 + 2, "a worker without room takes no other job");
            assert!(results.next(Which::Any).is_ok());
        }
        assert_eq!((results.next(Which::Any), pool.wait_idle(LIMIT_NS)), (Err(FTPOOL_EMPTY), FTPOOL_OK));
    });
}

/// Conformance 79: without a reader, no worker waits forever.
#[test]
fn ends_with_unread_outcomes_do_not_hang() {
    within_limit(|| {
        let one = || 1;
        let bounded = ftpool_results_options { done_max: 1, ..RESULTS_OPTIONS };
        for mode in [FTPOOL_SHUTDOWN_DRAIN, FTPOOL_SHUTDOWN_CANCEL] {
            let pool = CPool::of(2);
            let (results, freed) = (pool.results_with(&bounded).unwrap(), pool.results_with(&bounded).unwrap());
            for _ in 0..10 {
                assert!(freed.submit(How::Last, &one).is_ok() && results.submit(How::Last, &one).is_ok());
            }
            eventually("both are full", || freed.waiting()[0] + results.waiting()[0] == 2 || pool.counts()[1] == 2);
            drop(freed);
            assert_eq!(pool.shutdown(mode, LIMIT_NS), FTPOOL_OK);
            assert_eq!(results.take(99).len(), 10, "each has an outcome");
        }
        let pool = CPool::of(1);
        let results = pool.results_with(&bounded).unwrap();
        (0..10).for_each(|_| assert!(results.submit(How::Last, &one).is_ok()));
        drop(pool);
        assert_eq!(results.take(99).len(), 10);
    });
}

#[cfg(target_os = "linux")]
fn is_readable(fd: i32, timeout_ms: i32) -> bool {
    let mut waited = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which is the test's own.
    let count = unsafe { libc::poll(&raw mut waited, 1, timeout_ms) };
    assert!(count >= 0 && waited.revents & !libc::POLLIN == 0);
    count == 1
}

/// The descriptor is readable when there is something to read, and then not until there is something again.
#[test]
#[cfg(target_os = "linux")]
fn a_descriptor_tells_a_poller() {
    within_limit(|| {
        let one = || 1;
        let pool = CPool::of(2);
        let (results, mut fd, mut again) = (pool.results(), -1, -1);
        assert!(results.submit(How::Last, &one).is_ok());
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        assert_eq!(c!(ftpool_results_fd(results.handle(), &mut fd)), FTPOOL_OK);
        assert_eq!(c!(ftpool_results_fd(results.handle(), &mut again)), FTPOOL_OK);
        assert!(fd == again && is_readable(fd, 0), "what was there before counts");
        for round in 0..2000 {
            assert!(is_readable(fd, 60_000), "round {round}");
            assert_eq!(results.next(Which::Any).map(|seen| seen.value), Ok(1));
            assert_eq!(results.read(Which::Any, FTPOOL_NOW).err(), Some(FTPOOL_EMPTY));
            assert!(!is_readable(fd, 0), "nothing is there");
            assert!(results.submit(How::Last, &one).is_ok());
        }
        let mut read = 0;
        (0..1000).for_each(|_| assert!(results.submit(How::Last, &one).is_ok()));
        while read < 1001 {
            assert!(is_readable(fd, 60_000), "after {read}");
            read += std::iter::from_fn(|| results.read(Which::Any, FTPOOL_NOW).ok()).count();
        }
        drop(results);
        let pool_again = pool.results();
        assert_eq!(pool_again.waiting(), [0, 0]);
    });
}

/// What the header says of ftpool_config.timing.
#[test]
fn times_are_measured_when_asked() {
    within_limit(|| {
        const LONG: Duration = Duration::from_millis(2);
        let spin = || {
            let start = Instant::now();
            while start.elapsed() < LONG {
                std::hint::spin_loop();
            }
            1
        };
        let (gate, quick) = (Gate::new(), || 1);
        let block = waiting(&gate);
        let (pool, gate) = (CPool::new(&ftpool_config { workers: 1, timing: 1, ..CONFIG }).unwrap(), gate);
        let results = pool.results();
        pool.submit(How::Last, &block).unwrap();
        gate.wait_started(1);
        let options = ftpool_submit_options { results: results.handle(), ..SUBMIT_OPTIONS };
        for how in EVERY_HOW {
            results.submit(how, &spin).unwrap();
        }
        pool.submit_with(job(&spin), &options).unwrap();
        let cancelled = results.submit(How::Last, &quick).unwrap();
        spin();
        assert_eq!(pool.cancel(cancelled), FTPOOL_OK);
        gate.open();
        assert_eq!(pool.wait_idle(LIMIT_NS), FTPOOL_OK);
        let long = LONG.as_nanos() as u64;
        for _ in 0..5 {
            let seen = results.read(Which::Any, LIMIT_NS).unwrap();
            let ran = seen.id != cancelled;
            assert!(seen.queued_ns >= long && seen.queued_ns < LIMIT_NS as u64, "{seen:?}");
            assert_eq!(seen.run_ns >= long, ran, "{seen:?}");
            assert!(ran || seen.run_ns == 0);
        }
        let refused = CPool::new(&ftpool_config { timing: 2, ..CONFIG }).err();
        assert_eq!(refused, Some(FTPOOL_E_INVALID));
    });
}

/// Conformance 24: what a results object's callback refuses is kept with the job's id; each is handed out once.
#[test]
fn a_failure_of_a_results_callback_is_kept() {
    within_limit(|| {
        let seen = Count::new();
        let numbers: [_; 4] = std::array::from_fn(|n| move || n);
        let declare = || c!(ftpool_fail(40, c"a reason of its own".as_ptr())) as usize;
        let refuse_odd = |result: &ftpool_result| {
            seen.add();
            (result.value.addr() % 2 * 40) as i32 + result.error_code
        };
        let pool = CPool::of(2);
        let (function, context) = callback(&refuse_odd);
        let options = ftpool_results_options { callback: function, callback_context: context, ..RESULTS_OPTIONS };
        let results = pool.results_with(&options).unwrap();
        let ids = numbers.each_ref().map(|number| results.submit(How::Last, number).unwrap());
        eventually("all were shown", || seen.get() == 4);
        let mut failed = Vec::new();
        eventually("two failures were kept", || {
            let mut failure = c_common::RESULT;
            let status = c!(ftpool_results_next_callback_failure(results.handle(), &mut failure));
            if status == FTPOOL_OK {
                failed.push(Seen::of(&failure));
            }
            failed.len() == 2
        });
        failed.sort_by_key(|seen| seen.id);
        assert_eq!(failed, [1, 3].map(|n| Seen::failed(ids[n], 40, "the callback failed")));
        let declared = results.submit(How::Last, &declare).unwrap();
        eventually("the code of a failure was passed on", || {
            let mut failure = c_common::RESULT;
            let status = c!(ftpool_results_next_callback_failure(results.handle(), &mut failure));
            status == FTPOOL_OK && Seen::of(&failure) == Seen::failed(declared, 40, "a reason of its own")
        });
        let mut none = c_common::RESULT;
        assert_eq!(c!(ftpool_results_next_callback_failure(results.handle(), &mut none)), FTPOOL_EMPTY);
        assert_eq!(c!(ftpool_results_next_callback_failure(std::ptr::null_mut(), &mut none)), FTPOOL_E_INVALID);
        let nowhere = std::ptr::null_mut();
        assert_eq!(c!(ftpool_results_next_callback_failure(results.handle(), nowhere)), FTPOOL_E_INVALID);
    });
}
