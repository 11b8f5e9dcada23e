//! Models of the crew alone: starting workers, and starts that the system refuses.

use crate::pool::crew::Crew;
use crate::sync::{Deadline, EventCount, Parker};
use crate::sys::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sys::fence;
use crate::sys::model::check;
use loom::thread;
use std::io;
use std::sync::{Arc, Mutex};

/// A crew whose jobs are only counted. Submitters and workers take the steps of `Core::submit` and `Worker::run`.
struct Site {
    crew: Crew,
    queued: AtomicUsize,
    begun: AtomicUsize,
    /// Whether the first job to begin waits until another one is done.
    first_waits: bool,
    done: AtomicUsize,
    over: AtomicBool,
    changed: EventCount,
    /// How many more starts the system refuses. Not modelled, like `threads`: both are used under the crew's lock.
    refusals: Mutex<usize>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Site {
    fn new(refusals: usize) -> Arc<Self> {
        Self::with(1, false, refusals)
    }

    fn with(workers: usize, first_waits: bool, refusals: usize) -> Arc<Self> {
        Arc::new(Self {
            crew: Crew::new(workers, 0, false),
            queued: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            first_waits,
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
        !self.crew.needs_recruit() || self.recruit().is_ok() || !self.take()
    }

    fn recruit(self: &Arc<Self>) -> io::Result<()> {
        self.crew.recruit(|| self.is_queued(), |number| self.start(number))
    }

    fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Acquire) > 0
    }

    fn take(&self) -> bool {
        let less = |queued: usize| queued.checked_sub(1);
        self.queued.fetch_update(Ordering::Acquire, Ordering::Relaxed, less).is_ok()
    }

    fn start(self: &Arc<Self>, number: usize) -> io::Result<()> {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let site = Arc::clone(self);
        self.threads.lock().unwrap().push(thread::spawn(move || site.work(number)));
        Ok(())
    }

    fn work(self: &Arc<Self>, number: usize) {
        let is_over = || self.over.load(Ordering::Acquire);
        self.crew.wait_until_counted();
        while !is_over() {
            if self.take() {
                if self.crew.stop_searching(false, || self.is_queued()) {
                    self.recruit().expect("this worker is alive, so a refusal is no error");
                }
                if self.first_waits && self.begun.fetch_add(1, Ordering::Relaxed) == 0 {
                    self.wait_for(1);
                }
                self.done.fetch_add(1, Ordering::Release);
                self.changed.notify();
                self.crew.census.start_searching();
            } else {
                let sleep = |parker: &Parker| parker.park_until(Deadline::NEVER);
                assert!(self.crew.park(number, false, true, || self.is_queued() || is_over(), sleep));
            }
        }
        assert!(self.crew.leave(number));
    }

    fn wait_for(&self, jobs: usize) {
        let all_done = || (self.done.load(Ordering::Acquire) == jobs).then_some(());
        self.changed.wait_until(Deadline::NEVER, all_done).expect("there is no deadline");
    }

    /// Waits until `jobs` were done, then ends all workers.
    fn finish(&self, jobs: usize) {
        self.wait_for(jobs);
        self.over.store(true, Ordering::Release);
        self.crew.wake_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap());
        assert_eq!(threads.len(), self.crew.used());
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

/// Race: the second submitter submits while the only start is refused; it must not rely on that start.
#[test]
fn a_job_is_not_accepted_without_a_worker() {
    check(3, || {
        let site = Site::new(2);
        assert_eq!(submit_twice(&site), 0);
        site.finish(0);
    });
}

/// Race: the first start is refused and the next one is not; a job that was accepted meanwhile is done.
#[test]
fn a_job_is_done_although_another_start_was_refused() {
    check(3, || {
        let site = Site::new(1);
        let accepted = submit_twice(&site);
        assert!(accepted > 0);
        site.finish(accepted);
    });
}

/// Race: the second submitter observes the worker that was started for the first job and makes only a full fence. That
/// worker, or the submitter, must wake another one, because the first job may take long: here it waits for the second.
#[test]
fn a_job_that_relies_on_a_woken_worker_is_done() {
    check(2, || {
        let site = Site::with(2, true, 0);
        assert!(site.submit() && site.submit());
        site.finish(2);
    });
}
