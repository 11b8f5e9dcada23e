//! Models of the bound on queued jobs.

use super::{Tally, bounded, counted, drain, staff, with};
use crate::pool::Refusal;
use crate::pool::bound::{Bound, Full, Limits};
use crate::pool::station::Station;
use crate::pool::water_marks::WaterMark::{self, High, Low};
use crate::pool::water_marks::{DequeueCounter, MarkedQueue, Marks};
use crate::sync::Deadline;
use crate::sys::fence;
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
        self.workers.iter().map(|worker| worker.begun.gone()).sum()
    }

    fn take(&self) -> bool {
        self.bound.take(1, || self.freed())
    }

    /// The steps of a worker that begins a job.
    fn begin(&self, worker: usize) {
        self.workers[worker].begun.count();
        self.bound.notify();
    }

    fn take_in_the_end(&self) {
        while !self.take() {
            self.bound.wait(Deadline::NEVER, || self.bound.has_room(1, || self.freed()));
        }
    }
}

/// Race: a worker begins a job while a submitter that found no room goes to sleep.
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

/// Race: two submitters observe the same free place.
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

/// Race: the pool is closed while a submitter that found no room goes to sleep.
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

/// Race: a worker takes the job of a hand-off while the submitter goes to sleep.
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

/// A bounded queue with marks, and its two workers.
#[derive(Debug)]
struct Marked {
    bound: Bound,
    workers: [DequeueCounter; 2],
    told: Told,
}

type Told = Arc<std::sync::Mutex<Vec<WaterMark>>>;

impl Marked {
    fn new(low: u64, high: u64) -> Arc<Self> {
        let told = Told::default();
        let tell = {
            let told = Arc::clone(&told);
            Arc::new(move |mark, _| told.lock().unwrap().push(mark))
        };
        let limits = Limits { most: 100, when_full: Full::Wait(None), marks: Some(Marks { low, high, tell }) };
        Arc::new(Self { bound: Bound::new(limits), workers: [DequeueCounter::new(), DequeueCounter::new()], told })
    }

    fn submit(&self, count: u64) {
        self.bound.take_above_limit(count);
        self.bound.water_marks.as_ref().unwrap().may_have_risen(self.bound.queued_at_most(), self);
    }

    fn begin(&self, worker: usize, count: u64) {
        for _ in 0..count {
            self.workers[worker].count();
            fence::light();
            self.bound.water_marks.as_ref().unwrap().may_have_fallen(&self.workers[worker], self);
        }
    }

    fn told(&self) -> Vec<WaterMark> {
        self.told.lock().unwrap().clone()
    }
}

impl MarkedQueue for Marked {
    fn counters(&self) -> impl Iterator<Item = &DequeueCounter> {
        self.workers.iter()
    }

    fn queued(&self) -> u64 {
        self.bound.queued(|| self.counters().map(DequeueCounter::gone).sum())
    }
}

/// Two workers empty a queue of `all` jobs to its low mark. The first takes `mine` of them, the second `others`.
fn two_workers_pass_the_low_mark(low: u64, all: u64, mine: u64, others: u64) {
    let queue = Marked::new(low, all);
    queue.submit(all);
    let other = thread::spawn({
        let queue = Arc::clone(&queue);
        move || queue.begin(1, others)
    });
    queue.begin(0, mine);
    other.join().unwrap();
    assert_eq!(queue.told(), [High, Low]);
}

/// Race: two workers empty the queue to its low mark, one of them with an allowance from when it was long.
#[test]
fn low_water_is_told_by_whoever_passes_the_mark() {
    check(3, || two_workers_pass_the_low_mark(1, 6, 3, 2));
}

/// Race: of two workers that check the low mark for each job, each takes one of the last two.
#[test]
fn low_water_is_told_by_the_later_of_two_workers() {
    check(3, || two_workers_pass_the_low_mark(0, 2, 1, 1));
}

/// Race: the queue rises to the high mark while it falls to the low one.
#[test]
fn the_last_mark_told_is_the_last_one_passed() {
    check(3, || {
        let queue = Marked::new(0, 1);
        queue.submit(1);
        let worker = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.begin(0, 1)
        });
        queue.submit(1);
        worker.join().unwrap();
        let told = queue.told();
        assert!(told == [High] || told == [High, Low, High], "{told:?}");
        queue.begin(1, 1);
        assert_eq!(queue.told().len(), told.len() + 1);
    });
}
