//! Models of waiting and waking, for the model checker.

mod gates;
mod locks;
mod semaphores;

use super::{Bell, Deadline, EventCount, Parker, Roused};
use crate::sys::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::model::{check, spawn};
use loom::thread::JoinHandle;
use std::sync::Arc;

#[derive(Debug)]
struct Event {
    reached: AtomicUsize,
    count: EventCount,
}

impl Event {
    fn new() -> Arc<Self> {
        Arc::new(Self { reached: AtomicUsize::new(0), count: EventCount::new() })
    }

    /// What a single writer does: a plain store, then the notification.
    fn reach(&self, step: usize) {
        self.reached.store(step, Ordering::Release);
        self.count.notify();
    }

    /// A thread that reaches steps 1 to `steps`.
    fn notifier(self: &Arc<Self>, steps: usize) -> JoinHandle<()> {
        spawn(self, move |event| (1..=steps).for_each(|step| event.reach(step)))
    }

    fn wait_for(&self, step: usize) {
        let reached = || (self.reached.load(Ordering::Acquire) >= step).then_some(());
        self.count.wait_until(Deadline::NEVER, reached).expect("it has no deadline");
    }
}

/// Race: the waiter finds nothing and goes to sleep while the notifier stores and sees nobody waiting.
#[test]
fn event_count_loses_no_wake_up() {
    check(None, || {
        let event = Event::new();
        let notifier = event.notifier(1);
        event.wait_for(1);
        notifier.join().unwrap();
    });
}

/// Race: the second waiter announces itself while the notifier wakes the first, so one wake-up must reach both.
#[test]
fn event_count_wakes_every_waiter() {
    check(3, || {
        let event = Event::new();
        let waiter = spawn(&event, |event| event.wait_for(1));
        let notifier = event.notifier(1);
        event.wait_for(1);
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

/// Race: two notifiers observe the same waiter, one wakes it and the other's exchange fails; the waiter must still
/// observe what the other stored.
#[test]
fn event_count_with_two_notifiers() {
    check(3, || {
        let shared = Arc::new(([AtomicBool::new(false), AtomicBool::new(false)], EventCount::new()));
        let notifiers = [0, 1].map(|number| {
            spawn(&shared, move |(happened, count)| {
                happened[number].store(true, Ordering::Release);
                count.notify();
            })
        });
        let (happened, count) = &*shared;
        let both = || happened.iter().all(|happened| happened.load(Ordering::Acquire)).then_some(());
        count.wait_until(Deadline::NEVER, both).expect("it has no deadline");
        notifiers.into_iter().for_each(|notifier| notifier.join().unwrap());
    });
}

/// Race: a waiter's second check succeeds and leaves WAITING set; later waits and wake-ups must work as before.
#[test]
fn event_count_with_a_bit_left_behind() {
    check(3, || {
        let event = Event::new();
        let notifier = event.notifier(2);
        event.wait_for(1);
        event.wait_for(2);
        notifier.join().unwrap();
    });
}

#[derive(Debug)]
struct Letter {
    content: UnsafeCell<usize>,
    written: Parker,
    read: Parker,
}

// SAFETY: `content` is written before `written` is unparked and read before `read` is.
unsafe impl Sync for Letter {}

/// Race: the token is stored before, while and after the sleeper checks for it, in two rounds; what was written before
/// it is visible.
#[test]
fn parker_hands_tokens_over() {
    check(None, || {
        let letter = Arc::new(Letter { content: UnsafeCell::new(0), written: Parker::new(), read: Parker::new() });
        let reader = spawn(&letter, |letter| {
            for round in 1..=2 {
                letter.written.park();
                // SAFETY: the writer waits for `read`.
                assert_eq!(letter.content.with(|content| unsafe { *content }), round);
                letter.read.unpark();
            }
        });
        for round in 1..=2 {
            // SAFETY: the reader waits for `written`.
            letter.content.with_mut(|content| unsafe { *content = round });
            letter.written.unpark();
            letter.read.park();
        }
        reader.join().unwrap();
    });
}

/// Race: a nudge comes before, while and after a token does. `park` returns with a token only; `park_lightly` misses
/// neither.
#[test]
fn parker_tells_a_nudge_from_a_token() {
    check(None, || {
        let shared = Arc::new((Parker::new(), AtomicUsize::new(0)));
        let waker = spawn(&shared, |(parker, woken)| {
            woken.store(1, Ordering::Relaxed);
            parker.unpark();
        });
        let nudger = spawn(&shared, |(parker, _)| parker.nudge());
        let (parker, woken) = &*shared;
        if parker.park_lightly(Deadline::NEVER) == Some(Roused::ByNudge) {
            parker.park();
        }
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        waker.join().unwrap();
        nudger.join().unwrap();
    });
}

/// Race: something happens while the listener, which has just found nothing, arms the bell.
#[test]
fn bell_rings_for_what_happened_while_it_was_armed() {
    check(None, || {
        let shared = Arc::new((AtomicUsize::new(0), Bell::new().unwrap()));
        let ringer = spawn(&shared, |(happened, bell)| {
            happened.store(1, Ordering::Release);
            bell.ring();
        });
        shared.1.arm(|| shared.0.load(Ordering::Acquire) == 1);
        ringer.join().unwrap();
        assert!(shared.1.fd.is_set(), "the listener would sleep");
    });
}

/// Race: a bell that has rung is cleared and armed again while the next event happens.
#[test]
fn bell_rings_again() {
    check(3, || {
        let shared = Arc::new((AtomicUsize::new(0), Bell::new().unwrap()));
        shared.1.arm(|| false);
        let ringer = spawn(&shared, |(happened, bell)| {
            for step in 1..=2 {
                happened.store(step, Ordering::Release);
                bell.ring();
            }
        });
        let seen = shared.0.load(Ordering::Acquire);
        shared.1.arm(|| shared.0.load(Ordering::Acquire) > seen);
        ringer.join().unwrap();
        assert!(seen == 2 || shared.1.fd.is_set(), "the listener would sleep");
    });
}

/// Race: the second wait relies on the notifier that the first has asked to fence, while `relax` takes that back.
#[test]
fn event_count_relies_on_notifiers_that_have_heard() {
    check(3, || {
        let event = Event::new();
        let notifier = event.notifier(3);
        event.wait_for(1);
        event.count.relax();
        event.wait_for(2);
        event.wait_for(3);
        notifier.join().unwrap();
    });
}

/// Race: one waiter asks notifiers to fence; another takes that back and asks again, before the first sets HEARD.
#[test]
fn event_count_is_not_heard_before_it_is_relaxed() {
    check(2, || {
        let event = Event::new();
        let notifier = event.notifier(2);
        let waiter = spawn(&event, |event| {
            event.wait_for(1);
            event.count.relax();
            event.wait_for(2);
        });
        event.wait_for(2);
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

/// Race: a waiter is woken, and its request to fence is taken back, before it sets HEARD. Its next wait, for another
/// notifier, must not rely on that request.
#[test]
fn event_count_forgets_a_request_that_was_taken_back() {
    check(3, || {
        let shared = Arc::new(([AtomicBool::new(false), AtomicBool::new(false)], EventCount::new()));
        let notifiers = [0, 1].map(|number| {
            spawn(&shared, move |(happened, count)| {
                happened[number].store(true, Ordering::Release);
                count.notify();
                if number == 0 {
                    count.relax();
                }
            })
        });
        for happened in &shared.0 {
            let happened = || happened.load(Ordering::Acquire).then_some(());
            shared.1.wait_until(Deadline::NEVER, happened).expect("it has no deadline");
        }
        notifiers.into_iter().for_each(|notifier| notifier.join().unwrap());
    });
}
