//! Loops that lose items, run them twice, or do not stop.

mod common;

use common::{Count, Gate, LIMIT, eventually, pool_of, within_limit};
use fastthreadpool::{JobError, Pool, Shutdown, current_job, fail, worker_index};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

/// Takes some time, so that sharing the loop pays.
fn work() {
    let began = Instant::now();
    while began.elapsed() < Duration::from_micros(3) {}
}

/// Conformance 80, 86: every item once, whatever the length and the grain.
#[test]
fn every_item_is_run_once() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            for length in [0, 1, 2, 3, 63, 64, 65, 1000, 5000] {
                for grain in [0, 1, 7, 64, 10_000] {
                    let runs: Vec<_> = (0..length).map(|_| AtomicU32::new(0)).collect();
                    let body = |chunk: std::ops::Range<usize>| {
                        assert!(!chunk.is_empty() && (grain == 0 || chunk.len() <= grain));
                        for i in chunk {
                            runs[i - 10].fetch_add(1, SeqCst);
                            if length < 2000 {
                                work();
                            }
                        }
                    };
                    assert!(pool.for_chunks(10..10 + length, grain, body));
                    assert!(runs.iter().all(|runs| runs.load(SeqCst) == 1), "{length} items by {grain}");
                }
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((pool.pending(), pool.failed()), (0, 0));
        }
    });
}

/// Conformance 80: empty loops need no worker.
#[test]
fn an_empty_loop_starts_no_thread() {
    let pool = pool_of(2);
    assert!(pool.for_range(5..5, |_| unreachable!("there is no item")));
    assert!(pool.map_slice(&[0; 0], |n| *n).is_empty());
    assert_eq!(pool.reduce(0..0, 7, |i| i, |a, b| a + b), 7);
    let quick = AtomicUsize::new(0);
    pool.for_range(0..1000, |_| {
        quick.fetch_add(1, SeqCst);
    });
    assert_eq!(quick.into_inner(), 1000);
}

/// Conformance 86: two items that wait for each other.
#[test]
fn two_items_run_at_the_same_time() {
    within_limit(|| {
        let (pool, gate) = (pool_of(4), Gate::new());
        let door = gate.door();
        pool.for_range(0..2, |_| {
            if gate.started() == 1 {
                gate.open();
            }
            door.pass();
        });
    });
}

/// Conformance 86: although two items were quick together, they may need two threads.
#[test]
fn two_items_meet_again_and_again() {
    within_limit(|| {
        let (pool, barrier) = (pool_of(2), Barrier::new(2));
        for _ in 0..1000 {
            assert!(pool.for_range(0..2, |_| {
                barrier.wait();
            }));
        }
    });
}

/// Conformance 8: the caller takes part, in addition to the workers.
#[test]
fn no_more_threads_take_part_than_there_are_workers_and_the_caller() {
    within_limit(|| {
        let pool = pool_of(2);
        let threads = Mutex::new(Vec::new());
        pool.for_range(0..2000, |_| {
            work();
            let index = worker_index();
            let mut threads = threads.lock().unwrap();
            if !threads.contains(&index) {
                threads.push(index);
            }
        });
        assert!(threads.lock().unwrap().contains(&None));
        assert!(pool.alive() <= 2 && threads.into_inner().unwrap().len() <= 3);
    });
}

/// Conformance 80, 85: values come in the order of their items.
#[test]
fn values_come_in_order() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            for length in [1, 10, 500, 3000] {
                let numbers: Vec<usize> = (0..length).collect();
                let slow = |n: &usize| {
                    work();
                    n.to_string()
                };
                assert_eq!(pool.map_slice(&numbers, slow), numbers.iter().map(usize::to_string).collect::<Vec<_>>());
                let text = pool.reduce(0..length, String::from("-"), |i| slow(&i), |a, b| a + &b);
                assert_eq!(text, format!("-{}", (0..length).map(|i| i.to_string()).collect::<String>()));
            }
            let mut numbers: Vec<usize> = (0..3000).collect();
            pool.for_each_mut(&mut numbers, |n| {
                work();
                *n *= 2;
            });
            assert!(numbers.iter().enumerate().all(|(i, &n)| n == 2 * i));
            let sum = AtomicUsize::new(0);
            pool.for_each(&numbers, |&n| {
                sum.fetch_add(n, SeqCst);
            });
            assert_eq!(sum.into_inner(), 3000 * 2999);
        }
    });
}

/// Conformance 83: a panic resumes once, after all participants have stopped; values made until then are dropped.
#[test]
fn a_panic_stops_the_loop_and_comes_out() {
    within_limit(|| {
        let pool = pool_of(3);
        for at in [0, 1, 50, 1999] {
            let (made, running) = (Count::new(), AtomicUsize::new(0));
            let numbers: Vec<usize> = (0..2000).collect();
            let map = || {
                pool.map_slice(&numbers, |&n| {
                    running.fetch_add(1, SeqCst);
                    work();
                    running.fetch_sub(1, SeqCst);
                    assert!(n != at, "no {n}");
                    (made.on_drop(), n)
                })
            };
            let thrown = catch_unwind(AssertUnwindSafe(map)).expect_err("the panic comes out");
            assert_eq!(*thrown.downcast::<String>().unwrap(), format!("no {at}"));
            assert_eq!(running.load(SeqCst), 0, "nobody is in the body any more");
            assert!(made.get() < 2000);
        }
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.pending(), pool.failed()), (0, 0));
    });
}

/// A payload may panic when it is dropped.
struct Harmful(Count);

impl Drop for Harmful {
    fn drop(&mut self) {
        self.0.add();
        assert!(std::thread::panicking(), "on purpose");
    }
}

/// Conformance 83: the first panic resumes, however the other items end.
#[test]
fn a_later_panic_does_not_take_the_place_of_the_first() {
    within_limit(|| {
        let (pool, both, over, dropped) = (pool_of(1), Gate::new(), Gate::new(), Count::new());
        let door = both.door();
        let body = |_| {
            if worker_index().is_some() {
                door.pass();
                // Its worker runs this job when it has left the loop.
                pool.spawn(over.job()).unwrap();
                panic!("the first");
            }
            both.open();
            over.wait_started(1);
            over.open();
            panic_any(Harmful(dropped.clone()));
        };
        let thrown = catch_unwind(AssertUnwindSafe(|| pool.for_range(0..2, body))).expect_err("a panic comes out");
        assert_eq!((thrown.downcast_ref(), dropped.get()), (Some(&"the first"), 1));
    });
}

/// Conformance 83: values of a map that panics are dropped, on whichever thread they were made; zero-sized ones, too.
#[test]
fn a_map_that_panics_drops_its_values() {
    within_limit(|| {
        let pool = pool_of(3);
        for at in [None, Some(0), Some(1), Some(9), Some(70), Some(1999)] {
            let (made, dropped) = (AtomicUsize::new(0), Count::new());
            let map = || {
                pool.map_slice(&(0..2000).collect::<Vec<usize>>(), |&n| {
                    work();
                    assert!(at != Some(n));
                    made.fetch_add(1, SeqCst);
                    dropped.on_drop()
                })
            };
            match catch_unwind(AssertUnwindSafe(map)) {
                Ok(values) => assert!(at.is_none() && values.len() == 2000 && dropped.get() == 0),
                Err(_) => assert!(at.is_some()),
            }
            assert_eq!(dropped.get(), made.into_inner());
        }
        assert_eq!(pool.map_slice(&[0; 5000], |_| work()), [(); 5000]);
    });
}

/// Conformance 84: a failure stops the loop after the current items, and is the loop's and not the job's.
#[test]
fn a_failure_stops_the_loop() {
    within_limit(|| {
        let pool = pool_of(2);
        for at in [0, 1, 100, 4999] {
            let loop_with_failure = move |pool: &Pool| {
                let runs = Count::new();
                let ended = pool.for_range(0..5000, |i| {
                    work();
                    runs.add();
                    if i == at {
                        assert!(fail(1, "enough"));
                    }
                });
                assert!(!ended);
                assert!(at == 4999 || runs.get() < 5000, "{} items", runs.get());
            };
            loop_with_failure(&pool);
            let inner = pool.clone();
            pool.submit(move || loop_with_failure(&inner)).unwrap().join().unwrap();
        }
        assert!(!fail(1, "nobody listens"));
    });
}

/// `fail` in a loop that does not stop fails the job, on whichever thread it is called.
#[test]
fn a_failure_in_a_map_is_the_jobs() {
    within_limit(|| {
        let pool = pool_of(2);
        for at in [0, 1000, 1999] {
            let inner = pool.clone();
            let job = pool.submit(move || {
                let ids = inner.map_slice(&(0..2000).collect::<Vec<usize>>(), |&n| {
                    work();
                    if n == at {
                        fail(2, "in a map");
                    }
                    current_job()
                });
                assert!(ids.iter().all(|id| *id == current_job()));
                ids.len()
            });
            assert!(matches!(job.unwrap().join(), Err(JobError::Failed(_))));
        }
    });
}

/// Conformance 84: `fail` in what an item waits for stops the loop, on whichever thread it is called.
#[test]
fn a_failure_in_a_part_of_an_item_is_the_loops() {
    within_limit(|| {
        let numbers: Vec<usize> = (0..2000).collect();
        let loops = move |pool: &Pool| {
            let joined = pool.for_range(0..1, |_| {
                let begun = AtomicBool::new(false);
                let fails = || {
                    begun.store(true, SeqCst);
                    assert!(fail(1, "in a fork"));
                };
                pool.join(|| eventually("another thread has begun it", || begun.load(SeqCst)), fails);
            });
            let scoped = pool.for_range(0..1, |_| pool.scope(|scope| scope.spawn(|| assert!(fail(1, "in a scope")))));
            let in_a_map = |at| {
                let part = |&n: &usize| {
                    work();
                    assert!(n != at || fail(1, "in a map"));
                };
                pool.for_range(0..1, |_| _ = pool.map_slice(&numbers, part))
            };
            assert_eq!((joined, scoped, [0, 1000, 1999].map(in_a_map)), (false, false, [false; 3]));
        };
        loops(&pool_of(2));
        let pool = pool_of(2); // A new one: a fork that was quick the last time may not be offered.
        let inner = pool.clone();
        pool.submit(move || loops(&inner)).unwrap().join().expect("the failures are the loops'");
    });
}

/// Conformance 119: loops in loops in jobs, on every size.
#[test]
fn loops_nest() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            let inner = pool.clone();
            let nested = move || {
                let sum = AtomicUsize::new(0);
                inner.for_range(0..50, |_| {
                    inner.for_range(0..100, |_| {
                        work();
                        sum.fetch_add(inner.reduce(0..10, 0, |i| i, |a, b| a + b), SeqCst);
                    });
                });
                sum.into_inner()
            };
            assert_eq!(nested(), 50 * 100 * 45);
            assert_eq!(pool.submit(nested).unwrap().join().unwrap(), 50 * 100 * 45);
        }
    });
}

/// Conformance 58, 62: a shutdown does not interrupt a loop.
#[test]
fn a_loop_survives_its_pool() {
    within_limit(|| {
        for _ in 0..20 {
            let pool = pool_of(2);
            let runs = Count::new();
            let stopper = {
                let pool = pool.clone();
                std::thread::spawn(move || pool.shutdown(Shutdown::Cancel, LIMIT).unwrap())
            };
            assert!(pool.for_range(0..500, |_| {
                work();
                runs.add();
            }));
            stopper.join().unwrap();
            assert_eq!(runs.get(), 500);
        }
    });
}

/// Conformance 86, as an event: of few items, each of which may be long, one waits until all others have run. (Of many,
/// the first are tried alone, and quick ones stay with the caller: they are over before or after the long one.)
#[test]
fn a_long_item_holds_no_other_up() {
    within_limit(|| {
        for (slow, grain) in [(0, 1), (1, 1), (30, 1), (62, 1), (0, 0), (30, 0), (62, 0)] {
            let (pool, gate, others) = (pool_of(2), Gate::new(), Count::new());
            let door = gate.door();
            let item = |n: usize| {
                if n == slow {
                    door.pass();
                } else if others.add() == 61 {
                    gate.open();
                }
            };
            assert!(pool.for_chunks(0..63, grain, |chunk| chunk.for_each(item)));
        }
    });
}
