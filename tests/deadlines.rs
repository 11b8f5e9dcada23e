//! Jobs that miss their start deadline: reported late, twice, never, or to the wrong place.

mod common;

use common::{Count, Gate, LIMIT, block, eventually, manual, pool_of, within_limit};
use fastthreadpool::{
    Deadline, JobError, JobState, ManualClock, Outcome, Policy, Pool, Priority, Shutdown, SubmitError,
};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A pool of one worker, which waits at the gate, and its clock.
fn blocked() -> (Pool, ManualClock, Gate) {
    let (pool, clock) = manual(1);
    let gate = block(&pool);
    (pool, clock, gate)
}

fn expired<T>(outcome: &Outcome<T>) -> bool {
    matches!(outcome.result, Err(JobError::Expired))
}

/// Start deadline: the job expires on time, not when a worker reaches it, and all its callbacks are called.
#[test]
fn a_job_that_is_not_begun_in_time_ends_expired_at_once() {
    within_limit(|| {
        let (pool, clock, gate) = blocked();
        let (results, ended, drops) = (pool.results(), Count::new(), Count::new());
        let (told, hears) = mpsc::channel();
        let token = drops.on_drop();
        let id = results
            .job(move || drop(token))
            .start_within(SECOND)
            .then(move |outcome| told.send((outcome.id, expired(outcome))).unwrap())
            .finally(ended.job())
            .submit()
            .unwrap();
        clock.advance(SECOND - Duration::from_nanos(1));
        assert!(results.next(Deadline::NOW).is_err(), "never early");
        clock.advance(Duration::from_nanos(1));
        assert_eq!(hears.recv().unwrap(), (id, true));
        let outcome = results.next(Deadline::NOW).unwrap();
        assert!(outcome.id == id && expired(&outcome));
        assert_eq!((ended.get(), drops.get(), results.outstanding(), pool.pending()), (1, 1, 0, 1));
        assert!(!pool.cancel(id), "it has ended");
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.expired(), pool.failed(), results.failed_count()), (1, 0, 0));
        pool.clear(LIMIT).unwrap();
        assert_eq!(pool.expired(), 0);
    });
}

/// Very many deadlines, met or missed, are removed at once, and later ones work as before.
#[test]
fn very_many_deadlines_come_and_go_more_than_once() {
    within_limit(|| {
        const MANY: usize = 3000;
        let ((pool, clock), ran, mut late) = (manual(1), Count::new(), 0);
        let submit = |within| pool.job(ran.job()).start_within(within).submit().unwrap();
        for round in 1..=3 {
            let gate = Gate::new();
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            (0..MANY).for_each(|n| _ = submit(if n % 3 == 0 { SECOND } else { 60 * SECOND }));
            clock.advance(SECOND);
            late += MANY / 3;
            assert_eq!(pool.expired(), late as u64, "all that are over, before the clock returns");
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get(), round * (MANY - MANY / 3));
            clock.advance(60 * SECOND);
            assert_eq!(pool.expired(), late as u64, "the others were begun in time");
        }
    });
}

/// The same by the system's clock, while no worker is free.
#[test]
fn a_sleeping_pool_reports_an_expired_job_by_itself() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let before = Instant::now();
        let job = pool.job(|| ()).start_within(Duration::from_millis(20)).submit_handle().unwrap();
        let by = pool.job(|| ()).start_by(before + Duration::from_millis(10)).submit_handle().unwrap();
        by.wait(Deadline::NEVER).unwrap();
        assert!(before.elapsed() >= Duration::from_millis(10));
        job.wait(Deadline::NEVER).unwrap();
        assert!(before.elapsed() >= Duration::from_millis(20));
        assert_eq!((job.state(), by.state()), (JobState::Expired, JobState::Expired));
        assert!(!job.cancel(), "it is too late to cancel it");
        eventually("both are counted as ended", || pool.pending() == 1);
    });
}

/// A deadline that has passed: the job is accepted, and expires at once.
#[test]
fn a_deadline_that_has_passed_expires_the_job_in_the_submit() {
    within_limit(|| {
        let (pool, clock, gate) = blocked();
        clock.advance(SECOND);
        let results = pool.results();
        results.job(|| 1).start_by(Instant::now() - SECOND).submit().unwrap();
        results.job(|| 2).start_within(Duration::ZERO).submit().unwrap();
        assert!((0..2).all(|_| expired(&results.next(Deadline::NOW).unwrap())));
        gate.open();
        // No worker is busy: even so a job may expire, but it ends once.
        results.job(|| 3).start_within(Duration::ZERO).submit().unwrap();
        results.next(LIMIT).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(results.outstanding(), 0);
    });
}

/// A job that starts in time is not affected by its deadline, and leaves nothing in the timers' list.
#[test]
fn a_job_that_has_begun_does_not_expire() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(1), Gate::new());
        let job = pool.job(gate.job()).start_within(SECOND).submit_handle().unwrap();
        gate.wait_started(1);
        clock.advance(SECOND * 2);
        assert_eq!(job.state(), JobState::Running);
        assert_eq!((pool.delayed_count(), pool.scheduled_count(), pool.cancel_timers()), (0, 0, 0));
        gate.open();
        job.join().unwrap();
    });
}

/// Handles: waiters of every kind are woken by the expiry.
#[test]
fn whoever_waits_for_a_job_is_woken_when_it_expires() {
    within_limit(|| {
        let (pool, clock, _gate) = blocked();
        let job = || pool.job(|| 1).start_within(SECOND);
        let (told, hears) = mpsc::channel();
        let handles: Vec<_> = (0..3).map(|_| job().submit_handle().unwrap()).collect();
        handles[0].on_done(move |result| told.send(matches!(result, Err(JobError::Expired))).unwrap());
        let late = pool.submit(|| 2).unwrap();
        thread::scope(|scope| {
            let one = job().submit_handle().unwrap();
            let all = scope.spawn(move || {
                let waited = fastthreadpool::wait(&handles, fastthreadpool::Until::All, Deadline::NEVER);
                waited.unwrap();
                handles.into_iter().all(|job| matches!(job.join(), Err(JobError::Expired)))
            });
            let one = scope.spawn(move || one.join());
            let results = pool.results();
            let kept = scope.spawn({
                let results = results.clone();
                results.job(|| 3).start_within(SECOND).submit().unwrap();
                move || results.as_completed().filter(expired).count()
            });
            clock.advance(SECOND);
            assert!(all.join().unwrap());
            assert!(matches!(one.join().unwrap(), Err(JobError::Expired)));
            assert_eq!(kept.join().unwrap(), 1);
        });
        assert!(hears.recv().unwrap());
        assert_eq!(late.state(), JobState::Queued);
    });
}

/// Groups: an expired job takes no place of its group, and does not keep it from being idle.
#[test]
fn a_groups_jobs_expire() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(2), Gate::new());
        let group = pool.group(1, Priority::Normal);
        group.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let ran = Count::new();
        let waits = pool.job(ran.job()).group(&group).start_within(SECOND).submit_handle().unwrap();
        let first = pool.job(ran.job()).group(&group).first().start_within(SECOND).submit_handle().unwrap();
        let stays = pool.job(ran.job()).group(&group).start_within(SECOND * 2).submit_handle().unwrap();
        assert_eq!(group.pending(), 4);
        clock.advance(SECOND);
        assert_eq!(group.pending(), 2);
        assert_eq!((waits.state(), first.state()), (JobState::Expired, JobState::Expired));
        gate.open();
        stays.join().unwrap();
        group.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1);
    });
}

/// The limit on queued jobs: an expired job frees its place, and a submit does not wait beyond its job's deadline.
#[test]
fn an_expired_job_makes_room_and_a_full_queue_is_not_waited_for_beyond_the_deadline() {
    within_limit(|| {
        for policy in [Policy::Block, Policy::Reject, Policy::HandOff, Policy::DiscardOldest] {
            let (pool, gate) = (Pool::builder().workers(1).max_queued(2, policy).build().unwrap(), Gate::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let soon = || pool.job(|| ()).start_within(Duration::from_millis(5));
            if policy == Policy::HandOff {
                assert!(matches!(soon().submit(), Err(SubmitError::Full)), "no worker has it in time");
                continue;
            }
            let expires = soon().submit_handle().unwrap();
            let stays = pool.job(|| ()).start_within(LIMIT * 10).submit_handle().unwrap();
            expires.wait(Deadline::NEVER).unwrap();
            eventually("its place is free", || pool.pending() == 2);
            let room = pool.job(|| ()).start_within(LIMIT * 10).submit_handle().unwrap();
            match (policy, soon().submit()) {
                (Policy::DiscardOldest, submitted) => {
                    submitted.unwrap();
                    assert_eq!(stays.state(), JobState::Cancelled);
                }
                (_, refused) => assert!(matches!(refused, Err(SubmitError::Full))),
            }
            gate.open();
            room.join().unwrap();
        }
    });
}

/// Caller-runs: a job that the caller runs has started, and does not expire.
#[test]
fn a_job_that_its_caller_runs_has_begun_in_time() {
    within_limit(|| {
        let clock = ManualClock::new();
        let builder = Pool::builder().workers(1).max_queued(1, Policy::CallerRuns).clock(&clock);
        let (pool, gate) = (builder.build().unwrap(), Gate::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        pool.spawn(|| ()).unwrap();
        let mine = pool.job(|| thread::current().id()).start_within(SECOND).submit_handle().unwrap();
        clock.advance(SECOND);
        assert_eq!(mine.join().unwrap(), thread::current().id());
    });
}

/// Shutdown: jobs expire on time while the pool drains, and the pool does not wait for later deadlines.
#[test]
fn deadlines_hold_while_the_pool_drains_and_do_not_hold_it_up() {
    within_limit(|| {
        for by_machine in [false, true] {
            let clock = ManualClock::new();
            let builder = if by_machine { Pool::builder() } else { Pool::builder().clock(&clock) };
            let (pool, gate) = (builder.workers(1).build().unwrap(), Gate::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let soon = pool.job(|| ()).start_within(Duration::from_millis(20)).submit_handle().unwrap();
            let late = pool.job(|| ()).start_within(LIMIT * 100).submit_handle().unwrap();
            let never = pool.job(|| ()).start_within(Duration::MAX).submit_handle().unwrap();
            assert!(pool.shutdown(Shutdown::Drain, Deadline::NOW).is_err());
            clock.advance(Duration::from_millis(20));
            soon.wait(Deadline::NEVER).unwrap();
            assert_eq!((soon.state(), late.state()), (JobState::Expired, JobState::Queued));
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!((late.state(), never.state(), pool.alive()), (JobState::Done, JobState::Done, 0));
            pool.reopen(LIMIT).unwrap();
            let again = pool.job(|| 1).start_within(LIMIT).submit_handle().unwrap();
            assert_eq!(again.join().unwrap(), 1);
        }
    });
}

/// Cancelled by id, all at once, by clearing and by a shutdown: then it does not expire as well.
#[test]
fn a_job_that_was_cancelled_does_not_expire() {
    within_limit(|| {
        let (pool, clock, gate) = blocked();
        let ended = Count::new();
        let job = || pool.job(|| ()).start_within(SECOND).finally(ended.job()).submit_handle().unwrap();
        let handles: Vec<_> = (0..4).map(|_| job()).collect();
        assert!(pool.cancel(handles[0].id()));
        assert_eq!(pool.cancel_all(), 3);
        let cleared = job();
        assert_eq!(pool.clear(LIMIT).unwrap(), 1);
        let last = job();
        assert!(pool.shutdown(Shutdown::Cancel, Deadline::NOW).is_err());
        clock.advance(SECOND);
        assert_eq!(ended.get(), 6);
        let all = handles.iter().chain([&cleared, &last]);
        assert!(all.into_iter().all(|job| job.state() == JobState::Cancelled));
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
    });
}

/// A refused job leaves no deadline behind.
#[test]
fn a_refused_job_does_not_expire() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let ended = Count::new();
        let refused = pool.job(|| ()).start_within(SECOND).finally(ended.job()).submit();
        assert!(matches!(refused, Err(SubmitError::Shutdown)));
        clock.advance(SECOND);
        assert_eq!(ended.get(), 0);
    });
}

/// Races of all that can end a job: each ends once, and its waiters are woken.
#[test]
fn expiring_against_workers_and_cancellers_loses_and_doubles_nothing() {
    const JOBS: usize = 20_000;
    within_limit(|| {
        for workers in [1, 3] {
            let (pool, results, ended) = (pool_of(workers), pool_of(workers).results::<()>(), Count::new());
            drop(results);
            let (results, drops) = (pool.results(), Count::new());
            let ids: Vec<_> = thread::scope(|scope| {
                let (cancel, ids) = mpsc::channel();
                let pool = &pool;
                scope.spawn(move || ids.iter().filter(|&id| pool.cancel(id)).count());
                (0..JOBS)
                    .map(|n| {
                        let token = drops.on_drop();
                        let job = results.job(move || drop(token)).finally(ended.job());
                        let id = job.start_within(Duration::from_micros(n as u64 % 40)).submit().unwrap();
                        if n % 3 == 0 {
                            cancel.send(id).unwrap();
                        }
                        id
                    })
                    .collect()
            });
            let mut ends: Vec<_> = results.as_completed().map(|outcome| outcome.id).collect();
            ends.sort_unstable();
            let mut accepted = ids.clone();
            accepted.sort_unstable();
            assert_eq!(ends, accepted);
            eventually("everything was dropped", || (ended.get(), drops.get()) == (JOBS, JOBS));
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.pending(), 0);
        }
    });
}
