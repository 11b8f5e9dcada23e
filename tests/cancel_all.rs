//! Listing and cancelling all queued jobs.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, Random, lock, manual, pool_of, within_limit};
use fastthreadpool::{Deadline, Due, JobError, ManualClock, Policy, Pool, Priority, Shutdown, WaitError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Conformance 53; the running job goes on.
#[test]
fn cancelling_all_empties_the_queue_and_leaves_running_jobs() {
    within_limit(|| {
        for queued in [0, 1, 5, 255, 256, 257, 3000] {
            let (pool, gate, drops) = (pool_of(2), Gate::new(), Count::new());
            let results = pool.results();
            results.submit_batch([gate.job(), gate.job()]).unwrap();
            gate.wait_started(2);
            let mut ids: Vec<_> = (0..queued)
                .map(|n| {
                    let token = drops.on_drop();
                    let job = move || drop(token);
                    if n % 5 == 4 { results.submit_first(job).unwrap() } else { results.submit(job).unwrap() }
                })
                .collect();
            ids.sort();
            assert_eq!(pool.queued_ids(), ids);
            assert_eq!(pool.cancel_all(), queued);
            assert_eq!((drops.get(), pool.pending(), pool.queued_ids()), (queued, 2, vec![]));
            assert_eq!((pool.cancel_all(), pool.busy()), (0, 2));
            let mut reported: Vec<_> = results.take(queued + 1).into_iter().map(|outcome| outcome.id).collect();
            reported.sort();
            assert_eq!(reported, ids);
            gate.open();
            assert_eq!(results.as_completed().filter(|outcome| outcome.result.is_ok()).count(), 2);
            pool.spawn(|| ()).unwrap();
        }
    });
}

/// Conformance 16, 53: an id is no longer listed when its job has started.
#[test]
fn a_job_that_has_begun_is_queued_no_more() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let first = pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let rest = pool.spawn_batch([gate.job(), gate.job()]).unwrap();
        assert!(!pool.queued_ids().contains(&first));
        assert_eq!(pool.queued_ids(), rest);
        assert!(pool.cancel(rest[0]));
        assert_eq!(pool.queued_ids(), rest[1..]);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.queued_ids(), []);
    });
}

/// Conformance 61; reliability R4.
#[test]
fn cancelling_all_against_a_shutdown_loses_nothing_and_hangs_nobody() {
    within_limit(|| {
        let mut random = Random::new(61);
        for round in 0..10_000 {
            let (pool, ended) = (pool_of(1 + round % 4), Count::new());
            let jobs = random.below(20) as usize;
            for _ in 0..jobs {
                let token = ended.on_drop();
                pool.spawn(move || drop(token)).unwrap();
            }
            let (mode, late) = (if round % 3 == 0 { Shutdown::Cancel } else { Shutdown::Drain }, random.below(50));
            thread::scope(|scope| {
                let canceller = scope.spawn(|| {
                    (0..late).for_each(|_| std::hint::spin_loop());
                    pool.cancel_all()
                });
                pool.shutdown(mode, LIMIT).unwrap();
                assert!(canceller.join().unwrap() <= jobs);
            });
            assert_eq!((ended.get(), pool.pending(), pool.alive()), (jobs, 0, 0), "round {round}");
        }
    });
}

/// Reliability R4: jobs are submitted and run meanwhile; each is counted as run or cancelled.
#[test]
fn cancelling_all_against_submitters_accounts_for_every_job() {
    within_limit(|| {
        let (pool, ran) = (pool_of(2), Count::new());
        let results = pool.results();
        let cancelled: usize = thread::scope(|scope| {
            let submitters: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        for n in 0..20_000 {
                            let submitted =
                                if n % 16 == 0 { results.submit_first(ran.job()) } else { results.submit(ran.job()) };
                            submitted.unwrap();
                        }
                    })
                })
                .collect();
            let mut cancelled = 0;
            while !submitters.iter().all(|submitter| submitter.is_finished()) {
                cancelled += pool.cancel_all();
            }
            cancelled
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get() + cancelled, 40_000);
        let outcomes = results.as_completed();
        let reported = outcomes.filter(|outcome| matches!(outcome.result, Err(JobError::Cancelled))).count();
        assert_eq!((reported, pool.pending()), (cancelled, 0));
    });
}

/// Destructors of what a cancelled job owns may use the pool.
#[test]
fn a_drop_that_uses_the_pool_while_all_is_cancelled() {
    within_limit(|| {
        let (pool, gate, late) = (pool_of(1), Gate::new(), Count::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        for _ in 0..1000 {
            let (other, late) = (pool.clone(), late.clone());
            let owned = OnDrop(move || {
                other.spawn(late.job()).unwrap();
                assert!(other.pending() > 0);
            });
            pool.spawn(move || drop(owned)).unwrap();
        }
        // Jobs submitted meanwhile may or may not be cancelled, too.
        assert!((1000..=2000).contains(&pool.cancel_all()));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert!(late.get() <= 1000);
    });
}

/// A job may cancel the jobs queued behind it.
#[test]
fn a_job_cancels_all_others() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let (counts, door) = (pool.results(), gate.door());
        let cancel = move || {
            door.pass();
            Pool::current().expect("this is a job").cancel_all()
        };
        counts.submit(cancel).unwrap();
        gate.wait_started(1);
        pool.spawn_batch((0..700).map(|_| || unreachable!("it is cancelled"))).unwrap();
        gate.open();
        assert_eq!(counts.next_done(Deadline::NEVER).unwrap().1, 700);
        pool.wait_idle(LIMIT).unwrap();
    });
}

/// Conformance 53: a delayed job that is due is listed by the id that its submitter knows, and can be cancelled by it.
#[test]
fn queued_ids_are_the_ids_that_users_know() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(1), Gate::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let plain = pool.spawn(|| ()).unwrap();
        let delayed = pool.spawn_later(Duration::from_secs(1), || ()).unwrap();
        let back = pool.spawn_at(Due::after(Duration::from_secs(1)).back(), || ()).unwrap();
        let schedule = pool.schedule(Duration::from_secs(1), || ()).unwrap();
        assert_eq!(pool.queued_ids(), [plain]);
        clock.advance(Duration::from_secs(1));
        let mut expected = [plain, delayed, back, schedule];
        expected.sort();
        assert_eq!(pool.queued_ids(), expected);
        assert!(expected.iter().all(|&id| pool.cancel(id)));
        assert_eq!(pool.queued_ids(), []);
    });
}

/// Conformance 102, 103: the callback of a cancelled job of a group, and the destructors of what it owns, are waited
/// for.
#[test]
fn a_group_is_not_idle_before_its_cancelled_jobs_have_ended() {
    within_limit(|| {
        let (pool, busy, gates) = (pool_of(1), Gate::new(), [Gate::new(), Gate::new()]);
        let group = pool.group(1, Priority::Normal);
        pool.spawn(busy.job()).unwrap();
        busy.wait_started(1);
        let [called, dropped] = [gates[0].door(), gates[1].door()];
        pool.job(|| unreachable!("it is cancelled")).group(&group).then(move |_| called.pass()).submit().unwrap();
        let owned = OnDrop(move || dropped.pass());
        group.spawn(move || drop(owned)).unwrap();
        thread::scope(|scope| {
            let canceller = scope.spawn(|| group.cancel_all());
            let mut left = 2;
            for gate in &gates {
                gate.wait_started(1);
                assert_eq!(group.wait_idle(Duration::from_millis(5)), Err(WaitError::TimedOut));
                assert_eq!((group.pending(), group.busy()), (left, 0));
                if left == 1 {
                    scope.spawn(|| group.wait_idle(LIMIT).unwrap());
                }
                gate.open();
                left -= 1;
            }
            group.wait_idle(LIMIT).unwrap();
            assert_eq!((canceller.join().unwrap(), group.pending()), (2, 0));
        });
    });
}

/// Conformance 102: in a callback of a cancelled job, a wait for its group fails; a wait for another group does not.
#[test]
fn a_cancelled_job_that_waits_for_its_group_is_told_that_it_would_wait_for_itself() {
    within_limit(|| {
        let (pool, busy, seen) = (pool_of(1), Gate::new(), Count::new());
        let [group, other] = [1, 2].map(|limit| pool.group(limit, Priority::Normal));
        pool.spawn(busy.job()).unwrap();
        busy.wait_started(1);
        let (own, count) = (group.clone(), seen.job());
        let owned = OnDrop(move || {
            assert_eq!(own.wait_idle(Deadline::NEVER), Err(WaitError::Deadlock));
            assert_eq!(other.wait_idle(Deadline::NEVER), Ok(()));
            count.clone()();
        });
        group.spawn(move || drop(owned)).unwrap();
        assert_eq!((group.cancel_all(), seen.get()), (1, 1));
        assert_eq!(group.wait_idle(Deadline::NOW), Ok(()));
    });
}

/// Conformance 102: a wait for a group covers the callbacks of its jobs that end without having run, however that
/// comes. In such a callback it is refused, but not for another group.
#[test]
fn a_group_rests_after_the_callbacks_of_what_was_cancelled() {
    for way in ["id", "all", "shutdown", "deadline", "discard"] {
        within_limit(move || {
            let clock = ManualClock::new();
            let builder = Pool::builder().workers(1).clock(&clock).max_queued(2, Policy::DiscardOldest);
            let pool = builder.build().expect("valid");
            let (group, other) = (pool.group(1, Priority::Normal), pool.group(1, Priority::Normal));
            let (busy, last, dropped) = (Gate::new(), Gate::new(), Count::new());
            pool.spawn(busy.job()).expect("the pool is open");
            busy.wait_started(1);
            let verdicts = Arc::new(Mutex::new(Vec::new()));
            let finally = {
                let (door, counted, verdicts) = (last.door(), dropped.on_drop(), Arc::clone(&verdicts));
                let waits = [group.clone(), other.clone()];
                move || {
                    lock(&verdicts).extend(waits.map(|group| group.wait_idle(Deadline::NOW)));
                    door.pass();
                    drop(counted);
                }
            };
            let job = pool.job(|| panic!("a cancelled job ran")).group(&group).finally(finally);
            let job = if way == "deadline" { job.start_within(Duration::from_secs(1)) } else { job };
            let id = job.submit().expect("the pool is open");
            thread::scope(|scope| {
                scope.spawn(|| match way {
                    "id" => assert!(pool.cancel(id)),
                    "all" => assert_eq!(pool.cancel_all(), 1),
                    "shutdown" => _ = pool.shutdown(Shutdown::Cancel, Deadline::NOW),
                    "deadline" => clock.advance(Duration::from_secs(1)),
                    _ => (0..2).for_each(|_| _ = pool.spawn(|| ()).expect("the oldest makes room")),
                });
                last.wait_started(1);
                let during = (group.pending(), group.busy(), group.wait_idle(Deadline::NOW));
                let waiter = scope.spawn(|| {
                    group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
                    dropped.get()
                });
                last.open();
                assert_eq!(during, (1, 0, Err(WaitError::TimedOut)), "{way}");
                assert_eq!(waiter.join().expect("no panic"), 1, "{way}");
            });
            assert_eq!((group.pending(), dropped.get()), (0, 1));
            assert_eq!(*lock(&verdicts), [Err(WaitError::Deadlock), Ok(())], "{way}");
            busy.open();
        });
    }
}
