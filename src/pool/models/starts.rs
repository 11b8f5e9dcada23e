//! Models of the crew alone: a start that the system refuses.

use crate::pool::crew::Crew;
use crate::sync::{Deadline, EventCount, Parker};
use crate::sys::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sys::fence;
use crate::sys::model::check;
use loom::thread;
use std::io;
use std::sync::{Arc, Mutex};

/// A crew whose jobs are only counted. Submitters and the worker take the steps of `Core::submit` and `Worker::run`.
struct Site {
    crew: Crew,
    queued: AtomicUsize,
    done: AtomicUsize,
    over: AtomicBool,
    changed: EventCount,
    /// How many starts the system still refuses. No part of the model, and neither are the threads: the crew's lock is
    /// held by whoever looks.
    refusals: Mutex<usize>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Site {
    fn new(refusals: usize) -> Arc<Self> {
        Arc::new(Self {
            crew: Crew::new(1, 0, false),
            queued: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            changed: EventCount::new(),
            refusals: Mutex::new(refusals),
            threads: Mutex::new(Vec::new()),
        })
    }

    /// True if the job was accepted.
    fn submit(self: &Arc<Self>) -> bool {
        self.queued.fetch_add(1, Ordering::Release);
        fence::light();
        let recruit = || self.crew.recruit(|| self.is_queued(), |_| self.start());
        !self.crew.needs_recruit() || recruit().is_ok() || !self.take()
    }

    fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Acquire) > 0
    }

    fn take(&self) -> bool {
        let less = |queued: usize| queued.checked_sub(1);
        self.queued.fetch_update(Ordering::Acquire, Ordering::Relaxed, less).is_ok()
    }

    fn start(self: &Arc<Self>) -> io::Result<()> {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let site = Arc::clone(self);
        self.threads.lock().unwrap().push(thread::spawn(move || site.work()));
        Ok(())
    }

    fn work(&self) {
        let is_over = || self.over.load(Ordering::Acquire);
        self.crew.arrive();
        while !is_over() {
            if self.take() {
                let _no_other_could_be_recruited = self.crew.stop_searching(|| self.is_queued());
                self.done.fetch_add(1, Ordering::Release);
                self.changed.notify();
                self.crew.census.start_searching();
            } else {
                let sleep = |parker: &Parker| parker.park_until(Deadline::NEVER);
                assert!(self.crew.park(0, true, || self.is_queued() || is_over(), sleep));
            }
        }
        assert!(self.crew.leave(0));
    }

    /// Waits until `jobs` were done; then the worker leaves.
    fn finish(&self, jobs: usize) {
        let all_done = || (self.done.load(Ordering::Acquire) == jobs).then_some(());
        self.changed.wait_until(Deadline::NEVER, all_done).expect("never has not come yet");
        self.over.store(true, Ordering::Release);
        self.crew.wake_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap());
        assert_eq!(threads.len(), self.crew.census.read().alive().max(usize::from(jobs > 0)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// Two threads submit a job each; returns how many jobs were accepted.
fn submit_twice(site: &Arc<Site>) -> usize {
    let other = {
        let site = Arc::clone(site);
        thread::spawn(move || site.submit())
    };
    usize::from(site.submit()) + usize::from(other.join().unwrap())
}

/// Race: the second submitter comes while the only start is tried and refused; it must not rely on that.
#[test]
fn a_job_is_not_accepted_without_a_worker() {
    check(3, || {
        let site = Site::new(2);
        assert_eq!(submit_twice(&site), 0);
        site.finish(0);
    });
}

/// Race: the first start is refused, the next one is not; a job that was accepted meanwhile is done.
#[test]
fn a_job_is_done_although_another_start_was_refused() {
    check(3, || {
        let site = Site::new(1);
        let accepted = submit_twice(&site);
        assert!(accepted > 0);
        site.finish(accepted);
    });
}

/// Race: the second submitter relies on the worker that the first has woken, which does not fence for it.
#[test]
fn a_job_that_relies_on_a_woken_worker_is_done() {
    check(2, || {
        let site = Site::new(0);
        assert_eq!(submit_twice(&site), 2);
        site.finish(2);
    });
}
