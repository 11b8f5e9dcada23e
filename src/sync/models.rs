//! Models of waiting and waking, for the model checker.

mod gates;
mod locks;
mod semaphores;

use super::{Bell, Deadline, EventCount, Parker, Roused};
use crate::sys::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sys::cell::UnsafeCell;
use crate::sys::model::check;
use loom::thread;
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

    /// A thread that takes so many steps.
    fn notifier(self: &Arc<Self>, steps: usize) -> thread::JoinHandle<()> {
        let event = Arc::clone(self);
        thread::spawn(move || (1..=steps).for_each(|step| event.reach(step)))
    }

    fn wait_for(&self, step: usize) {
        let reached = || (self.reached.load(Ordering::Acquire) >= step).then_some(());
        self.count.wait_until(Deadline::NEVER, reached).expect("never has not come yet");
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

/// Race: the second waiter says that it waits while the notifier wakes the first, so one wake-up must reach both.
#[test]
fn event_count_wakes_every_waiter() {
    check(3, || {
        let event = Event::new();
        let waiter = thread::spawn({
            let event = Arc::clone(&event);
            move || event.wait_for(1)
        });
        let notifier = event.notifier(1);
        event.wait_for(1);
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

/// Race: two notifiers see the same waiter, one wakes it and the other's exchange fails; the waiter must still come
/// to see what the other stored.
#[test]
fn event_count_with_two_notifiers() {
    check(3, || {
        let first = Arc::new((AtomicBool::new(false), AtomicBool::new(false), EventCount::new()));
        let second = Arc::clone(&first);
        let third = Arc::clone(&first);
        let notifiers = [
            thread::spawn(move || {
                first.0.store(true, Ordering::Release);
                first.2.notify();
            }),
            thread::spawn(move || {
                second.1.store(true, Ordering::Release);
                second.2.notify();
            }),
        ];
        let both = || (third.0.load(Ordering::Acquire) && third.1.load(Ordering::Acquire)).then_some(());
        third.2.wait_until(Deadline::NEVER, both).expect("never has not come yet");
        notifiers.into_iter().for_each(|notifier| notifier.join().unwrap());
    });
}

/// Race: a waiter's second look succeeds and leaves the word odd; the waits and wake-ups after it must work as before.
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

/// Race: the token is left before, while and after the sleeper looks for it, round after round; what was written
/// before it is visible.
#[test]
fn parker_hands_tokens_over() {
    check(None, || {
        let letter = Arc::new(Letter { content: UnsafeCell::new(0), written: Parker::new(), read: Parker::new() });
        let reader = thread::spawn({
            let letter = Arc::clone(&letter);
            move || {
                for round in 1..=2 {
                    letter.written.park();
                    // SAFETY: the writer waits for `read`.
                    assert_eq!(letter.content.with(|content| unsafe { *content }), round);
                    letter.read.unpark();
                }
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

/// Race: a nudge comes before, while and after a token does. Who waits for a token has one, whatever the other has
/// done; who parks lightly sleeps through neither.
#[test]
fn parker_tells_a_nudge_from_a_token() {
    check(None, || {
        let shared = Arc::new((Parker::new(), AtomicUsize::new(0)));
        let with = |code: fn(&(Parker, AtomicUsize))| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || code(&shared))
        };
        let waker = with(|(parker, woken)| {
            woken.store(1, Ordering::Relaxed);
            parker.unpark();
        });
        let nudger = with(|(parker, _)| parker.nudge());
        let (parker, woken) = &*shared;
        if parker.park_lightly(Deadline::NEVER) == Some(Roused::ByNudge) {
            parker.park();
        }
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        waker.join().unwrap();
        nudger.join().unwrap();
    });
}

/// Race: something happens while the listener, who has just found nothing, arms the bell.
#[test]
fn bell_rings_for_what_happened_while_it_was_armed() {
    check(None, || {
        let shared = Arc::new((AtomicUsize::new(0), Bell::new().unwrap()));
        let ringer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.0.store(1, Ordering::Release);
                shared.1.ring();
            }
        });
        shared.1.arm(|| shared.0.load(Ordering::Acquire) == 1);
        ringer.join().unwrap();
        assert!(shared.1.fd.is_set(), "the listener would sleep");
    });
}

/// Race: a bell that rings is read empty and armed again while the next thing happens.
#[test]
fn bell_rings_again() {
    check(3, || {
        let shared = Arc::new((AtomicUsize::new(0), Bell::new().unwrap()));
        shared.1.arm(|| false);
        let ringer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for step in 1..=2 {
                    shared.0.store(step, Ordering::Release);
                    shared.1.ring();
                }
            }
        });
        let seen = shared.0.load(Ordering::Acquire);
        shared.1.arm(|| shared.0.load(Ordering::Acquire) > seen);
        ringer.join().unwrap();
        assert!(seen == 2 || shared.1.fd.is_set(), "the listener would sleep");
    });
}

/// Race: the second wait relies on the notifier that the first has asked, while the reader lets it off again.
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

/// Race: one waiter asks and another lets the notifier off and asks anew, before the first relies on having been heard.
#[test]
fn event_count_is_not_heard_before_it_is_relaxed() {
    check(2, || {
        let event = Event::new();
        let notifier = event.notifier(2);
        let waiter = thread::spawn({
            let event = Arc::clone(&event);
            move || {
                event.wait_for(1);
                event.count.relax();
                event.wait_for(2);
            }
        });
        event.wait_for(2);
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

/// Race: a waiter is woken, and notifiers are let off, before it says that they have been heard. It must not rely on
/// that in its next wait, for another notifier.
#[test]
fn event_count_forgets_a_request_that_was_taken_back() {
    check(3, || {
        let shared = Arc::new(([AtomicBool::new(false), AtomicBool::new(false)], EventCount::new()));
        let notifiers = [0, 1].map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.0[number].store(true, Ordering::Release);
                shared.1.notify();
                if number == 0 {
                    shared.1.relax();
                }
            })
        });
        for happened in &shared.0 {
            let happened = || happened.load(Ordering::Acquire).then_some(());
            shared.1.wait_until(Deadline::NEVER, happened).expect("never has not come yet");
        }
        notifiers.into_iter().for_each(|notifier| notifier.join().unwrap());
    });
}
