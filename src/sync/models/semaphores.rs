//! Models of the semaphore. No thread spins in a model; a waiter that gives up does so after its first check.

use super::super::Deadline;
use super::super::raw_semaphore::{AcquireError, RawSemaphore};
use crate::sys::cell::UnsafeCell;
use crate::sys::model::{check, spawn, sum_of_all};
use std::sync::Arc;

/// Returns how many permits it has added.
type Body = fn(&RawSemaphore) -> i64;

/// Runs all bodies at the same time on a semaphore with `permits`; in the end there must be as many as they add up to.
fn together<const N: usize>(preemptions: Option<usize>, permits: u32, fair: bool, bodies: [Body; N]) {
    check(preemptions, move || {
        let semaphore = Arc::new(RawSemaphore::new(permits, fair));
        let added = sum_of_all(&semaphore, bodies);
        assert_eq!(i64::from(semaphore.value()), i64::from(permits) + added);
    });
}

fn acquire(semaphore: &RawSemaphore) -> i64 {
    semaphore.acquire(1, Deadline::NEVER).unwrap();
    -1
}

fn acquire_two(semaphore: &RawSemaphore) -> i64 {
    semaphore.acquire(2, Deadline::NEVER).unwrap();
    -2
}

fn use_two(semaphore: &RawSemaphore) -> i64 {
    acquire_two(semaphore) + release_two(semaphore)
}

fn release(semaphore: &RawSemaphore) -> i64 {
    semaphore.release(1).unwrap();
    1
}

fn release_two(semaphore: &RawSemaphore) -> i64 {
    semaphore.release(2).unwrap();
    2
}

fn release_three(semaphore: &RawSemaphore) -> i64 {
    release(semaphore) + release_two(semaphore)
}

fn release_twice(semaphore: &RawSemaphore) -> i64 {
    release(semaphore) + release(semaphore)
}

fn use_it(semaphore: &RawSemaphore) -> i64 {
    acquire(semaphore) + release(semaphore)
}

/// A waiter whose time runs out as soon as it has announced itself. If it gets a permit all the same, it releases it.
fn give_up(semaphore: &RawSemaphore) -> i64 {
    match semaphore.wait(1, Deadline::NOW) {
        Ok(()) => semaphore.release(1).unwrap(),
        Err(error) => assert_eq!(error, AcquireError::TimedOut),
    }
    0
}

fn give_up_two(semaphore: &RawSemaphore) -> i64 {
    if semaphore.wait(2, Deadline::NOW).is_ok() {
        semaphore.release(2).unwrap();
    }
    0
}

/// A waiter that may find it closed.
fn acquire_if_open(semaphore: &RawSemaphore) -> i64 {
    if semaphore.acquire(1, Deadline::NEVER).is_ok() { -1 } else { 0 }
}

fn close(semaphore: &RawSemaphore) -> i64 {
    semaphore.close();
    0
}

fn release_and_close(semaphore: &RawSemaphore) -> i64 {
    release(semaphore) + close(semaphore)
}

/// Race: the waiter finds no permit and goes to sleep while one is released.
#[test]
fn semaphore_loses_no_wake_up() {
    together(None, 0, false, [acquire, release]);
    together(None, 0, true, [acquire, release]);
}

/// Race: the second release finds a permit whose waiter was woken but has not taken it yet. Skipping the wake-up then
/// would lose the second waiter.
#[test]
fn semaphore_wakes_as_many_as_it_has_permits_for() {
    together(Some(2), 0, false, [acquire, acquire, release_twice]);
    together(Some(2), 0, false, [acquire, acquire, release_two]);
    together(Some(2), 0, true, [acquire, acquire, release_two]);
    together(Some(2), 0, true, [acquire, acquire, release_twice]);
}

/// Race: another thread takes the permit that a waiter was woken for.
#[test]
fn semaphore_is_a_lock_when_it_has_one_permit() {
    for fair in [false, true] {
        together(Some(3), 1, fair, [use_it, use_it]);
        together(Some(if fair { 1 } else { 2 }), 1, fair, [use_it, use_it, use_it]);
    }
}

/// Race: a waiter gives up while a permit is released for it, or for the one behind it.
#[test]
fn semaphore_keeps_the_permit_of_a_waiter_that_gives_up() {
    for fair in [false, true] {
        together(Some(3), 0, fair, [give_up, release]);
        together(Some(if fair { 1 } else { 2 }), 0, fair, [give_up, acquire, release]);
    }
}

/// Race: a request for two permits waits in line while a request for one sleeps, or gives up.
#[test]
fn semaphore_gives_all_or_nothing() {
    together(Some(3), 0, false, [acquire_two, release_twice]);
    together(Some(1), 1, false, [use_two, use_it, release]);
    together(Some(1), 0, false, [acquire_two, acquire, release_three]);
    together(Some(1), 0, false, [acquire_two, give_up, release_two]);
}

/// Race: the first in line gives up, and the permits suffice for the one behind it.
#[test]
fn semaphore_lets_the_next_in_line_move_up() {
    together(Some(2), 1, false, [give_up_two, use_it]);
    together(Some(2), 1, true, [give_up_two, use_it]);
    together(Some(1), 0, true, [give_up_two, acquire, release]);
}

/// Race: a waiter goes to sleep, or joins the line, while the semaphore is closed.
#[test]
fn semaphore_closes_under_its_waiters() {
    for fair in [false, true] {
        together(Some(3), 0, fair, [acquire_if_open, close]);
        together(Some(2), 0, fair, [acquire_if_open, acquire_if_open, close]);
        together(Some(1), 0, fair, [acquire_if_open, acquire_if_open, release_and_close]);
    }
}

/// What a thread wrote before a release is visible to the thread that takes the permit.
#[test]
fn semaphore_carries_what_was_written() {
    struct Letter(RawSemaphore, UnsafeCell<usize>);
    // SAFETY: the content is written before the release and read after the acquire.
    unsafe impl Sync for Letter {}
    for fair in [false, true] {
        check(Some(3), move || {
            let letter = Arc::new(Letter(RawSemaphore::new(0, fair), UnsafeCell::new(0)));
            let writer = spawn(&letter, |letter| {
                // SAFETY: the reader waits for the release.
                letter.1.with_mut(|content| unsafe { *content = 1 });
                letter.0.release(1).unwrap();
            });
            letter.0.acquire(1, Deadline::NEVER).unwrap();
            // SAFETY: the writer has released.
            assert_eq!(letter.1.with(|content| unsafe { *content }), 1);
            writer.join().unwrap();
        });
    }
}
