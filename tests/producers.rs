//! Submitting threads that start and end, are very many, or use many pools.

mod common;

use common::{Count, Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::Pool;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

/// A job that adds to a sum.
fn adding(sum: &Arc<AtomicU64>, number: u64) -> impl FnOnce() + Send + 'static {
    let sum = Arc::clone(sum);
    move || {
        sum.fetch_add(number, SeqCst);
    }
}

/// Conformance 66, for submitting threads: their queued jobs run, and others take over their lanes.
#[test]
fn jobs_of_threads_that_have_gone_are_run() {
    within_limit(|| {
        let (pool, sum) = (pool_of(2), Arc::new(AtomicU64::new(0)));
        for wave in 0..1250 {
            thread::scope(|scope| {
                for thread in 0..8 {
                    let (pool, sum) = (&pool, &sum);
                    scope.spawn(move || {
                        for job in 0..3 {
                            pool.spawn(adding(sum, (wave * 8 + thread) * 3 + job)).unwrap();
                        }
                    });
                }
            });
        }
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(sum.load(SeqCst), (0..30_000).sum());
    });
}

/// Conformance 57: also when every submitter has ended before its first job starts.
#[test]
fn jobs_of_threads_that_have_gone_wait_for_a_worker() {
    within_limit(|| {
        let (pool, gate, ran) = (pool_of(1), Gate::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        for _ in 0..200 {
            let (pool, job) = (pool.clone(), ran.job());
            let submitter = thread::spawn(move || pool.spawn_batch([(); 3].map(|()| job.clone())).unwrap());
            submitter.join().unwrap();
        }
        assert_eq!(pool.pending(), 601);
        gate.open();
        drop(pool);
        assert_eq!(ran.get(), 600);
    });
}

/// Conformance 20: more submitters at a time than there are lanes.
#[test]
fn a_hundred_threads_submit_at_a_time() {
    within_limit(|| {
        for round in 0..5 {
            let (pool, sum) = (pool_of(1 + round), Arc::new(AtomicU64::new(0)));
            let results = pool.results();
            let start = Barrier::new(100);
            thread::scope(|scope| {
                for thread in 0..100_u64 {
                    let (pool, results, sum, start) = (&pool, &results, &sum, &start);
                    scope.spawn(move || {
                        start.wait();
                        for job in 0..200 {
                            let number = thread * 200 + job;
                            pool.spawn(adding(sum, number)).unwrap();
                            results.submit(move || number).unwrap();
                        }
                    });
                }
            });
            let read: u64 = results.as_completed().map(|outcome| outcome.result.unwrap()).sum();
            pool.wait_idle(LIMIT).unwrap();
            let expected: u64 = (0..20_000).sum();
            assert_eq!((sum.load(SeqCst), read), (expected, expected));
        }
    });
}

/// Conformance 8, 20: one thread submits to many pools in turn.
#[test]
fn one_thread_uses_fifty_pools_in_turn() {
    within_limit(|| {
        for _ in 0..3 {
            let pools: Vec<(Pool, Count)> = (0..50).map(|_| (pool_of(1), Count::new())).collect();
            for _ in 0..100 {
                for (pool, ran) in &pools {
                    pool.spawn(ran.job()).unwrap();
                }
            }
            for (pool, ran) in &pools {
                pool.wait_idle(LIMIT).unwrap();
                assert_eq!(ran.get(), 100);
            }
        }
    });
}

/// Conformance 66: pools are made and dropped while the submitting threads stay.
#[test]
fn threads_outlive_the_pools_they_use() {
    within_limit(|| {
        let kept = pool_of(2);
        let ran = Count::new();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..250 {
                        let own = pool_of(2);
                        for pool in [&kept, &own, &kept, &own, &own] {
                            pool.spawn(ran.job()).unwrap();
                        }
                    }
                });
            }
        });
        kept.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 5000);
    });
}

/// Conformance 112: workers submit to each other's pools.
#[test]
fn workers_submit_to_other_pools() {
    fn bounce(pools: Arc<Vec<Pool>>, ran: Count, hops: usize) {
        ran.add();
        if hops > 0 {
            let next = hops % pools.len();
            let others = Arc::clone(&pools);
            pools[next].spawn(move || bounce(others, ran, hops - 1)).unwrap();
        }
    }
    within_limit(|| {
        let pools = Arc::new((1..5).map(pool_of).collect::<Vec<_>>());
        let ran = Count::new();
        for _ in 0..100 {
            bounce(Arc::clone(&pools), ran.clone(), 100);
        }
        common::eventually("every hop was made", || ran.get() == 100 * 101);
        for pool in pools.iter() {
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.failed(), 0);
        }
    });
}
