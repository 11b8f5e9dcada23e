//! Callbacks of overdue jobs that are called by the wrong thread, or inside one another.

mod common;

use common::{Count, Gate, LIMIT, block, eventually, manual, pool_of, within_limit};
use fastthreadpool::Outcome;
use std::iter;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// The callback of an expired job may need a lock that the thread which noticed it holds.
#[test]
fn whoever_sets_a_timer_is_not_told_of_other_jobs() {
    within_limit(|| {
        let (pool, sleeper) = (pool_of(1), Gate::new());
        let _gate = block(&pool);
        let (own, (tell, told)) = (thread::current().id(), mpsc::channel());
        let submit = || {
            let (tell, door) = (tell.clone(), sleeper.door());
            let callback = move |_: &Outcome<()>| {
                tell.send(thread::current().id()).unwrap();
                (thread::current().id() != own).then(|| door.pass());
            };
            let moment = Instant::now() + Duration::from_millis(1);
            pool.job(|| ()).start_by(moment).then(callback).submit().unwrap();
            moment
        };
        // A job that is overdue when it is submitted ends in its submit: then it takes another one.
        iter::repeat_with(submit).find(|_| told.recv().unwrap() != own);
        let moment = iter::repeat_with(submit).find(|_| told.try_recv().is_err()).unwrap();
        eventually("it is overdue", || Instant::now() > moment);
        pool.spawn_later(Duration::ZERO, || ()).unwrap();
        pool.job(|| ()).start_by(moment).submit().unwrap();
        assert!(told.try_recv().is_err());
        sleeper.open();
        assert_ne!(told.recv().unwrap(), own);
    });
}

/// If many jobs are overdue, their callbacks are called one after another, also if a callback checks the timers.
#[test]
fn very_many_overdue_jobs_need_no_deep_stack() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        let gate = block(&pool);
        for _ in 0..100_000 {
            let own = pool.clone();
            let again = move |_: &Outcome<()>| _ = own.spawn_later(Duration::ZERO, || ()).unwrap();
            pool.job(|| ()).start_within(SECOND).then(again).submit().unwrap();
        }
        clock.advance(SECOND);
        assert_eq!(pool.expired(), 100_000);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
    });
}

/// A callback may advance the clock, which makes the next job overdue: that one is called afterwards, not recursively.
/// Jobs that become due are queued at once.
#[test]
fn a_clock_that_goes_on_while_overdue_jobs_are_told_needs_no_deep_stack() {
    within_limit(|| {
        let ((pool, clock), told) = (manual(1), Count::new());
        let _gate = block(&pool);
        for second in 1..=20_000 {
            let (own, clock, told) = (pool.clone(), clock.clone(), told.clone());
            let go_on = move |_: &Outcome<()>| {
                let (before, queued) = (told.add(), own.pending());
                own.spawn_later(SECOND, || ()).unwrap();
                clock.advance(SECOND);
                assert_eq!((told.get(), own.pending(), own.delayed_count()), (before + 1, queued + 1, 0));
            };
            pool.job(|| ()).start_within(SECOND * second).then(go_on).submit().unwrap();
        }
        clock.advance(SECOND);
        assert_eq!((told.get(), pool.expired(), pool.failed()), (20_000, 20_000, 0));
    });
}
