//! Models of events and wait groups.

use super::super::{Event, WaitGroup};
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::model::{check, spawn};
use std::sync::Arc;

/// Race: two waiters mark the word and sleep while the event happens.
#[test]
fn event_reaches_every_waiter() {
    check(3, || {
        let event = Arc::new((Event::new(), AtomicUsize::new(0)));
        let threads = [0, 1].map(|_| {
            spawn(&event, |event| {
                event.0.wait();
                assert_eq!(event.1.load(Ordering::Relaxed), 1);
            })
        });
        event.1.store(1, Ordering::Relaxed);
        event.0.set();
        event.0.set();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Race: the waiter marks the word and sleeps while the last thing is marked as done.
#[test]
fn wait_group_loses_no_waiter() {
    check(3, || {
        let group = Arc::new((WaitGroup::new(), AtomicUsize::new(0)));
        group.0.add(2);
        let threads = [0, 1].map(|_| {
            spawn(&group, |group| {
                group.1.fetch_add(1, Ordering::Relaxed);
                group.0.done();
            })
        });
        group.0.wait();
        assert_eq!(group.1.load(Ordering::Relaxed), 2);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}
