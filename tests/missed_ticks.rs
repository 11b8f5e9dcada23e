//! Ticks that come too soon, too late, or all at once.

mod common;

use common::{Count, Gate, LIMIT, advance, eventually, manual, within_limit};
use fastthreadpool::{MissedTicks, Schedule, current_tick};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The jobs that a schedule has queued, and then run, after its only worker was blocked for ten intervals.
fn blocked_for_ten(schedule: Schedule) -> (u64, usize) {
    let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
    pool.schedule(schedule, ran.each()).unwrap();
    pool.spawn(gate.job()).unwrap();
    gate.wait_started(1);
    (0..10).for_each(|_| clock.advance(SECOND));
    let queued = pool.pending() - 1;
    gate.open();
    pool.wait_idle(LIMIT).unwrap();
    (queued, ran.get())
}

/// Conformance 42.
#[test]
fn a_blocked_worker_lets_ticks_pile_up_only_when_asked_to() {
    within_limit(|| {
        let every = Schedule::every(SECOND);
        assert_eq!(blocked_for_ten(every), (1, 1));
        assert_eq!(blocked_for_ten(every.missed(MissedTicks::Skip)), (1, 1));
        assert_eq!(blocked_for_ten(every.fixed_delay()), (1, 1));
        assert_eq!(blocked_for_ten(every.missed(MissedTicks::Queue)), (10, 10));
        let (queued, ran) = blocked_for_ten(every.missed(MissedTicks::Coalesce));
        assert!(queued == 1 && (1..=2).contains(&ran), "{queued} {ran}");
    });
}

/// Conformance 42: one run takes ten intervals, then the policy applies, then there is a run every interval again.
#[test]
fn ticks_during_a_long_run_are_skipped_or_make_one_more_run() {
    within_limit(|| {
        for (missed, after, number) in [(MissedTicks::Skip, 1, 12), (MissedTicks::Coalesce, 2, 13)] {
            let ((pool, clock), gate, ran) = (manual(2), Gate::new(), Count::new());
            let (door, count, last) = (gate.door(), ran.clone(), Arc::new(AtomicU64::new(0)));
            let seen = Arc::clone(&last);
            let id = pool
                .schedule(Schedule::every(SECOND).missed(missed), move || {
                    if count.add() == 0 {
                        door.pass();
                    }
                    seen.store(current_tick().unwrap().number, SeqCst);
                })
                .unwrap();
            clock.advance(SECOND);
            gate.wait_started(1);
            (0..10).for_each(|_| clock.advance(SECOND));
            let timer = pool.timer(id).unwrap();
            assert_eq!((pool.pending(), ran.get(), timer.running, timer.ticks), (1, 1, 1, 11), "{missed:?}");
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get(), after);
            advance(&pool, &clock, 1, SECOND);
            assert_eq!(ran.get(), after + 1);
            advance(&pool, &clock, number - 12, SECOND);
            assert_eq!(last.load(SeqCst), u64::from(number), "skipped ticks are counted");
        }
    });
}

/// A clock jumps over many ticks: each runs, or only the last.
#[test]
fn a_jump_of_the_clock_makes_one_run_or_all() {
    within_limit(|| {
        for (missed, runs) in [(MissedTicks::Skip, 1), (MissedTicks::Coalesce, 1), (MissedTicks::Queue, 1000)] {
            let ((pool, clock), ran) = (manual(1), Count::new());
            let id = pool.schedule(Schedule::every(SECOND).missed(missed), ran.each()).unwrap();
            clock.advance(1000 * SECOND + SECOND / 2);
            pool.wait_idle(LIMIT).unwrap();
            let timer = pool.timer(id).unwrap();
            assert_eq!((ran.get(), timer.ticks, timer.due_in), (runs, 1000, Some(SECOND / 2)), "{missed:?}");
        }
    });
}

/// Conformance 44: a schedule that stops at an error has no further tick, even if another of its runs is still in
/// progress when that comes.
#[test]
fn a_schedule_that_has_stopped_while_another_run_goes_on_has_no_further_tick() {
    within_limit(|| {
        let ((pool, clock), gate, runs) = (manual(3), Gate::new(), Count::new());
        let (door, count) = (gate.door(), runs.clone());
        let plan = Schedule::every(SECOND).missed(MissedTicks::Queue).stop_on_error();
        let id = pool
            .try_schedule(plan, move || match count.add() {
                0 => {
                    door.pass();
                    Ok(())
                }
                _ => Err("at once"),
            })
            .unwrap();
        clock.advance(SECOND);
        gate.wait_started(1);
        clock.advance(SECOND);
        eventually("the second run has failed", || pool.failed() == 1 && pool.timer(id).unwrap().running == 1);
        assert_eq!(pool.timer(id).map(|timer| (timer.due_in, timer.queued, timer.running)), Some((None, 0, 1)));
        (0..3).for_each(|_| clock.advance(SECOND));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((runs.get(), pool.timer(id), pool.scheduled_count()), (2, None, 0));
    });
}
