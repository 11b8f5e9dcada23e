//! Models of the lock. Patience is zero or endless; a waiter that gives up does so after its first check in line.

use super::super::Deadline;
use super::super::raw_lock::RawLock;
use crate::sys::cell::UnsafeCell;
use crate::sys::model::{check, sum_of_all};
use std::sync::Arc;
use std::time::Duration;

const NONE: Duration = Duration::ZERO;
const ENDLESS: Duration = Duration::MAX;

/// A lock and what it protects.
struct Counter {
    lock: RawLock,
    count: UnsafeCell<i64>,
}

// SAFETY: only the thread that has the lock accesses the count.
unsafe impl Sync for Counter {}

impl Counter {
    /// The first release of a lock that is not light makes it light.
    fn new(light: bool) -> Arc<Self> {
        let lock = RawLock::new();
        if !light {
            lock.take_light_back();
        }
        Arc::new(Self { lock, count: UnsafeCell::new(0) })
    }

    /// Called with the lock held, which it releases.
    fn count(&self) {
        // SAFETY: no other thread has the lock, which the model checker verifies.
        self.count.with_mut(|count| unsafe { *count += 1 });
        self.lock.release();
    }

    fn count_after(&self, patience: Duration) {
        assert!(self.lock.try_acquire() || self.lock.wait_in_line(Deadline::NEVER, patience));
        self.count();
    }

    /// As a waiter whose time runs out as soon as it has announced itself. Returns how often it counted.
    fn count_or_give_up(&self, patience: Duration) -> i64 {
        let acquired = self.lock.wait_in_line(Deadline::NOW, patience);
        if acquired {
            self.count();
        }
        acquired.into()
    }

    fn expect(&self, count: i64) {
        assert!(self.lock.try_acquire(), "the lock is not free in the end");
        // SAFETY: no other thread has the lock.
        assert_eq!(self.count.with(|count| unsafe { *count }), count);
    }
}

/// Returns how often it counted.
type Body = fn(&Counter) -> i64;

/// Runs all bodies at the same time on a light lock; the count must be what they return.
fn together<const N: usize>(preemptions: Option<usize>, bodies: [Body; N]) {
    compete(preemptions, bodies, true);
}

fn compete<const N: usize>(preemptions: Option<usize>, bodies: [Body; N], light: bool) {
    check(preemptions, move || {
        let counter = Counter::new(light);
        counter.expect(sum_of_all(&counter, bodies));
    });
}

fn once(counter: &Counter) -> i64 {
    counter.count_after(ENDLESS);
    1
}

fn twice(counter: &Counter) -> i64 {
    once(counter) + once(counter)
}

fn starving(counter: &Counter) -> i64 {
    counter.count_after(NONE);
    1
}

fn in_a_hurry(counter: &Counter) -> i64 {
    counter.count_or_give_up(ENDLESS)
}

fn starving_in_a_hurry(counter: &Counter) -> i64 {
    counter.count_or_give_up(NONE)
}

/// Race: a waiter announces itself and checks the lock while the holder releases it and checks for waiters. These are
/// the releases that C programs inline.
#[test]
fn lock_loses_no_waiter() {
    together(None, [once, once]);
}

/// The same races, while releases find out which fence they need.
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

/// Race: the holder releases the lock, or promises it, while the waiter becomes the one that gets it next.
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

/// Race: a waiter gives up while a wake-up meant for any of the waiters reaches it.
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
