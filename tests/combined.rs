//! Features that break one another.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, advance, eventually, lock, within_limit};
use fastthreadpool::{
    Deadline, Due, Group, JobError, ManualClock, Outcome, Policy, Pool, Priority, Shutdown, SubmitError, WaterMark,
    blocking,
};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// Conformance 58, 107: a worker that has run its number of jobs leaves as the last one, after the next was cancelled.
#[test]
fn a_worn_out_worker_leaves_after_what_it_expected_was_cancelled() {
    within_limit(|| {
        for how in [Shutdown::Cancel, Shutdown::Drain] {
            let (pool, gate) = (Pool::builder().workers(1).jobs_per_worker(1).build().unwrap(), Gate::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let expected = pool.spawn(|| ()).unwrap();
            assert!(pool.cancel(expected));
            assert!(pool.shutdown(how, Deadline::NOW).is_err());
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!(pool.alive(), 0);
            pool.reopen(LIMIT).unwrap();
            assert_eq!(pool.run(|| 3).unwrap(), 3);
        }
    });
}

/// Conformance 10: although user code ran on the worker before: destructors of values that were not read.
#[test]
fn a_worker_that_drops_outcomes_first_is_started_before_its_first_job() {
    within_limit(|| {
        let started = Count::new();
        let hook = started.clone();
        let pool = Pool::builder().workers(2).on_start(move |_| _ = hook.add()).build().unwrap();
        let (group, results) = (pool.group(1, Priority::Normal), pool.results());
        let (first, second, drops) = (Gate::new(), Gate::new(), Gate::new());
        let (wait, door) = (first.job(), drops.door());
        let job = || {
            wait();
            OnDrop(move || door.pass())
        };
        group.submit(&results, job).unwrap();
        group.spawn(second.job()).unwrap();
        first.wait_started(1);
        drop(results);
        first.open();
        second.wait_started(1);
        assert_eq!((pool.spawn_workers(1).unwrap(), started.get()), (1, 1));
        drops.wait_started(1); // The new worker has nothing else to do.
        let seen = pool.submit(move || started.get()).unwrap();
        drops.open();
        assert_eq!(seen.join().unwrap(), 2);
    });
}

/// Conformance 107: a worker that leaves after the last outcome of a dropped results object drops what was not read. No
/// other worker would.
#[test]
fn a_worn_out_worker_drops_what_nobody_reads() {
    within_limit(|| {
        let (pool, gate, dropped) =
            (Pool::builder().workers(1).jobs_per_worker(1).build().unwrap(), Gate::new(), Count::new());
        let (results, door, count) = (pool.results(), gate.door(), dropped.clone());
        let job = move || {
            door.pass();
            OnDrop(move || _ = count.add())
        };
        results.submit(job).unwrap();
        gate.wait_started(1);
        drop(results);
        gate.open();
        eventually("the worker has left", || pool.alive() == 0);
        assert_eq!(dropped.get(), 1);
    });
}

/// Conformance 11: a worker that was called while its start hook ran does nothing when that has failed.
#[test]
fn a_call_to_a_worker_that_cannot_begin_is_not_run() {
    within_limit(|| {
        let (gate, calls) = (Gate::new(), Count::new());
        let door = gate.door();
        let hook = move |_| {
            door.pass();
            Err("no")
        };
        let pool = Pool::builder().workers(1).try_on_start(hook).build().unwrap();
        pool.spawn(|| ()).unwrap();
        gate.wait_started(1);
        thread::scope(|scope| {
            let caller = scope.spawn(|| pool.broadcast(|_| calls.add()));
            eventually("it is called", || pool.pending() == 2);
            gate.open();
            assert!(matches!(caller.join().unwrap(), Err(SubmitError::Broken(_))));
        });
        assert_eq!(calls.get(), 0);
    });
}

/// A job of the group that submits the next one, until `over`.
fn chain(group: Group, ran: Count, over: Arc<AtomicBool>) {
    ran.add();
    if !over.load(SeqCst) {
        let next = group.clone();
        group.spawn(move || chain(next, ran, over)).unwrap();
    }
}

/// "Calls": between any two jobs, also of a group that never runs dry.
#[test]
fn a_worker_is_called_away_from_a_group() {
    within_limit(|| {
        for priority in [Priority::High, Priority::Normal, Priority::Low] {
            let (pool, over) = (Pool::builder().workers(1).build().unwrap(), Arc::new(AtomicBool::new(false)));
            let (group, ran) = (pool.group(1, priority), Count::new());
            for _ in 0..2 {
                let (next, ran, over) = (group.clone(), ran.clone(), Arc::clone(&over));
                group.spawn(move || chain(next, ran, over)).unwrap();
            }
            eventually("the group is under way", || ran.get() > 100);
            assert_eq!(pool.broadcast(|n| n).unwrap(), [0], "{priority:?}");
            over.store(true, SeqCst);
        }
    });
}

/// "Blocking": a surplus worker takes no more jobs, also of a group that it has a token of.
#[test]
fn a_worker_too_many_leaves_a_groups_queue() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).extra_workers(1).build().unwrap();
        let (group, ran) = (pool.group(1, Priority::Normal), Count::new());
        let (blocked, gone_on, first) = (Gate::new(), Gate::new(), Gate::new());
        let (inside, outside) = (blocked.job(), gone_on.job());
        pool.spawn(move || {
            blocking(inside);
            outside();
        })
        .unwrap();
        blocked.wait_started(1);
        group.spawn(first.job()).unwrap();
        first.wait_started(1);
        (0..50).for_each(|_| _ = group.spawn(ran.job()).unwrap());
        blocked.open();
        gone_on.wait_started(1);
        first.open();
        eventually("the worker stands by", || pool.busy() == 1);
        assert_eq!(ran.get(), 0);
        gone_on.open();
        group.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 50);
    });
}

/// No user code runs under the timers' lock: rescheduling a queued job calls the water-mark callback.
#[test]
fn a_mark_that_is_passed_by_setting_a_timer_anew_may_ask_for_timers() {
    within_limit(|| {
        let (clock, known) = (ManualClock::new(), Arc::new(OnceLock::<Pool>::new()));
        let delayed = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let (known, delayed) = (Arc::clone(&known), Arc::clone(&delayed));
            move |water, _| lock(&delayed).push((water, known.get().unwrap().delayed_count()))
        };
        let pool = Pool::builder().workers(1).clock(&clock).water_marks(0, 1, tell).build().unwrap();
        let gate = Gate::new();
        known.set(pool.clone()).unwrap();
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let timer = pool.spawn_later(SECOND, || ()).unwrap();
        clock.advance(SECOND);
        lock(&delayed).clear();
        assert!(pool.reschedule(timer, SECOND));
        assert_eq!(*lock(&delayed), [(WaterMark::Low, 1)]);
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
    });
}

/// Rule 12: a job that is due takes a place in the queue, above the limit if necessary, and frees only that.
#[test]
fn jobs_that_were_due_leave_the_limit_as_it_was() {
    within_limit(|| {
        for due in [Due::after(SECOND), Due::after(SECOND).back()] {
            let clock = ManualClock::new();
            let pool = Pool::builder().workers(1).max_queued(3, Policy::Reject).clock(&clock).build().unwrap();
            (0..10).for_each(|_| _ = pool.spawn_at(due, || ()).unwrap());
            let ticks = pool.schedule(SECOND, || ()).unwrap();
            advance(&pool, &clock, 5, SECOND);
            assert!(pool.cancel(ticks));
            let gate = Gate::new();
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let queued = pool.spawn_at(due, || ()).unwrap();
            clock.advance(SECOND);
            let accepted = (0..10).filter(|_| pool.spawn(|| ()).is_ok()).count();
            assert_eq!(accepted, 2, "one place of three is that of the job that is due");
            assert!(pool.cancel(queued));
            assert!(pool.spawn(|| ()).is_ok() && pool.spawn(|| ()).is_err());
        }
    });
}

/// Jobs that become due count for water marks like submitted ones.
#[test]
fn jobs_that_are_due_raise_the_water() {
    within_limit(|| {
        let (clock, told) = (ManualClock::new(), Arc::new(Mutex::new(Vec::new())));
        let tell = {
            let told = Arc::clone(&told);
            move |water, _| lock(&told).push(water)
        };
        let pool = Pool::builder().workers(1).clock(&clock).water_marks(1, 3, tell).build().unwrap();
        let gate = Gate::new();
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        (0..3).for_each(|_| _ = pool.spawn_later(SECOND, || ()).unwrap());
        clock.advance(SECOND);
        assert_eq!(*lock(&told), [WaterMark::High]);
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(*lock(&told), [WaterMark::High, WaterMark::Low]);
    });
}

/// A pool whose queue is full while a worker is idle: the queued jobs are of a group at its limit.
fn full(policy: Policy) -> (Pool, Gate, Count) {
    let pool = Pool::builder().workers(2).max_queued(1, policy).build().unwrap();
    let (group, gate, queued) = (pool.group(1, Priority::Normal), Gate::new(), Count::new());
    group.spawn(gate.job()).unwrap();
    gate.wait_started(1);
    group.spawn(queued.job()).unwrap();
    (pool, gate, queued)
}

const POLICIES: [Policy; 4] = [Policy::Block, Policy::CallerRuns, Policy::DiscardOldest, Policy::Reject];

/// Counts the leaves of a tree of forks. What a piece owns is dropped with it.
fn leaves(pool: &Pool, depth: u32, dropped: &Count) -> u32 {
    if depth == 0 {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(20) {}
        return 1;
    }
    let owned = dropped.on_drop();
    let second = move || {
        let _owned = owned;
        leaves(pool, depth - 1, dropped)
    };
    let (a, b) = pool.join(|| leaves(pool, depth - 1, dropped), second);
    a + b
}

/// Conformance 8, rule 12: a fork needs no helper. It neither waits for room nor makes some, and each piece runs once,
/// also if a policy would run it in its submit.
#[test]
fn a_fork_beside_a_full_queue_stays_with_its_caller() {
    within_limit(|| {
        for policy in POLICIES {
            let (pool, gate, queued) = full(policy);
            let dropped = Count::new();
            assert_eq!((leaves(&pool, 9, &dropped), dropped.get()), (512, 511), "{policy:?}");
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((queued.get(), pool.failed()), (1, 0), "{policy:?}: what was queued has run");
        }
    });
}

/// Conformance 8, 80, rule 12: the same for loops.
#[test]
fn a_loop_beside_a_full_queue_stays_with_its_caller() {
    within_limit(|| {
        for policy in POLICIES {
            let (pool, gate, queued) = full(policy);
            let sum = AtomicUsize::new(0);
            assert!(pool.for_range(0..10, |n| _ = sum.fetch_add(n, SeqCst)));
            assert_eq!(sum.load(SeqCst), 45);
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(queued.get(), 1, "{policy:?}: what was queued has run");
        }
    });
}

/// Rule 12: with hand-off, helpers join a loop all the same, and the caller does not wait for them.
#[test]
fn a_loop_waits_for_no_worker_to_take_its_help() {
    within_limit(|| {
        let (pool, gate) = (Pool::builder().workers(1).max_queued(0, Policy::HandOff).build().unwrap(), Gate::new());
        pool.spawn(gate.job()).unwrap();
        let ran = Count::new();
        assert!(pool.for_range(0..10, |_| _ = ran.add()));
        assert_eq!(ran.get(), 10);
    });
}

/// Conformance 57, 62: a closed pool starts no timer thread for a job that it refuses.
#[cfg(target_os = "linux")]
#[test]
fn a_job_that_a_closed_pool_refuses_starts_no_thread() {
    let body = || {
        let pool = Pool::builder().name("refusing").build().unwrap();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        for _ in 0..100 {
            let refused = pool.job(|| ()).start_within(SECOND).submit();
            assert!(matches!(refused, Err(SubmitError::Shutdown)));
            // A new thread has the name of the thread that starts it, until it sets its own.
            assert_eq!(common::linux::threads_named("refusing").len(), 1);
        }
    };
    thread::Builder::new().name("refusing".into()).spawn(body).unwrap().join().unwrap();
}

/// Conformance 55, 95: of a batch that is handed over, workers have some jobs when the pool closes. All were accepted,
/// and the others end cancelled.
#[test]
fn the_rest_of_a_batch_ends_with_its_pool() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).max_queued(0, Policy::HandOff).build().unwrap();
        let (results, gate) = (pool.results(), Gate::new());
        thread::scope(|scope| {
            let submitter = scope.spawn(|| results.submit_batch((0..3).map(|_| gate.job())));
            gate.wait_started(1);
            eventually("the batch is queued", || pool.pending() == 3);
            assert!(pool.shutdown(Shutdown::Drain, Deadline::NOW).is_err());
            let ids = submitter.join().unwrap().unwrap();
            gate.open();
            let mut outcomes: Vec<_> = results.as_completed().map(|outcome| (outcome.id, outcome.result)).collect();
            outcomes.sort_unstable_by_key(|outcome| outcome.0);
            assert_eq!(outcomes.iter().map(|outcome| outcome.0).collect::<Vec<_>>(), ids);
            let cancelled = |(_, result): &&(_, Result<(), JobError>)| matches!(result, Err(JobError::Cancelled));
            assert_eq!(outcomes.iter().filter(cancelled).count(), 2);
        });
    });
}

/// Conformance 80: nothing overflows at the largest numbers.
#[test]
fn a_loop_runs_to_the_last_number() {
    within_limit(|| {
        let pool = Pool::builder().workers(2).build().unwrap();
        for length in [10, 100, 1000] {
            let ran = Count::new();
            let body = |chunk: Range<usize>| {
                chunk.for_each(|_| _ = ran.add());
                thread::sleep(Duration::from_micros(30)); // It pays to share.
            };
            assert!(pool.for_chunks(usize::MAX - length..usize::MAX, 7, body));
            assert_eq!(ran.get(), length);
        }
    });
}

/// Rule: no thread waits for room that it occupies itself. A discarded job keeps its place until its callback, which
/// submits, has returned.
#[test]
fn the_callback_of_a_discarded_job_may_submit() {
    within_limit(|| {
        for most in [1, 3] {
            let pool = Pool::builder().workers(1).max_queued(most, Policy::DiscardOldest).build().unwrap();
            let (pool, gate, told) = (Arc::new(pool), Gate::new(), Count::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            for _ in 0..5 {
                let (own, told) = (Arc::clone(&pool), told.clone());
                let tell = move |outcome: &Outcome<()>| {
                    if outcome.result.is_err() {
                        own.spawn(|| ()).unwrap();
                        told.add();
                    }
                };
                pool.job(|| ()).then(tell).submit().unwrap();
            }
            gate.open();
            pool.wait_idle(LIMIT).unwrap();
            assert!(told.get() > 0, "nothing was discarded");
        }
    });
}
