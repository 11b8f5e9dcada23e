//! More timers are due at once than are queued at once.

mod common;

use common::{Count, Gate, LIMIT, lock, manual, within_limit};
use fastthreadpool::{Due, JobId, MissedTicks, Pool, Schedule, Shutdown};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(1);
const MANY: usize = 10_000;

/// Conformance 15, 36: all of them run, in the order of their due times, and `wait_idle` waits for all.
#[test]
fn a_storm_keeps_its_order() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Arc::new(Mutex::new(Vec::new())));
        for n in 0..MANY {
            let (due, ran) = (n * 7919 % 10_007, Arc::clone(&ran));
            pool.spawn_later(Duration::from_micros(due as u64), move || lock(&ran).push(due)).unwrap();
        }
        clock.advance(SECOND);
        pool.wait_idle(LIMIT).unwrap();
        let ran = lock(&ran);
        assert_eq!((ran.len(), ran.is_sorted(), pool.pending(), pool.delayed_count()), (MANY, true, 0, 0));
    });
}

/// Decision on order: submit_first, then jobs that are due, then queued jobs.
#[test]
fn a_storm_goes_before_what_is_queued_and_behind_submit_first() {
    within_limit(|| {
        let ((pool, clock), gate, storm) = (manual(1), Gate::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        for _ in 0..MANY {
            pool.spawn_later(SECOND, storm.job()).unwrap();
        }
        clock.advance(SECOND);
        let (sender, receiver) = mpsc::channel();
        let tell = |at: &Count| {
            let (at, sender) = (at.clone(), sender.clone());
            move || sender.send(at.get()).unwrap()
        };
        pool.spawn(tell(&storm)).unwrap();
        pool.spawn_first(tell(&storm)).unwrap();
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, MANY]);
    });
}

/// Conformance 49, 53, 54: jobs that are due are cancelled like queued ones; others stay.
#[test]
fn a_storm_is_cancelled() {
    within_limit(|| {
        for by_timer in [false, true] {
            let ((pool, clock), gate, storm) = (manual(1), Gate::new(), Count::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let ids: Vec<_> = (0..MANY).map(|_| pool.spawn_later(SECOND, storm.job()).unwrap()).collect();
            pool.spawn_later(2 * SECOND, storm.job()).unwrap();
            clock.advance(SECOND);
            match by_timer {
                true => ids.iter().for_each(|&id| assert!(pool.cancel(id))),
                false => assert_eq!(pool.cancel_all(), MANY),
            }
            assert_eq!((pool.cancel_all(), pool.delayed_count()), (0, 1));
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((storm.get(), pool.pending()), (0, 0));
            clock.advance(SECOND);
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(storm.get(), 1);
        }
    });
}

/// Conformance 57, 58: jobs that are due when a pool is shut down run or are cancelled; others are cancelled.
#[test]
fn a_pool_ends_in_a_storm() {
    within_limit(|| {
        for (mode, runs) in [(Shutdown::Drain, MANY), (Shutdown::Cancel, 0)] {
            let ((pool, clock), gate, (storm, dropped)) = (manual(2), Gate::new(), (Count::new(), Count::new()));
            for _ in 0..2 {
                pool.spawn(gate.job()).unwrap();
            }
            gate.wait_started(2);
            for n in 0..MANY + 100 {
                let (run, owned) = (storm.job(), dropped.on_drop());
                let delay = if n < MANY { SECOND } else { 2 * SECOND };
                let job = move || {
                    run();
                    drop(owned);
                };
                pool.spawn_at(if n % 2 == 0 { Due::after(delay) } else { Due::after(delay).back() }, job).unwrap();
            }
            clock.advance(SECOND);
            assert!(pool.shutdown(mode, Duration::ZERO).is_err());
            gate.open();
            pool.shutdown(mode, LIMIT).unwrap();
            assert_eq!((storm.get(), dropped.get(), pool.alive()), (runs, MANY + 100, 0), "{mode:?}");
            assert_eq!((pool.pending(), pool.delayed_count()), (0, 0));
        }
    });
}

/// By the system's clock: the timer thread is not woken during the storm, and works afterwards.
#[test]
fn the_sleeper_goes_on_after_a_storm() {
    within_limit(|| {
        let (pool, ran) = (Pool::builder().workers(2).build().unwrap(), Count::new());
        let (sender, receiver) = mpsc::channel();
        let beat = move || sender.send(()).unwrap_or_default();
        pool.schedule(Schedule::every(Duration::from_millis(2)), beat).unwrap();
        for round in 0..3 {
            for _ in 0..MANY {
                pool.spawn_later(Duration::from_millis(5), ran.job()).unwrap();
            }
            let (last, told) = mpsc::channel();
            pool.spawn_later(Duration::from_millis(10), move || last.send(()).unwrap()).unwrap();
            told.recv_timeout(LIMIT).unwrap();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get(), (round + 1) * MANY);
            receiver.recv_timeout(LIMIT).unwrap();
        }
    });
}

/// A schedule that queues each tick, one every [`STEP`], in a pool whose only worker waits at the gate.
fn schedule_held_up(pool: &Pool, gate: &Gate, ran: &Count) -> JobId {
    pool.spawn(gate.job()).unwrap();
    gate.wait_started(1);
    pool.schedule(Schedule::every(STEP).missed(MissedTicks::Queue), ran.each()).unwrap()
}

/// Conformance 42: where each tick is queued, those that have come stay when the schedule is set anew.
#[test]
fn a_schedule_set_anew_in_a_storm_loses_no_tick() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        let id = schedule_held_up(&pool, &gate, &ran);
        clock.advance(SECOND);
        clock.advance(SECOND);
        for _ in 0..2 {
            assert!(pool.reschedule(id, 10 * SECOND));
        }
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.timer(id).unwrap().ticks), (2000, 2000));
        assert_eq!(pool.timer(id).unwrap().due_in, Some(10 * SECOND));
        for (passes, more) in [(10 * SECOND - STEP, 0), (STEP, 1), (STEP, 2)] {
            clock.advance(passes);
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get(), 2000 + more);
        }
    });
}

/// Conformance 42: the same for ticks that come between two times that it is set anew, none of which is queued yet.
#[test]
fn a_schedule_set_anew_twice_in_a_storm_loses_no_tick_in_between() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        let id = schedule_held_up(&pool, &gate, &ran);
        clock.advance(SECOND);
        for _ in 0..2 {
            assert!(pool.reschedule(id, STEP));
            clock.advance(SECOND);
        }
        assert!(pool.reschedule(id, 10 * SECOND));
        clock.advance(SECOND);
        assert!(pool.reschedule(id, 20 * SECOND), "in place of a moment that has not come");
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        let timer = pool.timer(id).unwrap();
        assert_eq!((ran.get(), timer.ticks, timer.due_in), (3000, 3000, Some(20 * SECOND)));
        clock.advance(20 * SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 3001);
    });
}
