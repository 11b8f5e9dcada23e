//! Models of whole pools and of their parts, for the model checker. In models a segment has two slots.

mod again;
mod asked;
mod blocked;
mod bounds;
mod calls;
mod ends;
mod forks;
mod grouped;
mod leaving;
mod lives;
mod quiet;
mod starts;
mod timers;

use super::{Core, Hooks, Job, Limits, PanicDetail, Settings, Task, Unrun, Worker, current};
use crate::sync::{Deadline, EventCount};
use crate::sys::atomic::{AtomicUsize, Ordering};
use crate::sys::clock::Clock;
use loom::thread;
use std::sync::Arc;

/// Counts how a model's jobs have ended.
#[derive(Debug)]
struct Tally {
    run: AtomicUsize,
    cancelled: AtomicUsize,
    expired: AtomicUsize,
    changed: EventCount,
}

impl Tally {
    fn new() -> Arc<Self> {
        let none = || AtomicUsize::new(0);
        Arc::new(Self { run: none(), cancelled: none(), expired: none(), changed: EventCount::new() })
    }

    /// A job that runs `code` and is counted.
    fn job(self: &Arc<Self>, code: impl FnOnce(&Worker) + Send + 'static) -> Job {
        Job::new(self.task(code))
    }

    fn task(self: &Arc<Self>, code: impl FnOnce(&Worker) + Send + 'static) -> impl Task + 'static {
        Counted { tally: Arc::clone(self), code }
    }

    fn empty_job(self: &Arc<Self>) -> Job {
        self.job(|_| ())
    }

    /// A job that waits until another one has run.
    fn waiting_job(self: &Arc<Self>) -> Job {
        let tally = Arc::clone(self);
        self.job(move |_| tally.wait_until_one_ran())
    }

    /// Waits until a job has run.
    fn wait_until_one_ran(&self) {
        self.changed.wait_until(Deadline::NEVER, || (self.run() > 0).then_some(())).expect("there is no deadline");
    }

    fn run(&self) -> usize {
        self.run.load(Ordering::Relaxed)
    }

    fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn expired(&self) -> usize {
        self.expired.load(Ordering::Relaxed)
    }
}

struct Counted<F> {
    tally: Arc<Tally>,
    code: F,
}

impl<F: FnOnce(&Worker) + Send + 'static> Task for Counted<F> {
    fn run(self, worker: &Worker) {
        (self.code)(worker);
        self.tally.run.fetch_add(1, Ordering::Relaxed);
        self.tally.changed.notify();
    }

    fn cancel(self, _core: &Core, _id: u64, why: Unrun) {
        let count = if why == Unrun::Expired { &self.tally.expired } else { &self.tally.cancelled };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A pool with at most `workers` workers, none of which was started.
fn pool(workers: usize) -> Arc<Core> {
    build(workers, None, Clock::system())
}

fn bounded(workers: usize, limits: Option<Limits>) -> Arc<Core> {
    build(workers, limits, Clock::system())
}

fn build(workers: usize, limits: Option<Limits>, clock: Clock) -> Arc<Core> {
    Core::new(Settings { limits, clock, ..settings(workers) })
}

/// Default settings, for at most `workers` workers.
fn settings(workers: usize) -> Settings {
    Settings {
        workers,
        prefix: String::new(),
        stack_size: None,
        ordered: false,
        timing: false,
        extra_workers: 0,
        idle_timeout: None,
        jobs_per_worker: None,
        hooks: Hooks::default(),
        limits: None,
        panic_detail: PanicDetail::Payload,
        permanent: false,
        clock: Clock::system(),
    }
}

/// A pool whose workers are already counted as searching, so that no submit starts one. [`staff`] starts them.
fn staffed(workers: usize) -> Arc<Core> {
    counted(build(workers, None, Clock::system()), workers)
}

/// The same with a clock. Creates the timers at once, because the checker does not know that a `OnceLock` orders their
/// initialisation.
fn staffed_by(workers: usize, clock: Clock) -> Arc<Core> {
    let core = counted(build(workers, None, clock), workers);
    core.timers();
    core
}

fn counted(core: Arc<Core>, workers: usize) -> Arc<Core> {
    (0..workers).for_each(|_| core.crew.hire(|_| Ok(())).map(drop).unwrap());
    core
}

/// Starts the workers of a [`staffed`] pool. What happens before runs on one thread, which keeps a model small.
fn staff(core: &Arc<Core>) {
    for number in 0..core.limit() {
        core.threads.add(with(core, move |core| work(core, number, Worker::run)));
    }
}

/// Runs `code` as the worker with this number.
fn work(core: &Arc<Core>, number: usize, code: impl FnOnce(&Worker)) {
    let worker = Worker::new(Arc::clone(core), number);
    let _current = current::enter(&worker);
    code(&worker);
}

fn drain(core: &Arc<Core>) {
    core.drain(Deadline::NEVER).expect("the caller is no job of the pool");
}

/// Runs `code` in a thread of its own.
fn with<R: 'static>(core: &Arc<Core>, code: impl FnOnce(&Arc<Core>) -> R + 'static) -> thread::JoinHandle<R> {
    let core = Arc::clone(core);
    thread::spawn(move || code(&core))
}
