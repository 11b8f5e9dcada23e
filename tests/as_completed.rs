//! Readers that end too early, too late or never, or that poll.

mod common;

use common::{Gate, LIMIT, pool_of, within_limit};
use fastthreadpool::{Results, Shutdown};
use std::thread;

/// Conformance 68, 75.
#[test]
fn everything_submitted_before_is_read_then_it_ends() {
    within_limit(|| {
        for round in 0..300 {
            let pool = pool_of(1 + round % 4);
            let results = pool.results();
            for n in 0..300 {
                results.try_submit(move || if n % 7 == 0 { Err("on purpose") } else { Ok(n) }).unwrap();
            }
            assert_eq!(results.as_completed().count(), 300, "round {round}");
            assert_eq!(results.as_completed().count(), 0, "round {round}");
        }
    });
}

/// Submits `level` levels of a binary tree below the job that calls this.
fn grow(results: &Results<u32>, level: u32) -> u32 {
    for _ in 0..if level > 0 { 2 } else { 0 } {
        let branch = results.clone();
        results.submit(move || grow(&branch, level - 1)).unwrap();
    }
    1
}

/// Conformance 68: jobs that submit jobs to the same results are read to the last leaf.
#[test]
fn everything_submitted_meanwhile_by_jobs_is_read() {
    within_limit(|| {
        for round in 0..200 {
            let pool = pool_of(1 + round % 4);
            let results = pool.results();
            let root = results.clone();
            results.submit(move || grow(&root, 6)).unwrap();
            assert_eq!(results.as_completed().count(), 127, "round {round}");
        }
    });
}

/// Conformance 68: so is what the reader submits between two outcomes.
#[test]
fn everything_submitted_meanwhile_by_the_reader_is_read() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        results.submit(|| 1).unwrap();
        let mut read = 0;
        for outcome in results.as_completed() {
            read += 1;
            let n: i32 = outcome.result.unwrap();
            if n < 1000 {
                results.submit(move || n + 1).unwrap();
            }
        }
        assert_eq!(read, 1000);
    });
}

/// Conformance 71.
#[test]
fn it_does_not_end_while_a_job_runs() {
    within_limit(|| {
        let (pool, gate) = (pool_of(2), Gate::new());
        let results = pool.results();
        results.submit(gate.job()).unwrap();
        results.submit(|| ()).unwrap();
        let mut outcomes = results.as_completed();
        outcomes.next().unwrap();
        gate.wait_started(1);
        assert_eq!(results.outstanding(), 1);
        gate.open();
        outcomes.next().unwrap();
        assert!(outcomes.next().is_none());
    });
}

/// Conformance 68: jobs that are cancelled end it, too.
#[test]
fn it_ends_when_the_last_job_is_cancelled() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results();
        pool.spawn(gate.job()).unwrap();
        let ids: Vec<_> = (0..100).map(|_| results.submit(|| ()).unwrap()).collect();
        thread::scope(|scope| {
            let reader = scope.spawn(|| results.as_completed().count());
            ids.into_iter().for_each(|id| assert!(pool.cancel(id)));
            assert_eq!(reader.join().unwrap(), 100);
        });
    });
}

/// Conformance 68: all of several readers reach the end, whichever reads the last outcome.
#[test]
fn it_ends_for_every_reader() {
    within_limit(|| {
        for _ in 0..300 {
            let (pool, gate) = (pool_of(2), Gate::new());
            let results = pool.results();
            results.submit_batch([gate.job(), gate.job(), gate.job()]).unwrap();
            thread::scope(|scope| {
                let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| results.as_completed().count())).collect();
                gate.open();
                assert_eq!(readers.into_iter().map(|reader| reader.join().unwrap()).sum::<usize>(), 3);
            });
        }
    });
}

/// Conformance 68, 62: a submit that is refused while a reader waits does not leave the reader waiting.
#[test]
fn it_ends_when_submits_are_refused() {
    within_limit(|| {
        for _ in 0..300 {
            let pool = pool_of(2);
            let results = pool.results();
            let accepted = thread::scope(|scope| {
                let submitter = scope.spawn(|| (0..100).filter(|_| results.submit(|| ()).is_ok()).count());
                let reader = scope.spawn(|| results.as_completed().count());
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                let accepted = submitter.join().unwrap();
                (accepted, reader.join().unwrap())
            });
            let rest = results.as_completed().count();
            assert_eq!(accepted.0, accepted.1 + rest);
        }
    });
}

/// Conformance 72, as an event: a reader that waits wakes for the outcome.
#[test]
fn a_waiting_reader_is_woken_by_each_outcome() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let (read, was_read) = std::sync::mpsc::channel();
        let gates: Vec<_> = (0..1000).map(|_| Gate::new()).collect();
        for gate in &gates {
            results.submit(gate.job()).unwrap();
        }
        let reader = results.clone();
        let reader = thread::spawn(move || reader.as_completed().for_each(|_| read.send(()).unwrap()));
        for gate in gates {
            gate.open();
            was_read.recv_timeout(LIMIT).unwrap();
        }
        reader.join().unwrap();
    });
}

/// Conformance 72: a waiting reader does not poll.
#[cfg(target_os = "linux")]
#[test]
fn a_waiting_reader_does_not_poll() {
    use common::linux::{status, this_thread};
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results();
        results.submit(gate.job()).unwrap();
        thread::scope(|scope| {
            let (name, named) = std::sync::mpsc::channel();
            let results = &results;
            let reader = scope.spawn(move || {
                name.send(this_thread()).unwrap();
                results.as_completed().count()
            });
            let reader_task = named.recv_timeout(LIMIT).unwrap();
            let wake_ups = || status(&reader_task, "voluntary_ctxt_switches").parse::<u64>().unwrap();
            let window = std::time::Duration::from_millis(100);
            let mut before = wake_ups();
            // The reader may be on its way to sleep in the first window, not in ten.
            let asleep = (0..10).any(|_| {
                thread::sleep(window);
                let now = wake_ups();
                std::mem::replace(&mut before, now) == now && status(&reader_task, "State").starts_with('S')
            });
            gate.open();
            assert!(asleep, "the reader wakes up again and again");
            assert_eq!(reader.join().unwrap(), 1);
        });
    });
}

/// Conformance 119, for outcomes: a job of another pool may wait for them.
#[test]
fn a_job_may_read_the_outcomes_of_another_pool() {
    within_limit(|| {
        let (outer, inner) = (pool_of(1), pool_of(1));
        let sums = outer.results();
        let sum = move || {
            let parts = inner.results();
            parts.submit_batch((1..=100).map(|n| move || n)).unwrap();
            parts.as_completed().map(|outcome| outcome.result.unwrap()).sum::<i32>()
        };
        sums.submit(sum).unwrap();
        assert_eq!(sums.next(LIMIT).unwrap().result.unwrap(), 5050);
    });
}
