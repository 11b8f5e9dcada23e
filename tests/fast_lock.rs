//! Two owners at once, waiters that are not woken, values that are lost.

mod common;

use common::{Count, Gate, Random, eventually, within_limit};
use fastthreadpool::{Deadline, FastLock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// Conformance 93.
#[test]
fn a_lock_shows_whether_it_is_held() {
    let lock = FastLock::new(1);
    assert!(!lock.is_locked());
    let guard = lock.lock();
    assert!(lock.is_locked());
    assert!(lock.try_lock().is_none(), "it is not recursive");
    assert!(lock.lock_until(Deadline::NOW).is_none());
    let began = Instant::now();
    assert!(lock.lock_until(Duration::from_millis(5)).is_none());
    assert!(began.elapsed() >= Duration::from_millis(5), "too early");
    drop(guard);
    assert!(!lock.is_locked());
    assert!(lock.lock_until(Duration::MAX).is_some());
    assert!(lock.lock_until(Deadline::NOW).is_some());
}

/// Conformance 92.
#[test]
fn a_guard_lets_go_when_it_is_dropped_in_a_panic() {
    let lock = FastLock::new(vec![1]);
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        lock.lock().push(2);
        let _guard = lock.lock();
        panic!("while it has the lock");
    }));
    assert!(unwound.is_err() && !lock.is_locked());
    assert_eq!(*lock.lock(), [1, 2]);
}

/// The value in a lock is dropped once, or returned.
#[test]
fn the_value_comes_out_whole() {
    let drops = Count::new();
    drop(FastLock::new(drops.on_drop()));
    assert_eq!(drops.get(), 1);
    let mut lock = FastLock::from(drops.on_drop());
    let _: &mut _ = lock.get_mut();
    let value = lock.into_inner();
    assert_eq!(drops.get(), 1);
    drop(value);
    assert_eq!(drops.get(), 2);

    let lock: Box<FastLock<[u8]>> = Box::new(FastLock::new([1, 2, 3]));
    lock.lock()[0] = 7;
    assert_eq!(format!("{lock:?}"), "FastLock { value: [7, 2, 3] }");
    let guard = lock.lock();
    assert_eq!(format!("{lock:?} {guard:?}"), "FastLock { value: <locked> } [7, 2, 3]");
    assert_eq!(format!("{}", FastLock::<String>::default().lock()), "");
}

/// Critical sections of every length, waits with and without a deadline: never two owners, and no update is lost.
/// `FTPOOL_SOAK_JOBS` for more operations.
#[test]
fn one_thread_at_a_time_is_inside() {
    soak(|operations| {
        for threads in [2, 3, 8] {
            let (lock, inside, expected) = (FastLock::new(0_u64), AtomicBool::new(false), AtomicU64::new(0));
            thread::scope(|scope| {
                for seed in 0..threads {
                    let (lock, inside, expected) = (&lock, &inside, &expected);
                    scope.spawn(move || {
                        let mut random = Random::new(seed);
                        for _ in 0..operations / threads / 3 {
                            let guard = match random.below(8) {
                                0 => lock.try_lock(),
                                1 => lock.lock_until(Duration::from_micros(random.below(200))),
                                _ => Some(lock.lock()),
                            };
                            let Some(mut value) = guard else { continue };
                            assert!(!inside.swap(true, SeqCst), "two are inside");
                            *value += 1;
                            match random.below(20_000) {
                                0 => thread::sleep(Duration::from_micros(1500)),
                                1..200 => thread::yield_now(),
                                _ => {}
                            }
                            inside.store(false, SeqCst);
                            drop(value);
                            expected.fetch_add(1, SeqCst);
                        }
                    });
                }
            });
            assert_eq!(lock.into_inner(), expected.into_inner());
        }
    });
}

/// A waiter gets the lock although its holder acquires it again at once, endlessly.
#[test]
fn no_waiter_starves() {
    within_limit(|| {
        let (lock, stop) = (Arc::new(FastLock::new(())), Arc::new(AtomicBool::new(false)));
        let greedy = {
            let (lock, stop) = (Arc::clone(&lock), Arc::clone(&stop));
            thread::spawn(move || {
                while !stop.load(SeqCst) {
                    let _guard = lock.lock();
                    let began = Instant::now();
                    while began.elapsed() < Duration::from_micros(200) {}
                }
            })
        };
        eventually("it has the lock", || lock.is_locked());
        (0..50).for_each(|_| drop(lock.lock()));
        stop.store(true, SeqCst);
        greedy.join().unwrap();
    });
}

/// Waiters that time out while the lock is handed to them take it or pass it on.
#[test]
fn a_waiter_that_gives_up_leaves_no_lock_behind() {
    within_limit(|| {
        let (lock, stop) = (FastLock::new(0_u64), AtomicBool::new(false));
        let got = AtomicU64::new(0);
        thread::scope(|scope| {
            for seed in 0..4 {
                let (lock, stop, got) = (&lock, &stop, &got);
                scope.spawn(move || {
                    let mut random = Random::new(seed);
                    while !stop.load(SeqCst) {
                        if let Some(mut value) = lock.lock_until(Duration::from_micros(800 + random.below(600))) {
                            *value += 1;
                            got.fetch_add(1, SeqCst);
                            let began = Instant::now();
                            while began.elapsed() < Duration::from_micros(300) {}
                        }
                    }
                });
            }
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(300) {
                drop(lock.lock());
            }
            stop.store(true, SeqCst);
        });
        assert_eq!(lock.into_inner(), got.into_inner());
    });
}

/// A lock in static memory, without run-time initialisation.
#[test]
fn a_static_lock_needs_no_start() {
    static LOCK: FastLock<Vec<usize>> = FastLock::new(Vec::new());
    within_limit(|| {
        let gate = Gate::new();
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let door = gate.door();
                thread::spawn(move || {
                    door.pass();
                    LOCK.lock().push(n);
                })
            })
            .collect();
        gate.open();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        LOCK.lock().sort_unstable();
        assert_eq!(*LOCK.lock(), [0, 1, 2, 3]);
    });
}

/// Runs a test's body for some operations; with `FTPOOL_SOAK_JOBS` for so many, and for as long as it takes.
fn soak(body: impl FnOnce(u64) + Send + 'static) {
    match std::env::var("FTPOOL_SOAK_JOBS").ok().and_then(|jobs| jobs.parse().ok()) {
        Some(operations) => body(operations),
        None => within_limit(|| body(60_000)),
    }
}
