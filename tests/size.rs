//! The wrong number of threads.

mod common;

use common::{Count, Gate, LIMIT, lock, pool_of, within_limit};
use fastthreadpool::{BuildError, Pool, worker_index};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

fn cpus() -> i32 {
    i32::try_from(thread::available_parallelism().map_or(1, usize::from)).unwrap()
}

fn limit(workers: i32) -> Result<usize, BuildError> {
    Pool::builder().workers(workers).build().map(|pool| pool.limit())
}

/// Conformance 1.
#[test]
fn the_default_is_one_worker_for_each_cpu() {
    let cpus = cpus() as usize;
    assert_eq!(Pool::new().unwrap().limit(), cpus);
    for default in [-9999, -10_000, i32::MIN] {
        assert_eq!(limit(default).unwrap(), cpus, "workers({default})");
    }
}

/// Conformance 2.
#[test]
fn a_positive_number_is_the_upper_bound() {
    for asked in [1, 2, 7, 100, 32_768] {
        assert_eq!(limit(asked).unwrap(), asked as usize);
    }
    for too_many in [32_769, i32::MAX] {
        let refused = limit(too_many).unwrap_err();
        assert!(matches!(refused, BuildError::InvalidWorkers { asked, most: 32_768, .. } if asked == too_many));
    }
}

/// Conformance 3.
#[test]
fn zero_and_below_leave_cpus_free() {
    let cpus = cpus();
    for left in 1..=cpus {
        assert_eq!(limit(left - cpus).unwrap(), left as usize);
    }
    for invalid in [-cpus, -cpus - 1, -9998] {
        match limit(invalid).unwrap_err() {
            BuildError::InvalidWorkers { asked, cpus: counted, workers, .. } => {
                assert_eq!((asked, counted as i32, workers), (invalid, cpus, i64::from(cpus + invalid)));
            }
            other => panic!("{other}"),
        }
    }
}

/// Conformance 4.
#[test]
fn no_thread_before_the_first_job() {
    let pool = Pool::builder().workers(4).name("unborn").build().unwrap();
    let results = pool.results::<()>();
    assert_eq!((pool.alive(), pool.busy(), pool.pending(), results.outstanding()), (0, 0, 0, 0));
    #[cfg(target_os = "linux")]
    assert_eq!(common::linux::threads_named("unborn").len(), 0);
}

/// Conformance 4.
#[test]
fn an_empty_batch_is_no_job() {
    let pool = pool_of(4);
    assert_eq!(pool.spawn_batch(Vec::<fn()>::new()).unwrap(), []);
    assert_eq!(pool.results::<()>().submit_batch(Vec::<fn()>::new()).unwrap(), []);
    assert_eq!((pool.alive(), pool.pending()), (0, 0));
}

/// Conformance 5.
#[test]
fn jobs_waited_for_through_results_share_one_thread() {
    within_limit(|| {
        for round in 0..200 {
            let pool = pool_of(4);
            let results = pool.results();
            for _ in 0..20 {
                results.submit(|| ()).unwrap();
                results.next(LIMIT).unwrap();
            }
            assert_eq!(pool.alive(), 1, "round {round}");
        }
    });
}

/// Conformance 5.
#[test]
fn jobs_waited_for_by_wait_idle_share_one_thread() {
    within_limit(|| {
        for round in 0..200 {
            let pool = pool_of(4);
            for _ in 0..20 {
                pool.spawn(|| ()).unwrap();
                pool.wait_idle(LIMIT).unwrap();
            }
            assert_eq!(pool.alive(), 1, "round {round}");
        }
    });
}

/// Waits until four of eight jobs run, and checks that no fifth does; then all eight must run.
fn expect_four_of_eight(pool: &Pool, gate: &Gate, submitters: usize) {
    gate.wait_started(4);
    assert_eq!((gate.started(), pool.busy(), pool.alive()), (4, 4, 4));
    gate.open();
    pool.wait_idle(LIMIT).unwrap();
    assert_eq!((gate.started(), pool.busy(), pool.alive()), (8 + submitters, 0, 4));
}

/// Conformance 6.
#[test]
fn a_burst_after_one_idle_worker_gets_every_worker() {
    within_limit(|| {
        for _ in 0..500 {
            let pool = pool_of(4);
            let gate = Gate::new();
            pool.spawn(|| ()).unwrap();
            pool.wait_idle(LIMIT).unwrap();
            for _ in 0..8 {
                pool.spawn(gate.job()).unwrap();
            }
            expect_four_of_eight(&pool, &gate, 0);
        }
    });
}

/// Conformance 7.
#[test]
fn a_burst_on_a_fresh_pool_gets_every_worker() {
    within_limit(|| {
        for _ in 0..1000 {
            let pool = pool_of(4);
            let gate = Gate::new();
            for _ in 0..8 {
                pool.spawn(gate.job()).unwrap();
            }
            expect_four_of_eight(&pool, &gate, 0);
        }
    });
}

/// Conformance 7.
#[test]
fn a_batch_on_a_fresh_pool_gets_every_worker() {
    within_limit(|| {
        for _ in 0..1000 {
            let pool = pool_of(4);
            let gate = Gate::new();
            pool.spawn_batch((0..8).map(|_| gate.job())).unwrap();
            expect_four_of_eight(&pool, &gate, 0);
        }
    });
}

/// Conformance 7.
#[test]
fn a_burst_from_a_job_that_ends_gets_every_worker() {
    within_limit(|| {
        for round in 0..1000 {
            let pool = pool_of(4);
            let gate = Gate::new();
            pool.spawn(burst(&gate, round % 2 == 0)).unwrap();
            expect_four_of_eight(&pool, &gate, 0);
        }
    });
}

/// Conformance 7: the job that submits the burst stays, and counts as one of the four.
#[test]
fn a_burst_from_a_job_that_blocks_gets_every_other_worker() {
    within_limit(|| {
        for round in 0..1000 {
            let pool = pool_of(4);
            let gate = Gate::new();
            let (burst, stay) = (burst(&gate, round % 2 == 0), gate.job());
            let both = move || {
                burst();
                stay();
            };
            pool.spawn(both).unwrap();
            expect_four_of_eight(&pool, &gate, 1);
        }
    });
}

/// A job that submits eight jobs, one by one or in a batch.
fn burst(gate: &Gate, as_batch: bool) -> impl FnOnce() + Send + 'static {
    let door = gate.door();
    move || {
        let pool = Pool::current().expect("a job has a pool");
        let jobs = (0..8).map(|_| {
            let door = door.clone();
            move || door.pass()
        });
        if as_batch {
            pool.spawn_batch(jobs).unwrap();
        } else {
            for job in jobs {
                pool.spawn(job).unwrap();
            }
        }
    }
}

#[derive(Default)]
struct Crowd {
    inside: AtomicUsize,
    most: AtomicUsize,
    occupied: [AtomicBool; 3],
    threads: Mutex<HashSet<thread::ThreadId>>,
}

impl Crowd {
    fn visit(&self) {
        self.most.fetch_max(self.inside.fetch_add(1, SeqCst) + 1, SeqCst);
        let place = &self.occupied[worker_index().expect("this is a job")];
        assert!(!place.swap(true, SeqCst), "two workers have the same index");
        lock(&self.threads).insert(thread::current().id());
        place.store(false, SeqCst);
        self.inside.fetch_sub(1, SeqCst);
    }
}

/// Conformance 8.
#[test]
fn never_more_workers_than_the_limit() {
    within_limit(|| {
        let pool = pool_of(3);
        let crowd = Arc::new(Crowd::default());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..10_000 {
                        let crowd = Arc::clone(&crowd);
                        let submit = if n % 10 == 0 { Pool::spawn_first } else { Pool::spawn };
                        submit(&pool, move || crowd.visit()).unwrap();
                        assert!(pool.alive() <= 3 && pool.busy() <= 3);
                    }
                });
            }
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.failed(), 0, "no job has met another with its index");
        assert!(crowd.most.load(SeqCst) <= 3);
        assert!(lock(&crowd.threads).len() <= 3, "workers do not come and go");
    });
}

/// Conformance 8: a pool of one runs one job after another, whichever threads submit them.
#[test]
fn one_worker_means_one_job_at_a_time() {
    within_limit(|| {
        let pool = pool_of(1);
        let (inside, ran) = (Count::new(), Count::new());
        let busy = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2500 {
                        let (busy, inside, ran) = (Arc::clone(&busy), inside.clone(), ran.clone());
                        let job = move || {
                            if busy.swap(true, SeqCst) {
                                inside.add();
                            }
                            ran.add();
                            busy.store(false, SeqCst);
                        };
                        pool.spawn(job).unwrap();
                    }
                });
            }
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((inside.get(), ran.get(), pool.alive()), (0, 10_000, 1));
    });
}
