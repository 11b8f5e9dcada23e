//! Permits that get lost, are given twice, or wake the wrong number of waiters.

mod common;

use common::{Count, Random, eventually, within_limit};
use fastthreadpool::{AcquireError, Deadline, ReleaseError, Semaphore};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

type Make = fn(u32) -> Semaphore;

const EVERY_KIND: [Make; 2] = [Semaphore::new, Semaphore::fair];

/// Spawns a thread that sends the result of an acquire.
fn waiter(semaphore: &Arc<Semaphore>, permits: u32, ended: &Count) -> thread::JoinHandle<Result<(), AcquireError>> {
    let (semaphore, ended) = (Arc::clone(semaphore), ended.clone());
    thread::spawn(move || {
        let answer = semaphore.acquire_many(permits, Deadline::NEVER);
        ended.add();
        answer
    })
}

/// Conformance 87.
#[test]
fn permits_are_counted() {
    for make in EVERY_KIND {
        let semaphore = make(8);
        for _ in 0..10 {
            assert_eq!(semaphore.value(), 8);
            semaphore.acquire().unwrap();
            assert_eq!(semaphore.value(), 7);
            semaphore.acquire().unwrap();
            assert_eq!(semaphore.value(), 6);
            semaphore.release(1).unwrap();
            assert_eq!(semaphore.value(), 7);
            semaphore.release(1).unwrap();
        }
    }
}

/// Conformance 88, 89.
#[test]
fn an_acquire_fails_only_when_it_may_not_wait_any_longer() {
    for make in EVERY_KIND {
        let semaphore = make(1);
        assert_eq!(semaphore.try_acquire(), Ok(()));
        for _ in 0..3 {
            assert_eq!(semaphore.try_acquire(), Err(AcquireError::TimedOut));
            let began = Instant::now();
            let answer = semaphore.acquire_many(1, Duration::from_millis(5));
            assert_eq!(answer, Err(AcquireError::TimedOut));
            assert!(began.elapsed() >= Duration::from_millis(5), "too early");
            assert_eq!(semaphore.value(), 0);
        }
        semaphore.release(1).unwrap();
        assert_eq!(semaphore.acquire_many(1, Duration::MAX), Ok(()));
        assert_eq!(semaphore.acquire_many(2, Duration::from_nanos(1)), Err(AcquireError::TimedOut));
        assert_eq!(semaphore.acquire_many(0, Deadline::NOW), Ok(()));
        assert_eq!(semaphore.value(), 0);
    }
}

/// Conformance 87: numbers of permits that are too large.
#[test]
fn numbers_at_the_limit() {
    for make in EVERY_KIND {
        let semaphore = make(Semaphore::MAX);
        assert_eq!(semaphore.release(1), Err(ReleaseError));
        assert_eq!(semaphore.release(u32::MAX), Err(ReleaseError));
        assert_eq!(semaphore.release(0), Ok(()));
        assert_eq!(semaphore.acquire_many(Semaphore::MAX + 1, Deadline::NEVER), Err(AcquireError::TooMany));
        assert_eq!(semaphore.acquire_many(u32::MAX, Deadline::NOW), Err(AcquireError::TooMany));
        assert_eq!(semaphore.acquire_many(Semaphore::MAX, Deadline::NOW), Ok(()));
        assert_eq!((semaphore.value(), semaphore.release(Semaphore::MAX)), (0, Ok(())));
        assert_eq!((semaphore.acquire(), semaphore.release(2)), (Ok(()), Err(ReleaseError)));
        assert_eq!((semaphore.release(1), semaphore.value()), (Ok(()), Semaphore::MAX));
        assert!(std::panic::catch_unwind(|| make(Semaphore::MAX + 1)).is_err());
    }
}

/// Concurrent releases add up to the limit, never beyond.
#[test]
fn the_limit_holds_under_racing_releases() {
    let semaphore = Semaphore::new(Semaphore::MAX - 100);
    let accepted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    accepted.fetch_add(semaphore.release(1).is_ok().into(), SeqCst);
                }
            });
        }
    });
    assert_eq!((accepted.into_inner(), semaphore.value()), (100, Semaphore::MAX));
}

/// Conformance 90.
#[test]
fn every_release_wakes_one_waiter() {
    within_limit(|| {
        for make in EVERY_KIND {
            for at_once in [false, true] {
                let (semaphore, ended) = (Arc::new(make(0)), Count::new());
                let waiters: Vec<_> = (0..8).map(|_| waiter(&semaphore, 1, &ended)).collect();
                if at_once {
                    semaphore.release(8).unwrap();
                } else {
                    for woken in 1..=8 {
                        semaphore.release(1).unwrap();
                        eventually("one more waiter has its permit", || ended.get() == woken);
                    }
                }
                waiters.into_iter().for_each(|waiter| assert_eq!(waiter.join().unwrap(), Ok(())));
                assert_eq!(semaphore.value(), 0);
                assert_eq!(semaphore.try_acquire(), Err(AcquireError::TimedOut));
            }
        }
    });
}

/// Conformance 91.
#[test]
fn no_permit_is_lost_or_made_up() {
    within_limit(|| {
        for make in EVERY_KIND {
            for permits in [1, 8] {
                let (semaphore, inside) = (make(permits), AtomicU32::new(0));
                let rounds = 100_000 / if cfg!(debug_assertions) { 10 } else { 1 };
                thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| {
                            for _ in 0..rounds {
                                semaphore.acquire().unwrap();
                                assert!(inside.fetch_add(1, SeqCst) < permits, "more permits than there are");
                                inside.fetch_sub(1, SeqCst);
                                semaphore.release(1).unwrap();
                            }
                        });
                    }
                });
                assert_eq!(semaphore.value(), permits);
            }
        }
    });
}

/// Conformance 92.
#[test]
fn a_guard_gives_its_permits_back() {
    let semaphore = Semaphore::new(4);
    let one = semaphore.permit().unwrap();
    let two = semaphore.permits(2, Deadline::NOW).unwrap();
    assert_eq!(semaphore.value(), 1);
    assert_eq!(semaphore.permits(2, Deadline::NOW).unwrap_err(), AcquireError::TimedOut);
    drop(two);
    assert_eq!(semaphore.value(), 3);
    one.forget();
    assert_eq!(semaphore.value(), 3);
    let unwound = std::panic::catch_unwind(|| {
        let _permit = semaphore.permit();
        panic!("while it has a permit");
    });
    assert!(unwound.is_err());
    assert_eq!(semaphore.value(), 3);
}

/// Conformance 92: all or nothing, and waiters for fewer permits do not overtake.
#[test]
fn many_permits_are_given_at_once() {
    within_limit(|| {
        for make in EVERY_KIND {
            let (semaphore, ended) = (Arc::new(make(0)), Count::new());
            let three = waiter(&semaphore, 3, &ended);
            // A waiter for several is first: when a permit is available and cannot be acquired, it is queued.
            semaphore.release(2).unwrap();
            eventually("it waits in line", || semaphore.try_acquire().map(|()| semaphore.release(1)).is_err());
            assert_eq!((ended.get(), semaphore.value()), (0, 2));
            semaphore.release(2).unwrap();
            assert_eq!(three.join().unwrap(), Ok(()));
            assert_eq!(semaphore.value(), 1);
            assert_eq!(semaphore.try_acquire(), Ok(()));
        }
    });
}

/// When a waiter for many permits times out, those behind it get the few that are available.
#[test]
fn a_waiter_that_gives_up_holds_nobody_up() {
    within_limit(|| {
        for make in EVERY_KIND {
            let (semaphore, ended) = (Arc::new(make(1)), Count::new());
            let first = {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || semaphore.acquire_many(2, Duration::from_millis(100)))
            };
            let waits = || semaphore.try_acquire().map(|()| semaphore.release(1)).is_err();
            eventually("it waits in line, or has given up already", || waits() || first.is_finished());
            let second = waiter(&semaphore, 1, &ended);
            assert_eq!(first.join().unwrap(), Err(AcquireError::TimedOut));
            assert_eq!(second.join().unwrap(), Ok(()));
            assert_eq!(semaphore.value(), 0);
        }
    });
}

/// A fair semaphore grants permits in the order of the requests.
#[test]
#[cfg(target_os = "linux")]
fn nobody_overtakes_in_a_fair_semaphore() {
    use common::linux::{status, this_thread};
    within_limit(|| {
        let (semaphore, order) = (Arc::new(Semaphore::fair(0)), Arc::new(std::sync::Mutex::new(Vec::new())));
        let (sender, receiver) = std::sync::mpsc::channel();
        let threads: Vec<_> = (0..6)
            .map(|number| {
                let (semaphore, order, sender) = (Arc::clone(&semaphore), Arc::clone(&order), sender.clone());
                let thread = thread::spawn(move || {
                    sender.send(this_thread()).unwrap();
                    semaphore.acquire().unwrap();
                    common::lock(&order).push(number);
                    semaphore.release(1).unwrap();
                });
                let task = receiver.recv().unwrap();
                eventually("it sleeps in line", || status(&task, "State").starts_with('S'));
                thread
            })
            .collect();
        semaphore.release(1).unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*common::lock(&order), [0, 1, 2, 3, 4, 5]);
    });
}

/// Closing wakes all waiters, and no permit is lost.
#[test]
fn a_closed_semaphore_lets_nobody_wait() {
    within_limit(|| {
        for make in EVERY_KIND {
            let (semaphore, ended) = (Arc::new(make(1)), Count::new());
            let many: Vec<_> = (2..4).map(|permits| waiter(&semaphore, permits, &ended)).collect();
            eventually("one waits in line", || semaphore.try_acquire().map(|()| semaphore.release(1)).is_err());
            let one: Vec<_> = (0..3).map(|_| waiter(&semaphore, 1, &ended)).collect();
            semaphore.close();
            for waiter in many.into_iter().chain(one) {
                assert_eq!(waiter.join().unwrap(), Err(AcquireError::Closed));
            }
            assert!(semaphore.is_closed());
            assert_eq!(semaphore.try_acquire(), Err(AcquireError::Closed));
            assert_eq!(semaphore.acquire_many(0, Duration::MAX), Err(AcquireError::Closed));
            semaphore.release(2).unwrap();
            assert_eq!((semaphore.acquire(), semaphore.value()), (Err(AcquireError::Closed), 3));
        }
    });
}

/// Random producers and consumers, with timeouts: permits acquired and left add up to those released.
/// `FTPOOL_SOAK_JOBS` for more operations.
#[test]
fn permits_are_conserved() {
    soak(|operations| {
        for (kind, make) in EVERY_KIND.into_iter().enumerate() {
            let (semaphore, stop) = (make(5), AtomicBool::new(false));
            let (given, taken) = (AtomicUsize::new(5), AtomicUsize::new(0));
            thread::scope(|scope| {
                let consume = |seed: u64| {
                    let mut random = Random::new(seed);
                    while !stop.load(SeqCst) {
                        let permits = if random.below(4) == 0 { random.below(4) as u32 } else { 1 };
                        let deadline = match random.below(3) {
                            0 => Deadline::NOW,
                            _ => Deadline::after(Duration::from_micros(random.below(300))),
                        };
                        if semaphore.acquire_many(permits, deadline).is_ok() {
                            taken.fetch_add(permits as usize, SeqCst);
                        }
                    }
                };
                let produce = |seed: u64| {
                    let mut random = Random::new(seed);
                    for _ in 0..operations / 3 {
                        let permits = random.below(3);
                        semaphore.release(permits as u32).unwrap();
                        given.fetch_add(permits as usize, SeqCst);
                        if random.below(64) == 0 {
                            thread::yield_now();
                        }
                    }
                };
                (0..3).for_each(|seed| drop(scope.spawn(move || consume(seed))));
                let producers: Vec<_> = (10..13).map(|seed| scope.spawn(move || produce(seed))).collect();
                producers.into_iter().for_each(|producer| producer.join().unwrap());
                stop.store(true, SeqCst);
            });
            let left = semaphore.value() as usize;
            assert_eq!(given.into_inner(), taken.into_inner() + left, "kind {kind}");
            semaphore.acquire_many(left as u32, Deadline::NOW).expect("what is left can be had");
        }
    });
}

/// Runs a test's body for some operations; with `FTPOOL_SOAK_JOBS` for so many, and for as long as it takes.
fn soak(body: impl FnOnce(u64) + Send + 'static) {
    match std::env::var("FTPOOL_SOAK_JOBS").ok().and_then(|jobs| jobs.parse().ok()) {
        Some(operations) => body(operations),
        None => within_limit(|| body(60_000)),
    }
}
