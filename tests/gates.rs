//! Events that are missed, wait groups that reach 0 too early, park tokens that get lost.

mod common;

use common::{Count, within_limit};
use fastthreadpool::{Deadline, Event, Parker, WaitGroup};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// All waiters see the event, and so does a late one.
#[test]
fn an_event_reaches_everybody() {
    within_limit(|| {
        let (event, seen) = (Arc::new(Event::new()), Count::new());
        let threads = [(); 4].map(|()| {
            let (event, seen) = (Arc::clone(&event), seen.clone());
            thread::spawn(move || {
                event.wait();
                seen.add();
            })
        });
        let began = Instant::now();
        assert!(!event.wait_until(Duration::from_millis(5)));
        assert!(began.elapsed() >= Duration::from_millis(5) && !event.is_set() && seen.get() == 0);
        event.set();
        event.set();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(event.is_set() && event.wait_until(Deadline::NOW));
        assert_eq!(seen.get(), 4);
    });
}

/// Waiters return when the last task is done, not before, and the group can be used again.
#[test]
fn a_wait_group_waits_for_the_last() {
    within_limit(|| {
        let group = Arc::new(WaitGroup::new());
        for round in 0..20 {
            assert!(group.wait_until(Deadline::NOW), "nothing is under way");
            group.add(3);
            let done = Count::new();
            let waiters = [(); 2].map(|()| {
                let (group, done) = (Arc::clone(&group), done.clone());
                thread::spawn(move || {
                    group.wait();
                    assert_eq!(done.get(), 3);
                })
            });
            if round == 0 {
                assert!(!group.wait_until(Duration::from_millis(1)));
            }
            assert_eq!(group.count(), 3);
            for _ in 0..3 {
                let (group, done) = (Arc::clone(&group), done.clone());
                thread::spawn(move || {
                    done.add();
                    group.done();
                });
            }
            waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
            assert_eq!(group.count(), 0);
        }
    });
}

/// A misuse panics, and changes nothing.
#[test]
fn a_wait_group_counts_neither_below_zero_nor_beyond_its_limit() {
    let group = WaitGroup::new();
    assert!(std::panic::catch_unwind(|| group.done()).is_err());
    group.add(u32::MAX / 2);
    assert!(std::panic::catch_unwind(|| group.add(1)).is_err());
    assert!(std::panic::catch_unwind(|| group.add(u32::MAX)).is_err());
    assert_eq!(group.count(), u32::MAX / 2);
}

/// An early token is kept, two count as one, and a wait without a token times out.
#[test]
fn a_parker_takes_one_token_at_a_time() {
    within_limit(|| {
        let parker = Arc::new((Parker::new(), Parker::new()));
        parker.0.unpark();
        parker.0.unpark();
        parker.0.park();
        assert!(!parker.0.park_until(Duration::from_millis(1)));
        let other = {
            let parker = Arc::clone(&parker);
            thread::spawn(move || {
                for _ in 0..1000 {
                    parker.0.park();
                    parker.1.unpark();
                }
            })
        };
        for _ in 0..1000 {
            parker.0.unpark();
            parker.1.park();
        }
        other.join().unwrap();
        assert!(!parker.0.park_until(Deadline::NOW));
    });
}
