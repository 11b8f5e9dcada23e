//! Limits on queued jobs: submitters that should wait, be refused or be woken, and are not.

mod common;

use common::{Count, Gate, LIMIT, eventually, within_limit};
use fastthreadpool::{Builder, Deadline, JobError, Policy, Pool, Shutdown, SubmitError};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

fn bounded(workers: i32, most: usize, policy: Policy) -> Pool {
    Pool::builder().workers(workers).max_queued(most, policy).build().expect("a bounded pool can be built")
}

/// Fills the workers and the queue: `workers` jobs run, `queued` wait.
fn fill(pool: &Pool, gate: &Gate, workers: usize, queued: usize) {
    for started in 1..=workers {
        pool.spawn(gate.job()).expect("there is room");
        gate.wait_started(started);
    }
    for _ in 0..queued {
        pool.spawn(gate.job()).expect("there is room");
    }
}

fn is_full<T>(verdict: Result<T, SubmitError>) -> bool {
    matches!(verdict, Err(SubmitError::Full))
}

/// Conformance 94.
#[test]
fn a_submit_beyond_workers_and_bound_waits_until_a_job_ends() {
    for (workers, most) in [(1, 1), (2, 1), (2, 3), (3, 300)] {
        within_limit(move || {
            let pool = bounded(workers, most, Policy::Block);
            let gate = Gate::new();
            fill(&pool, &gate, workers as usize, most);
            assert_eq!(pool.pending(), workers as u64 + most as u64);
            let opened = Arc::new(AtomicBool::new(false));
            let submitter = thread::spawn({
                let (pool, opened) = (pool.clone(), Arc::clone(&opened));
                move || {
                    pool.spawn(|| ()).expect("there is room in the end");
                    assert!(opened.load(SeqCst), "the submit did not wait");
                }
            });
            assert!(pool.offer(|| (), Deadline::NOW).is_err());
            opened.store(true, SeqCst);
            gate.open();
            submitter.join().expect("the submitter was held up");
        });
    }
}

/// Conformance 94: with a bound of 0 a submit returns only when a worker has the job.
#[test]
fn a_hand_off_waits_until_a_worker_has_the_job() {
    within_limit(|| {
        let pool = bounded(2, 0, Policy::HandOff);
        let gate = Gate::new();
        for _ in 0..2 {
            let id = pool.spawn(gate.job()).expect("a worker is free");
            assert!(!pool.cancel(id), "the submit returned before a worker had the job");
        }
        let opened = Arc::new(AtomicBool::new(false));
        let submitter = thread::spawn({
            let (pool, opened, begun) = (pool.clone(), Arc::clone(&opened), Count::new());
            move || {
                let job = begun.job();
                pool.spawn(job).expect("a worker comes");
                assert!(opened.load(SeqCst), "the submit did not wait");
            }
        });
        let refused = pool.offer(|| (), Deadline::after(Duration::from_millis(5))).expect_err("no worker has time");
        assert!(matches!(refused.error, SubmitError::Full));
        opened.store(true, SeqCst);
        gate.open();
        submitter.join().expect("the submitter was held up");
        pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
        assert_eq!(pool.pending(), 0);
    });
}

/// Conformance 95.
#[test]
fn an_offer_that_finds_no_room_hands_the_job_back() {
    let pool = bounded(1, 2, Policy::Block);
    let gate = Gate::new();
    fill(&pool, &gate, 1, 2);
    let (ran, dropped) = (Count::new(), Count::new());
    let job = {
        let (ran, counted) = (ran.clone(), dropped.on_drop());
        move || {
            let _counted = counted;
            ran.add();
        }
    };
    let refused = pool.offer(job, Deadline::NOW).expect_err("the queue is full");
    assert!(matches!(refused.error, SubmitError::Full));
    let began = Instant::now();
    let refused = pool.offer(refused.job, Deadline::after(Duration::from_millis(20))).expect_err("still full");
    assert!(began.elapsed() >= Duration::from_millis(20));
    assert_eq!((ran.get(), dropped.get()), (0, 0));
    gate.open();
    pool.offer(refused.job, Deadline::after(LIMIT)).expect("there is room again");
    pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
    assert_eq!((ran.get(), dropped.get()), (1, 1));
}

/// Conformance 95: shutdown ends the wait, and the job that waited was not run.
#[test]
fn a_shutdown_wakes_blocked_submitters() {
    for policy in [Policy::Block, Policy::Timed(LIMIT), Policy::HandOff] {
        within_limit(move || {
            let pool = bounded(1, 1, policy);
            let gate = Gate::new();
            fill(&pool, &gate, 1, usize::from(policy != Policy::HandOff));
            let dropped = Count::new();
            let submitters: Vec<_> = (0..3)
                .map(|_| {
                    let (pool, counted) = (pool.clone(), dropped.on_drop());
                    thread::spawn(move || {
                        let refused = pool.spawn(move || panic!("run after the shutdown: {counted:?}"));
                        assert!(matches!(refused, Err(SubmitError::Shutdown)), "{refused:?}");
                    })
                })
                .collect();
            // Some may not wait yet; they are refused as well.
            assert!(pool.shutdown(Shutdown::Drain, Deadline::NOW).is_err());
            submitters.into_iter().for_each(|submitter| submitter.join().expect("the submitter was woken"));
            assert_eq!(dropped.get(), 3);
            gate.open();
            pool.shutdown(Shutdown::Drain, Deadline::after(LIMIT)).expect("the pool ends");
            assert_eq!(pool.failed(), 0);
        });
    }
}

/// Conformance 95: the same for a batch that is queued, and waits until workers have its jobs.
#[test]
fn a_batch_that_no_worker_has_comes_back_from_a_pool_that_closes() {
    within_limit(|| {
        let pool = bounded(1, 0, Policy::HandOff);
        let (gate, dropped) = (Gate::new(), Count::new());
        pool.spawn(gate.job()).expect("a worker is free");
        let submitter = thread::spawn({
            let (pool, dropped) = (pool.clone(), dropped.clone());
            move || {
                let job = |counted| move || panic!("run after the shutdown: {counted:?}");
                let refused = pool.spawn_batch((0..3).map(|_| job(dropped.on_drop())));
                assert!(matches!(refused, Err(SubmitError::Shutdown)), "{refused:?}");
            }
        });
        eventually("the batch is queued", || pool.pending() == 4);
        assert!(pool.shutdown(Shutdown::Drain, Deadline::NOW).is_err());
        submitter.join().expect("the submitter was woken");
        assert_eq!(dropped.get(), 3, "each job is dropped once");
        gate.open();
        pool.shutdown(Shutdown::Drain, Deadline::after(LIMIT)).expect("the pool ends");
        assert_eq!(pool.failed(), 0);
    });
}

/// Decisions: reject.
#[test]
fn a_full_pool_rejects() {
    let pool = bounded(1, 1, Policy::Reject);
    let gate = Gate::new();
    fill(&pool, &gate, 1, 1);
    let dropped = Count::new();
    let counted = dropped.on_drop();
    assert!(is_full(pool.spawn(move || drop(counted))));
    assert_eq!(dropped.get(), 1);
    assert!(is_full(pool.spawn_first(|| ())));
    let results = pool.results();
    assert!(is_full(results.submit(|| 1)));
    assert_eq!(results.outstanding(), 0);
    assert_eq!(pool.pending(), 2);
}

/// Decisions: timed.
#[test]
fn a_timed_submit_gives_up() {
    let pool = bounded(1, 1, Policy::Timed(Duration::from_millis(10)));
    let gate = Gate::new();
    fill(&pool, &gate, 1, 1);
    let began = Instant::now();
    assert!(is_full(pool.spawn(|| ())));
    assert!(began.elapsed() >= Duration::from_millis(10));
    gate.open();
    pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
    pool.spawn(|| ()).expect("there is room again");
}

/// Decisions: caller-runs. Conformance 8: the caller takes part in addition, and is no worker.
#[test]
fn the_caller_runs_what_does_not_fit() {
    within_limit(|| {
        let pool = bounded(1, 1, Policy::CallerRuns);
        let gate = Gate::new();
        fill(&pool, &gate, 1, 1);
        let results = pool.results();
        let caller = thread::current().id();
        let inner = pool.clone();
        let id = results
            .submit(move || {
                let inside = Pool::current().expect("this is a job");
                let child = inside.spawn(|| ()).expect("a job's own jobs ignore the bound");
                assert!(inner.wait_idle(Deadline::NOW).is_err());
                (thread::current().id(), fastthreadpool::worker_index(), fastthreadpool::current_job(), child)
            })
            .expect("the caller runs it");
        let outcome = results.next(Deadline::NOW).expect("it has run already");
        let (thread, worker, own_id, child) = outcome.result.expect("it did not fail");
        assert_eq!((outcome.id, thread, worker, own_id), (id, caller, None, Some(id)));
        assert_ne!(child, id);
        assert!(Pool::current().is_none());
        assert!(pool.spawn(|| panic!("recorded")).is_ok(), "its failure is not the submit's");
        assert_eq!((pool.failed(), pool.pending()), (1, 3));
        gate.open();
        pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
    });
}

/// Decisions: caller-runs, for a job of another pool.
#[test]
fn a_job_runs_another_pools_job_and_remains_a_job() {
    within_limit(|| {
        let (outer, other) = (bounded(1, 0, Policy::Block), bounded(1, 1, Policy::CallerRuns));
        let gate = Gate::new();
        fill(&other, &gate, 1, 1);
        let (results, full) = (outer.results(), other.clone());
        results
            .submit(move || {
                let before = fastthreadpool::current_job();
                full.spawn(move || assert_ne!(fastthreadpool::current_job(), before)).expect("it is run here");
                assert_eq!(full.failed(), 0);
                (before == fastthreadpool::current_job(), fastthreadpool::worker_index())
            })
            .expect("the outer pool has no limit");
        let outcome = results.next(Deadline::after(LIMIT)).expect("it ends").result;
        assert_eq!(outcome.expect("it does not fail"), (true, Some(0)));
        gate.open();
    });
}

/// Decisions: discard-oldest, reported as cancelled.
#[test]
fn the_oldest_job_makes_room() {
    within_limit(|| {
        let pool = bounded(1, 2, Policy::DiscardOldest);
        let gate = Gate::new();
        fill(&pool, &gate, 1, 0);
        let results = pool.results();
        let ids: Vec<_> = (0..600).map(|n| results.submit(move || n).expect("one goes, one comes")).collect();
        assert_eq!(results.failed_count(), 598);
        for expected in &ids[..598] {
            let (id, error) = results.next_failed(Deadline::NOW).expect("it was cancelled");
            assert_eq!(id, *expected);
            assert!(matches!(error, JobError::Cancelled));
        }
        gate.open();
        let mut run: Vec<i32> = results.as_completed().map(|outcome| outcome.result.expect("it runs")).collect();
        run.sort_unstable();
        assert_eq!(run, [598, 599]);
    });
}

/// Rule: a job that submits to its own pool never waits for room.
#[test]
fn the_pools_own_jobs_ignore_the_bound() {
    for policy in [Policy::Block, Policy::Reject, Policy::CallerRuns, Policy::DiscardOldest, Policy::HandOff] {
        within_limit(move || {
            let pool = bounded(1, 1, policy);
            let count = Count::new();
            let (job, own) = (count.job(), pool.clone());
            pool.spawn(move || {
                for _ in 0..50 {
                    own.spawn(job.clone()).expect("the pool admits its own");
                }
                own.spawn_batch(vec![job; 50]).expect("the pool admits its own");
            })
            .expect("there is room");
            pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
            assert_eq!(count.get(), 100);
        });
    }
}

/// Rule: only queued jobs count, and a cancelled one is not queued any more.
#[test]
fn a_cancelled_job_makes_room() {
    within_limit(|| {
        let pool = bounded(1, 2, Policy::Block);
        let gate = Gate::new();
        fill(&pool, &gate, 1, 1);
        let id = pool.spawn(|| ()).expect("there is room");
        assert!(pool.offer(|| (), Deadline::NOW).is_err());
        let submitter = thread::spawn({
            let pool = pool.clone();
            move || pool.spawn(|| ()).map(drop)
        });
        assert!(pool.cancel(id));
        submitter.join().expect("no panic").expect("the cancelled job made room");
        assert!(pool.offer(|| (), Deadline::NOW).is_err());
    });
}

/// Batches take their places together or not at all.
#[test]
fn a_batch_comes_in_as_a_whole() {
    within_limit(|| {
        let pool = bounded(1, 4, Policy::Reject);
        let gate = Gate::new();
        fill(&pool, &gate, 1, 1);
        let batch = |size: usize| pool.spawn_batch(vec![gate.job(); size]);
        assert!(is_full(batch(4)));
        assert_eq!(batch(3).expect("three places are free").len(), 3);
        assert!(is_full(batch(5)), "it never fits");
        assert_eq!(batch(0).expect("nothing always fits").len(), 0);
        gate.open();
        pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
        assert_eq!(gate.started(), 5);

        for policy in [Policy::CallerRuns, Policy::DiscardOldest, Policy::HandOff, Policy::Block] {
            let (pool, count) = (bounded(1, 4, policy), Count::new());
            for _ in 0..20 {
                pool.spawn_batch(vec![count.job(); 3]).expect("it fits in the end");
            }
            pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
            assert!(count.get() == 60 || policy == Policy::DiscardOldest, "{policy:?}: {}", count.get());
        }
    });
}

/// The limit holds at every moment, no waiter is forgotten, and every job is accounted for.
#[test]
fn many_producers_share_few_places() {
    for (workers, most) in [(1, 1), (2, 3), (4, 64)] {
        within_limit(move || {
            let pool = bounded(workers, most, Policy::Block);
            let (accepted, begun, start) = (Count::new(), Count::new(), Arc::new(Barrier::new(4)));
            let producers: Vec<_> = (0..4)
                .map(|_| {
                    let (pool, start) = (pool.clone(), Arc::clone(&start));
                    let (accepted, begun) = (accepted.clone(), begun.clone());
                    thread::spawn(move || {
                        start.wait();
                        for _ in 0..2500 {
                            pool.spawn(begun.job()).expect("there is room in the end");
                            accepted.add();
                            // `begun` is read last, so the difference is not more than there were; each worker has one
                            // job.
                            let waiting = accepted.get().saturating_sub(begun.get());
                            assert!(waiting <= most + workers as usize, "{waiting} are queued");
                        }
                    })
                })
                .collect();
            producers.into_iter().for_each(|producer| producer.join().expect("the limit holds"));
            pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
            assert_eq!((begun.get(), pool.pending()), (10_000, 0));
        });
    }
}

/// A hand-off to workers that start and leave, from several threads.
#[test]
fn hand_offs_from_many_threads_all_arrive() {
    within_limit(|| {
        let (pool, count) = (bounded(2, 0, Policy::HandOff), Count::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        pool.spawn(count.job()).expect("a worker comes");
                    }
                });
            }
        });
        eventually("all have run", || count.get() == 2000);
    });
}

/// A bound of 0 means none, and an unbounded pool accepts offers.
#[test]
fn no_bound_means_no_limit() {
    let pool = bounded(1, 0, Policy::Reject);
    let gate = Gate::new();
    fill(&pool, &gate, 1, 10_000);
    pool.offer(|| (), Deadline::NOW).expect("there is no limit");
    assert_eq!(pool.pending(), 10_002);
    let _: Builder = Pool::builder().max_queued(usize::MAX, Policy::Block);
}
