//! Pools that are cleared or reopened, and then lose jobs, hang or stay closed.

mod common;

use common::{Count, Gate, LIMIT, Random, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, Overrun, Pool, Shutdown, SubmitError, WaitError, worker_index};
use std::iter;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Conformance 56.
#[test]
fn a_cleared_pool_is_as_good_as_new_and_keeps_what_runs() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, gate, ran) = (pool_of(workers), Gate::new(), Count::new());
            let results = pool.results();
            results.submit(|| panic!("counted")).unwrap();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((pool.failed(), results.take(9).len()), (1, 1));
            for _ in 0..workers {
                results.submit(gate.job()).unwrap();
            }
            gate.wait_started(workers as usize);
            for _ in 0..500 {
                results.submit(ran.job()).unwrap();
            }
            assert_eq!(pool.clear(Deadline::NOW), Ok(500));
            assert_eq!((pool.failed(), pool.pending(), pool.queued_ids()), (0, workers as u64, vec![]));
            assert_eq!(results.take(usize::MAX).len(), 500, "cancelled jobs are reported");
            gate.open();
            for _ in 0..workers {
                results.next_done(LIMIT).unwrap();
            }
            results.submit(ran.job()).unwrap();
            results.next_done(LIMIT).unwrap();
            assert_eq!((ran.get(), results.outstanding()), (1, 0));
            pool.spawn(|| panic!("counted")).unwrap();
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.failed(), 1);
        }
    });
}

/// Conformance 62, 63: any number of times, after each kind of shutdown, used or not.
#[test]
fn a_pool_that_was_shut_down_is_opened_again() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let (pool, ran) = (pool_of(workers), Count::new());
            let results = pool.results();
            for round in 0..500 {
                let mode = if round % 2 == 0 { Shutdown::Drain } else { Shutdown::Cancel };
                pool.shutdown(mode, LIMIT).unwrap();
                assert!(matches!(results.submit(ran.job()), Err(SubmitError::Shutdown)));
                assert!(matches!(pool.check(), Err(SubmitError::Shutdown)));
                if round % 4 < 2 {
                    pool.reopen(LIMIT).unwrap();
                } else {
                    assert_eq!(pool.clear(LIMIT), Ok(0));
                }
                pool.check().unwrap();
                assert_eq!((pool.alive(), pool.pending()), (0, 0));
                for _ in 0..round % 5 {
                    results.submit(ran.job()).unwrap();
                }
                assert_eq!(results.as_completed().filter(|outcome| outcome.result.is_ok()).count(), round % 5);
            }
            assert_eq!(ran.get(), 1000);
        }
    });
}

/// Conformance 62: an open pool stays as it is, also when a job asks for it.
#[test]
fn to_open_an_open_pool_changes_nothing() {
    within_limit(|| {
        let pool = pool_of(1);
        pool.reopen(Deadline::NOW).unwrap();
        let verdicts = pool.results();
        verdicts.submit(|| Pool::current().expect("this is a job").reopen(Deadline::NEVER)).unwrap();
        verdicts.submit(|| Pool::current().expect("this is a job").clear(Deadline::NEVER).map(drop)).unwrap();
        assert!(verdicts.as_completed().all(|outcome| outcome.result.unwrap() == Ok(())));
        assert_eq!(pool.alive(), 1);
    });
}

/// Conformance 59, 62: a shutdown that goes on is waited for, but not by a job that it waits for.
#[test]
fn a_pool_is_not_opened_before_its_end() {
    within_limit(|| {
        let (pool, gate, ran) = (pool_of(2), Gate::new(), Count::new());
        let (verdicts, door) = (pool.results(), gate.door());
        let job = move || {
            door.pass();
            let pool = Pool::current().expect("this is a job");
            [pool.reopen(Deadline::NEVER), pool.clear(Deadline::NEVER).map(drop)]
        };
        verdicts.submit(job).unwrap();
        gate.wait_started(1);
        assert_eq!(pool.shutdown(Shutdown::Drain, Deadline::NOW), Err(WaitError::TimedOut));
        for deadline in [Deadline::NOW, Duration::from_millis(5).into()] {
            assert_eq!(pool.reopen(deadline), Err(WaitError::TimedOut));
            assert_eq!(pool.clear(deadline), Err(WaitError::TimedOut));
        }
        assert!(matches!(pool.spawn(ran.job()), Err(SubmitError::Shutdown)));
        thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.reopen(LIMIT));
            gate.open();
            assert_eq!(waiter.join().unwrap(), Ok(()));
        });
        assert_eq!(verdicts.next_done(LIMIT).unwrap().1, [Err(WaitError::Deadlock); 2]);
        pool.spawn(ran.job()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1);
    });
}

/// A handle from [`Pool::current`] does not keep a pool open, and cannot reopen it.
#[test]
fn a_pool_without_handles_is_not_opened_again() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let (visitors, door) = (pool.results(), gate.door());
        let job = move || {
            door.pass();
            Pool::current().expect("this is a job")
        };
        visitors.submit(job).unwrap();
        gate.open();
        drop(pool);
        let visitor = visitors.next_done(LIMIT).unwrap().1;
        assert_eq!(visitor.reopen(LIMIT), Err(WaitError::Refused));
        assert!(matches!(visitor.spawn(|| ()), Err(SubmitError::Shutdown)));
    });
}

/// Conformance 60, 62; reliability R4: shutdowns, reopens and submits on many threads; no job is lost, and no call
/// hangs.
#[test]
fn closing_and_opening_against_submitters_loses_nothing() {
    within_limit(|| {
        for round in 0..40 {
            let (pool, ran) = (pool_of(1 + round % 4), Count::new());
            let submit = || {
                let accepted = (0..3000).map(|n| match n % 8 {
                    0 => pool.spawn_first(ran.job()).map_or(0, |_| 1),
                    1 => pool.spawn_batch([ran.job(), ran.job()]).map_or(0, |ids| ids.len()),
                    _ => pool.spawn(ran.job()).map_or(0, |_| 1),
                });
                accepted.sum::<usize>()
            };
            let toggle = |seed| {
                let mut random = Random::new(seed);
                for _ in 0..60 {
                    match random.below(4) {
                        0 => pool.reopen(LIMIT).unwrap(),
                        1 => drop(pool.shutdown(Shutdown::Drain, Deadline::NOW)),
                        _ => pool.shutdown(Shutdown::Drain, LIMIT).unwrap(),
                    }
                }
            };
            let accepted: usize = thread::scope(|scope| {
                let submitters = [scope.spawn(submit), scope.spawn(submit)];
                let togglers = [1, 2].map(|seed| scope.spawn(move || toggle(seed * 1000 + round as u64)));
                togglers.into_iter().for_each(|toggler| toggler.join().unwrap());
                submitters.map(|submitter| submitter.join().unwrap()).iter().sum()
            });
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!((ran.get(), pool.pending(), pool.alive()), (accepted, 0, 0), "round {round}");
        }
    });
}

/// Conformance 56, 61: everything at once.
#[test]
fn clearing_against_submitters_accounts_for_every_job() {
    within_limit(|| {
        let (pool, drops) = (pool_of(2), Count::new());
        let (accepted, ran) = (Count::new(), Count::new());
        thread::scope(|scope| {
            let submitter = scope.spawn(|| {
                for _ in 0..20_000 {
                    let (token, ran) = (drops.on_drop(), ran.clone());
                    let job = move || {
                        ran.add();
                        drop(token);
                    };
                    if pool.spawn(job).is_ok() {
                        accepted.add();
                    }
                }
            });
            let mut cancelled = 0;
            while !submitter.is_finished() {
                let _ = pool.shutdown(Shutdown::Drain, Deadline::NOW);
                cancelled += pool.clear(LIMIT).unwrap();
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(ran.get() + cancelled, accepted.get());
        });
        eventually("every job is dropped, run or not", || drops.get() == 20_000);
    });
}

/// Race: a pool is reopened while its timer thread is about to end. The thread that closed the pool, and waits for the
/// timer thread, does not wait for the next shutdown.
#[test]
fn a_reopened_pool_does_not_keep_the_old_ones_sleeper() {
    for _ in 0..20 {
        within_limit(|| {
            let (late, (tell, told)) = (Gate::new(), mpsc::channel());
            let door = late.door();
            let hook = move |_: &Overrun<'_>| {
                tell.send(worker_index()).unwrap();
                worker_index().is_none().then(|| door.pass());
            };
            let pool = Pool::builder().workers(1).on_overrun(hook).build().unwrap();
            let submit = || {
                let gate = Gate::new();
                pool.job(gate.job()).run_limit("long", Duration::from_millis(1)).submit().unwrap();
                gate
            };
            // A worker that is held up before its job begins calls the hook itself: then it takes another job.
            drop(iter::repeat_with(submit).find(|_| told.recv().unwrap().is_none()));
            late.wait_started(1); // The sleeper is at the gate.
            pool.wait_idle(LIMIT).unwrap();
            let closer = thread::spawn({
                let pool = pool.clone();
                move || pool.shutdown(Shutdown::Drain, LIMIT / 4)
            });
            eventually("the worker has left", || pool.check().is_err() && pool.alive() == 0);
            let opener = thread::spawn({
                let pool = pool.clone();
                move || pool.reopen(LIMIT / 4)
            });
            for _ in 0..1000 {
                thread::yield_now(); // If it is possible to open the pool now, it is opened.
            }
            late.open();
            assert_eq!((closer.join().unwrap(), opener.join().unwrap()), (Ok(()), Ok(())));
            pool.run(|| ()).unwrap();
        });
    }
}
