//! Outcomes that are lost, delivered twice, counted wrongly or never freed.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, JobError, Pool, RecvError, Shutdown, SubmitError};
use std::collections::HashSet;
use std::thread;

/// Conformance 20.
#[test]
fn every_value_is_delivered_once() {
    within_limit(|| {
        let pool = pool_of(4);
        let results = pool.results();
        let mut ids: HashSet<_> = (0..10_000).map(|n| results.submit(move || n).unwrap()).collect();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((results.done_count(), results.failed_count(), results.outstanding()), (10_000, 0, 0));
        let mut values = Vec::new();
        while let Ok(outcome) = results.next(LIMIT) {
            assert!(ids.remove(&outcome.id), "one outcome for each id");
            values.push(outcome.result.unwrap());
            assert_eq!(results.done_count(), 10_000 - values.len());
        }
        values.sort();
        assert!(values.into_iter().eq(0..10_000));
        assert_eq!((results.done_count(), results.outstanding()), (0, 0));
    });
}

/// Conformance 20: large values, of which a chunk does not fit on a worker's stack.
#[test]
fn large_values_are_delivered_by_workers_with_small_stacks() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).stack_size(1 << 20).build().unwrap();
        let results = pool.results();
        for n in 0..200_u8 {
            results.submit(move || [n; 20_000]).unwrap();
        }
        for n in 0..200_u8 {
            assert_eq!(results.next(LIMIT).unwrap().result.unwrap(), [n; 20_000]);
        }
    });
}

/// Conformance 20, 31.
#[test]
fn the_counts_follow_each_outcome() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        for n in 1..=100 {
            let gate = Gate::new();
            let wait = gate.job();
            let job = move || {
                wait();
                if n % 4 == 0 { Err("on purpose") } else { Ok(()) }
            };
            results.try_submit(job).unwrap();
            gate.wait_started(1);
            assert_eq!((results.done_count() + results.failed_count(), results.outstanding()), (n - 1, 1));
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((results.done_count(), results.failed_count(), results.outstanding()), (n - n / 4, n / 4, 0));
        }
        assert_eq!(pool.failed(), 25);
    });
}

/// Conformance 29.
#[test]
fn of_several_consumers_exactly_one_gets_each_outcome() {
    within_limit(|| {
        for _ in 0..20 {
            let pool = pool_of(4);
            let results = pool.results();
            let gate = Gate::new();
            let wait = gate.job();
            // Keeps the readers reading until everything is submitted.
            let last = move || {
                wait();
                Ok::<_, String>(0)
            };
            results.try_submit(last).unwrap();
            let number = |result| match result {
                Err(JobError::Failed(error)) => error.to_string().parse().unwrap(),
                other => other.unwrap(),
            };
            let mut seen: Vec<usize> = thread::scope(|scope| {
                let read = || results.as_completed().map(|outcome| number(outcome.result)).collect::<Vec<_>>();
                let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
                for n in 1..4000 {
                    results.try_submit(move || if n % 10 == 0 { Err(n.to_string()) } else { Ok(n) }).unwrap();
                }
                gate.open();
                readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
            });
            seen.sort();
            assert!(seen.into_iter().eq(0..4000));
        }
    });
}

/// Conformance 29, 32: each queue can be read alone, and ends when nothing more can arrive in it.
#[test]
fn values_and_failures_can_be_read_apart() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        for n in 0..100 {
            results.try_submit(move || if n % 2 == 0 { Ok(n) } else { Err("on purpose") }).unwrap();
        }
        let (done, failed) = thread::scope(|scope| {
            let done = scope.spawn(|| std::iter::from_fn(|| results.next_done(LIMIT).ok()).count());
            let failed = scope.spawn(|| std::iter::from_fn(|| results.next_failed(LIMIT).ok()).count());
            (done.join().unwrap(), failed.join().unwrap())
        });
        assert_eq!((done, failed), (50, 50));
        assert_eq!(results.next_done(LIMIT).unwrap_err(), RecvError::Finished);
        assert_eq!(results.next_failed(LIMIT).unwrap_err(), RecvError::Finished);
    });
}

/// Conformance 69, 74: available outcomes are read at once, up to the limit; the rest stays.
#[test]
fn take_reads_what_is_there_and_no_more_than_asked() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        assert!(results.take(10).is_empty());
        for n in 0..100 {
            results.try_submit(move || if n < 5 { Err("on purpose") } else { Ok(n) }).unwrap();
        }
        pool.wait_idle(LIMIT).unwrap();
        assert!(results.take(0).is_empty());
        let first = results.take(7);
        assert_eq!(first.len(), 7);
        assert!(first[..5].iter().all(|outcome| outcome.result.is_err()), "failures come first");
        assert_eq!((results.done_count(), results.failed_count()), (93, 0));
        let mut rest: Vec<_> = results.take(usize::MAX).into_iter().chain(first).map(|outcome| outcome.id).collect();
        rest.sort();
        rest.dedup();
        assert_eq!((rest.len(), results.done_count()), (100, 0));
    });
}

/// Conformance 69: a reader that does not wait learns whether more outcomes will arrive.
#[test]
fn nothing_yet_is_not_taken_for_nothing_more() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let gate = Gate::new();
        assert_eq!(results.next(Deadline::NOW).unwrap_err(), RecvError::Finished);
        results.submit(gate.job()).unwrap();
        assert_eq!(results.next(Deadline::NOW).unwrap_err(), RecvError::TimedOut);
        assert_eq!(results.next_failed(Deadline::NOW).unwrap_err(), RecvError::TimedOut);
        assert_eq!(results.next(std::time::Duration::from_millis(1)).unwrap_err(), RecvError::TimedOut);
        gate.open();
        results.next(LIMIT).unwrap();
        assert_eq!(results.next(Deadline::NEVER).unwrap_err(), RecvError::Finished);
    });
}

/// Conformance 30: results objects of one pool do not mix.
#[test]
fn each_results_object_gets_its_own_outcomes() {
    within_limit(|| {
        let pool = pool_of(4);
        let objects: Vec<_> = (0..50).map(|_| pool.results()).collect();
        for n in 0..5000 {
            objects[n % 50].submit(move || n).unwrap();
        }
        for (number, object) in objects.iter().enumerate() {
            let values: Vec<usize> = object.as_completed().map(|outcome| outcome.result.unwrap()).collect();
            assert_eq!(values.len(), 100);
            assert!(values.iter().all(|value| value % 50 == number));
        }
    });
}

/// Conformance 20, 67.
#[test]
fn outcomes_stay_readable_when_the_pool_is_gone() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        for n in 0..1000 {
            results.submit(move || n).unwrap();
        }
        drop(pool);
        assert_eq!((results.done_count(), results.outstanding()), (1000, 0));
        assert_eq!(results.as_completed().map(|outcome| outcome.result.unwrap()).sum::<i32>(), 999 * 500);
    });
}

/// Conformance 62: refused jobs are not waited for.
#[test]
fn a_refused_job_leaves_no_outcome_and_no_hope_for_one() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        let drops = Count::new();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let job = || {
            let token = drops.on_drop();
            move || drop(token)
        };
        assert!(matches!(results.submit(job()), Err(SubmitError::Shutdown)));
        assert!(matches!(results.submit_first(job()), Err(SubmitError::Shutdown)));
        assert!(matches!(results.submit_batch([job(), job()]), Err(SubmitError::Shutdown)));
        assert_eq!(drops.get(), 4, "refused jobs are dropped");
        assert_eq!(results.outstanding(), 0);
        assert_eq!(results.as_completed().count(), 0);
    });
}

/// Reliability, drops: a value has one owner.
#[test]
fn values_never_read_are_dropped_once() {
    within_limit(|| {
        for shutdown in [false, true] {
            let (pool, gate, drops) = (pool_of(2), Gate::new(), Count::new());
            let results = pool.results();
            let value = || {
                let (token, door) = (drops.on_drop(), gate.door());
                move || {
                    door.pass();
                    token
                }
            };
            results.submit_batch((0..500).map(|_| value())).unwrap();
            gate.open();
            if shutdown {
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            } else {
                pool.wait_idle(LIMIT).unwrap();
            }
            assert_eq!(drops.get(), 0, "values wait to be read");
            drop(results.take(100));
            assert_eq!(drops.get(), 100);
            drop(results);
            assert_eq!(drops.get(), 500);
        }
    });
}

/// Reliability, drops: also when the reader is dropped before the jobs run.
#[test]
fn values_that_nobody_can_read_any_more_are_dropped_once() {
    within_limit(|| {
        let (pool, gate, drops) = (pool_of(2), Gate::new(), Count::new());
        let results = pool.results();
        for _ in 0..500 {
            let (token, door) = (drops.on_drop(), gate.door());
            let job = move || {
                door.pass();
                token
            };
            results.submit(job).unwrap();
        }
        drop(results);
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert_eq!(drops.get(), 500);
    });
}

/// Conformance 99, "never an idle slot while something waits": a value's destructor is user code like any other.
#[test]
fn a_value_dropped_on_a_worker_may_wait_for_another_job() {
    within_limit(|| {
        let (pool, gate, ran) = (pool_of(2), Gate::new(), Count::new());
        let results = pool.results();
        let (door, job) = (gate.door(), ran.job());
        let value = move || {
            door.pass();
            OnDrop(move || {
                let (pool, other) = (Pool::current().expect("dropped by a worker"), Gate::new());
                pool.spawn(other.job()).unwrap();
                other.wait_started(1);
                job.clone()();
            })
        };
        results.submit(value).unwrap();
        drop(results); // the worker has the last reference to the value's queue
        gate.open();
        // Its job has ended before a worker drops the unread value.
        eventually("the value is dropped", || ran.get() == 1);
    });
}
