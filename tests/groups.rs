//! Groups: jobs above the limit, idle places, wrong order, and cancelling or waiting for a group as one.

mod common;

use common::{Count, Gate, LIMIT, eventually, lock, pool_of, within_limit};
use fastthreadpool::{Deadline, JobError, Policy, Pool, Priority, Shutdown, SubmitError, WaitError};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

/// Conformance 99: at most `limit` active at any instant, sampled by the jobs themselves; and all run.
#[test]
fn a_group_never_exceeds_its_limit() {
    for (workers, limit) in [(4, 1), (4, 2), (3, 3), (2, 5)] {
        within_limit(move || {
            let pool = pool_of(workers);
            let group = pool.group(limit, Priority::Normal);
            let (active, most, run) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Count::new());
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for n in 0..1000 {
                            let (active, most, run) = (Arc::clone(&active), Arc::clone(&most), run.clone());
                            let job = move || {
                                most.fetch_max(active.fetch_add(1, SeqCst) + 1, SeqCst);
                                if n % 10 == 0 {
                                    thread::yield_now();
                                }
                                active.fetch_sub(1, SeqCst);
                                run.add();
                            };
                            group.spawn(job).expect("the pool is open");
                            pool.spawn(|| ()).expect("the pool is open");
                        }
                    });
                }
            });
            group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
            assert_eq!((run.get(), group.pending(), group.busy()), (3000, 0, 0));
            assert!(most.load(SeqCst) <= limit, "{} at a time", most.load(SeqCst));
            pool.wait_idle(Deadline::after(LIMIT)).expect("the pool comes to rest");
            assert_eq!(pool.pending(), 0);
        });
    }
}

/// Conformance 99: never an idle place while a job waits, and a full group never blocks a worker.
#[test]
fn a_full_group_leaves_the_other_workers_free() {
    within_limit(|| {
        let pool = pool_of(3);
        let group = pool.group(2, Priority::Normal);
        let (gate, count) = (Gate::new(), Count::new());
        for _ in 0..10 {
            group.spawn(gate.job()).expect("the pool is open");
        }
        gate.wait_started(2);
        for _ in 0..100 {
            pool.spawn(count.job()).expect("the pool is open");
        }
        eventually("the third worker runs all others", || count.get() == 100);
        assert_eq!((gate.started(), group.busy(), group.pending(), pool.pending()), (2, 2, 10, 10));
        gate.open();
        group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        assert_eq!(gate.started(), 10);
    });
}

/// Conformance 99: a slot that becomes free is used at once, although the worker that freed it has other jobs to do.
#[test]
fn a_slot_that_is_freed_is_used() {
    within_limit(|| {
        let pool = pool_of(2);
        let group = pool.group(1, Priority::Normal);
        let (first, second, third) = (Gate::new(), Gate::new(), Gate::new());
        group.spawn(first.job()).expect("the pool is open");
        first.wait_started(1);
        // Wakes the second worker, which then sleeps again.
        pool.spawn(|| ()).expect("the pool is open");
        group.spawn(second.job()).expect("the pool is open");
        pool.spawn(third.job()).expect("the pool is open");
        third.wait_started(1);
        assert_eq!(second.started(), 0);
        first.open();
        second.wait_started(1);
        second.open();
        third.open();
    });
}

/// Conformance 101: a slot is held until its job's callback has returned, also of a job that has failed.
#[test]
fn a_callback_holds_its_slot() {
    within_limit(|| {
        let pool = pool_of(2);
        let group = pool.group(1, Priority::Normal);
        for fails in [false, true] {
            let (gate, next) = (Gate::new(), Gate::new());
            let door = gate.door();
            let job = pool.job(move || assert!(!fails, "on purpose")).group(&group);
            job.then(move |_| door.pass()).submit().expect("the pool is open");
            gate.wait_started(1);
            group.spawn(next.job()).expect("the pool is open");
            // The other worker is free, and looks at the group.
            pool.run(|| ()).expect("it runs");
            assert_eq!((group.busy(), group.pending(), next.started()), (1, 2, 0));
            gate.open();
            next.wait_started(1);
            next.open();
            group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        }
    });
}

/// Conformance 100: start order FIFO, whichever thread submits; Conformance 13 within the group.
#[test]
fn a_group_keeps_the_order_of_submission() {
    within_limit(|| {
        let pool = pool_of(4);
        let group = pool.group(1, Priority::Normal);
        let (gate, order) = (Gate::new(), Arc::new(Mutex::new(Vec::new())));
        let job = |n: usize| {
            let order = Arc::clone(&order);
            move || lock(&order).push(n)
        };
        group.spawn(gate.job()).expect("the pool is open");
        for n in 0..300 {
            let job = job(n);
            // Each job is submitted by a thread of its own.
            thread::scope(|scope| {
                scope.spawn(|| group.spawn(job).expect("the pool is open")).join().expect("no panic")
            });
        }
        group.spawn_first(job(1000)).expect("the pool is open");
        group.spawn_first(job(1001)).expect("the pool is open");
        gate.open();
        group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        let expected: Vec<usize> = [1001, 1000].into_iter().chain(0..300).collect();
        assert_eq!(*lock(&order), expected);
    });
}

/// Issue 3: levels. High before jobs without a group, low after all.
#[test]
fn levels_have_their_turn_in_order() {
    within_limit(|| {
        let pool = pool_of(1);
        let (high, low) = (pool.group(0, Priority::High), pool.group(0, Priority::Low));
        let (gate, order) = (Gate::new(), Arc::new(Mutex::new(String::new())));
        let job = |letter: char| {
            let order = Arc::clone(&order);
            move || lock(&order).push(letter)
        };
        pool.spawn(gate.job()).expect("the pool is open");
        gate.wait_started(1);
        for _ in 0..3 {
            low.spawn(job('l')).expect("the pool is open");
            pool.spawn(job('n')).expect("the pool is open");
            high.spawn(job('h')).expect("the pool is open");
            pool.spawn_first(job('f')).expect("the pool is open");
        }
        gate.open();
        pool.wait_idle(Deadline::after(LIMIT)).expect("the pool comes to rest");
        assert_eq!(*lock(&order), "fffhhhnnnlll");
    });
}

/// Issue 3: no starvation. While a level always has jobs, those below it still get their turn.
#[test]
fn no_level_starves_another() {
    for flood in [Priority::High, Priority::Normal] {
        within_limit(move || {
            let pool = pool_of(1);
            let low = pool.group(0, Priority::Low);
            let flooding = pool.group(0, flood);
            let run = Count::new();
            // Each of these jobs is followed by another, until the low one has run.
            fn flow(group: fastthreadpool::Group, until: Count) {
                if until.get() == 0 {
                    let next = group.clone();
                    group.spawn(move || flow(next, until)).expect("the pool admits its own");
                }
            }
            for _ in 0..3 {
                let (group, until) = (flooding.clone(), run.clone());
                flooding.spawn(move || flow(group, until)).expect("the pool is open");
            }
            low.spawn(run.job()).expect("the pool is open");
            let plain = Count::new();
            pool.spawn(plain.job()).expect("the pool is open");
            pool.wait_idle(Deadline::after(LIMIT)).expect("the low job has run");
            assert_eq!((run.get(), plain.get()), (1, 1));
        });
    }
}

/// Conformance 17 and 51: ids of grouped jobs are like all others, and cancelling by id finds them.
#[test]
fn a_grouped_job_is_cancelled_by_its_id() {
    within_limit(|| {
        let pool = pool_of(1);
        let group = pool.group(1, Priority::Normal);
        let results = pool.results();
        let gate = Gate::new();
        group.spawn(gate.job()).expect("the pool is open");
        gate.wait_started(1);
        let dropped = Count::new();
        let ids: Vec<_> = (0..600)
            .map(|n| {
                let counted = dropped.on_drop();
                group.submit(&results, move || (n, counted).0).expect("the pool is open")
            })
            .collect();
        let mut sorted = ids.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 600);
        for id in ids.iter().step_by(2) {
            assert!(pool.cancel(*id));
            assert!(!pool.cancel(*id));
        }
        assert_eq!((dropped.get(), results.failed_count(), group.pending()), (300, 300, 301));
        gate.open();
        let run: Vec<usize> = results.as_completed().filter_map(|outcome| outcome.result.ok()).collect();
        assert_eq!(run, (0..600).filter(|n| n % 2 == 1).collect::<Vec<_>>());
        group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        pool.wait_idle(Deadline::after(LIMIT)).expect("the pool comes to rest");
    });
}

/// Conformance 103: cancelling a group gives the count, waiting ones never start; other jobs are not affected.
#[test]
fn a_group_is_cancelled_as_one() {
    within_limit(|| {
        let pool = pool_of(1);
        let (group, other) = (pool.group(1, Priority::Normal), pool.group(1, Priority::Normal));
        let results = pool.results::<()>();
        let (gate, count) = (Gate::new(), Count::new());
        group.spawn(gate.job()).expect("the pool is open");
        gate.wait_started(1);
        for _ in 0..100 {
            group.submit(&results, || panic!("a cancelled job ran")).expect("the pool is open");
            other.spawn(count.job()).expect("the pool is open");
            pool.spawn(count.job()).expect("the pool is open");
        }
        assert_eq!((group.cancel_all(), group.cancel_all()), (100, 0));
        assert_eq!((group.pending(), other.pending(), pool.pending()), (1, 100, 201));
        assert!(results.as_completed().all(|outcome| matches!(outcome.result, Err(JobError::Cancelled))));
        assert_eq!(group.wait_idle(Deadline::NOW), Err(WaitError::TimedOut));
        gate.open();
        group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        pool.wait_idle(Deadline::after(LIMIT)).expect("the pool comes to rest");
        assert_eq!((count.get(), pool.failed()), (200, 0));
    });
}

/// Conformance 102: several waiters all return; in a job of the pool it is an error instead of a deadlock.
#[test]
fn waiters_for_a_group_are_woken() {
    within_limit(|| {
        let pool = pool_of(2);
        let group = pool.group(1, Priority::Normal);
        let (gate, inner) = (Gate::new(), group.clone());
        group.spawn(gate.job()).expect("the pool is open");
        let id = group.spawn(|| panic!("a cancelled job ran")).expect("the pool is open");
        let results = pool.results();
        results.submit(move || inner.wait_idle(Deadline::NEVER)).expect("the pool is open");
        let verdict = results.next(Deadline::after(LIMIT)).expect("it does not wait").result.expect("it ran");
        assert_eq!(verdict, Err(WaitError::Deadlock));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest"));
            }
            gate.open();
            gate.wait_started(1);
            // Before or after the worker has started the job.
            let _ = pool.cancel(id);
        });
    });
}

/// Conformance 57 and 58: a shutdown runs or cancels jobs in groups, too.
#[test]
fn the_pools_end_is_the_groups_end() {
    for (mode, run) in [(Shutdown::Drain, 100), (Shutdown::Cancel, 0)] {
        within_limit(move || {
            let pool = pool_of(2);
            let group = pool.group(1, Priority::Low);
            let (gate, count, dropped) = (Gate::new(), Count::new(), Count::new());
            pool.spawn(gate.job()).expect("the pool is open");
            pool.spawn(gate.job()).expect("the pool is open");
            gate.wait_started(2);
            for _ in 0..100 {
                let (job, counted) = (count.job(), dropped.on_drop());
                group.spawn(move || (job(), counted).0).expect("the pool is open");
            }
            assert_eq!(pool.shutdown(mode, Deadline::NOW), Err(WaitError::TimedOut));
            assert!(matches!(group.spawn(|| ()), Err(SubmitError::Shutdown)));
            gate.open();
            pool.shutdown(mode, Deadline::after(LIMIT)).expect("the pool ends");
            assert_eq!((count.get(), dropped.get(), group.pending(), pool.pending()), (run, 100, 0, 0));
        });
    }
}

/// The handle may be dropped while jobs of the group are queued; groups leave no memory behind.
#[test]
fn jobs_of_a_dropped_group_still_run() {
    within_limit(|| {
        let pool = pool_of(2);
        let count = Count::new();
        for _ in 0..300 {
            let group = pool.group(1, Priority::High);
            for _ in 0..5 {
                group.spawn(count.job()).expect("the pool is open");
            }
        }
        pool.wait_idle(Deadline::after(LIMIT)).expect("the pool comes to rest");
        assert_eq!(count.get(), 1500);
    });
}

/// The pool's bound counts grouped jobs too, and the caller never runs one beyond the group's limit.
#[test]
fn grouped_jobs_count_as_queued() {
    within_limit(|| {
        let pool = Pool::builder().workers(2).max_queued(3, Policy::CallerRuns).build().expect("valid");
        let group = pool.group(1, Priority::Normal);
        let gate = Gate::new();
        group.spawn(gate.job()).expect("there is room");
        gate.wait_started(1);
        for _ in 0..3 {
            group.spawn(gate.job()).expect("there is room");
        }
        let here = thread::current().id();
        let results = pool.results();
        results.submit(|| thread::current().id()).expect("the caller runs it");
        assert_eq!(results.next(Deadline::NOW).expect("it has run").result.expect("no panic"), here);
        let submitter = thread::spawn({
            let (group, gate) = (group.clone(), gate.job());
            move || group.spawn(gate).map(drop)
        });
        assert_eq!(gate.started(), 1);
        gate.open();
        submitter.join().expect("no panic").expect("there is room in the end");
        group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        assert_eq!(gate.started(), 5);
    });
}

/// Conformance 105: a panicking job does not keep its slot.
#[test]
fn a_panic_gives_the_slot_back() {
    within_limit(|| {
        let pool = pool_of(2);
        let group = pool.group(1, Priority::Normal);
        let count = Count::new();
        for _ in 0..50 {
            group.spawn(|| panic!("recorded")).expect("the pool is open");
            group.try_spawn(|| Err("recorded")).expect("the pool is open");
            group.spawn(count.job()).expect("the pool is open");
        }
        group.wait_idle(Deadline::after(LIMIT)).expect("the group comes to rest");
        assert_eq!((count.get(), pool.failed(), group.busy()), (50, 100, 0));
    });
}
