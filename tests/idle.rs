//! Waits for an idle pool that end too early or never, wrong counts, and idle pools that work.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, Pool, Shutdown, WaitError};
use std::thread;
use std::time::Duration;

/// Conformance 76.
#[test]
fn a_pool_never_used_is_idle() {
    let pool = pool_of(4);
    assert_eq!(pool.wait_idle(Deadline::NOW), Ok(()));
    assert_eq!(pool.wait_idle(Deadline::NEVER), Ok(()));
    assert_eq!(pool.alive(), 0);
}

/// Conformance 76.
#[test]
fn the_wait_ends_when_all_jobs_have_finished() {
    within_limit(|| {
        for round in 0..1000 {
            let (pool, ran, jobs) = (pool_of(1 + round % 4), Count::new(), 50);
            for n in 0..jobs {
                let submit = if n % 10 == 9 { Pool::spawn_first } else { Pool::spawn };
                submit(&pool, ran.job()).unwrap();
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((ran.get(), pool.busy(), pool.pending()), (jobs, 0, 0), "round {round}");
        }
    });
}

/// Conformance 76: the waiter is woken, in whatever order the last jobs end on several workers.
#[test]
fn the_wait_ends_after_each_of_many_small_bursts() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, ran) = (pool_of(workers), Count::new());
            for round in 1..=20_000 {
                (0..3).for_each(|_| assert!(pool.spawn(ran.job()).is_ok()));
                pool.wait_idle(Deadline::NEVER).unwrap();
                assert_eq!(ran.get(), 3 * round);
            }
        }
    });
}

/// Conformance 76: also when the last job is cancelled while the one before it ends.
#[test]
fn the_wait_ends_although_the_last_jobs_are_cancelled() {
    within_limit(|| {
        for workers in [1, 2] {
            let (pool, ran) = (pool_of(workers), Count::new());
            for _ in 0..20_000 {
                let ids = [(); 3].map(|()| pool.spawn(ran.job()).unwrap());
                let before = ran.get();
                let cancelled = ids.into_iter().rev().filter(|&id| pool.cancel(id)).count();
                pool.wait_idle(Deadline::NEVER).unwrap();
                assert!(ran.get() + cancelled >= before);
                assert_eq!(pool.pending(), 0);
            }
        }
    });
}

/// Conformance 76: also when the last worker has seen another job, which another worker has run meanwhile.
#[test]
fn the_wait_ends_although_the_last_to_end_expected_more() {
    within_limit(|| {
        let pool = pool_of(2);
        let [first, second, drop_gate] = [(); 3].map(|()| Gate::new());
        let (wait, door) = (first.job(), drop_gate.door());
        let dropped_on_the_worker = move || {
            wait();
            OnDrop(move || door.pass())
        };
        drop(pool.submit(dropped_on_the_worker).unwrap()); // Nobody will read the value, and it is dropped in the job.
        pool.spawn(second.job()).unwrap();
        first.wait_started(1);
        second.wait_started(1);
        let ran = Count::new();
        pool.spawn(ran.job()).unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.wait_idle(Deadline::NEVER));
            first.open();
            drop_gate.wait_started(1); // the first job has ended, but for its value, and has seen the third
            second.open();
            eventually("the other worker has nothing to do", || ran.get() == 1 && pool.pending() == 1);
            thread::sleep(Duration::from_millis(20)); // so that it sleeps, most probably
            drop_gate.open();
            waiter.join().unwrap().unwrap();
        });
    });
}

/// Conformance 76, 57: also when the workers leave after the last job.
#[test]
fn the_wait_ends_although_the_pool_is_shut_down() {
    within_limit(|| {
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            let (pool, gate) = (pool_of(2), Gate::new());
            pool.spawn_batch([gate.job(), gate.job()]).unwrap();
            gate.wait_started(2);
            thread::scope(|scope| {
                let waiter = scope.spawn(|| pool.wait_idle(Deadline::NEVER));
                thread::sleep(Duration::from_millis(20)); // so that it waits, most probably
                assert_eq!(pool.shutdown(mode, Deadline::NOW), Err(WaitError::TimedOut));
                gate.open();
                waiter.join().unwrap().unwrap();
            });
        }
    });
}

/// Conformance 76: jobs that submit jobs are waited for to the last leaf.
#[test]
fn the_wait_ends_after_the_jobs_of_jobs() {
    fn chain(ran: Count, links: usize) {
        ran.add();
        if links > 1 {
            Pool::current().expect("this is a job").spawn(move || chain(ran, links - 1)).unwrap();
        }
    }
    within_limit(|| {
        for round in 0..1000 {
            let (pool, ran) = (pool_of(1 + round % 4), Count::new());
            let first = ran.clone();
            pool.spawn(move || chain(first, 30)).unwrap();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get(), 30, "round {round}");
        }
    });
}

/// Conformance 76, 102: several threads may wait.
#[test]
fn every_waiter_sees_the_pool_idle() {
    within_limit(|| {
        let pool = pool_of(2);
        for _ in 0..500 {
            let gate = Gate::new();
            (0..10).for_each(|_| assert!(pool.spawn(gate.job()).is_ok()));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        pool.wait_idle(LIMIT).unwrap();
                        assert_eq!(gate.started(), 10);
                    });
                }
                gate.open();
            });
        }
    });
}

/// Decision "waiting inside a job": a deadline is kept.
#[test]
fn a_deadline_ends_the_wait_and_the_jobs_go_on() {
    within_limit(|| {
        let (pool, gate) = (pool_of(2), Gate::new());
        pool.spawn(gate.job()).unwrap();
        assert_eq!(pool.wait_idle(Deadline::NOW), Err(WaitError::TimedOut));
        assert_eq!(pool.wait_idle(Duration::from_millis(5)), Err(WaitError::TimedOut));
        assert_eq!(pool.wait_idle(std::time::Instant::now()), Err(WaitError::TimedOut));
        gate.open();
        assert_eq!(pool.wait_idle(LIMIT), Ok(()));
        assert_eq!(gate.started(), 1);
    });
}

/// Conformance 77.
#[test]
fn the_counts_are_those_of_blocked_and_queued_jobs() {
    within_limit(|| {
        for blocked in [1, 2, 3, 8] {
            let (pool, gate) = (pool_of(blocked as i32), Gate::new());
            for begun in 1..=blocked {
                pool.spawn(gate.job()).unwrap();
                gate.wait_started(begun);
                assert_eq!((pool.busy(), pool.pending(), pool.alive()), (begun, begun as u64, begun));
            }
            for queued in 1..=500 {
                if queued % 100 == 99 { pool.spawn_first(|| ()) } else { pool.spawn(|| ()) }.unwrap();
                assert_eq!((pool.busy(), pool.pending(), pool.alive()), (blocked, (blocked + queued) as u64, blocked));
            }
            let id = pool.spawn(|| ()).unwrap();
            assert!(pool.cancel(id));
            assert_eq!(pool.pending(), (blocked + 500) as u64, "a cancelled job is not pending");
            assert_eq!(pool.shutdown(Shutdown::Drain, Deadline::NOW), Err(WaitError::TimedOut));
            assert_eq!(pool.pending(), (blocked + 500) as u64, "a shutdown queues no jobs of its own");
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!((pool.busy(), pool.pending(), pool.alive()), (0, 0, 0));
        }
    });
}

/// Conformance 77: a worker counts as busy from job to job, and not when it has nothing to do.
#[test]
fn idle_workers_are_alive_and_not_busy() {
    within_limit(|| {
        let (pool, gate) = (pool_of(4), Gate::new());
        pool.spawn_batch([gate.job(), gate.job(), gate.job(), gate.job()]).unwrap();
        gate.wait_started(4);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.busy(), pool.pending(), pool.alive()), (0, 0, 4));
    });
}

/// Ticks of processor time that the threads with this name have used.
#[cfg(target_os = "linux")]
fn ticks(prefix: &str) -> u64 {
    let tasks = common::linux::threads_named(prefix);
    let stats = tasks.iter().map(|task| std::fs::read_to_string(task.join("stat")).expect("the worker lives"));
    // Fields 14 and 15; the name in field 2 ends with the last parenthesis.
    let used = |stat: String| -> u64 {
        let fields = stat.rsplit_once(") ").expect("a stat line has a name").1.split(' ').skip(11).take(2);
        fields.map(|field| field.parse::<u64>().expect("times are numbers")).sum()
    };
    stats.map(used).sum()
}

/// Conformance 78.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_pool_uses_no_processor() {
    within_limit(|| {
        let (pool, ran) = (Pool::builder().workers(4).name("resting").build().unwrap(), Count::new());
        for _ in 0..1000 {
            pool.spawn_batch((0..1000).map(|_| ran.job())).unwrap();
        }
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1_000_000);
        thread::sleep(Duration::from_millis(20)); // on their way to sleep they may look for work a little longer
        let before = ticks("resting-");
        assert!(before > 0, "the jobs took time");
        thread::sleep(Duration::from_millis(300)); // the time in which nothing must happen
        assert!(ticks("resting-") <= before + 1);
    });
}
