//! Schedules that drift, pile up, stop, go on forever, or run once more after they were cancelled.

mod common;

use common::{Count, Gate, LIMIT, advance, eventually, lock, manual, pool_of, within_limit};
use fastthreadpool::{
    Deadline, Due, JobError, MissedTicks, Pool, Schedule, Shutdown, SubmitError, current_job, current_tick,
};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// Conformance 40.
#[test]
fn the_first_run_comes_after_one_interval() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        pool.schedule(SECOND, ran.each()).unwrap();
        clock.advance(SECOND - Duration::from_nanos(1));
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.scheduled_count(), pool.pending()), (0, 1, 0));
        advance(&pool, &clock, 1, Duration::from_nanos(1));
        assert_eq!(ran.get(), 1);
        advance(&pool, &clock, 9, SECOND);
        assert_eq!(ran.get(), 10);
    });
}

/// Conformance 40: unless another time of the first tick is set, such as now.
#[test]
fn the_first_run_comes_when_it_is_asked_for() {
    within_limit(|| {
        let ((pool, clock), now, later) = (manual(1), Count::new(), Count::new());
        pool.schedule(Schedule::every(SECOND).first(Duration::ZERO), now.each()).unwrap();
        pool.schedule(Schedule::every(SECOND).first(3 * SECOND), later.each()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((now.get(), later.get()), (1, 0));
        advance(&pool, &clock, 5, SECOND);
        assert_eq!((now.get(), later.get()), (6, 3));
    });
}

/// Conformance 41: a hundred ticks of 20 ms come at 20, 40, …, 2000 ms, however late each is seen.
#[test]
fn lateness_does_not_add_up() {
    within_limit(|| {
        let ((pool, clock), log) = (manual(1), Arc::new(Mutex::new(Vec::new())));
        let (interval, seen) = (Duration::from_millis(20), Arc::clone(&log));
        let log_tick = move || lock(&seen).push(current_tick().unwrap());
        pool.schedule(Schedule::every(interval).missed(MissedTicks::Queue), log_tick).unwrap();
        let mut late = 0;
        while clock.elapsed() < 2 * SECOND {
            late = (late + 7) % 19;
            clock.advance(Duration::from_millis(20 + late).min(2 * SECOND - clock.elapsed()));
            pool.wait_idle(LIMIT).unwrap();
        }
        let ticks = lock(&log);
        assert_eq!(ticks.iter().map(|tick| tick.number).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
        let origin = ticks[0].scheduled - interval;
        assert!(ticks.iter().zip(1..).all(|(tick, n)| tick.scheduled == origin + n * interval));
        assert!(ticks.iter().all(|tick| tick.late_by < 2 * interval));
    });
}

/// Conformance 41, 47: by the system's clock. Two workers would run two ticks at a time after a stall.
#[test]
fn a_schedule_goes_on_and_on() {
    within_limit(|| {
        let (pool, (sender, receiver)) = (pool_of(1), mpsc::channel());
        let (start, interval) = (Instant::now(), Duration::from_millis(2));
        pool.schedule(Schedule::every(interval).missed(MissedTicks::Queue), move || {
            let _ = sender.send((current_tick().unwrap(), Instant::now()));
        })
        .unwrap();
        for (n, (tick, began)) in (1..=50).zip(receiver) {
            assert!(began >= start + n * interval, "tick {n} is early");
            assert_eq!(tick.number, u64::from(n));
        }
    });
}

/// Conformance 43.
#[test]
fn a_fixed_delay_counts_from_the_end_of_the_run() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        let (door, count) = (gate.door(), ran.clone());
        let id = pool
            .schedule(Schedule::every(SECOND).fixed_delay(), move || {
                if count.add() == 0 {
                    door.pass();
                }
            })
            .unwrap();
        clock.advance(SECOND);
        gate.wait_started(1);
        clock.advance(SECOND * 7 / 2);
        let timer = pool.timer(id).unwrap();
        assert_eq!((timer.due_in, timer.running, pool.reschedule(id, SECOND)), (None, 1, false));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.timer(id).unwrap().due_in, Some(SECOND));
        advance(&pool, &clock, 3, SECOND);
        assert_eq!(ran.get(), 4);
    });
}

/// Conformance 44.
#[test]
fn a_failing_schedule_goes_on_unless_asked_to_stop() {
    within_limit(|| {
        let ((pool, clock), ran, stopped) = (manual(1), Count::new(), Count::new());
        let count = ran.clone();
        pool.schedule(SECOND, move || panic!("run {}", count.add())).unwrap();
        let count = stopped.clone();
        let stopping = Schedule::every(SECOND).stop_on_error();
        let id = pool.try_schedule(stopping, move || if count.add() < 2 { Ok(()) } else { Err("the third") }).unwrap();
        advance(&pool, &clock, 10, SECOND);
        assert_eq!((ran.get(), stopped.get(), pool.failed()), (10, 3, 11));
        assert_eq!((pool.timer(id), pool.scheduled_count()), (None, 1));
        assert!(!pool.cancel(id));
    });
}

/// A schedule that stops after an error removes its queued ticks.
#[test]
fn queued_ticks_of_a_stopped_schedule_do_not_run() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(1), Gate::new());
        let (results, door) = (pool.results::<()>(), gate.door());
        let plan = Schedule::every(SECOND).missed(MissedTicks::Queue).stop_on_error();
        results
            .try_schedule(plan, move || {
                door.pass();
                Err("at once")
            })
            .unwrap();
        clock.advance(5 * SECOND);
        gate.wait_started(1);
        gate.open();
        assert_eq!(results.as_completed().count(), 1);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((gate.started(), pool.pending(), pool.scheduled_count()), (1, 0, 0));
    });
}

/// A schedule with a number of runs ends by itself, and as_completed with it.
#[test]
fn a_schedule_ends_after_its_runs() {
    within_limit(|| {
        for plan in [
            Schedule::every(SECOND),
            Schedule::every(SECOND).missed(MissedTicks::Queue),
            Schedule::every(SECOND).fixed_delay(),
        ] {
            let (pool, clock) = manual(2);
            let results = pool.results();
            let id = results.schedule(plan.max_runs(3), || current_tick().unwrap().number).unwrap();
            advance(&pool, &clock, 10, SECOND);
            let outcomes: Vec<_> =
                results.as_completed().map(|outcome| (outcome.id, outcome.result.unwrap())).collect();
            assert_eq!(outcomes, [(id, 1), (id, 2), (id, 3)]);
            assert_eq!((pool.timer(id), pool.scheduled_count(), pool.cancel(id)), (None, 0, false));
        }
    });
}

/// Conformance 45, 46.
#[test]
fn a_schedule_on_the_wall_clock_repeats_on_that_clock() {
    within_limit(|| {
        let ((pool, clock), ran, once) = (manual(1), Count::new(), Count::new());
        let noon = clock.wall_clock() + 10 * SECOND;
        pool.schedule(Schedule::every(SECOND).first(noon), ran.each()).unwrap();
        pool.spawn_at(noon, once.job()).unwrap();
        advance(&pool, &clock, 12, SECOND);
        assert_eq!((ran.get(), once.get()), (3, 1));
        clock.set_wall_clock(noon + 3600 * SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 4, "one run for all that the step has skipped");
        clock.set_wall_clock(noon);
        advance(&pool, &clock, 10, SECOND);
        assert_eq!((ran.get(), once.get()), (4, 1));
    });
}

/// Conformance 48.
#[test]
fn a_schedule_cancelled_before_its_first_tick_never_runs() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        let id = pool.schedule(SECOND, ran.each()).unwrap();
        assert!(pool.cancel(id));
        assert!(!pool.cancel(id));
        advance(&pool, &clock, 3, SECOND);
        assert_eq!((ran.get(), pool.scheduled_count()), (0, 0));
    });
}

/// Conformance 49.
#[test]
fn a_cancelled_schedule_takes_its_queued_ticks_along() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let other = ran.clone();
        let id = pool.schedule(Schedule::every(SECOND).missed(MissedTicks::Queue), ran.each()).unwrap();
        pool.spawn(other.job()).unwrap();
        clock.advance(5 * SECOND);
        assert_eq!((pool.pending(), pool.timer(id).unwrap().queued), (7, 5));
        assert!(pool.cancel(id));
        assert_eq!(pool.pending(), 2);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1);
    });
}

/// A schedule that its own job cancels: that run is the last.
#[test]
fn a_schedule_is_cancelled_by_its_own_job() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(2), Count::new());
        let count = ran.clone();
        pool.schedule(SECOND, move || {
            count.add();
            assert!(Pool::current().unwrap().cancel(current_job().unwrap()));
        })
        .unwrap();
        advance(&pool, &clock, 5, SECOND);
        assert_eq!((ran.get(), pool.failed(), pool.scheduled_count()), (1, 0, 0));
    });
}

/// Conformance 52: a schedule whose last run has started cannot be cancelled, and leaves no such outcome.
#[test]
fn a_schedule_in_its_last_run_is_not_cancelled() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(1), Gate::new());
        let (results, door) = (pool.results(), gate.door());
        let id = results.schedule(Schedule::every(SECOND).max_runs(1), move || door.pass()).unwrap();
        clock.advance(SECOND);
        gate.wait_started(1);
        assert_eq!((pool.cancel(id), pool.cancel_timers(), pool.timer(id).unwrap().running), (false, 0, 1));
        gate.open();
        assert!(results.as_completed().map(|outcome| outcome.result.is_ok()).eq([true]));
    });
}

/// Every run leaves an outcome, the cancellation one more, and then no more are outstanding.
#[test]
fn outcomes_of_a_cancelled_schedule_are_complete() {
    within_limit(|| {
        let ((pool, clock), dropped) = (manual(1), Count::new());
        let results = pool.results();
        let owned = dropped.on_drop();
        let id = results
            .schedule(SECOND, move || {
                let _keep = &owned;
                current_tick().unwrap().number
            })
            .unwrap();
        advance(&pool, &clock, 3, SECOND);
        assert_eq!((results.done_count(), results.outstanding()), (3, 1));
        assert!(pool.cancel(id));
        let outcomes: Vec<_> = results.as_completed().map(|outcome| (outcome.id, outcome.result)).collect();
        assert!(outcomes.iter().all(|(of, _)| *of == id));
        let cancelled = outcomes.iter().filter(|(_, result)| matches!(result, Err(JobError::Cancelled))).count();
        assert_eq!((outcomes.len(), cancelled, dropped.get()), (4, 1, 1));
    });
}

/// Conformance 50: a queued tick runs or is cancelled, and then the schedule has ended.
#[test]
fn a_pool_that_ends_ends_its_schedules() {
    within_limit(|| {
        for (mode, ran) in [(Shutdown::Drain, 3), (Shutdown::Cancel, 0)] {
            let ((pool, clock), gate, dropped) = (manual(1), Gate::new(), Count::new());
            let results = pool.results();
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let owned = dropped.on_drop();
            let job = move || {
                let _keep = &owned;
            };
            results.schedule(Schedule::every(SECOND).missed(MissedTicks::Queue), job).unwrap();
            clock.advance(3 * SECOND);
            assert!(pool.shutdown(mode, Deadline::NOW).is_err());
            clock.advance(3 * SECOND);
            assert!(pool.schedule(SECOND, || {}).is_err());
            gate.open();
            pool.shutdown(mode, LIMIT).unwrap();
            let outcomes: Vec<_> = results.as_completed().map(|outcome| outcome.result.is_ok()).collect();
            assert_eq!(outcomes.iter().filter(|&&ok| ok).count(), ran, "{mode:?}");
            assert_eq!((outcomes.len(), dropped.get(), pool.scheduled_count()), (4, 1, 0), "{mode:?}");
        }
    });
}

/// Conformance 50: by the system's clock, while ticks come.
#[test]
fn a_dropped_pool_does_not_wait_for_its_schedules() {
    within_limit(|| {
        for round in 0..300_u32 {
            let (pool, ran, dropped) = (Pool::builder().workers(2).build().unwrap(), Count::new(), Count::new());
            for n in 0..4 {
                let (count, owned) = (ran.clone(), dropped.on_drop());
                let plan = Schedule::every(Duration::from_micros(u64::from(20 + 50 * n + round % 17)));
                let plan = if n == 0 {
                    plan.fixed_delay()
                } else {
                    plan.missed([MissedTicks::Skip, MissedTicks::Coalesce, MissedTicks::Queue][n as usize - 1])
                };
                let job = move || {
                    let _keep = &owned;
                    count.add();
                };
                pool.schedule(plan, job).unwrap();
            }
            if round % 3 == 0 {
                eventually("a tick comes", || ran.get() > 3);
            }
            drop(pool);
            let after = ran.get();
            assert_eq!((dropped.get(), ran.get()), (4, after));
        }
    });
}

/// Bad input gets an error.
#[test]
fn a_schedule_without_interval_or_run_is_refused() {
    let (pool, clock) = manual(1);
    for plan in [Schedule::every(Duration::ZERO), Schedule::every(SECOND).max_runs(0)] {
        let refused = pool.schedule(plan, || {});
        assert!(matches!(refused, Err(SubmitError::InvalidSchedule)));
    }
    let past = Schedule::every(SECOND).first(clock.wall_clock() - SECOND);
    assert!(matches!(pool.schedule(past, || {}), Err(SubmitError::Past)));
    let id = pool.schedule(Schedule::every(Duration::MAX).first(Due::after(Duration::ZERO)), || {}).unwrap();
    pool.wait_idle(LIMIT).unwrap();
    assert_eq!(pool.timer(id).unwrap().ticks, 1);
}

/// After a reschedule the next tick comes then, and the others one interval after another.
#[test]
fn a_schedule_set_anew_goes_on_from_there() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        let id = pool.schedule(SECOND, ran.each()).unwrap();
        advance(&pool, &clock, 1, SECOND * 3 / 2);
        assert!(pool.reschedule(id, 3 * SECOND));
        advance(&pool, &clock, 2, SECOND);
        assert_eq!(ran.get(), 1);
        advance(&pool, &clock, 3, SECOND);
        assert_eq!(ran.get(), 4);
    });
}

/// Issue 5: the outcome of each tick says which one it was, when it was due and how late it started.
#[test]
fn every_outcome_says_which_tick_it_was() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        let (results, second) = (pool.results(), Duration::from_secs(1));
        let id = results.schedule(Schedule::every(second).max_runs(2), || ()).unwrap();
        clock.advance(second);
        pool.wait_idle(LIMIT).unwrap();
        clock.advance(second * 5 / 2); // Ticks 2 and 3 have come, 3 is half a second late.
        let ticks = results.as_completed().map(|outcome| {
            assert_eq!(outcome.id, id);
            outcome.tick().unwrap()
        });
        let ticks: Vec<_> = ticks.collect();
        assert_eq!(ticks.iter().map(|tick| tick.number).collect::<Vec<_>>(), [1, 3]);
        assert_eq!([ticks[0].late_by, ticks[1].late_by], [Duration::ZERO, second / 2]);
        assert_eq!(ticks[1].scheduled - ticks[0].scheduled, second * 2);
    });
}
