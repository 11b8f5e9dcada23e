//! Bounds on unread outcomes that are exceeded or block forever, time limits that are missed, outcomes that a poller
//! misses.

mod common;

use common::{Count, Gate, LIMIT, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, Pool, Results, Shutdown};
use std::time::Duration;

/// Conformance 79: never more than the bound; one read lets one worker go on.
#[test]
fn unread_outcomes_stay_within_their_bound() {
    within_limit(|| {
        for workers in [1, 4] {
            let pool = pool_of(workers);
            let results = pool.results_bounded(3);
            for n in 0..100 {
                results.submit(move || n).unwrap();
            }
            let mut read = Vec::new();
            while read.len() < 100 {
                assert!(results.done_count() <= 3);
                match read.len() % 3 {
                    0 => read.push(results.next(LIMIT).unwrap().result.unwrap()),
                    1 => read.push(results.next_done(LIMIT).unwrap().1),
                    _ => read.extend(results.take(1).into_iter().map(|outcome| outcome.result.unwrap())),
                }
            }
            read.sort_unstable();
            assert!(read.into_iter().eq(0..100));
        }
    });
}

/// Conformance 79: each outcome that is read, by any method or a callback, lets one worker go on.
#[test]
fn every_way_of_reading_makes_room() {
    type Way = fn(&Results<i32>) -> bool;
    let values: [Way; 5] = [
        |results| results.next(LIMIT).is_ok(),
        |results| results.next_done(LIMIT).is_ok(),
        |results| results.as_completed().next().is_some(),
        |results| results.as_completed().until(LIMIT).take(1).count() == 1,
        |results| results.take(1).len() == 1,
    ];
    let failures: [Way; 2] = [|results| results.next_failed(LIMIT).is_ok(), |results| results.next(LIMIT).is_ok()];
    within_limit(move || {
        let ways = values.into_iter().map(|way| (way, false)).chain(failures.map(|way| (way, true)));
        for (read, failing) in ways {
            let (pool, begun) = (pool_of(1), Count::new());
            let results = pool.results_bounded(1);
            for n in 0..5 {
                let begun = begun.clone();
                results.try_submit(move || if begun.add() < 5 && failing { Err("on purpose") } else { Ok(n) }).unwrap();
            }
            for read_before in 0..4 {
                eventually("one is there, the next one waits for room", || {
                    results.done_count() + results.failed_count() == 1 && begun.get() == read_before + 2
                });
                assert!(read(&results), "the {read_before}th");
            }
            assert_eq!(results.as_completed().count(), 1);
        }
        let (pool, heard) = (pool_of(2), Count::new());
        let (results, calls) = (pool.results_bounded(1), heard.clone());
        results.on_outcome(move |_| assert!(calls.add() < 100)).unwrap();
        (0..100).for_each(|n| assert!(results.submit(move || n).is_ok()));
        pool.wait_idle(LIMIT).unwrap();
        drop(results);
        assert_eq!(heard.get(), 100);
    });
}

/// Conformance 79: a worker that waits for room is busy.
#[test]
fn a_full_results_object_holds_its_workers() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results_bounded(1);
        for n in 0..3 {
            results.submit(move || n).unwrap();
        }
        eventually("two wait for room", || results.done_count() == 1 && pool.busy() == 2);
        assert_eq!(pool.wait_idle(Duration::from_millis(1)), Err(fastthreadpool::WaitError::TimedOut));
        results.next(LIMIT).unwrap();
        results.next(LIMIT).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(results.done_count(), 1);
    });
}

/// Conformance 79: the pool ends although no outcome is read.
#[test]
fn unread_outcomes_do_not_hold_up_a_shutdown() {
    within_limit(|| {
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            let pool = pool_of(2);
            let results = pool.results_bounded(1);
            for n in 0..50 {
                results.submit(move || n).unwrap();
            }
            pool.shutdown(mode, LIMIT).unwrap();
            assert_eq!(results.done_count() + results.failed_count(), 50);
            assert_eq!(results.as_completed().count(), 50);
        }
    });
}

/// Conformance 79: when there is no reader any more, the values are dropped.
#[test]
fn a_bounded_results_object_that_goes_lets_its_workers_go() {
    within_limit(|| {
        let (pool, dropped) = (pool_of(2), Count::new());
        let results = pool.results_bounded(1);
        for _ in 0..50 {
            let count = dropped.clone();
            results.submit(move || count.on_drop()).unwrap();
        }
        drop(results);
        pool.wait_idle(LIMIT).unwrap();
        drop(pool);
        assert_eq!(dropped.get(), 50);
    });
}

/// Conformance 79: with values that are emitted one by one.
#[test]
fn an_emitting_job_waits_for_room() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results_bounded(2);
        let numbers = results.emitting(|out| {
            (0..1000).for_each(|n| out.emit(n));
            Ok::<_, String>(())
        });
        numbers.submit().unwrap();
        let read = results.as_completed().inspect(|_| assert!(results.done_count() <= 2));
        assert!(read.map(|outcome| outcome.result.unwrap()).eq(0..1000));
    });
}

/// Conformance 79: a canceller does not wait for room.
#[test]
fn cancelling_passes_a_bound() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results_bounded(1);
        pool.spawn(gate.job()).unwrap();
        let ids: Vec<_> = (0..10).map(|n| results.submit(move || n).unwrap()).collect();
        assert!(ids.into_iter().all(|id| pool.cancel(id)));
        assert_eq!(results.failed_count(), 10);
        assert_eq!(results.as_completed().count(), 10);
        results.submit(|| 1).unwrap();
        gate.open();
        assert_eq!(results.next_done(LIMIT).unwrap().1, 1, "the bound counts right afterwards");
    });
}

/// Conformance 69, 70, 74: a time limit and a count limit; other outcomes stay.
#[test]
fn as_completed_ends_at_its_limits() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results();
        for n in 0..5 {
            results.submit(move || n).unwrap();
        }
        let wait = gate.job();
        results.submit(move || (wait(), 5).1).unwrap();
        gate.wait_started(1);
        assert_eq!(results.as_completed().take(2).count(), 2);
        assert_eq!(results.as_completed().until(Deadline::NOW).count(), 3);
        assert_eq!(results.as_completed().until(Duration::from_millis(10)).count(), 0, "the last job is not done");
        assert_eq!(results.outstanding(), 1);
        gate.open();
        assert_eq!(results.as_completed().count(), 1);
    });
}

/// Times are measured if the pool is asked to, and are plausible.
#[test]
fn outcomes_say_how_long_jobs_took() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).timing(true).build().unwrap();
        let (results, gate, wait) = (pool.results(), Gate::new(), Duration::from_millis(5));
        pool.spawn(gate.job()).unwrap();
        results.submit(|| ()).unwrap();
        results.submit_batch([|| panic!("on purpose")]).unwrap();
        let cancelled = results.submit(|| ()).unwrap();
        std::thread::sleep(wait);
        assert!(pool.cancel(cancelled));
        gate.open();
        let outcomes: Vec<_> = results.as_completed().collect();
        assert_eq!(outcomes.len(), 3);
        for outcome in outcomes {
            assert!(outcome.times().unwrap().queued >= wait, "{outcome:?}");
        }
        let untimed = pool_of(1);
        let results = untimed.results();
        results.submit(|| ()).unwrap();
        assert_eq!(results.next(LIMIT).unwrap().times(), None);
    });
}

/// Whether the descriptor is readable within `timeout`.
#[cfg(target_os = "linux")]
fn poll(fd: std::os::fd::BorrowedFd<'_>, timeout: Duration) -> bool {
    use std::os::fd::AsRawFd;
    let mut asked = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry that is readable and writable.
    unsafe { libc::poll(&mut asked, 1, timeout.as_millis() as i32) == 1 }
}

/// A poller that reads until there is nothing more misses nothing.
#[test]
#[cfg(target_os = "linux")]
fn a_poller_misses_no_outcome() {
    within_limit(|| {
        let pool = pool_of(4);
        let results = pool.results();
        let fd = results.poll_fd().unwrap();
        assert!(!poll(fd, Duration::ZERO));
        for round in 0..300 {
            for n in 0..=round % 7 {
                results.submit(move || n).unwrap();
            }
            let mut read = 0;
            while read < round % 7 + 1 {
                assert!(poll(fd, LIMIT), "an outcome that nobody hears of");
                while results.next(Deadline::NOW).is_ok() {
                    read += 1;
                }
            }
            // The last job may not have ended yet, although its outcome was read.
            assert_eq!(results.next(LIMIT).unwrap_err(), fastthreadpool::RecvError::Finished);
        }
        assert!(!poll(fd, Duration::ZERO));
    });
}

/// Outcomes that arrived before the descriptor was made are reported, too, and so is one of two that was not read.
#[test]
#[cfg(target_os = "linux")]
fn a_descriptor_made_late_is_readable_at_once() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        results.submit_batch([|| 1, || 2]).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        let fd = results.poll_fd().unwrap();
        assert!(poll(fd, LIMIT));
        results.next(Deadline::NOW).unwrap();
        assert!(poll(fd, LIMIT), "the second one is still there");
        results.next(Deadline::NOW).unwrap();
        assert!(results.take(1).is_empty());
        assert!(!poll(fd, Duration::ZERO));
    });
}
