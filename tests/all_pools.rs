//! The global pool, and shutting down all pools. The tests run one at a time: each affects all pools of the process.

mod common;

use common::{Count, Gate, LIMIT, lock, pool_of, within_limit};
use fastthreadpool::{Deadline, Pool, Shutdown, SubmitError, WaitError};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone(body: impl FnOnce() + Send + 'static) {
    within_limit(|| {
        let _turn = lock(&ONE_AT_A_TIME);
        body();
    });
}

/// Conformance 65.
#[test]
fn all_pools_are_drained_at_once() {
    alone(|| {
        for round in 0..200 {
            let (pools, ran) = ([1, 2, 4, 1].map(pool_of), Count::new());
            for pool in &pools[..3] {
                (0..200).for_each(|_| assert!(pool.spawn(ran.job()).is_ok()));
            }
            Pool::shutdown_all(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!(ran.get(), 600, "round {round}");
            for pool in &pools {
                assert_eq!((pool.alive(), pool.pending()), (0, 0));
                assert!(matches!(pool.spawn(ran.job()), Err(SubmitError::Shutdown)));
            }
            Pool::shutdown_all(Shutdown::Drain, Deadline::NOW).expect("the second time is harmless");
            Pool::shutdown_all(Shutdown::Cancel, Deadline::NOW).expect("in whichever mode");
            pools[0].reopen(LIMIT).unwrap();
            pool_of(1).spawn(ran.job()).expect("a later pool is none of them");
        }
    });
}

/// Conformance 58, 65.
#[test]
fn all_pools_are_cancelled_at_once() {
    alone(|| {
        let (pools, gate, ran) = ([1, 2].map(pool_of), Gate::new(), Count::new());
        let results = pools.each_ref().map(Pool::results);
        for (pool, results) in pools.iter().zip(&results) {
            (0..pool.limit()).for_each(|_| assert!(results.submit(gate.job()).is_ok()));
            gate.wait_started(pool.limit());
        }
        gate.wait_started(3);
        results.iter().for_each(|results| (0..100).for_each(|_| assert!(results.submit(ran.job()).is_ok())));
        let early = Pool::shutdown_all(Shutdown::Cancel, Duration::from_millis(5));
        assert_eq!(early, Err(WaitError::TimedOut));
        assert!(results.iter().all(|results| results.failed_count() == 100), "cancelled all the same");
        gate.open();
        Pool::shutdown_all(Shutdown::Cancel, LIMIT).unwrap();
        assert_eq!((ran.get(), results.map(|results| results.outstanding())), (0, [0, 0]));
    });
}

/// Conformance 58, 65: a job that submits its successor would keep its pool from ending.
#[test]
fn no_job_has_a_successor_when_all_pools_are_cancelled() {
    alone(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let door = gate.door();
        let submit = move || {
            door.pass();
            matches!(Pool::current().expect("this is a job").spawn(|| ()), Err(SubmitError::Shutdown))
        };
        let refused = pool.submit(submit).unwrap();
        gate.wait_started(1);
        assert_eq!(Pool::shutdown_all(Shutdown::Cancel, Deadline::NOW), Err(WaitError::TimedOut));
        gate.open();
        assert!(refused.join().unwrap());
    });
}

/// Conformance 64, 65: a job of one of the pools would wait for itself.
#[test]
fn a_job_cannot_end_all_pools() {
    alone(|| {
        let (pool, other) = (pool_of(1), pool_of(1));
        let verdicts = pool.results();
        verdicts.submit(|| Pool::shutdown_all(Shutdown::Drain, Deadline::NEVER)).unwrap();
        assert_eq!(verdicts.next_done(LIMIT).unwrap().1, Err(WaitError::Deadlock));
        other.spawn(|| ()).expect("nothing was done");
    });
}

/// Conformance 65; reliability R4: pools are made and dropped meanwhile.
#[test]
fn pools_that_come_and_go_while_all_are_shut_down() {
    alone(|| {
        thread::scope(|scope| {
            let makers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..500 {
                            let (pool, ran) = (pool_of(1), Count::new());
                            let accepted = (0..5).filter(|_| pool.spawn(ran.job()).is_ok()).count();
                            drop(pool);
                            assert_eq!(ran.get(), accepted);
                        }
                    })
                })
                .collect();
            while !makers.iter().all(|maker| maker.is_finished()) {
                Pool::shutdown_all(Shutdown::Drain, LIMIT).unwrap();
            }
        });
    });
}

/// What the documentation says of the global pool.
#[test]
fn the_global_pool_is_one_and_ends_with_all_others_only() {
    alone(|| {
        let pool = Pool::global();
        assert!(std::ptr::eq(pool, Pool::global()));
        let ran = Count::new();
        pool.clone().abandon();
        drop(pool.clone());
        assert_eq!(pool.shutdown(Shutdown::Drain, Deadline::NEVER), Err(WaitError::Refused));
        pool.spawn(ran.job()).unwrap();
        Pool::shutdown_all(Shutdown::Drain, LIMIT).unwrap();
        assert_eq!((ran.get(), pool.alive()), (1, 0));
        assert!(matches!(pool.spawn(ran.job()), Err(SubmitError::Shutdown)));
        pool.reopen(LIMIT).unwrap();
        pool.spawn(ran.job()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 2);
    });
}
