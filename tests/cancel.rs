//! Jobs that are cancelled and run all the same, or neither run nor are cancelled.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, Random, pool_of, within_limit};
use fastthreadpool::{JobError, JobId, Pool, Shutdown, current_job};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::SeqCst};
use std::thread;

/// A pool whose workers all wait at the gate.
fn blocked(workers: usize) -> (Pool, Gate) {
    let (pool, gate) = (pool_of(workers as i32), Gate::new());
    for _ in 0..workers {
        pool.spawn(gate.job()).unwrap();
    }
    gate.wait_started(workers);
    (pool, gate)
}

/// Conformance 51.
#[test]
fn a_queued_job_is_cancelled_once_and_never_runs() {
    within_limit(|| {
        let (pool, gate) = blocked(1);
        let ran = Count::new();
        let ids = [pool.spawn(ran.job()).unwrap(), pool.spawn_first(ran.job()).unwrap()];
        let batch = pool.spawn_batch([ran.job(), ran.job()]).unwrap();
        for &id in ids.iter().chain(&batch) {
            assert!(pool.cancel(id));
            assert!(!pool.cancel(id));
        }
        assert_eq!(pool.pending(), 1);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.pending(), pool.failed()), (0, 0, 0));
    });
}

/// Conformance 52.
#[test]
fn a_running_finished_or_unknown_job_is_not_cancelled() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let running = pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        assert!(!pool.cancel(running));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert!(!pool.cancel(running));
        assert!(!pool.cancel(JobId::from_number(1).unwrap()));
        assert!(!pool.cancel(JobId::from_number(u64::MAX).unwrap()));
        assert_eq!(pool.pending(), 0);
    });
}

/// Conformance 52.
#[test]
fn a_hundred_thousand_queued_jobs_are_cancelled_one_by_one() {
    within_limit(|| {
        let (pool, gate) = blocked(1);
        let (ran, drops) = (Count::new(), Count::new());
        let job = || {
            let (ran, token) = (ran.clone(), drops.on_drop());
            move || {
                ran.add();
                drop(token);
            }
        };
        let ids: Vec<_> = (0..100_000).map(|_| pool.spawn(job()).unwrap()).collect();
        assert!(ids.iter().rev().all(|&id| pool.cancel(id)));
        assert_eq!((drops.get(), pool.pending()), (100_000, 1), "what a cancelled job owns is dropped at once");
        assert!(!ids.iter().any(|&id| pool.cancel(id)));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), drops.get()), (0, 100_000));
        pool.spawn(ran.job()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1, "the queue still works");
    });
}

/// Conformance 51: also when a worker has taken the job out of the queue, but has not started it.
#[test]
fn a_job_that_a_worker_has_taken_but_not_begun_is_cancelled() {
    within_limit(|| {
        for queued in [2, 10, 64, 200] {
            let (pool, outer) = blocked(1);
            let (inner, ran) = (Gate::new(), Count::new());
            pool.spawn(inner.job()).unwrap();
            let ids: Vec<_> = (0..queued).map(|_| pool.spawn(ran.job()).unwrap()).collect();
            outer.open();
            inner.wait_started(1);
            let odd = || ids.iter().skip(1).step_by(2);
            assert!(odd().all(|&id| pool.cancel(id)));
            assert!(!odd().any(|&id| pool.cancel(id)));
            inner.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get(), queued / 2);
        }
    });
}

/// Conformance 55.
#[test]
fn a_cancelled_job_is_an_outcome() {
    within_limit(|| {
        let (pool, gate) = blocked(2);
        let (results, drops) = (pool.results(), Count::new());
        let job = || {
            let token = drops.on_drop();
            move || token
        };
        let ids = [results.submit(job()).unwrap(), results.submit_first(job()).unwrap()];
        let kept = results.submit(job()).unwrap();
        for id in ids {
            assert!(pool.cancel(id));
            let outcome = results.next(LIMIT).unwrap();
            assert_eq!(outcome.id, id);
            assert!(matches!(outcome.result, Err(JobError::Cancelled)));
        }
        assert_eq!((drops.get(), results.outstanding()), (2, 1));
        gate.open();
        assert_eq!(results.next(LIMIT).unwrap().id, kept);
        assert_eq!((drops.get(), results.outstanding(), pool.failed()), (3, 0, 0));
    });
}

const RAN: u8 = 1;
const CANCELLED: u8 = 2;

/// Conformance 51, 52: against running workers, each job either runs or is cancelled.
#[test]
fn cancelling_against_running_workers_loses_and_doubles_nothing() {
    const JOBS: usize = 100_000;
    within_limit(|| {
        let (pool, drops) = (pool_of(2), Count::new());
        let ends: Arc<Vec<AtomicU8>> = Arc::new((0..JOBS).map(|_| AtomicU8::new(0)).collect());
        let ids: Vec<AtomicU64> = (0..JOBS).map(|_| AtomicU64::new(0)).collect();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for (number, id) in ids.iter().enumerate() {
                        let id = std::iter::repeat_with(|| id.load(SeqCst)).find_map(|id| {
                            std::hint::spin_loop();
                            JobId::from_number(id)
                        });
                        if pool.cancel(id.unwrap()) {
                            assert_eq!(ends[number].fetch_add(CANCELLED, SeqCst), 0);
                        }
                    }
                });
            }
            for (number, id) in ids.iter().enumerate() {
                let (ends, token) = (Arc::clone(&ends), drops.on_drop());
                let job = move || {
                    ends[number].fetch_add(RAN, SeqCst);
                    drop(token);
                };
                let submit = if number % 16 == 0 { Pool::spawn_first } else { Pool::spawn };
                id.store(submit(&pool, job).unwrap().get(), SeqCst);
            }
        });
        pool.wait_idle(LIMIT).unwrap();
        let count = |end| ends.iter().filter(|found| found.load(SeqCst) == end).count();
        assert_eq!(count(RAN) + count(CANCELLED), JOBS);
        assert_eq!((drops.get(), pool.pending()), (JOBS, 0));
    });
}

/// Reliability R6, stale and random ids.
#[test]
fn forged_ids_cancel_nothing() {
    within_limit(|| {
        let (pool, gate) = blocked(1);
        let ran = Count::new();
        let last = pool.spawn(ran.job()).unwrap().get();
        for ahead in 1..=300 {
            assert!(!pool.cancel(JobId::from_number(last + ahead).unwrap()), "nobody has submitted job {ahead} ahead");
        }
        let mut random = Random::new(1);
        for _ in 0..100_000 {
            let forged = random.number() >> random.below(64) | 1 << 40;
            assert!(!pool.cancel(JobId::from_number(forged).unwrap()));
        }
        (0..300).for_each(|_| assert!(pool.spawn(ran.job()).is_ok()));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 301, "no job was lost by the attempts on its future place");
    });
}

/// Reliability R6: a guessed id of a queued job cancels that job; in any case every job ends once.
#[test]
fn guessed_ids_against_running_workers_break_nothing() {
    const JOBS: usize = 100_000;
    within_limit(|| {
        let (pool, ran, drops) = (pool_of(2), Count::new(), Count::new());
        let (newest, done) = (AtomicU64::new(1), AtomicBool::new(false));
        let cancelled = thread::scope(|scope| {
            let guesser = scope.spawn(|| {
                let (mut random, mut hits) = (Random::new(2), 0);
                while !done.load(SeqCst) {
                    let guess = (newest.load(SeqCst) + 300).saturating_sub(random.below(2000));
                    hits += usize::from(JobId::from_number(guess).is_some_and(|id| pool.cancel(id)));
                }
                hits
            });
            for number in 0..JOBS {
                let (ran, token) = (ran.job(), drops.on_drop());
                let job = move || {
                    ran();
                    drop(token);
                };
                let submit = if number % 16 == 0 { Pool::spawn_first } else { Pool::spawn };
                newest.store(submit(&pool, job).unwrap().get(), SeqCst);
            }
            done.store(true, SeqCst);
            guesser.join().unwrap()
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get() + cancelled, drops.get(), pool.pending()), (JOBS, JOBS, 0));
    });
}

/// Conformance 52: an id is known to its own pool only, and is stale for ever.
#[test]
fn ids_of_other_pools_and_other_times_cancel_nothing() {
    within_limit(|| {
        let ((one, gate_one), (other, gate_other)) = (blocked(1), blocked(1));
        let ran = Count::new();
        let id = one.spawn(ran.job()).unwrap();
        other.spawn(ran.job()).unwrap();
        assert!(!other.cancel(id));
        gate_one.open();
        one.wait_idle(LIMIT).unwrap();
        let gate = Gate::new();
        one.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        // By now the memory of finished jobs is used again.
        (0..5000).for_each(|_| assert!(one.spawn(ran.job()).is_ok()));
        assert!(!one.cancel(id));
        gate.open();
        gate_other.open();
        one.wait_idle(LIMIT).unwrap();
        other.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 5002);
        one.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert!(!one.cancel(id));
    });
}

/// Conformance 52, 112: jobs cancel each other, and none cancels itself.
#[test]
fn a_job_cancels_others_but_not_itself() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let (verdicts, ran) = (pool.results(), Count::new());
        let door = gate.door();
        let (tell, told) = std::sync::mpsc::channel();
        let job = move || {
            door.pass();
            let pool = Pool::current().expect("this is a job");
            let other = told.recv_timeout(LIMIT).unwrap();
            (pool.cancel(other), pool.cancel(other), pool.cancel(current_job().expect("this is a job")))
        };
        verdicts.submit(job).unwrap();
        tell.send(pool.spawn(ran.job()).unwrap()).unwrap();
        gate.open();
        assert_eq!(verdicts.next(LIMIT).unwrap().result.unwrap(), (true, false, false));
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 0);
    });
}

/// Conformance 112: destructors of what a cancelled job owns may use the pool.
#[test]
fn the_drop_of_a_cancelled_job_may_submit_and_cancel() {
    within_limit(|| {
        let (pool, gate) = blocked(1);
        let ran = Count::new();
        let victim = pool.spawn(ran.job()).unwrap();
        let (handle, job) = (pool.clone(), ran.job());
        let owned = OnDrop(move || {
            assert!(handle.cancel(victim));
            handle.spawn(job.clone()).unwrap();
            handle.spawn_first(job.clone()).unwrap();
        });
        let id = pool.spawn(move || drop(owned)).unwrap();
        assert!(pool.cancel(id));
        assert!(!pool.cancel(victim));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 2);
    });
}
