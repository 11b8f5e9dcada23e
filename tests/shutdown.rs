//! Shutdowns that lose jobs, hang, or leave the pool open.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, eventually, manual, pool_of, within_limit};
use fastthreadpool::{Deadline, JobError, Pool, Priority, Shutdown, SubmitError, WaitError};
use std::thread;
use std::time::Duration;

/// Conformance 57.
#[test]
fn a_drain_runs_everything_queued_and_ends_the_threads() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, gate, ran) = (pool_of(workers), Gate::new(), Count::new());
            pool.spawn(gate.job()).unwrap();
            for _ in 0..1000 {
                pool.spawn(ran.job()).unwrap();
                pool.spawn_first(ran.job()).unwrap();
            }
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!((ran.get(), pool.alive(), pool.busy(), pool.pending()), (2000, 0, 0, 0));
        }
    });
}

/// Counts the jobs of binary trees.
#[derive(Clone, Default)]
struct Forest {
    accepted: Count,
    refused: Count,
    ran: Count,
    dropped: Count,
}

impl Forest {
    /// The root of a tree of `levels` levels.
    fn tree(&self, levels: u32) -> impl FnOnce() + Send + 'static {
        let (forest, token) = (self.clone(), self.dropped.on_drop());
        move || {
            forest.grow(levels - 1);
            drop(token);
        }
    }

    fn grow(&self, levels: u32) {
        self.ran.add();
        for _ in 0..if levels > 0 { 2 } else { 0 } {
            self.plant(&Pool::current().expect("this is a job"), levels);
        }
    }

    fn plant(&self, pool: &Pool, levels: u32) {
        let tree: Box<dyn FnOnce() + Send> = Box::new(self.tree(levels));
        match pool.spawn(tree) {
            Ok(_) => drop(self.accepted.add()),
            Err(why) => {
                assert!(matches!(why, SubmitError::Shutdown));
                self.refused.add();
            }
        }
    }
}

/// Conformance 60.
#[test]
fn a_drain_runs_what_jobs_submit_meanwhile() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            for round in 0..1000 {
                let (pool, forest) = (pool_of(workers), Forest::default());
                forest.plant(&pool, 7);
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                // Stricter than the requirement: a pool accepts jobs of its own jobs to the end.
                let counts = [&forest.accepted, &forest.ran, &forest.dropped].map(Count::get);
                assert_eq!(counts, [127; 3], "{workers} workers, round {round}");
                assert_eq!((pool.failed(), pool.pending()), (0, 0));
            }
        }
    });
}

/// Conformance 58, 60: cancelled or run, nothing is lost.
#[test]
fn a_cancelling_shutdown_accounts_for_what_jobs_submit_meanwhile() {
    within_limit(|| {
        for round in 0..1000 {
            let (pool, forest) = (pool_of(1 + round % 4), Forest::default());
            (0..20).for_each(|_| forest.plant(&pool, 4));
            pool.shutdown(Shutdown::Cancel, LIMIT).unwrap();
            assert!(forest.ran.get() <= forest.accepted.get());
            assert_eq!(forest.dropped.get(), forest.accepted.get() + forest.refused.get(), "round {round}");
            assert_eq!((pool.failed(), pool.pending(), pool.alive()), (0, 0, 0));
        }
    });
}

/// Conformance 58, 60: a job that submits its successor would run for ever.
#[test]
fn a_cancelling_shutdown_waits_for_the_successors_of_jobs() {
    fn run_again(ran: Count) {
        ran.add();
        let _ = Pool::current().expect("this is a job").spawn(move || run_again(ran));
    }
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, ran) = (pool_of(workers), Count::new());
            for _ in 0..8 {
                let ran = ran.clone();
                pool.spawn(move || run_again(ran)).unwrap();
            }
            eventually("the jobs run again and again", || ran.get() >= 1000);
            pool.shutdown(Shutdown::Cancel, LIMIT).unwrap();
            pool.reopen(LIMIT).unwrap();
            pool.spawn(|| assert!(Pool::current().expect("this is a job").spawn(|| ()).is_ok())).unwrap();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.failed(), 0, "the next life admits jobs of its own jobs");
        }
    });
}

/// Conformance 58, 60.
#[test]
fn a_cancelling_shutdown_runs_what_running_jobs_submit_later() {
    within_limit(|| {
        let (pool, gate, ran, refused) = (pool_of(1), Gate::new(), Count::new(), Count::new());
        let (pass, child, refusals) = (gate.job(), ran.job(), refused.clone());
        let parent = move || {
            pass();
            assert!(matches!(Pool::current().unwrap().spawn(child), Err(SubmitError::Shutdown)));
            refusals.add();
        };
        pool.spawn(parent).unwrap();
        gate.wait_started(1);
        assert_eq!(pool.shutdown(Shutdown::Cancel, Deadline::NOW), Err(WaitError::TimedOut));
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert_eq!((ran.get(), refused.get(), pool.failed()), (0, 1, 0));
    });
}

/// Conformance 58.
#[test]
fn a_cancelling_shutdown_reports_what_did_not_run() {
    within_limit(|| {
        let (pool, gate, ran) = (pool_of(2), Gate::new(), Count::new());
        let (results, drops) = (pool.results(), Count::new());
        results.submit_batch([gate.job(), gate.job()]).unwrap();
        gate.wait_started(2);
        for _ in 0..1000 {
            let (ran, token) = (ran.job(), drops.on_drop());
            let job = move || {
                ran();
                drop(token);
            };
            results.submit(job).unwrap();
        }
        results.submit_first(ran.job()).unwrap();
        thread::scope(|scope| {
            let end = scope.spawn(|| pool.shutdown(Shutdown::Cancel, LIMIT));
            for _ in 0..1001 {
                assert!(matches!(results.next_failed(LIMIT).unwrap().1, JobError::Cancelled));
            }
            assert_eq!((results.outstanding(), drops.get()), (2, 1000), "the running ones go on");
            gate.open();
            end.join().unwrap().unwrap();
        });
        assert_eq!((ran.get(), pool.pending(), pool.failed(), pool.alive()), (0, 0, 0, 0));
        assert_eq!(results.as_completed().filter(|outcome| outcome.result.is_ok()).count(), 2);
    });
}

/// Conformance 59.
#[test]
fn a_deadline_ends_the_wait_and_the_shutdown_goes_on() {
    within_limit(|| {
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            let (pool, gate) = (pool_of(3), Gate::new());
            pool.spawn_batch([gate.job(), gate.job(), gate.job()]).unwrap();
            gate.wait_started(3);
            assert_eq!(pool.shutdown(mode, Deadline::NOW), Err(WaitError::TimedOut));
            assert_eq!(pool.shutdown(mode, Duration::from_millis(5)), Err(WaitError::TimedOut));
            assert!(matches!(pool.spawn(|| ()), Err(SubmitError::Shutdown)), "the pool is closed all the same");
            assert_eq!((pool.busy(), pool.alive()), (3, 3));
            gate.open();
            pool.shutdown(mode, LIMIT).unwrap();
            assert_eq!((pool.busy(), pool.alive()), (0, 0));
        }
    });
}

/// Conformance 62.
#[test]
fn a_closed_pool_refuses_every_kind_of_job_and_drops_it() {
    within_limit(|| {
        for used in [false, true] {
            let (pool, drops) = (pool_of(2), Count::new());
            if used {
                pool.spawn(|| ()).unwrap();
            }
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            let job = || {
                let token = drops.on_drop();
                move || drop(token)
            };
            assert!(matches!(pool.spawn(job()), Err(SubmitError::Shutdown)));
            assert!(matches!(pool.spawn_first(job()), Err(SubmitError::Shutdown)));
            assert!(matches!(pool.spawn_batch([job(), job()]), Err(SubmitError::Shutdown)));
            assert_eq!((drops.get(), pool.pending(), pool.alive()), (4, 0, 0));
        }
    });
}

/// Conformance 63.
#[test]
fn a_second_shutdown_and_one_of_a_pool_never_used_succeed() {
    within_limit(|| {
        for modes in [[Shutdown::Drain, Shutdown::Cancel], [Shutdown::Cancel, Shutdown::Drain]] {
            let unused = pool_of(2);
            modes.into_iter().for_each(|mode| unused.shutdown(mode, Deadline::NOW).unwrap());
            let pool = pool_of(2);
            pool.spawn(|| ()).unwrap();
            modes.into_iter().for_each(|mode| pool.shutdown(mode, LIMIT).unwrap());
            pool.wait_idle(Deadline::NOW).unwrap();
        }
    });
}

/// Conformance 63: several threads may wait for the same end.
#[test]
fn shutdowns_from_several_threads_all_see_the_end() {
    within_limit(|| {
        for round in 0..500 {
            let (pool, ran) = (pool_of(2), Count::new());
            (0..20).for_each(|_| assert!(pool.spawn(ran.job()).is_ok()));
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                        assert_eq!((ran.get(), pool.alive()), (20, 0), "round {round}");
                    });
                }
            });
        }
    });
}

/// Conformance 64; decision "waiting inside a job".
#[test]
fn a_job_that_waits_for_its_own_pool_is_told_so() {
    within_limit(|| {
        let pool = pool_of(2);
        let verdicts = pool.results();
        let job = || {
            let pool = Pool::current().expect("this is a job");
            let drain = pool.shutdown(Shutdown::Drain, Deadline::NEVER);
            let cancel = pool.shutdown(Shutdown::Cancel, Deadline::NEVER);
            [drain, cancel, pool.wait_idle(Deadline::NEVER)]
        };
        verdicts.submit(job).unwrap();
        assert_eq!(verdicts.next(LIMIT).unwrap().result.unwrap(), [Err(WaitError::Deadlock); 3]);
        pool.spawn(|| ()).expect("nothing was done");
    });
}

/// Conformance 64: waiting for another pool's shutdown is allowed.
#[test]
fn a_job_may_end_another_pool() {
    within_limit(|| {
        let (outer, inner, ran) = (pool_of(1), pool_of(1), Count::new());
        let verdicts = outer.results();
        let job = ran.job();
        let end = move || {
            inner.spawn(job).unwrap();
            inner.wait_idle(LIMIT)?;
            inner.shutdown(Shutdown::Drain, LIMIT)
        };
        verdicts.try_submit(end).unwrap();
        verdicts.next(LIMIT).unwrap().result.unwrap();
        assert_eq!(ran.get(), 1);
    });
}

/// Reliability R4.
#[test]
fn submitting_against_a_shutdown_loses_nothing() {
    within_limit(|| {
        for round in 0..500 {
            let (pool, ran) = (pool_of(1 + round as i32 % 4), Count::new());
            let submit = || {
                let attempts = 0..2000;
                let accepted = attempts.map(|n| match n % 8 {
                    0 => pool.spawn_first(ran.job()).map(|_| 1),
                    1 => pool.spawn_batch([ran.job(), ran.job(), ran.job()]).map(|ids| ids.len()),
                    _ => pool.spawn(ran.job()).map(|_| 1),
                });
                accepted.map_while(Result::ok).sum::<usize>()
            };
            let accepted: usize = thread::scope(|scope| {
                let submitters: Vec<_> = (0..4).map(|_| scope.spawn(submit)).collect();
                while ran.get() < round % 50 {
                    thread::yield_now();
                }
                pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                assert_eq!(pool.alive(), 0);
                submitters.into_iter().map(|submitter| submitter.join().unwrap()).sum()
            });
            assert_eq!((ran.get(), pool.pending()), (accepted, 0), "round {round}");
        }
    });
}

/// Conformance 61; reliability R4: a thread is slow to cancel the last job while the pool is shut down.
#[test]
fn a_job_whose_cancelling_takes_long_does_not_hold_up_the_shutdown_for_ever() {
    within_limit(|| {
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            let (pool, gate, slow) = (pool_of(2), Gate::new(), Gate::new());
            pool.spawn_batch([gate.job(), gate.job()]).unwrap();
            gate.wait_started(2);
            let door = slow.door();
            let owned = OnDrop(move || door.pass());
            let id = pool.spawn(move || drop(owned)).unwrap();
            thread::scope(|scope| {
                let canceller = scope.spawn(|| pool.cancel(id));
                slow.wait_started(1);
                assert_eq!(pool.shutdown(mode, Deadline::NOW), Err(WaitError::TimedOut));
                let end = scope.spawn(|| pool.shutdown(mode, LIMIT / 4));
                gate.open();
                eventually("the workers have nothing to do", || pool.busy() == 0);
                thread::sleep(Duration::from_millis(20)); // so that they sleep, most probably
                slow.open();
                assert!(canceller.join().unwrap());
                assert_eq!(end.join().unwrap(), Ok(()), "{mode:?}");
            });
        }
    });
}

/// Conformance 117: with handles; queued jobs run or are cancelled, later submits are refused, and a second call is
/// harmless.
#[test]
fn a_shutdown_runs_or_cancels_what_handles_wait_for() {
    within_limit(|| {
        for mode in [Shutdown::Drain, Shutdown::Cancel] {
            let (pool, gate) = (pool_of(1), Gate::new());
            let running = pool.submit(gate.job()).unwrap();
            gate.wait_started(1);
            let queued = pool.submit(|| 1).unwrap();
            assert_eq!(pool.shutdown(mode, Deadline::NOW), Err(WaitError::TimedOut));
            assert!(matches!(pool.submit(|| 2).map(drop), Err(SubmitError::Shutdown)));
            gate.open();
            pool.shutdown(mode, LIMIT).unwrap();
            pool.shutdown(mode, LIMIT).unwrap();
            assert!(running.join().is_ok());
            assert_eq!(queued.join().is_ok(), mode == Shutdown::Drain);
        }
    });
}

/// Conformance 111: every job that a shutdown cancels is listed once, by the id that its submit returned.
#[test]
fn a_shutdown_lists_what_it_cancels() {
    within_limit(|| {
        let ((pool, clock), gate, ran) = (manual(1), Gate::new(), Count::new());
        let group = pool.group(1, Priority::Normal);
        let second = Duration::from_secs(1);
        let done = pool.spawn(ran.job()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        let running = pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let mut expected = vec![
            pool.spawn(ran.job()).unwrap(),
            pool.spawn_first(ran.job()).unwrap(),
            group.spawn(ran.job()).unwrap(),
            pool.submit(|| ()).unwrap().id(),
            pool.spawn_later(second, ran.job()).unwrap(),
            pool.spawn_later(second * 10, ran.job()).unwrap(),
            pool.schedule(second, ran.each()).unwrap(),
            pool.schedule(second * 10, ran.each()).unwrap(),
        ];
        let gone = pool.spawn(ran.job()).unwrap();
        assert!(pool.cancel(gone));
        clock.advance(second); // One delayed job and one tick are queued from now on.
        expected.sort();
        let mut listed = vec![done];
        assert_eq!(pool.shutdown_now(&mut listed, Deadline::NOW), Err(WaitError::TimedOut));
        assert_eq!(
            listed,
            [vec![done], expected].concat(),
            "{running} runs, {done} has run, {gone} was cancelled before"
        );
        gate.open();
        let mut rest = Vec::new();
        pool.shutdown_now(&mut rest, LIMIT).unwrap();
        assert_eq!((ran.get(), rest.len()), (1, 0));
        assert_eq!(Pool::global().shutdown_now(&mut rest, LIMIT), Err(WaitError::Refused));
    });
}
