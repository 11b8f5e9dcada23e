//! Jobs that block: too few workers meanwhile, or too many afterwards.

mod common;

use common::{Count, Gate, LIMIT, eventually, pool_of, within_limit};
use fastthreadpool::{Pool, Shutdown, blocking, wait, worker_index};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;

fn pool(workers: i32, extra: usize) -> Pool {
    Pool::builder().workers(workers).extra_workers(extra).build().unwrap()
}

/// Conformance 119: on a pool of one worker, by a channel that the pool does not know.
#[test]
fn a_job_that_blocks_may_wait_for_another_one() {
    within_limit(|| {
        let pool = pool(1, 1);
        for _ in 0..200 {
            let (send, receive) = mpsc::channel();
            let waits = pool.submit(move || blocking(|| receive.recv())).unwrap();
            pool.spawn(move || send.send(7).unwrap()).unwrap();
            assert_eq!(waits.join().unwrap(), Ok(7));
        }
        assert!(pool.alive() <= 2);
    });
}

/// Conformance 119: jobs in the batch of the blocking worker run, too.
#[test]
fn jobs_behind_one_that_blocks_are_run_by_another_worker() {
    within_limit(|| {
        let (pool, ran) = (pool(1, 1), Count::new());
        let gate = Gate::new();
        let door = gate.door();
        pool.spawn(move || blocking(|| door.pass())).unwrap();
        pool.spawn_batch((0..100).map(|_| ran.job())).unwrap();
        eventually("the others have run", || ran.get() == 100);
        assert_eq!((pool.alive(), pool.busy()), (2, 1));
    });
}

/// No more threads than allowed, whichever job blocks; without extra workers a region has no effect.
#[test]
fn no_more_workers_come_than_may() {
    within_limit(|| {
        for (workers, extra, blocked) in [(1, 0, 1), (1, 2, 3), (2, 1, 3), (2, 3, 5)] {
            let pool = pool(workers, extra);
            assert_eq!(pool.limit(), workers as usize + extra);
            let gate = Gate::new();
            for _ in 0..10 {
                let door = gate.door();
                pool.spawn(move || blocking(|| door.pass())).unwrap();
            }
            gate.wait_started(blocked);
            assert_eq!((gate.started(), pool.alive()), (blocked, blocked));
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(gate.started(), 10);
        }
    });
}

/// Conformance 99: when regions have ended, no more jobs run at a time than before, and the surplus comes back when
/// needed.
#[test]
fn a_worker_too_many_stands_by() {
    within_limit(|| {
        let pool = pool(1, 1);
        for round in 0..100 {
            let gate = Gate::new();
            let door = gate.door();
            pool.spawn(move || blocking(|| door.pass())).unwrap();
            pool.submit(|| ()).unwrap().join().unwrap();
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.alive(), 2, "round {round}: no third thread, and the second one stays");
            let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let jobs: Vec<_> = (0..20)
                .map(|_| {
                    let (active, most) = (Arc::clone(&active), Arc::clone(&most));
                    let job = move || {
                        most.fetch_max(active.fetch_add(1, SeqCst) + 1, SeqCst);
                        std::thread::yield_now();
                        active.fetch_sub(1, SeqCst);
                        worker_index().unwrap()
                    };
                    pool.submit(job).unwrap()
                })
                .collect();
            assert!(jobs.into_iter().all(|job| job.join().unwrap() < pool.limit()));
            assert_eq!(most.load(SeqCst), 1);
        }
    });
}

/// Conformance 106: a surplus worker leaves like any other when it has slept too long.
#[test]
fn workers_that_stand_by_leave_in_the_end() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).extra_workers(3).idle_timeout(Duration::from_millis(1)).build().unwrap();
        for _ in 0..10 {
            let gate = Gate::new();
            for _ in 0..4 {
                let door = gate.door();
                pool.spawn(move || blocking(|| door.pass())).unwrap();
            }
            gate.wait_started(4);
            gate.open();
            eventually("no thread is left", || pool.alive() == 0);
        }
    });
}

/// Regions inside regions count once; a panic ends one; outside a job there is nothing to end.
#[test]
fn a_region_ends_however_it_ends() {
    within_limit(|| {
        let pool = pool(1, 1);
        let nested = pool.submit(|| blocking(|| blocking(|| 1) + blocking(|| 2))).unwrap();
        assert_eq!(nested.join().unwrap(), 3);
        assert!(pool.submit(|| blocking(|| panic!("while it blocks"))).unwrap().join().is_err());
        assert_eq!(blocking(|| 4), 4);
        // Both regions have ended: again exactly one job may block.
        let gate = Gate::new();
        for _ in 0..4 {
            let door = gate.door();
            pool.spawn(move || blocking(|| door.pass())).unwrap();
        }
        gate.wait_started(2);
        assert_eq!((gate.started(), pool.alive()), (2, 2));
    });
}

/// Rule 14: a job that runs on the thread of a blocking job, which waits for it, does not count as blocking.
#[test]
fn a_job_inside_a_blocking_one_counts() {
    within_limit(|| {
        let pool = pool(1, 1);
        let own = pool.clone();
        let outer = pool.submit(move || {
            let jobs: Vec<_> = (0..10).map(|n| own.submit(move || blocking(|| n)).unwrap()).collect();
            blocking(|| wait(&jobs, fastthreadpool::Until::All, fastthreadpool::Deadline::NEVER).unwrap());
            jobs.into_iter().map(|job| job.join().unwrap()).sum::<i32>()
        });
        assert_eq!(outer.unwrap().join().unwrap(), 45);
        pool.wait_idle(LIMIT).unwrap();
    });
}

/// Conformance 57, 60: shutdown with jobs that block, and workers that stand by.
#[test]
fn a_pool_ends_with_workers_of_every_kind() {
    within_limit(|| {
        for round in 0..200 {
            let (pool, ran) = (pool(1 + round % 2, 2), Count::new());
            for _ in 0..6 {
                let ran = ran.clone();
                let job = move || {
                    blocking(std::thread::yield_now);
                    ran.add();
                };
                pool.spawn(job).unwrap();
            }
            if round % 3 == 0 {
                pool.wait_idle(LIMIT).unwrap();
            }
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!((ran.get(), pool.alive()), (6, 0));
            pool.reopen(LIMIT).unwrap();
            assert_eq!(pool.run(|| blocking(|| 5)).unwrap(), 5);
        }
    });
}

/// By default a pool keeps its limit, also if its jobs block.
#[test]
fn a_plain_pool_keeps_its_limit() {
    within_limit(|| {
        let pool = pool_of(2);
        let gate = Gate::new();
        for _ in 0..5 {
            let door = gate.door();
            pool.spawn(move || blocking(|| door.pass())).unwrap();
        }
        gate.wait_started(2);
        assert_eq!((pool.alive(), pool.limit()), (2, 2));
    });
}

/// A worker too many sleeps also if a results object has gone whose job is queued: else all would wait for another one
/// to step back.
#[test]
fn a_worker_too_many_steps_back_from_a_job_that_nobody_reads() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).extra_workers(1).build().unwrap();
        let (region, first, second, ran) = (Gate::new(), Gate::new(), Gate::new(), Count::new());
        let (inside, after) = (region.door(), first.door());
        let blocks = move || {
            fastthreadpool::blocking(|| inside.pass());
            after.pass();
        };
        pool.spawn(blocks).unwrap();
        region.wait_started(1);
        pool.spawn(second.job()).unwrap();
        second.wait_started(1);
        region.open();
        first.wait_started(1);
        let results = pool.results();
        results.submit(ran.job()).unwrap();
        drop(results);
        first.open();
        second.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1);
    });
}
