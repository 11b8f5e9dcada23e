//! Forks whose pieces are lost, run twice, or outlive what they borrow.

mod common;

use common::{Count, Gate, LIMIT, Random, pool_of, within_limit};
use fastthreadpool::{JobError, Pool, Shutdown, WaitError, current_job, fail};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

fn fib(pool: &Pool, n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = pool.join(|| fib(pool, n - 1), || fib(pool, n - 2));
    a + b
}

/// Performance P5, conformance 119: from outside and in jobs, on pools of every size.
#[test]
fn trees_of_forks_come_to_their_sum() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            for n in [0, 1, 2, 10, 24] {
                let expected = [0, 1, 1, 55, 46_368][[0, 1, 2, 10, 24].iter().position(|&m| m == n).unwrap()];
                assert_eq!(fib(&pool, n), expected);
                let inner = pool.clone();
                assert_eq!(pool.submit(move || fib(&inner, n)).unwrap().join().unwrap(), expected);
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((pool.pending(), pool.failed()), (0, 0));
            assert!(pool.alive() <= workers as usize);
        }
    });
}

/// Conformance 86: two pieces that wait for each other need two threads.
#[test]
fn both_pieces_run_at_once() {
    within_limit(|| {
        let pool = pool_of(1);
        let (to_a, from_b) = mpsc::channel();
        let (to_b, from_a) = mpsc::channel();
        let threads = pool.join(
            move || {
                to_b.send(()).unwrap();
                from_b.recv_timeout(LIMIT).unwrap();
                thread::current().id()
            },
            move || {
                to_a.send(()).unwrap();
                from_a.recv_timeout(LIMIT).unwrap();
                thread::current().id()
            },
        );
        assert_eq!(threads.0, thread::current().id());
        assert_ne!(threads.0, threads.1);
    });
}

/// Many callers at once, each with slow pieces.
#[test]
fn several_threads_fork_in_one_pool() {
    within_limit(|| {
        let pool = pool_of(3);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..22 {
                        let single = pool_of(1);
                        assert_eq!(fib(&pool, n), fib(&single, n));
                    }
                });
            }
        });
    });
}

/// A panic in either piece resumes after both have ended, and every value is dropped once.
#[test]
fn a_panic_comes_out_when_both_have_ended() {
    within_limit(|| {
        let pool = pool_of(2);
        for round in 0..300 {
            let (values, code, gate) = (Count::new(), Count::new(), Gate::new());
            let (in_a, in_b) = (code.on_drop(), code.on_drop());
            let (a, b) = (gate.door(), gate.door());
            if round % 2 == 0 {
                gate.open();
            }
            let fork = || {
                pool.join(
                    || {
                        let _in_a = in_a;
                        gate.open();
                        assert!(round % 3 != 0, "a");
                        a.pass();
                        values.on_drop()
                    },
                    || {
                        let _in_b = in_b;
                        b.pass();
                        assert!(round % 3 != 1, "b");
                        values.on_drop()
                    },
                )
            };
            let thrown = catch_unwind(AssertUnwindSafe(fork)).err();
            let text = thrown.as_ref().and_then(|thrown| thrown.downcast_ref::<&str>().copied());
            assert_eq!(text, [Some("a"), Some("b"), None][round % 3]);
            assert_eq!(code.get(), 2, "the code of both is gone");
            assert!(values.get() <= 2 && (round % 3 != 2 || values.get() == 2), "{}", values.get());
        }
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.pending(), 0);
    });
}

/// A job that panics below many forks leaves the worker as it was.
#[test]
fn a_panic_deep_in_a_tree_unwinds_all_of_it() {
    fn grow(pool: &Pool, depth: u32, drops: &Count) -> u32 {
        let token = drops.on_drop();
        if depth == 0 {
            panic!("leaf");
        }
        let (a, b) = pool.join(|| grow(pool, depth - 1, drops), || 1);
        drop(token);
        a + b
    }
    within_limit(|| {
        let (pool, drops) = (pool_of(2), Count::new());
        for depth in [1, 10, 100, 1000] {
            let before = drops.get();
            let (inner, counted) = (pool.clone(), drops.clone());
            let job = pool.submit(move || grow(&inner, depth, &counted)).unwrap();
            assert!(matches!(job.join(), Err(JobError::Panicked(_))));
            assert_eq!(drops.get() - before, depth as usize + 1);
            assert_eq!(fib(&pool, 15), 610);
        }
    });
}

/// Recursion deeper than the queue of offered pieces.
#[test]
fn a_chain_of_forks_is_as_deep_as_the_stack() {
    fn chain(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 { 0 } else { pool.join(|| chain(pool, depth - 1), || 1).0 + 1 }
    }
    within_limit(|| {
        let pool = pool_of(2);
        for depth in [127, 128, 129, 2000] {
            assert_eq!(chain(&pool, depth), depth);
        }
    });
}

/// Conformance 119: 100 000 frames on one stack, whichever of the two goes on.
#[test]
fn a_long_chain_of_forks_needs_nothing_but_stack() {
    // ThreadSanitizer supports only 2¹⁶ frames.
    const DEPTH: u32 = if cfg!(ftpool_tsan) { 1_000 } else { 100_000 };
    fn first(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 { 0 } else { pool.join(|| first(pool, depth - 1), || 1).0 + 1 }
    }
    fn second(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 { 0 } else { pool.join(|| 1, || second(pool, depth - 1)).1 + 1 }
    }
    within_limit(|| {
        let pool = Pool::builder().workers(2).stack_size(1 << 30).build().unwrap();
        let outside = pool.clone();
        let both = move || (first(&outside, DEPTH), second(&outside, DEPTH));
        let inside = both.clone();
        let thread = thread::Builder::new().stack_size(1 << 30).spawn(both).unwrap();
        assert_eq!(pool.submit(inside).unwrap().join().unwrap(), (DEPTH, DEPTH));
        assert_eq!(thread.join().unwrap(), (DEPTH, DEPTH));
    });
}

/// Forks in one pool whose pieces fork in the other one.
fn alternate(pools: [&Pool; 2], n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let [here, there] = pools;
    let (a, b) = here.join(|| alternate([there, here], n - 1), || alternate([there, here], n - 2));
    a + b
}

/// Conformance 119: from a foreign pool's worker, and pools in turn.
#[test]
fn pools_fork_inside_one_another() {
    within_limit(|| {
        for (one, other) in [(1, 1), (1, 2), (2, 2)] {
            let (one, other) = (pool_of(one), pool_of(other));
            assert_eq!(alternate([&one, &other], 20), 6765);
            let (mine, foreign) = (one.clone(), other.clone());
            let job = one.submit(move || (fib(&foreign, 22), alternate([&foreign, &mine], 20))).unwrap();
            assert_eq!(job.join().unwrap(), (17711, 6765));
            for pool in [one, other] {
                pool.wait_idle(LIMIT).unwrap();
                assert_eq!(pool.pending(), 0);
            }
        }
    });
}

/// Conformance 62: a fork needs no worker.
#[test]
fn a_pool_that_was_shut_down_still_joins() {
    within_limit(|| {
        let pool = pool_of(2);
        pool.shutdown(Shutdown::Cancel, LIMIT).unwrap();
        assert_eq!((fib(&pool, 15), pool.alive()), (610, 0));
    });
}

/// Conformance 58: cancelling everything that is queued does not cancel a piece of a fork.
#[test]
fn a_shutdown_in_the_middle_loses_no_piece() {
    within_limit(|| {
        let mut random = Random::new(4);
        for _ in 0..50 {
            let pool = pool_of(2);
            let work = {
                let pool = pool.clone();
                thread::spawn(move || fib(&pool, 20))
            };
            (0..random.below(2000)).for_each(|_| std::hint::spin_loop());
            pool.shutdown(Shutdown::Cancel, LIMIT).unwrap();
            assert_eq!(work.join().unwrap(), 6765);
        }
    });
}

/// Conformance 58: a running job that forks finishes, although its pieces are queued when all is cancelled.
#[test]
fn a_job_that_forks_outlives_the_shutdown() {
    within_limit(|| {
        for how in [Shutdown::Cancel, Shutdown::Drain] {
            for _ in 0..30 {
                let pool = pool_of(2);
                let (inner, (sender, begun)) = (pool.clone(), mpsc::channel());
                let job = pool.submit(move || {
                    sender.send(()).unwrap();
                    fib(&inner, 20)
                });
                begun.recv_timeout(LIMIT).unwrap();
                pool.shutdown(how, LIMIT).unwrap();
                assert_eq!(job.unwrap().join().unwrap(), 6765);
            }
        }
    });
}

/// Both pieces have the job's id; `fail` in a piece fails the job.
#[test]
fn a_piece_speaks_for_its_job() {
    within_limit(|| {
        for _ in 0..100 {
            let pool = pool_of(2); // A new one: what was quick the last time may not be offered.
            let inner = pool.clone();
            let job = pool.submit(move || {
                let gate = Gate::new();
                let (a, b) = (gate.door(), gate.door());
                let ids = inner.join(
                    || {
                        gate.wait_started(1);
                        gate.open();
                        a.pass();
                        current_job()
                    },
                    || {
                        b.pass();
                        fail(5, "a piece of it");
                        current_job()
                    },
                );
                assert_eq!(ids, (current_job(), current_job()));
            });
            assert_eq!(job.unwrap().join().unwrap_err().to_string(), "the job failed: a piece of it (code 5)");
        }
    });
}

/// Conformance 119: a piece that waits for its own job.
#[test]
fn a_piece_that_waits_for_its_job_is_refused() {
    within_limit(|| {
        let pool = pool_of(2);
        let (sender, own) = mpsc::channel::<fastthreadpool::JobHandle<()>>();
        let inner = pool.clone();
        let job = pool
            .submit(move || {
                let own = own.recv().unwrap();
                let own = std::sync::Mutex::new(own);
                let wait = || own.lock().unwrap().wait(fastthreadpool::Deadline::NEVER);
                let waits = inner.join(wait, wait);
                assert_eq!(waits, (Err(WaitError::Deadlock), Err(WaitError::Deadlock)));
            })
            .unwrap();
        let (done, ended) = mpsc::channel();
        job.on_done(move |result| done.send(result.is_ok()).unwrap());
        sender.send(job).unwrap();
        assert!(ended.recv_timeout(LIMIT).unwrap());
    });
}

/// The handles of a pool may alternate, however many joins are left until the next check for a free worker.
#[test]
fn joins_by_several_handles_of_a_pool() {
    within_limit(|| {
        let (pool, ran) = (pool_of(1), Count::new());
        let (other, count) = (pool.clone(), ran.each());
        let join_many = || {
            let mut random = Random::new(1);
            for _ in 0..10_000 {
                let handle = if random.below(2) == 0 { &pool } else { &other };
                handle.join(&count, &count);
            }
        };
        pool.join(|| pool.join(|| pool.join(|| pool.join(join_many, &count), &count), &count), &count);
        assert_eq!(ran.get(), 20_004);
    });
}
