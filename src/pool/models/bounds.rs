//! Models of the bound on queued jobs.

use super::{Tally, bounded, counted, drain, staff, with};
use crate::pool::Refusal;
use crate::pool::bound::{Bound, Full, Limits};
use crate::pool::station::Station;
use crate::sync::Deadline;
use crate::sys::model::check;
use loom::thread;
use std::sync::Arc;

#[derive(Debug)]
struct Bounded {
    bound: Bound,
    workers: [Station; 2],
}

const ONE_PLACE: Limits = Limits { most: 1, when_full: Full::Wait(None), marks: None };

impl Bounded {
    fn new() -> Arc<Self> {
        Arc::new(Self { bound: Bound::new(ONE_PLACE), workers: [Station::new(), Station::new()] })
    }

    fn freed(&self) -> u64 {
        self.workers.iter().map(Station::begun).sum()
    }

    fn take(&self) -> bool {
        self.bound.take(1, || self.freed())
    }

    /// What a worker does when it begins a job.
    fn begin(&self, worker: usize) {
        self.workers[worker].count_begun();
        self.bound.notify();
    }

    fn take_in_the_end(&self) {
        while !self.take() {
            self.bound.wait(Deadline::NEVER, || self.bound.has_room(1, || self.freed()));
        }
    }
}

/// Race: a worker begins a job while a submitter that has found no room goes to sleep.
#[test]
fn a_submitter_that_waits_for_room_is_woken() {
    check(None, || {
        let pool = Bounded::new();
        assert!(pool.take());
        let worker = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.begin(0)
        });
        pool.take_in_the_end();
        worker.join().unwrap();
    });
}

/// Race: two submitters see the same free place.
#[test]
fn a_place_is_taken_once() {
    check(None, || {
        let pool = Bounded::new();
        let other = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.take()
        });
        let own = pool.take();
        assert!(own != other.join().unwrap());
    });
}

/// Race: one worker frees two places, one after the other, while two submitters go to sleep.
#[test]
fn every_waiting_submitter_is_woken() {
    check(2, || {
        let pool = Bounded::new();
        assert!(pool.take());
        let other = thread::spawn({
            let pool = Arc::clone(&pool);
            move || {
                pool.take_in_the_end();
                pool.begin(1); // Its job is begun at once.
            }
        });
        pool.begin(0);
        pool.take_in_the_end();
        pool.begin(0);
        other.join().unwrap();
        assert!(pool.take());
    });
}

/// Race: the pool is closed while a submitter that has found no room goes to sleep.
#[test]
fn a_submitter_that_waits_for_room_sees_the_pool_close() {
    check(2, || {
        let (core, tally) = (counted(bounded(1, Some(ONE_PLACE)), 1), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        let job = tally.empty_job();
        let submitter = with(&core, |core| core.submit(job).map_err(|rejected| rejected.why));
        core.close();
        assert!(matches!(submitter.join().unwrap(), Err(Refusal::Closed)));
        assert_eq!(core.cancel_all(), 1);
        staff(&core);
        drain(&core);
        assert_eq!((tally.run(), tally.cancelled()), (0, 1));
    });
}

/// Race: a worker takes the job that is handed to it while the submitter goes to sleep.
#[test]
fn a_hand_off_ends_when_the_job_is_taken() {
    check(1, || {
        let limits = Limits { when_full: Full::HandOff, ..ONE_PLACE };
        let (core, tally) = (counted(bounded(1, Some(limits)), 1), Tally::new());
        staff(&core);
        core.submit(tally.empty_job()).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 1);
    });
}
