//! Thread-locals whose destructors use a pool, on submitting threads and on workers.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, Pool, Shutdown, SubmitError, WaitError, current_job};
use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

type Wish = OnDrop<Box<dyn FnMut()>>;

thread_local! {
    /// Dropped when its thread ends; thread-locals are dropped in the reverse order of their first use.
    static LAST_WISH: RefCell<Option<Wish>> = const { RefCell::new(None) };
}

/// Called when the calling thread's thread-locals are dropped.
fn when_this_thread_ends(wish: impl FnMut() + 'static) {
    LAST_WISH.set(Some(OnDrop(Box::new(wish))));
}

/// Starts threads that submit one job, and another when their thread-locals are dropped.
fn submit_at_the_end(pool: &Pool, wish_first: bool) -> usize {
    let ran = Count::new();
    for _ in 0..200 {
        let (pool, job) = (pool.clone(), ran.job());
        let submitter = thread::spawn(move || {
            let wish = {
                let (pool, job) = (pool.clone(), job.clone());
                move || {
                    pool.spawn(job.clone()).unwrap();
                    pool.spawn_first(job.clone()).unwrap();
                    pool.spawn_batch([job.clone(), job.clone()]).unwrap();
                }
            };
            if wish_first {
                when_this_thread_ends(wish);
                pool.spawn(job).unwrap();
            } else {
                pool.spawn(job).unwrap();
                when_this_thread_ends(wish);
            }
        });
        submitter.join().unwrap();
    }
    pool.wait_idle(LIMIT).unwrap();
    ran.get()
}

/// Reliability, "thread-locals with destructors": this one is dropped while the thread still has its lane.
#[test]
fn a_thread_local_registered_after_the_pools_submits() {
    within_limit(|| assert_eq!(submit_at_the_end(&pool_of(2), false), 1000));
}

/// Reliability, "thread-locals with destructors": this one is dropped after the thread has given up its lane.
#[test]
fn a_thread_local_registered_before_the_pools_submits() {
    within_limit(|| assert_eq!(submit_at_the_end(&pool_of(2), true), 1000));
}

/// Reliability, "thread-locals with destructors": it submits to a pool that its thread has never used.
#[test]
fn a_thread_local_makes_the_first_submit_of_its_thread() {
    within_limit(|| {
        let (pool, ran) = (pool_of(2), Count::new());
        for _ in 0..200 {
            let (pool, job) = (pool.clone(), ran.job());
            let wish = move || assert!(pool.spawn(job.clone()).is_ok());
            thread::spawn(move || when_this_thread_ends(wish)).join().unwrap();
        }
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 200);
    });
}

/// Conformance 57, 62: when a worker's thread-locals are dropped, its pool has ended.
#[test]
fn a_workers_thread_local_is_dropped_before_the_shutdown_returns_and_is_no_job() {
    within_limit(|| {
        for _ in 0..200 {
            let pool = pool_of(2);
            let (tell, told) = mpsc::channel();
            let job = move || {
                let (pool, tell) = (Pool::current().expect("this is a job"), tell);
                when_this_thread_ends(move || {
                    let refused = matches!(pool.spawn(|| ()), Err(SubmitError::Shutdown));
                    tell.send((refused, current_job(), Pool::current().is_some())).unwrap();
                });
            };
            pool.spawn(job).unwrap();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!(told.try_recv(), Ok((true, None, false)));
        }
    });
}

/// Conformance 64: a worker's thread-local waits for the worker's own pool.
#[test]
fn a_workers_thread_local_that_shuts_its_pool_down_does_not_hang() {
    within_limit(|| {
        for _ in 0..20 {
            let (pool, ended) = (pool_of(2), Count::new());
            let count = ended.clone();
            let job = move || {
                let (pool, count) = (Pool::current().expect("this is a job"), count);
                when_this_thread_ends(move || {
                    let _ = pool.shutdown(Shutdown::Drain, Deadline::NEVER);
                    let _ = pool.wait_idle(Deadline::NEVER);
                    count.add();
                });
            };
            pool.spawn(job).unwrap();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            eventually("the thread-local is dropped", || ended.get() == 1);
        }
    });
}

/// Conformance 66: a worker's thread-local has the last handle that keeps the pool open.
#[test]
fn a_workers_thread_local_that_drops_the_last_handle_lets_the_pool_end() {
    within_limit(|| {
        for _ in 0..20 {
            let (pool, gate, ended) = (pool_of(1), Gate::new(), Count::new());
            let (mut handle, door, count) = (Some(pool.clone()), gate.door(), ended.clone());
            let job = move || {
                when_this_thread_ends(move || {
                    drop(handle.take());
                    count.add();
                });
                door.pass();
            };
            pool.spawn(job).unwrap();
            gate.wait_started(1);
            pool.shutdown(Shutdown::Drain, Deadline::NOW).unwrap_err();
            drop(pool);
            gate.open();
            eventually("the worker has ended", || ended.get() == 1);
        }
    });
}

/// Conformance 57, 63: several threads shut a pool down. Each returns when the workers have ended, thread-locals
/// included.
#[test]
fn no_shutdown_returns_before_the_last_thread_local_is_dropped() {
    within_limit(|| {
        for _ in 0..100 {
            let (pool, gate) = (pool_of(1), Gate::new());
            let (door, dropped) = (gate.door(), Count::new());
            let count = dropped.clone();
            let job = move || {
                when_this_thread_ends(move || {
                    door.pass();
                    count.add();
                });
            };
            pool.spawn(job).unwrap();
            let shut_down = || {
                let (pool, dropped) = (pool.clone(), dropped.clone());
                thread::spawn(move || {
                    pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
                    dropped.get()
                })
            };
            let first = shut_down();
            gate.wait_started(1);
            let second = shut_down();
            assert_eq!(pool.shutdown(Shutdown::Drain, Deadline::NOW), Err(WaitError::TimedOut));
            gate.open();
            assert_eq!([first, second].map(|thread| thread.join().unwrap()), [1, 1]);
        }
    });
}

/// Conformance 57, 107: the same for workers that were replaced before the shutdown.
#[test]
fn a_shutdown_waits_for_the_thread_locals_of_workers_that_were_replaced() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).jobs_per_worker(1).build().unwrap();
        let gate = Gate::new();
        let (door, dropped) = (gate.door(), Count::new());
        let count = dropped.clone();
        pool.spawn(move || {
            when_this_thread_ends(move || {
                door.pass();
                count.add();
            });
        })
        .unwrap();
        gate.wait_started(1);
        pool.run(|| ()).unwrap();
        pool.shutdown(Shutdown::Drain, Deadline::NOW).unwrap_err();
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert_eq!(dropped.get(), 1);
    });
}
