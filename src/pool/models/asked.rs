//! Models of the crew alone: workers that stop searching and rely on submitters' fences.

use crate::pool::crew::Crew;
use crate::sync::Parker;
use crate::sys::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sys::fence;
use crate::sys::model::check;
use loom::thread;
use std::sync::Arc;

/// A crew, and a job that a worker must find.
struct Site {
    crew: Crew,
    queued: AtomicUsize,
    over: AtomicBool,
}

impl Site {
    /// A crew whose workers are counted as searching.
    fn new(workers: usize) -> Arc<Self> {
        let crew = Crew::new(workers, 0, false);
        (0..workers).for_each(|_| crew.hire(|_| Ok(())).map(drop).unwrap());
        Arc::new(Self { crew, queued: AtomicUsize::new(0), over: AtomicBool::new(false) })
    }

    /// One worker sleeps; the other one searches, and was not woken.
    fn with_a_sleeper() -> Arc<Self> {
        let site = Self::new(2);
        site.sleep(1);
        site.search_anew();
        site
    }

    fn expect_no_sleeper(&self) {
        assert_eq!(self.crew.census.read().idle(), 0, "the sleeper was woken for the job");
    }

    fn has_work(&self) -> bool {
        self.queued.load(Ordering::Acquire) > 0
    }

    /// The steps of `Core::submit`.
    fn submit(&self) {
        self.queued.store(1, Ordering::Release);
        fence::light();
        if self.crew.needs_recruit() {
            self.crew.recruit(|| self.has_work(), |_| unreachable!("all workers are alive")).unwrap();
        }
    }

    /// A worker runs a job, and begins a search that is not woken.
    fn search_anew(&self) {
        self.search(false);
    }

    /// The same for a worker with little to do, which asks submitters to fence.
    fn ask(&self) {
        self.search(true);
    }

    fn search(&self, asks: bool) {
        let _nobody_could_be_recruited = self.crew.stop_searching(asks, || false);
        self.crew.census.start_searching();
    }

    /// A searcher finds another job, and recruits for the queued one.
    fn find(&self) {
        if self.crew.stop_searching(false, || self.has_work()) {
            self.crew.recruit(|| self.has_work(), |_| unreachable!("all workers are alive")).unwrap();
        }
    }

    /// The same for a submitter with much to do.
    fn submit_one_of_many(&self) {
        self.crew.census.clear_woken();
        self.submit();
    }

    /// A worker goes to sleep; its sleep returns at once, so that a waker does not have to wait for it.
    fn sleep(&self, worker: usize) {
        assert!(self.crew.park(worker, false, false, || false, |_| true));
    }

    /// Goes to sleep, asks submitters to fence, and gives up at once.
    fn nod(&self, worker: usize) {
        let _ = self.crew.park(worker, false, true, || false, |_| false);
    }

    /// Sleeps until there is work, and then ends all workers.
    fn wait(&self, worker: usize) {
        let reason = || self.has_work() || self.over.load(Ordering::Acquire);
        let sleep = |parker: &Parker| {
            parker.park();
            true
        };
        assert!(self.crew.park(worker, false, true, reason, sleep));
        self.over.store(true, Ordering::Release);
        self.crew.wake_all();
    }
}

fn submitter(site: &Arc<Site>) -> thread::JoinHandle<()> {
    let site = Arc::clone(site);
    thread::spawn(move || site.submit())
}

/// Race: a job is submitted while a worker falls asleep with a full fence only, because HEARD is set.
#[test]
fn a_worker_that_has_been_heard_does_not_sleep_while_a_job_is_queued() {
    check(None, || {
        let site = Site::new(1);
        site.nod(0);
        site.search_anew();
        let submitter = submitter(&site);
        site.wait(0);
        submitter.join().unwrap();
    });
}

/// Race: the submitter has read the census before it was asked. No worker relies on its fence before its job is
/// visible.
#[test]
fn a_worker_relies_on_those_only_who_have_heard() {
    check(3, || {
        let site = Site::new(1);
        site.search_anew();
        let submitter = submitter(&site);
        site.nod(0);
        site.search_anew();
        site.wait(0);
        submitter.join().unwrap();
    });
}

/// Race: the request is withdrawn while a worker that has asked falls asleep.
#[test]
fn a_worker_does_not_say_that_it_has_been_heard_when_it_has_not() {
    check(2, || {
        let site = Site::new(2);
        site.search_anew();
        let other = {
            let site = Arc::clone(&site);
            thread::spawn(move || {
                site.crew.stop_asking();
                site.wait(1);
            })
        };
        let submitter = submitter(&site);
        site.wait(0);
        submitter.join().unwrap();
        other.join().unwrap();
    });
}

/// Race: a job is submitted while a searcher finds another one, with a full fence only, because HEARD is set.
#[test]
fn a_search_that_has_been_heard_ends_while_a_job_is_queued() {
    check(None, || {
        let site = Site::with_a_sleeper();
        site.ask();
        let submitter = submitter(&site);
        site.find();
        submitter.join().unwrap();
        site.expect_no_sleeper();
    });
}

/// Race: the submitter has read the census before a searcher asked. No worker relies on its fence before its job is
/// visible.
#[test]
fn a_search_relies_on_those_only_who_have_heard() {
    check(3, || {
        let site = Site::with_a_sleeper();
        let submitter = submitter(&site);
        site.ask();
        site.find();
        submitter.join().unwrap();
        site.expect_no_sleeper();
    });
}

/// Race: a worker with much to do withdraws the request while another one makes it, and then submits.
#[test]
fn a_search_does_not_rely_on_a_request_that_was_taken_back() {
    check(3, || {
        let site = Site::with_a_sleeper();
        let busy = {
            let site = Arc::clone(&site);
            thread::spawn(move || {
                site.crew.stop_asking();
                site.submit();
            })
        };
        site.ask();
        site.find();
        busy.join().unwrap();
        site.expect_no_sleeper();
    });
}

/// Race: a submitter with much to do clears WOKEN, and does not fence, while the woken search ends.
#[test]
fn a_search_does_not_rely_on_a_wake_up_that_was_forgotten() {
    check(None, || {
        let site = Site::new(2);
        site.sleep(1);
        assert!(site.crew.census.read().is_woken());
        let busy = {
            let site = Arc::clone(&site);
            thread::spawn(move || site.submit_one_of_many())
        };
        site.find();
        busy.join().unwrap();
        site.expect_no_sleeper();
    });
}
