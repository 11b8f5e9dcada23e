//! Semaphores, locks, events and wait groups in C: what each call answers, and where their memory may end.
#![cfg(feature = "capi")]

mod c_common;
mod common;

use c_common::{LIMIT_NS, c};
use common::{eventually, within_limit};
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::SeqCst};
use std::thread;

/// The initialisers of the header.
const fn semaphore(value: u64) -> ftpool_semaphore {
    ftpool_semaphore { opaque: [value, 0, 0, 0] }
}

const fn fair(value: u64) -> ftpool_semaphore {
    ftpool_semaphore { opaque: [value | 1 << 62, 0, 0, 0] }
}

const LOCK: ftpool_lock = ftpool_lock { opaque: [0, 0] };

/// An object of C that several threads use.
struct Shared<T>(std::cell::UnsafeCell<T>);

// SAFETY: the library says that these objects may be used on any thread.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    const fn new(object: T) -> Self {
        Self(std::cell::UnsafeCell::new(object))
    }

    fn get(&self) -> *mut T {
        self.0.get()
    }
}

/// A change of these breaks every program that was compiled before.
#[test]
fn a_size_of_the_abi_has_changed() {
    assert_eq!((size_of::<ftpool_semaphore>(), align_of::<ftpool_semaphore>()), (32, 8));
    assert_eq!((size_of::<ftpool_lock>(), align_of::<ftpool_lock>()), (8, 4));
    assert_eq!((size_of::<ftpool_event>(), size_of::<ftpool_wait_group>()), (4, 4));
    assert_eq!(FTPOOL_SEMAPHORE_MAX, i32::MAX as u32);
}

/// Conformance 87, 88, 89.
#[test]
fn a_semaphore_counts() {
    for (place, make) in
        [(Shared::new(semaphore(8)), false), (Shared::new(fair(8)), false), (Shared::new(fair(1)), true)]
    {
        let place = place.get();
        if make {
            assert_eq!(c!(ftpool_semaphore_init(place, 8)), FTPOOL_OK);
        }
        for _ in 0..10 {
            assert_eq!(c!(ftpool_semaphore_value(place)), 8);
            assert_eq!(c!(ftpool_semaphore_acquire(place)), FTPOOL_OK);
            assert_eq!(c!(ftpool_semaphore_try_acquire(place)), FTPOOL_OK);
            assert_eq!(c!(ftpool_semaphore_value(place)), 6);
            assert_eq!(c!(ftpool_semaphore_release(place, 2)), FTPOOL_OK);
        }
        assert_eq!(c!(ftpool_semaphore_acquire_for(place, 8, FTPOOL_FOREVER)), FTPOOL_OK);
        assert_eq!(c!(ftpool_semaphore_try_acquire(place)), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_semaphore_acquire_for(place, 1, FTPOOL_NOW)), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_semaphore_acquire_for(place, 1, 1_000_000)), FTPOOL_TIMEOUT);
        assert_eq!(c!(ftpool_semaphore_value(place)), 0);
        assert_eq!(c!(ftpool_semaphore_release(place, FTPOOL_SEMAPHORE_MAX)), FTPOOL_OK);
        assert_eq!(c!(ftpool_semaphore_release(place, 1)), FTPOOL_E_OVERFLOW);
        assert_eq!(c!(ftpool_semaphore_value(place)), FTPOOL_SEMAPHORE_MAX);
        assert_eq!(c!(ftpool_semaphore_close(place)), FTPOOL_OK);
        assert_eq!(c!(ftpool_semaphore_acquire(place)), FTPOOL_E_SHUTDOWN);
    }
}

/// Reliability R6.
#[test]
fn a_mistake_gets_a_status() {
    let (place, lock, event, group) = (
        Shared::new(semaphore(0)),
        Shared::new(LOCK),
        Shared::new(ftpool_event { opaque: 0 }),
        Shared::new(ftpool_wait_group { opaque: 0 }),
    );
    let (place, lock, event, group) = (place.get(), lock.get(), event.get(), group.get());
    for wrong in [-2, i64::MIN] {
        assert_eq!(c!(ftpool_semaphore_acquire_for(place, 1, wrong)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_lock_acquire_for(lock, wrong)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_event_wait(event, wrong)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_wait_group_wait(group, wrong)), FTPOOL_E_INVALID);
    }
    for many in [FTPOOL_SEMAPHORE_MAX + 1, u32::MAX] {
        assert_eq!(c!(ftpool_semaphore_init(place, many)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_semaphore_init_fair(place, many)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_semaphore_acquire_for(place, many, FTPOOL_FOREVER)), FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_semaphore_release(place, many)), FTPOOL_E_OVERFLOW);
        assert_eq!(c!(ftpool_wait_group_add(group, many)), FTPOOL_E_OVERFLOW);
    }
    assert_eq!(c!(ftpool_wait_group_done(group)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_lock_release_checked(lock)), FTPOOL_E_INVALID);
    assert_eq!((c!(ftpool_semaphore_value(place)), c!(ftpool_semaphore_value(null()))), (0, 0));

    assert_eq!(c!(ftpool_semaphore_init(null_mut(), 1)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_semaphore_init_fair(null_mut(), 1)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_semaphore_acquire(null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_semaphore_try_acquire(null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_semaphore_acquire_for(null_mut(), 1, 0)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_semaphore_release(null_mut(), 1)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_semaphore_close(null_mut())), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_lock_acquire_for(null_mut(), 0)), FTPOOL_E_INVALID);
    assert_eq!(c!(ftpool_lock_release_checked(null_mut())), FTPOOL_E_INVALID);
    assert!(!c!(ftpool_lock_locked(null())) && !c!(ftpool_event_is_set(null())));
    assert_eq!([c!(ftpool_event_set(null_mut())), c!(ftpool_event_wait(null_mut(), 0))], [FTPOOL_E_INVALID; 2]);
    assert_eq!(c!(ftpool_wait_group_add(null_mut(), 1)), FTPOOL_E_INVALID);
    let group = [c!(ftpool_wait_group_done(null_mut())), c!(ftpool_wait_group_wait(null_mut(), 0))];
    assert_eq!(group, [FTPOOL_E_INVALID; 2]);
}

/// Conformance 93.
#[test]
fn a_lock_is_released_on_another_thread() {
    let lock = Shared::new(LOCK);
    let lock = &lock;
    assert!(!c!(ftpool_lock_locked(lock.get())));
    c!(ftpool_lock_release(lock.get()));
    assert!(!c!(ftpool_lock_locked(lock.get())), "a release of a free lock does no harm");
    assert!(c!(ftpool_lock_try_acquire(lock.get())));
    assert!(!c!(ftpool_lock_try_acquire(lock.get())), "it is not recursive");
    assert_eq!(c!(ftpool_lock_acquire_for(lock.get(), 1_000_000)), FTPOOL_TIMEOUT);
    assert!(c!(ftpool_lock_locked(lock.get())));
    thread::scope(|scope| drop(scope.spawn(|| c!(ftpool_lock_release(lock.get())))));
    assert_eq!(c!(ftpool_lock_acquire_for(lock.get(), i64::MAX)), FTPOOL_OK);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| c!(ftpool_lock_acquire(lock.get())));
        scope.spawn(|| assert_eq!(c!(ftpool_lock_release_checked(lock.get())), FTPOOL_OK));
        waiter.join().unwrap();
    });
    assert!(c!(ftpool_lock_locked(lock.get())));
}

/// Ownership: a thread that gets the last permit, or sees an event set or a group at 0, may free it at once.
#[test]
fn a_latch_ends_with_its_waiter() {
    within_limit(|| {
        const ROUNDS: u64 = 3000;
        let (place, turn) = (AtomicPtr::<u64>::default(), AtomicU64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    eventually("the next latch is there", || turn.load(SeqCst) == round);
                    let latch = place.load(SeqCst);
                    match round % 3 {
                        0 => assert_eq!(c!(ftpool_semaphore_release(latch.cast(), 1)), FTPOOL_OK),
                        1 => assert_eq!(c!(ftpool_event_set(latch.cast())), FTPOOL_OK),
                        _ => assert_eq!(c!(ftpool_wait_group_done(latch.cast())), FTPOOL_OK),
                    }
                }
            });
            for round in 1..=ROUNDS {
                // Zeroed memory is a semaphore without permits, an event that has not happened, a group of nothing.
                let mut latch = Box::new([0_u64; 4]);
                let own = latch.as_mut_ptr();
                if round % 3 == 2 {
                    assert_eq!(c!(ftpool_wait_group_add(own.cast(), 1)), FTPOOL_OK);
                }
                place.store(own, SeqCst);
                turn.store(round, SeqCst);
                let answer = match round % 3 {
                    0 => c!(ftpool_semaphore_acquire_for(own.cast(), 1, LIMIT_NS)),
                    1 => c!(ftpool_event_wait(own.cast(), LIMIT_NS)),
                    _ => c!(ftpool_wait_group_wait(own.cast(), LIMIT_NS)),
                };
                assert_eq!(answer, FTPOOL_OK);
                drop(latch);
            }
        });
    });
}
