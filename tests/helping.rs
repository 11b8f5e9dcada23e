//! A join that waits runs pieces of what it waits for: pieces that run twice, or under the wrong job's id.

mod common;

use common::{Count, LIMIT, Random, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, Policy, Pool, WaitError, current_job, fail};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread::{self, ThreadId};

/// Forks until one of the pieces runs on `thread`, which does `what`.
fn search(pool: &Pool, depth: u32, thread: ThreadId, what: &(dyn Fn() + Sync)) {
    if depth == 0 {
        if thread::current().id() == thread {
            what();
        }
        return;
    }
    pool.join(|| search(pool, depth - 1, thread, what), || search(pool, depth - 1, thread, what));
}

/// Joins with a second piece that another thread runs, and that goes on until this thread has done `what` in a piece of
/// it.
fn help(pool: &Pool, what: impl Fn() + Sync) {
    let (caller, done) = (thread::current().id(), AtomicBool::new(false));
    let (sender, begun) = mpsc::channel();
    pool.join(
        move || begun.recv_timeout(LIMIT).unwrap(),
        || {
            sender.send(()).unwrap();
            let once = || {
                if !done.swap(true, SeqCst) {
                    what();
                }
            };
            eventually("the joiner takes part", || {
                search(pool, 12, caller, &once);
                done.load(SeqCst)
            });
        },
    );
    assert!(done.load(SeqCst));
}

/// Conformance 86: work is balanced, also when one half is done long before the other, from outside and in a job.
#[test]
fn a_joiner_takes_part_in_what_it_waits_for() {
    within_limit(|| {
        help(&pool_of(1), || {});
        let pool = pool_of(2);
        let inner = pool.clone();
        pool.submit(move || help(&inner, || {})).unwrap().join().unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.pending(), pool.failed()), (0, 0));
    });
}

/// A piece that its joiner runs has the id of the job; `fail` in it fails the job, or stops the loop around the join.
#[test]
fn a_helping_joiner_speaks_for_its_job() {
    within_limit(|| {
        for _ in 0..20 {
            let pool = pool_of(2);
            let inner = pool.clone();
            let job = pool.submit(move || {
                let own = current_job();
                let help_and_fail = || {
                    help(&inner, || {
                        assert_eq!(current_job(), own);
                        fail(5, "a piece of it");
                    });
                };
                assert!(!inner.for_range(0..1, |_| help_and_fail()));
                help_and_fail();
                assert_eq!(current_job(), own);
            });
            assert_eq!(job.unwrap().join().unwrap_err().to_string(), "the job failed: a piece of it (code 5)");
        }
    });
}

/// Reliability R10: workers may wait for a piece that a joiner from outside runs. So it waits for none of them: neither
/// for room in the queue nor for jobs that they have not begun, and it is told where it would.
#[test]
fn a_helping_joiner_does_not_wait_for_the_workers() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).max_queued(1, Policy::Block).build().unwrap();
        help(&pool, || {
            let jobs: Vec<_> = (0..3).map(|n| pool.submit(move || n).unwrap()).collect();
            assert_eq!(jobs.into_iter().map(|job| job.join().unwrap()).sum::<i32>(), 3);
            assert_eq!(pool.wait_idle(Deadline::NEVER), Err(WaitError::Deadlock));
            pool.scope(|scope| scope.spawn(|| ()));
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.pending(), pool.failed()), (0, 0));
    });
}

/// A panic in a piece that the joiner runs resumes in the join that forked the piece.
#[test]
fn a_panic_of_a_helping_joiner_comes_out_once() {
    within_limit(|| {
        let pool = pool_of(1);
        for _ in 0..20 {
            let (one, other) = (pool.clone(), pool.clone());
            // A new thread: forks that have been quick on this one are not offered at once.
            let thrown = thread::spawn(move || help(&one, || panic!("in a piece"))).join().unwrap_err();
            assert_eq!(thrown.downcast_ref::<&str>(), Some(&"in a piece"));
            thread::spawn(move || help(&other, || {})).join().unwrap();
        }
    });
}

/// Grows a tree of forks whose leaves may panic. Returns how many leaves there are.
fn grow(pool: &Pool, depth: u64, seed: u64, drops: &Count) -> u64 {
    let _token = drops.on_drop();
    let mut random = Random::new(seed);
    if depth == 0 {
        assert!(random.below(4000) != 0, "leaf");
        return 1;
    }
    let (left, right) = (random.number(), random.number());
    let less = random.below(2).min(depth - 1);
    let (a, b) = pool.join(|| grow(pool, depth - 1, left, drops), || grow(pool, depth - 1 - less, right, drops));
    a + b
}

/// Conformance 119: panics in either piece, at any depth, with pieces on their way between threads. Nothing is lost,
/// and every join returns.
#[test]
fn panics_in_crooked_trees_leave_nothing_behind() {
    within_limit(|| {
        let (pool, drops) = (pool_of(3), Count::new());
        let made = |seed: u64| {
            let grown = catch_unwind(AssertUnwindSafe(|| grow(&pool, 12, seed, &drops)));
            grown.map_err(|thrown| assert_eq!(thrown.downcast_ref::<&str>(), Some(&"leaf")))
        };
        thread::scope(|scope| {
            for caller in 0..3 {
                let made = &made;
                scope.spawn(move || {
                    let grown: Vec<_> = (0..60).map(|round| made(caller * 1000 + round)).collect();
                    assert!(grown.iter().any(Result::is_ok) && grown.iter().any(Result::is_err));
                });
            }
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.pending(), pool.failed()), (0, 0));
        help(&pool, || {});
    });
}
