//! Jobs that run too long, and are not reported, or twice.

mod common;

use common::{Count, Gate, LIMIT, manual, pool_of, within_limit};
use fastthreadpool::{Builder, Deadline, JobId, ManualClock, Pool, Shutdown, cancel_requested};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Told = (String, JobId, Duration);

fn listening(builder: Builder) -> (Pool, Receiver<Told>) {
    let (told, hears) = mpsc::channel();
    let hook = move |overrun: &fastthreadpool::Overrun<'_>| {
        told.send((overrun.name().to_string(), overrun.id(), overrun.ran())).unwrap();
    };
    (builder.on_overrun(hook).build().unwrap(), hears)
}

/// Run-time watchdog: name, id and time, once, on time, and the job goes on.
#[test]
fn a_job_that_overruns_is_told_of_once() {
    within_limit(|| {
        let (clock, gate) = (ManualClock::new(), Gate::new());
        let (pool, hears) = listening(Pool::builder().workers(1).clock(&clock));
        let job = pool.job(gate.job()).run_limit("backup", SECOND).submit_handle().unwrap();
        gate.wait_started(1);
        clock.advance(SECOND - Duration::from_nanos(1));
        assert!(hears.try_recv().is_err(), "never early");
        clock.advance(Duration::from_nanos(1));
        assert_eq!(hears.recv().unwrap(), ("backup".to_string(), job.id(), SECOND));
        clock.advance(SECOND * 10);
        assert!(hears.try_recv().is_err(), "once");
        assert!(!job.is_done());
        gate.open();
        job.join().unwrap();
    });
}

/// By the system's clock, while every worker is busy and the pool is being shut down: when it matters most.
#[test]
fn a_stuck_job_is_told_of_while_the_pool_shuts_down() {
    within_limit(|| {
        let gate = Gate::new();
        let (pool, hears) = listening(Pool::builder().workers(1));
        let id = pool.job(gate.job()).run_limit("stuck", Duration::from_millis(30)).submit().unwrap();
        gate.wait_started(1);
        assert!(pool.shutdown(Shutdown::Drain, Deadline::NOW).is_err());
        let (name, told, ran) = hears.recv().unwrap();
        assert!(name == "stuck" && told == id && ran >= Duration::from_millis(30));
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
    });
}

/// The time counts from the job's start, and jobs that have ended in time, also by a panic, are not reported.
#[test]
fn a_job_that_ends_in_time_is_not_told_of() {
    within_limit(|| {
        let (clock, gate) = (ManualClock::new(), Gate::new());
        let (pool, hears) = listening(Pool::builder().workers(1).clock(&clock));
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let results = pool.results();
        results.job(|| ()).run_limit("waits", SECOND).submit().unwrap();
        results.job(|| panic!("on purpose")).run_limit("panics", SECOND).submit().unwrap();
        clock.advance(SECOND * 2);
        gate.open();
        assert_eq!(results.as_completed().count(), 2);
        clock.advance(SECOND * 2);
        assert!(hears.try_recv().is_err());
    });
}

/// The hook may ask the job to stop, and only that job; cancelling by a handle still works.
#[test]
fn the_hook_asks_the_job_to_come_to_an_end() {
    within_limit(|| {
        let clock = ManualClock::new();
        let pool =
            Pool::builder().workers(1).clock(&clock).on_overrun(|overrun| overrun.request_cancel()).build().unwrap();
        let (begun, begins) = mpsc::channel();
        let endless = {
            let begun = begun.clone();
            move || {
                begun.send(()).unwrap();
                while !cancel_requested() {
                    thread::yield_now();
                }
            }
        };
        let job = pool.job(endless.clone()).run_limit("endless", SECOND).submit_handle().unwrap();
        begins.recv().unwrap();
        clock.advance(SECOND);
        job.join().unwrap();
        assert!(!pool.run(cancel_requested).unwrap(), "the next job was not asked");
        let job = pool.job(endless).run_limit("endless", SECOND).submit_handle().unwrap();
        begins.recv().unwrap();
        job.cancel();
        job.join().unwrap();
    });
}

/// A job waits for another job of its pool on one worker: each is watched separately.
#[test]
fn a_job_inside_another_one_is_watched_for_itself() {
    within_limit(|| {
        let (clock, gate) = (ManualClock::new(), Gate::new());
        let (pool, hears) = listening(Pool::builder().workers(1).clock(&clock));
        let inner = gate.job();
        let code = move || {
            let pool = Pool::current().unwrap();
            let inner = pool.job(inner).run_limit("inner", SECOND).submit_handle().unwrap();
            let id = inner.id();
            inner.join().unwrap();
            (id, cancel_requested())
        };
        let outer = pool.job(code).run_limit("outer", SECOND * 2).submit_handle().unwrap();
        gate.wait_started(1);
        clock.advance(SECOND);
        let (name, told, _) = hears.recv().unwrap();
        clock.advance(SECOND);
        assert_eq!(hears.recv().unwrap().1, outer.id());
        gate.open();
        let (id, asked) = outer.join().unwrap();
        assert!(name == "inner" && told == id && !asked);
    });
}

/// The hook is not called under a lock: it may use the pool, and a panic in it fails no job.
#[test]
fn the_hook_may_use_the_pool_and_panic() {
    within_limit(|| {
        let ((pool, clock), gate, calls) = (manual(1), Gate::new(), Count::new());
        drop(pool);
        let counted = calls.clone();
        let hook = move |overrun: &fastthreadpool::Overrun<'_>| {
            counted.add();
            assert_eq!(overrun.name(), "two", "on purpose");
        };
        let pool = Pool::builder().workers(2).clock(&clock).on_overrun(hook).build().unwrap();
        let jobs = ["one", "two"].map(|name| pool.job(gate.job()).run_limit(name, SECOND).submit_handle().unwrap());
        gate.wait_started(2);
        clock.advance(SECOND);
        assert_eq!(calls.get(), 2);
        gate.open();
        jobs.into_iter().for_each(|job| job.join().unwrap());
        assert_eq!(
            pool_of(1).job(|| 1).run_limit("nobody listens", SECOND).submit_handle().unwrap().join().unwrap(),
            1
        );
    });
}
