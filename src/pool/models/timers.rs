//! Models of timers. Their clock stands still, so a timer is due from the beginning or never.

use super::{Core, Tally, drain, staff, staffed_by, with};
use crate::pool::Route;
use crate::pool::timers::{ClockKind, Fired, Placement, When};
use crate::sync::Deadline;
use crate::sys::clock::{Clock, ManualTime};
use crate::sys::model::check;
use loom::thread::JoinHandle;
use std::sync::Arc;
use std::time::Duration;

/// A manual clock at 1.
fn clock() -> Clock {
    let time = Arc::new(ManualTime::new());
    time.advance(Duration::from_nanos(1));
    Clock::manual(time)
}

/// Due now; the thread that submits it fires it.
const DUE: When = When { kind: ClockKind::Monotonic, due: 1, now: 1 };

/// Due now, too, but not as far as the submitting thread knows: the sleeper must fire it.
const LATER: When = When { kind: ClockKind::Monotonic, due: 1, now: 0 };

/// A sleeper that queues the job of the first due timer, and ends.
fn sleeper(core: &Arc<Core>) -> JoinHandle<()> {
    with(core, |core| {
        core.fire_as_sleeper();
        while core.front.is_empty() {
            core.timers().alarm.park();
            core.fire_as_sleeper();
        }
    })
}

/// Submits a timer and waits until the sleepers have ended: one of them has queued its job.
fn expect_queued(core: &Arc<Core>, tally: &Arc<Tally>, sleepers: impl IntoIterator<Item = JoinHandle<()>>) {
    let id = core.submit_timed(LATER, Placement::Front, &mut Some(tally.empty_job())).unwrap();
    sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    assert!(core.cancel(id), "it was queued, and no worker runs it");
    assert_eq!(tally.cancelled(), 1);
}

/// Race: a worker claims the hint of a delayed job while the timer is cancelled.
#[test]
fn a_timer_is_run_or_cancelled() {
    check(1, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        let id = core.submit_timed(DUE, Placement::Front, &mut Some(tally.empty_job())).unwrap();
        staff(&core);
        let canceller = with(&core, move |core| core.cancel(id));
        drain(&core);
        assert_eq!(canceller.join().unwrap(), tally.cancelled() == 1);
        assert_eq!(tally.run() + tally.cancelled(), 1);
    });
}

/// Race: a timer whose job is queued is rescheduled and cancelled at the same time. No worker begins it, so it ends
/// cancelled.
#[test]
fn a_timer_that_is_set_anew_is_cancelled_all_the_same() {
    check(1, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        let id = core.submit_timed(LATER, Placement::Front, &mut Some(tally.empty_job())).unwrap();
        core.fire_as_sleeper();
        core.finish_storm();
        assert_eq!(core.timer_state(id).unwrap().queued, 1);
        let resetter = with(&core, move |core| core.reschedule(id, 1));
        assert!(core.cancel(id), "it waits or is queued, and no worker runs it");
        resetter.join().unwrap();
        assert_eq!(tally.cancelled(), 1);
    });
}

/// Race: a timer is submitted while the sleeper finds nothing due and falls asleep.
#[test]
fn the_sleeper_does_not_sleep_through_an_earlier_timer() {
    check(3, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        let sleeper = sleeper(&core);
        expect_queued(&core, &tally, [sleeper]);
    });
}

/// Race: a timer is submitted while the lookout finds nothing due and falls asleep.
#[test]
fn the_lookout_does_not_sleep_through_an_earlier_timer() {
    check(3, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        let lookout = with(&core, |core| {
            let station = core.crew.station(0);
            let next = || core.timers().state.lock().become_lookout(station).expect("no other worker is the lookout");
            while next() > 1 {
                station.parker.park_lightly(Deadline::NEVER);
            }
            core.fire_as_lookout();
        });
        expect_queued(&core, &tally, [lookout]);
    });
}

/// Race: a timer is submitted while the lookout, on which the sleeper relies, is woken for something else.
#[test]
fn a_lookout_that_leaves_wakes_the_sleeper() {
    check(3, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        let sleeper = sleeper(&core);
        let lookout = with(&core, |core| {
            let _ = core.timers().state.lock().become_lookout(core.crew.station(0));
            core.timers().leave_lookout();
        });
        expect_queued(&core, &tally, [lookout, sleeper]);
    });
}

/// Race: a timer is submitted while the pool closes.
#[test]
fn a_timer_that_comes_while_the_pool_closes_is_refused_or_cancelled() {
    check(2, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        let closer = with(&core, |core| {
            core.close();
        });
        let accepted = core.submit_timed(LATER, Placement::Front, &mut Some(tally.empty_job())).is_ok();
        closer.join().unwrap();
        assert_eq!(tally.cancelled(), usize::from(accepted));
    });
}

/// Race: a job is claimed, cancelled and overdue at the same time.
#[test]
fn a_job_with_a_deadline_has_one_end() {
    check(1, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        staff(&core);
        let canceller = with(&core, |core| {
            core.cancel_all();
        });
        core.submit_expiring(Route::Back, 1, tally.task(|_| ())).unwrap();
        canceller.join().unwrap();
        drain(&core);
        assert_eq!(tally.run() + tally.cancelled() + tally.expired(), 1);
        assert!(core.timers().state.lock().deadlines.is_empty(), "the thread that ends the job frees its entry");
    });
}

/// Race: the pool closes while a job has a deadline, for which the sleeper stays; it ends when the last such job has
/// begun.
#[test]
fn the_sleeper_leaves_a_closed_pool_with_the_last_deadline() {
    check(1, || {
        let (core, tally) = (staffed_by(1, clock()), Tally::new());
        core.submit_expiring(Route::Back, 2, tally.task(|_| ())).unwrap();
        let sleeper = with(&core, |core| {
            loop {
                match core.fire_as_sleeper() {
                    Fired::Closed => break,
                    Fired::Until(_) | Fired::BehindLookout(_) => core.timers().alarm.park(),
                }
            }
        });
        staff(&core);
        drain(&core);
        sleeper.join().unwrap();
        assert_eq!((tally.run(), core.timers().state.lock().deadlines.is_empty()), (1, true));
    });
}

/// Two due timers, which are a storm, because in models one check touches one timer.
fn in_a_storm() -> (Arc<Core>, Arc<Tally>) {
    let (core, tally) = (staffed_by(1, clock()), Tally::new());
    for _ in 0..2 {
        core.submit_timed(LATER, Placement::Front, &mut Some(tally.empty_job())).unwrap();
    }
    core.fire_due();
    (core, tally)
}

/// Race: a worker queues the timers of a storm while a thread waits for quiescence.
#[test]
fn what_a_storm_brings_is_waited_for() {
    check(2, || {
        let (core, tally) = in_a_storm();
        staff(&core);
        core.wait_quiescent(Deadline::NEVER).unwrap();
        assert_eq!(tally.run(), 2);
        drain(&core);
    });
}

/// Race: a worker queues the timers of a storm while the pool closes.
#[test]
fn what_is_due_when_a_pool_closes_is_run() {
    check(2, || {
        let (core, tally) = in_a_storm();
        staff(&core);
        drain(&core);
        assert_eq!((tally.run(), tally.cancelled()), (2, 0));
    });
}
