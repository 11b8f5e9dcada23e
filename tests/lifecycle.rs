//! Workers that stay too long, leave too early, or leave work behind.

mod common;

use common::{Count, Gate, LIMIT, eventually, pool_of, within_limit};
use fastthreadpool::{JobError, Pool, Shutdown, SubmitError, worker_index};
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

fn impatient(workers: i32, timeout: Duration) -> Pool {
    Pool::builder().workers(workers).idle_timeout(timeout).build().unwrap()
}

/// Conformance 106.
#[test]
fn an_idle_pool_shrinks_to_nothing_and_grows_again() {
    within_limit(|| {
        let pool = impatient(3, Duration::from_millis(1));
        for _ in 0..20 {
            let gate = Gate::new();
            (0..3).for_each(|_| _ = pool.spawn(gate.job()).unwrap());
            gate.wait_started(3);
            assert_eq!(pool.alive(), 3);
            gate.open();
            eventually("no workers are left", || pool.alive() == 0);
            assert!(pool.submit(worker_index).unwrap().join().unwrap().unwrap() < 3);
        }
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.pending(), 0);
    });
}

/// Conformance 106: submits race with workers that are about to leave.
#[test]
fn no_job_is_left_behind_by_workers_that_leave() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, ran) = (impatient(workers, Duration::ZERO), Count::new());
            for round in 0..5_000 {
                pool.spawn(ran.job()).unwrap();
                if round % 3 == 0 {
                    pool.wait_idle(LIMIT).unwrap();
                    assert_eq!(ran.get(), round + 1);
                }
                if round % 100 == 0 {
                    eventually("no workers are left", || pool.alive() == 0);
                }
            }
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!((ran.get(), pool.alive()), (5_000, 0));
        }
    });
}

/// Conformance 106: by default workers stay.
#[test]
fn workers_of_a_patient_pool_stay() {
    within_limit(|| {
        let pool = pool_of(2);
        pool.run(|| ()).unwrap();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(pool.alive(), 1);
    });
}

/// Conformance 107, 9: after so many jobs a worker is replaced, by a thread with a name of its own.
#[test]
fn a_worker_is_replaced_after_so_many_jobs() {
    within_limit(|| {
        for workers in [1, 3] {
            let pool = Pool::builder().workers(workers).jobs_per_worker(3).build().unwrap();
            let me =
                || (thread::current().id(), thread::current().name().unwrap().to_string(), worker_index().unwrap());
            let jobs: Vec<_> = (0..90).map(|_| pool.submit(me).unwrap()).collect();
            let ran: Vec<_> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
            assert!(pool.alive() <= workers as usize);
            for (id, ..) in &ran {
                assert!(ran.iter().filter(|other| other.0 == *id).count() <= 3);
            }
            let names: BTreeSet<_> = ran.iter().map(|ran| (&ran.1, format!("{:?}", ran.0))).collect();
            assert!(names.len() >= 30);
            assert_eq!(names.iter().map(|name| name.0).collect::<BTreeSet<_>>().len(), names.len(), "names are unique");
            assert!(ran.iter().all(|ran| ran.2 < workers as usize), "numbers come back");
            pool.wait_idle(LIMIT).unwrap();
        }
    });
}

/// Conformance 107: also by jobs that go first, and by many at once; no job is lost.
#[test]
fn short_lived_workers_lose_nothing() {
    within_limit(|| {
        let (pool, ran) = (Pool::builder().workers(2).jobs_per_worker(1).build().unwrap(), Count::new());
        for _ in 0..200 {
            pool.spawn_first(ran.job()).unwrap();
            pool.spawn(ran.job()).unwrap();
            pool.spawn_batch([ran.job(), ran.job()]).unwrap();
        }
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert_eq!(ran.get(), 800);
    });
}

/// Conformance 111: no more workers than the limit.
#[test]
fn workers_can_be_started_before_there_are_jobs() {
    within_limit(|| {
        let pool = pool_of(3);
        assert_eq!((pool.spawn_workers(2).unwrap(), pool.alive()), (2, 2));
        assert_eq!((pool.spawn_workers(9).unwrap(), pool.alive()), (1, 3));
        assert_eq!(pool.spawn_workers(1).unwrap(), 0);
        let gate = Gate::new();
        (0..3).for_each(|_| _ = pool.spawn(gate.job()).unwrap());
        gate.wait_started(3);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.run(|| 3).unwrap(), 3);
        assert!(pool.check().is_ok());
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert!(matches!(pool.spawn_workers(1), Err(SubmitError::Shutdown)));
        assert!(matches!(pool.check(), Err(SubmitError::Shutdown)));
        assert!(matches!(pool.run(|| 3), Err(JobError::Failed(_))));
    });
}
