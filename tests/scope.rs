//! Jobs that outlive what they borrow, or scopes that do not end.

mod common;

use common::{Count, Gate, LIMIT, blocked, pool_of, within_limit};
use fastthreadpool::{JobError, Policy, Pool, Scope, Shutdown, current_job, fail};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A scope returns when all its jobs have ended, and they can borrow from outside.
#[test]
fn a_scope_waits_for_its_jobs() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            let mut numbers = vec![0; 1000];
            let returned = pool.scope(|scope| {
                for (index, number) in numbers.iter_mut().enumerate() {
                    scope.spawn(move || *number = index);
                }
                "value"
            });
            assert_eq!(returned, "value");
            assert!(numbers.iter().enumerate().all(|(index, &number)| number == index));
            pool.scope(|_| ());
        }
    });
}

fn grow<'scope>(scope: &'scope Scope<'scope, '_>, depth: u32, leaves: &'scope AtomicUsize) {
    if depth == 0 {
        leaves.fetch_add(1, SeqCst);
        return;
    }
    for _ in 0..2 {
        scope.spawn(move || grow(scope, depth - 1, leaves));
    }
}

fn nested(pool: &Pool, depth: u32, leaves: &AtomicUsize) {
    if depth == 0 {
        leaves.fetch_add(1, SeqCst);
        return;
    }
    pool.scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| nested(pool, depth - 1, leaves));
        }
    });
}

/// Conformance 119: jobs that spawn jobs, and scopes in scopes, on every size, from outside and in jobs.
#[test]
fn jobs_in_a_scope_spawn_more() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            let (outside, nest) = (AtomicUsize::new(0), AtomicUsize::new(0));
            pool.scope(|scope| grow(scope, 10, &outside));
            nested(&pool, 8, &nest);
            assert_eq!((outside.into_inner(), nest.into_inner()), (1024, 256));
            let inner = pool.clone();
            let job = pool.submit(move || {
                let (leaves, nest) = (AtomicUsize::new(0), AtomicUsize::new(0));
                inner.scope(|scope| grow(scope, 10, &leaves));
                nested(&inner, 8, &nest);
                (leaves.into_inner(), nest.into_inner())
            });
            assert_eq!(job.unwrap().join().unwrap(), (1024, 256));
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((pool.pending(), pool.failed()), (0, 0));
        }
    });
}

/// A panic resumes when all jobs have ended, that of the closure before that of a job.
#[test]
fn a_panic_waits_for_the_other_jobs() {
    within_limit(|| {
        for by_closure in [false, true] {
            let (pool, gate, ran) = (pool_of(2), Gate::new(), Count::new());
            let door = gate.door();
            let scope = || {
                pool.scope(|scope| {
                    scope.spawn(|| {
                        gate.open();
                        panic!("a job");
                    });
                    for _ in 0..50 {
                        scope.spawn(|| {
                            door.pass();
                            ran.add();
                        });
                    }
                    assert!(!by_closure, "the closure");
                });
            };
            let thrown = catch_unwind(AssertUnwindSafe(scope)).unwrap_err();
            assert_eq!(*thrown.downcast::<&str>().unwrap(), if by_closure { "the closure" } else { "a job" });
            assert_eq!(ran.get(), 50);
        }
    });
}

/// Jobs of a scope have the id of the surrounding job, and fail it.
#[test]
fn a_jobs_scope_speaks_for_it() {
    within_limit(|| {
        let pool = pool_of(2);
        let inner = pool.clone();
        let job = pool.submit(move || {
            let own = current_job();
            inner.scope(|scope| {
                scope.spawn(move || assert_eq!(current_job(), own));
                scope.spawn(|| assert!(fail(1, "in a scope")));
            });
            assert_eq!(current_job(), own);
        });
        assert!(matches!(job.unwrap().join(), Err(JobError::Failed(_))));
    });
}

/// Conformance 62, 58.
#[test]
fn a_scope_ends_whatever_becomes_of_the_pool() {
    within_limit(|| {
        let (pool, ran) = (pool_of(2), Count::new());
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        pool.scope(|scope| (0..10).for_each(|_| scope.spawn(|| _ = ran.add())));
        assert_eq!(ran.get(), 10, "a closed pool lets the caller run them");
        for _ in 0..50 {
            let (pool, drops) = (pool_of(2), Count::new());
            let stopper = {
                let pool = pool.clone();
                std::thread::spawn(move || pool.shutdown(Shutdown::Cancel, LIMIT).unwrap())
            };
            pool.scope(|scope| {
                for _ in 0..200 {
                    let token = drops.on_drop();
                    scope.spawn(move || drop(token));
                }
            });
            assert_eq!(drops.get(), 200);
            stopper.join().unwrap();
        }
    });
}

/// Conformance 119, reliability R10: a scope has no error for jobs that are cancelled, so its caller runs them, and waits
/// for what they spawn.
#[test]
fn a_scope_lacks_no_job_that_was_cancelled() {
    within_limit(|| {
        let pool = pool_of(1);
        let ways: [fn(&Pool); 2] = [
            |pool| assert_eq!(pool.cancel_all(), 10),
            |pool| pool.queued_ids().into_iter().for_each(|id| assert!(pool.cancel(id))),
        ];
        for cancel in ways {
            let (gate, ran) = (Gate::new(), Count::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            pool.scope(|scope| {
                for _ in 0..10 {
                    scope.spawn(|| {
                        gate.open();
                        scope.spawn(|| _ = ran.add());
                    });
                }
                cancel(&pool);
            });
            assert_eq!(ran.get(), 10);
        }
    });
}

/// Conformance 119, reliability R10: a job that its caller runs for that reason may have others cancelled in turn.
#[test]
fn a_scope_lacks_no_job_that_a_cancelled_one_spawned() {
    within_limit(|| {
        let (pool, _gate) = blocked();
        let ran = Count::new();
        pool.scope(|scope| {
            scope.spawn(|| {
                scope.spawn(|| _ = ran.add());
                assert_eq!(pool.cancel_all(), 1);
            });
            assert_eq!(pool.cancel_all(), 1);
        });
        assert_eq!(ran.get(), 1);
    });
}

/// Conformance 119, reliability R10: the same in a job, where a full queue discards its oldest jobs.
#[test]
fn a_scope_lacks_no_job_that_was_discarded() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).max_queued(4, Policy::DiscardOldest).build().unwrap();
        let (gate, inner, ran) = (Gate::new(), pool.clone(), Count::new());
        let (wait, count) = (gate.job(), ran.clone());
        let job = pool.submit(move || {
            inner.scope(|scope| {
                (0..100).for_each(|_| scope.spawn(count.job()));
                wait();
            });
        });
        gate.wait_started(1);
        (0..50).for_each(|_| _ = pool.spawn(|| ()).unwrap());
        gate.open();
        job.unwrap().join().unwrap();
        assert_eq!(ran.get(), 100);
    });
}

fn chain(pool: &Pool, depth: u32) -> u32 {
    let mut below = 0;
    if depth > 0 {
        pool.scope(|scope| scope.spawn(|| below = chain(pool, depth - 1) + 1));
    }
    below
}

/// Conformance 119, reliability R10: a scope has no error for jobs that no worker would run, so the caller runs them.
#[test]
fn scopes_far_inside_each_other_end() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            assert_eq!(chain(&pool, 300), 300);
            let inner = pool.clone();
            assert_eq!(pool.run(move || chain(&inner, 300)).unwrap(), 300);
        }
    });
}
