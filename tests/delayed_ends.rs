//! Delayed jobs that are cancelled or rescheduled, and run all the same, or are kept too long.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, eventually, manual, within_limit};
use fastthreadpool::{Deadline, JobError, ManualClock, Pool, Schedule, Shutdown, SubmitError, WaitError};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

/// Conformance 49, 51: a delayed job is cancelled, waiting or queued.
#[test]
fn a_cancelled_timer_never_runs_and_touches_no_other_job() {
    within_limit(|| {
        let ((pool, clock), gate, ran, dropped) = (manual(1), Gate::new(), Count::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        pool.spawn(ran.job()).unwrap();
        let owned = dropped.on_drop();
        let waiting = pool.spawn_later(9 * SECOND, move || drop(owned)).unwrap();
        let owned = dropped.on_drop();
        let queued = pool.spawn_later(SECOND, move || drop(owned)).unwrap();
        clock.advance(SECOND);
        assert_eq!((pool.pending(), pool.delayed_count()), (3, 1));
        for id in [waiting, queued] {
            assert!(pool.cancel(id));
            assert!(!pool.cancel(id));
        }
        assert_eq!((pool.pending(), pool.delayed_count(), dropped.get()), (2, 0, 2));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        clock.advance(100 * SECOND);
        assert_eq!((ran.get(), pool.pending()), (1, 0));
    });
}

/// Conformance 52: too late for a timer whose job runs.
#[test]
fn a_timer_that_runs_is_not_cancelled() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(1), Gate::new());
        let id = pool.spawn_later(SECOND, gate.job()).unwrap();
        clock.advance(SECOND);
        gate.wait_started(1);
        assert!(!pool.cancel(id));
        assert!(!pool.reschedule(id, SECOND));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
    });
}

/// Conformance 53, 54: timers and queued jobs are cancelled separately.
#[test]
fn cancelling_all_timers_leaves_queued_jobs() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        pool.spawn(ran.job()).unwrap();
        pool.spawn_later(SECOND, ran.job()).unwrap();
        clock.advance(SECOND); // this one is queued now
        for _ in 0..500 {
            pool.spawn_later(SECOND, ran.job()).unwrap();
        }
        let job = ran.clone();
        pool.schedule(SECOND, move || assert_eq!(job.add(), usize::MAX)).unwrap();
        assert_eq!(pool.cancel_timers(), 501);
        assert_eq!(pool.cancel_timers(), 0);
        assert_eq!((pool.delayed_count(), pool.scheduled_count()), (0, 0));
        gate.open();
        clock.advance(10 * SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 2);
    });
}

/// Rescheduled before, at and after its due time, also while its job is queued.
#[test]
fn a_timer_set_anew_runs_once_at_the_new_time() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        let id = pool.spawn_later(SECOND, ran.job()).unwrap();
        for _ in 0..10 {
            clock.advance(SECOND / 2);
            assert!(pool.reschedule(id, SECOND));
        }
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        clock.advance(SECOND);
        assert_eq!(pool.timer(id).unwrap().queued, 1);
        assert!(pool.reschedule(id, SECOND));
        assert_eq!((pool.timer(id).unwrap().due_in, pool.pending()), (Some(SECOND), 1));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 0);
        clock.advance(SECOND);
        pool.wait_idle(LIMIT).unwrap();
        clock.advance(100 * SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.reschedule(id, SECOND)), (1, false));
    });
}

/// An earlier timer wakes the thread that sleeps for a later one.
#[test]
fn a_timer_brought_forward_is_not_slept_through() {
    within_limit(|| {
        let (pool, (sender, receiver)) = (Pool::new().unwrap(), mpsc::channel());
        let id = pool.spawn_later(3600 * SECOND, move || sender.send(()).unwrap()).unwrap();
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(2)); // Lets the sleeper fall asleep; not needed for the result.
            assert!(pool.reschedule(id, 1800 * SECOND));
        }
        assert!(pool.reschedule(id, Duration::from_millis(1)));
        receiver.recv_timeout(LIMIT).unwrap();
    });
}

/// Conformance 50, and the decision on the end of scope: jobs that are due run, others are cancelled.
#[test]
fn a_pool_that_ends_cancels_what_is_not_due() {
    within_limit(|| {
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
            let results = pool.results();
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let due = results.submit_later(SECOND, ran.job()).unwrap();
            let undue = results.submit_later(2 * SECOND, ran.job()).unwrap();
            clock.advance(SECOND);
            assert!(pool.shutdown(mode, Deadline::NOW).is_err());
            let (id, error) = results.next_failed(LIMIT).unwrap();
            assert!(matches!(error, JobError::Cancelled) && [due, undue].contains(&id));
            let refused = pool.spawn_later(SECOND, ran.job());
            assert!(matches!(refused, Err(SubmitError::Shutdown)));
            gate.open();
            pool.shutdown(mode, LIMIT).unwrap();
            clock.advance(10 * SECOND);
            let rest: Vec<_> = results.as_completed().map(|outcome| outcome.result.is_ok()).collect();
            assert_eq!((rest, ran.get()), (vec![mode == Shutdown::Drain], usize::from(mode == Shutdown::Drain)));
        }
    });
}

/// Conformance 50: by the system's clock; the timer thread has ended, too.
#[test]
fn a_dropped_pool_does_not_wait_for_its_timers() {
    within_limit(|| {
        for round in 0..200 {
            let (pool, dropped) = (Pool::builder().name("mayfly").build().unwrap(), Count::new());
            for n in 0..round % 7 {
                let owned = dropped.on_drop();
                pool.spawn_later((n + 1) * 3600 * SECOND, move || drop(owned)).unwrap();
            }
            if round % 2 == 0 {
                pool.spawn(|| {}).unwrap();
            }
            drop(pool);
            assert_eq!(dropped.get(), (round % 7) as usize);
        }
        #[cfg(target_os = "linux")]
        eventually("no thread is left", || common::linux::threads_named("mayfly").is_empty());
    });
}

/// Conformance 64: a job drops its own pool, whose timers then end.
#[test]
fn a_job_drops_the_last_handle_of_a_pool_with_timers() {
    within_limit(|| {
        let (pool, dropped) = (Pool::new().unwrap(), Count::new());
        let owned = dropped.on_drop();
        pool.spawn_later(3600 * SECOND, move || drop(owned)).unwrap();
        let (sender, receiver) = mpsc::channel::<Pool>();
        pool.spawn(move || drop(receiver.recv().unwrap())).unwrap();
        sender.send(pool).unwrap();
        eventually("the timer is cancelled", || dropped.get() == 1);
    });
}

/// The destructor of a job that is being cancelled may use the pool, or panic.
#[test]
fn what_a_cancelled_timer_owns_is_users_code() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        let (inner, job) = (pool.clone(), ran.job());
        let mut job = Some(job);
        let owned = OnDrop(move || {
            inner.spawn_later(SECOND, job.take().unwrap()).unwrap();
            panic!("a destructor panics");
        });
        let id = pool.spawn_later(SECOND, move || drop(owned)).unwrap();
        assert!(pool.cancel(id));
        clock.advance(SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1);
    });
}

/// A reopened pool: its old timers have ended, new ones work.
#[test]
fn a_reopened_pool_has_timers_again() {
    within_limit(|| {
        let (sender, receiver) = mpsc::channel();
        for manual in [false, true] {
            let (pool, clock) = if manual { self::manual(1) } else { (Pool::new().unwrap(), ManualClock::new()) };
            let dropped = Count::new();
            for round in 0..5 {
                let owned = dropped.on_drop();
                pool.spawn_later(3600 * SECOND, move || drop(owned)).unwrap();
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                assert_eq!((dropped.get(), pool.delayed_count()), (round + 1, 0));
                assert!(matches!(pool.spawn_later(SECOND, || {}), Err(SubmitError::Shutdown)));
                pool.reopen(LIMIT).unwrap();
                let sender = sender.clone();
                pool.spawn_later(Duration::from_millis(1), move || sender.send(()).unwrap()).unwrap();
                clock.advance(SECOND);
                receiver.recv_timeout(LIMIT).unwrap();
            }
        }
    });
}

/// Conformance 53, 54: a job that is due is queued, and is cancelled like a queued job; its schedule goes on.
#[test]
fn cancelling_queued_jobs_leaves_timers() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        let results = pool.results();
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        results.submit_later(SECOND, ran.job()).unwrap();
        results.submit_later(3 * SECOND, ran.job()).unwrap();
        for plan in [Schedule::every(SECOND), Schedule::every(SECOND).fixed_delay()] {
            let count = ran.clone();
            let job = move || drop(count.on_drop());
            results.schedule(plan.max_runs(2), job).unwrap();
        }
        clock.advance(SECOND);
        assert_eq!((pool.pending(), pool.cancel_all(), pool.cancel_all()), (4, 3, 0));
        assert_eq!((pool.delayed_count(), pool.scheduled_count(), results.failed_count()), (1, 2, 3));
        gate.open();
        for _ in 0..5 {
            clock.advance(SECOND);
            pool.wait_idle(LIMIT).unwrap();
        }
        let cancelled = results.as_completed().filter(|outcome| outcome.result.is_err()).count();
        assert_eq!((ran.get(), cancelled, pool.delayed_count(), pool.scheduled_count()), (3, 3, 0, 0));
    });
}

/// Conformance 57, reliability R7: a job that was accepted, and that no thread can be started for when it is due, is
/// cancelled when the pool ends, and delays nothing.
#[test]
fn a_pool_that_gets_no_thread_ends() {
    within_limit(|| {
        let (clock, ran, dropped) = (ManualClock::new(), Count::new(), Count::new());
        let pool = Pool::builder().workers(1).stack_size(usize::MAX).clock(&clock).build().unwrap();
        let owned = dropped.on_drop();
        let job = ran.job();
        pool.spawn_later(Duration::ZERO, move || {
            drop(owned);
            job();
        })
        .unwrap();
        clock.advance(SECOND);
        assert!(matches!(pool.shutdown(Shutdown::Drain, Deadline::NOW), Err(WaitError::TimedOut)));
        assert_eq!(dropped.get(), 0);
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert_eq!((ran.get(), dropped.get(), pool.pending()), (0, 1, 0));
    });
}

/// Conformance 45, 49: two clocks reach the same number of nanoseconds at different times. The stale entry of a timer
/// of one clock must not be taken for a timer of the other, which would be early.
#[test]
fn a_cancelled_timer_does_not_fire_one_of_the_other_clock() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        clock.set_wall_clock(UNIX_EPOCH + 1000 * SECOND);
        let by_wall = UNIX_EPOCH + 2000 * SECOND;
        let cancelled = pool.spawn_at(by_wall, || unreachable!("it was cancelled")).unwrap();
        pool.spawn_at(by_wall, ran.job()).unwrap();
        assert!(pool.cancel(cancelled));
        pool.spawn_later(2000 * SECOND, ran.job()).unwrap();
        for (seconds, done) in [(999, 0), (1, 1), (999, 1), (1, 2)] {
            clock.advance(seconds * SECOND);
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((ran.get(), pool.delayed_count()), (done, 2 - done));
        }
    });
}
