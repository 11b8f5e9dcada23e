//! Broadcasts that miss a worker, reach one twice, or do not return.

mod common;

use common::{Count, Gate, LIMIT, eventually, pool_of, within_limit};
use fastthreadpool::{Pool, Shutdown, SubmitError, blocking, current_job, worker_index};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Every worker once, missing ones are started, values in the order of the workers; the body may borrow.
#[test]
fn every_worker_is_called_once() {
    within_limit(|| {
        for workers in [1, 2, 5] {
            let pool = pool_of(workers);
            for before in 0..3 {
                (0..before).for_each(|_| pool.run(|| ()).unwrap());
                let calls = Count::new();
                let seen = pool.broadcast(|index| {
                    calls.add();
                    (index, worker_index(), thread::current().id(), current_job().is_some())
                });
                let seen = seen.unwrap();
                assert_eq!(
                    (seen.len(), calls.get(), pool.alive()),
                    (workers as usize, workers as usize, workers as usize)
                );
                assert!(seen.iter().enumerate().all(|(at, it)| (it.0, it.1, it.3) == (at, Some(at), true)));
                let threads = seen.iter().map(|it| format!("{:?}", it.2)).collect::<BTreeSet<_>>();
                assert_eq!(threads.len(), workers as usize);
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((pool.pending(), pool.failed()), (0, 0));
        }
    });
}

/// A busy worker takes part after its job and before the next; the others neither wait for it nor spin.
#[test]
fn a_busy_worker_comes_between_two_jobs() {
    within_limit(|| {
        let pool = pool_of(2);
        let (gate, ran) = (Gate::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let calls = Count::new();
        thread::scope(|scope| {
            let caller = scope.spawn(|| pool.broadcast(|_| calls.add()).unwrap().len());
            eventually("the idle worker has come", || calls.get() == 1);
            (0..100).for_each(|_| _ = pool.spawn(ran.job()).unwrap());
            eventually("the other worker goes on", || ran.get() == 100);
            assert_eq!(calls.get(), 1);
            gate.open();
            assert_eq!(caller.join().unwrap(), 2);
        });
        assert_eq!(calls.get(), 2);
    });
}

/// Several callers at a time, among submitters, with workers that leave and are replaced.
#[test]
fn callers_do_not_disturb_each_other() {
    within_limit(|| {
        let builders = [
            Pool::builder(),
            Pool::builder().idle_timeout(Duration::ZERO),
            Pool::builder().jobs_per_worker(2),
            Pool::builder().extra_workers(1),
        ];
        for builder in builders {
            let (pool, ran, calls) = (builder.workers(2).build().unwrap(), Count::new(), Count::new());
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for _ in 0..100 {
                            let ran = ran.clone();
                            let job = move || {
                                blocking(thread::yield_now);
                                ran.add();
                            };
                            pool.spawn(job).unwrap();
                            let seen = pool.broadcast(|index| {
                                calls.add();
                                index
                            });
                            let seen = seen.unwrap();
                            assert!(seen.len() >= 2 && seen.is_sorted());
                        }
                    });
                }
            });
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert!(ran.get() == 300 && calls.get() >= 600);
            assert_eq!((pool.pending(), pool.alive()), (0, 0));
        }
    });
}

/// In a job of the pool it would wait for itself; in another pool's job it does not.
#[test]
fn a_job_cannot_call_its_own_pool() {
    within_limit(|| {
        let (pool, other) = (pool_of(2), pool_of(1));
        let (own, foreign) = (pool.clone(), pool.clone());
        let refused = pool.run(move || matches!(own.broadcast(|_| ()), Err(SubmitError::Deadlock))).unwrap();
        assert!(refused);
        assert_eq!(other.run(move || foreign.broadcast(|_| ()).unwrap().len()).unwrap(), 2);
    });
}

/// A pool that was shut down refuses, and one that is shut down meanwhile waits.
#[test]
fn a_closed_pool_is_not_called() {
    within_limit(|| {
        let pool = pool_of(2);
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert!(matches!(pool.broadcast(|_| ()), Err(SubmitError::Shutdown)));
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            pool.reopen(LIMIT).unwrap();
            let gate = Gate::new();
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let (calls, door) = (Count::new(), gate.door());
            thread::scope(|scope| {
                let caller = scope.spawn(|| pool.broadcast(|_| calls.add()).map(|values| values.len()));
                eventually("one of them has come", || calls.get() == 1);
                let closer = scope.spawn(|| pool.shutdown(mode, LIMIT).unwrap());
                eventually("the pool is closed", || pool.check().is_err());
                drop(door);
                gate.open();
                assert_eq!(caller.join().unwrap().unwrap(), 2);
                closer.join().unwrap();
            });
            assert_eq!((calls.get(), pool.alive()), (2, 0));
        }
    });
}

/// A panic goes on in the caller when all have ended; nothing is dropped twice or not at all.
#[test]
fn a_panic_in_a_call_is_the_callers() {
    within_limit(|| {
        let pool = pool_of(3);
        let (drops, ended) = (Count::new(), Count::new());
        for at in 0..3 {
            let thrown = catch_unwind(AssertUnwindSafe(|| {
                pool.broadcast(|index| {
                    ended.add();
                    assert_ne!(index, at, "this worker panics");
                    drops.on_drop()
                })
            }));
            assert!(thrown.is_err());
        }
        assert_eq!((ended.get(), drops.get()), (9, 6));
        let everyone = catch_unwind(AssertUnwindSafe(|| pool.broadcast(|_| -> () { panic!("all do") })));
        assert!(everyone.is_err());
        assert_eq!((pool.broadcast(|_| ()).unwrap().len(), pool.failed()), (3, 0));
    });
}

/// Conformance 11: a failing start hook is an error of the call, which does not wait for the worker.
#[test]
fn a_worker_that_cannot_begin_is_not_waited_for() {
    within_limit(|| {
        let calls = Arc::new(Count::new());
        let pool = Pool::builder().workers(2).try_on_start(|_| Err("no")).build().unwrap();
        assert!(matches!(pool.broadcast(|_| calls.add()), Err(SubmitError::Broken(_))));
        assert_eq!(calls.get(), 0);
        assert!(matches!(pool.broadcast(|_| ()), Err(SubmitError::Broken(_))));
    });
}
