//! Models of a pool's end.

use super::{Core, Tally, Worker, drain, pool, staff, staffed, with, work};
use crate::pool::Refusal;
use crate::pool::orphans::{Orphan, Orphans};
use crate::sync::Deadline;
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::model::check;
use loom::thread;
use std::cell::Cell;
use std::sync::Arc;

/// Race: a job is submitted while the pool is closed; it is refused or run.
#[test]
fn what_is_accepted_while_the_pool_closes_is_run() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        staff(&core);
        let job = tally.empty_job();
        let submitter = with(&core, |core| match core.submit(job) {
            Ok(_) => 1,
            Err(rejected) => {
                assert!(matches!(rejected.why, Refusal::Closed));
                0
            }
        });
        drain(&core);
        let accepted = submitter.join().unwrap();
        assert_eq!(tally.run(), accepted);
    });
}

/// Race: a job of the pool submits another one while the pool is closed; own jobs are not refused.
#[test]
fn a_child_of_a_job_is_run_although_the_pool_is_closed() {
    check(2, || {
        let (core, tally) = (pool(1), Tally::new());
        let child = tally.empty_job();
        let parent = tally.job(|worker| worker.core().submit(child).map(drop).unwrap());
        core.submit(parent).unwrap();
        drain(&core);
        assert_eq!(tally.run(), 2);
    });
}

/// Race: two workers observe the end at the same time, one of them on its way to sleep.
#[test]
fn every_worker_leaves() {
    check(1, || {
        let (core, tally) = (staffed(2), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.submit(tally.empty_job()).unwrap();
        staff(&core);
        drain(&core);
        assert_eq!((tally.run(), core.alive()), (2, 0));
    });
}

/// Race: the last job of a closed pool is cancelled; a worker checks after the revoke and before the count.
#[test]
fn a_worker_leaves_although_its_last_job_was_cancelled() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        let id = core.submit(tally.empty_job()).unwrap();
        staff(&core);
        let canceller = with(&core, move |core| core.cancel(id));
        drain(&core);
        assert_eq!(canceller.join().unwrap(), tally.cancelled() == 1);
        assert_eq!(tally.run() + tally.cancelled(), 1);
    });
}

/// Race: all jobs are cancelled while a worker takes them one by one.
#[test]
fn a_job_is_run_or_cancelled() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        core.submit(tally.empty_job()).unwrap();
        staff(&core);
        core.close_and_cancel(&mut |_| ()).unwrap();
        core.drain(Deadline::NEVER).unwrap();
        assert_eq!(tally.run() + tally.cancelled(), 2);
    });
}

/// Race: a job submits another one while the pool is closed and all jobs are cancelled; it is refused, cancelled or
/// run.
#[test]
fn a_child_of_a_job_is_not_left_in_a_pool_that_cancels() {
    check(2, || {
        let (core, tally) = (pool(1), Tally::new());
        let child = tally.empty_job();
        let parent = tally.job(|worker| drop(worker.core().submit(child)));
        core.submit(parent).unwrap();
        core.close_and_cancel(&mut |_| ()).unwrap();
        assert_eq!(core.queued(), []);
        core.drain(Deadline::NEVER).unwrap();
    });
}

/// Race: the worker of a closed pool finishes the last job and leaves, instead of going to sleep, while a thread waits
/// for quiescence.
#[test]
fn a_worker_that_leaves_wakes_those_who_wait_for_quiet() {
    check(2, || {
        let (core, tally) = (staffed(1), Tally::new());
        core.submit(tally.empty_job()).unwrap();
        staff(&core);
        let waiter = with(&core, |core| core.wait_quiescent(Deadline::NEVER));
        drain(&core);
        waiter.join().unwrap().unwrap();
        assert_eq!(tally.run(), 1);
    });
}

/// An unread value whose destructor submits a job, and waits for it if it is accepted.
struct Unread {
    core: Arc<Core>,
    tally: Arc<Tally>,
    looked_at: Cell<u32>,
}

impl Orphan for Unread {
    fn is_settled(&self) -> bool {
        const BY_ADOPTER: u32 = 2;
        self.looked_at.replace(self.looked_at.get() + 1) >= BY_ADOPTER
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if self.core.submit(self.tally.empty_job()).is_ok() {
            self.tally.wait_until_one_ran();
        }
    }
}

/// Race: one worker drops an unread value, which submits to the pool, while the other one leaves at the pool's end.
#[test]
fn a_drop_does_not_wait_for_a_job_that_nobody_comes_to() {
    check(3, || {
        let (core, tally) = (staffed(2), Tally::new());
        let unread = Unread { core: Arc::clone(&core), tally: Arc::clone(&tally), looked_at: Cell::new(0) };
        core.orphans.adopt(unread);
        core.close();
        let other = with(&core, |core| work(core, 1, Worker::run));
        work(&core, 0, |worker| {
            worker.reap();
            worker.run();
        });
        other.join().unwrap();
        assert_eq!((core.alive(), core.pending()), (0, 0));
    });
}

/// Result queues without a reader.
struct Queues {
    delivered: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Orphan for Queues {
    fn is_settled(&self) -> bool {
        self.delivered.load(Ordering::Acquire) > 0
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Race: a reader drops its queues while the last outcome is written; no worker rests afterwards.
#[test]
fn what_nobody_reads_is_dropped_after_the_last_delivery() {
    check(3, || {
        let [delivered, dropped] = [0, 0].map(|none| Arc::new(AtomicUsize::new(none)));
        let orphans = Arc::new(Orphans::default());
        let queues = Queues { delivered: Arc::clone(&delivered), dropped: Arc::clone(&dropped) };
        let worker = {
            let orphans = Arc::clone(&orphans);
            thread::spawn(move || {
                delivered.store(1, Ordering::Release);
                if orphans.any() {
                    orphans.reap();
                }
            })
        };
        orphans.adopt(queues);
        worker.join().unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}
