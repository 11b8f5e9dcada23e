//! Models of the lock. Patience is none or without end; what gives up does so after its first look in line.

use super::super::Deadline;
use super::super::raw_lock::RawLock;
use crate::sys::cell::UnsafeCell;
use crate::sys::model::check;
use loom::thread;
use std::sync::Arc;
use std::time::Duration;

const NONE: Duration = Duration::ZERO;
const ENDLESS: Duration = Duration::MAX;

/// A lock and what it protects.
struct Counter {
    lock: RawLock,
    count: UnsafeCell<usize>,
}

// SAFETY: the count is touched by who has the lock.
unsafe impl Sync for Counter {}

impl Counter {
    /// A release makes a lock light that is not.
    fn new(light: bool) -> Arc<Self> {
        let lock = RawLock::new();
        if !light {
            lock.take_light_back();
        }
        Arc::new(Self { lock, count: UnsafeCell::new(0) })
    }

    /// For who has the lock.
    fn count(&self) {
        // SAFETY: nobody else has the lock; the model checker looks whether that is so.
        self.count.with_mut(|count| unsafe { *count += 1 });
        self.lock.release();
    }

    fn count_after(&self, patience: Duration) {
        assert!(self.lock.try_acquire() || self.lock.wait_in_line(Deadline::NEVER, patience));
        self.count();
    }

    /// As a waiter whose time runs out as soon as it has said that it waits; whether it counted.
    fn count_or_give_up(&self, patience: Duration) -> usize {
        let acquired = self.lock.wait_in_line(Deadline::NOW, patience);
        if acquired {
            self.count();
        }
        acquired.into()
    }

    fn expect(&self, count: usize) {
        assert!(self.lock.try_acquire(), "the lock is free in the end");
        // SAFETY: nobody else has the lock.
        assert_eq!(self.count.with(|count| unsafe { *count }), count);
    }
}

/// Runs bodies at once, each with the lock, and says how often they counted.
fn together<const N: usize>(preemptions: Option<usize>, bodies: [fn(&Counter) -> usize; N]) {
    compete(preemptions, bodies, true);
}

fn compete<const N: usize>(preemptions: Option<usize>, bodies: [fn(&Counter) -> usize; N], light: bool) {
    check(preemptions, move || {
        let counter = Counter::new(light);
        let [last, others @ ..] = &bodies[..] else { panic!("there are bodies") };
        let threads: Vec<_> = others
            .iter()
            .map(|&body| {
                let counter = Arc::clone(&counter);
                thread::spawn(move || body(&counter))
            })
            .collect();
        let own = last(&counter);
        let count = threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>() + own;
        counter.expect(count);
    });
}

fn once(counter: &Counter) -> usize {
    counter.count_after(ENDLESS);
    1
}

fn twice(counter: &Counter) -> usize {
    once(counter) + once(counter)
}

fn starving(counter: &Counter) -> usize {
    counter.count_after(NONE);
    1
}

fn in_a_hurry(counter: &Counter) -> usize {
    counter.count_or_give_up(ENDLESS)
}

fn starving_in_a_hurry(counter: &Counter) -> usize {
    counter.count_or_give_up(NONE)
}

/// Race: a waiter says that it waits and looks at the lock while the holder lets go and looks for waiters. These are
/// the releases that C programs inline.
#[test]
fn lock_loses_no_waiter() {
    together(None, [once, once]);
}

/// The same races, while releases find out what their fence is.
#[test]
fn lock_becomes_light_and_loses_no_waiter() {
    compete(Some(4), [once, once], false);
    compete(Some(2), [once, once, once], false);
    compete(Some(3), [twice, starving], false);
    compete(Some(3), [once, starving_in_a_hurry], false);
}

/// Race: the holder takes the lock again before the waiter that it has woken.
#[test]
fn lock_is_taken_again_by_its_holder() {
    together(Some(4), [once, twice]);
}

/// Race: two waiters; the one that is woken must wake the other.
#[test]
fn lock_wakes_one_waiter_after_another() {
    together(Some(2), [once, once, once]);
}

/// Race: the holder lets go, or promises the lock, while the waiter becomes the one that gets it next.
#[test]
fn lock_is_handed_to_a_starving_waiter() {
    together(Some(4), [once, starving]);
    together(Some(3), [twice, starving]);
}

/// Race: one waiter sleeps in line while the other gets the lock out of turn, and must wake it.
#[test]
fn lock_with_a_starving_waiter_and_another() {
    together(Some(2), [once, starving, once]);
    together(Some(2), [starving, starving, once]);
}

/// Race: a waiter gives up while the wake-up that was meant for somebody reaches it.
#[test]
fn lock_is_not_lost_with_a_waiter_that_gives_up() {
    together(Some(3), [once, in_a_hurry]);
    together(Some(2), [once, in_a_hurry, once]);
}

/// Race: the starving waiter gives up while the holder promises it the lock.
#[test]
fn lock_is_promised_to_a_waiter_that_gives_up() {
    together(Some(3), [once, starving_in_a_hurry]);
    together(Some(2), [once, starving_in_a_hurry, once]);
}
