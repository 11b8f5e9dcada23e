//! Threads that begin at once, and what a single round of a scenario comes to.

pub use crate::contest::Outcome;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// Every how many operations of a short section a wait is timed.
const SAMPLE: usize = 64;

/// What one thread knows of its waits.
#[derive(Debug, Default)]
pub struct Waits {
    operations: usize,
    longest: Duration,
    /// Whether every wait is timed: where reading the clock costs nothing beside the rest.
    every: bool,
}

impl Waits {
    /// Begins a wait; when, if it is timed.
    #[inline(always)]
    pub fn begin(&mut self) -> Option<Instant> {
        self.operations += 1;
        (self.every || self.operations.is_multiple_of(SAMPLE)).then(Instant::now)
    }

    /// Ends a wait.
    #[inline(always)]
    pub fn end(&mut self, began: Option<Instant>) {
        if let Some(began) = began {
            self.add(began.elapsed());
        }
    }

    /// Adds waits that were timed elsewhere.
    #[inline(always)]
    pub fn add(&mut self, longest: Duration) {
        self.longest = self.longest.max(longest);
    }

    /// Whether every wait is timed.
    pub fn are_all_timed(&self) -> bool {
        self.every
    }
}

/// How a round is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// Times every wait.
    pub every: bool,
    /// Gives each thread a core, in turn: left alone, threads that wake each other often share one, and do not meet.
    pub pinned: bool,
}

/// What a thread does.
pub type Body<'a> = Box<dyn FnOnce(&mut Waits) + Send + 'a>;

/// Runs each body on a thread of its own; they begin at once. `operations` is what all of them do together.
pub fn run(bodies: Vec<Body<'_>>, operations: usize, how: How) -> Outcome {
    let barrier = Barrier::new(bodies.len());
    // Threads look at the clock themselves: whoever starts them may be the last to run.
    let start = |index: usize, body: Body<'_>| {
        let mut waits = Waits { every: how.every, ..Waits::default() };
        if how.pinned {
            pin(index);
        }
        barrier.wait();
        let began = Instant::now();
        body(&mut waits);
        (began, Instant::now(), waits.longest)
    };
    let start = &start;
    let ends: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            bodies.into_iter().enumerate().map(|(index, body)| scope.spawn(move || start(index, body))).collect();
        threads.into_iter().map(|thread| thread.join().expect("benchmarks do not panic")).collect()
    });
    let first = ends.iter().map(|end| end.0).min().expect("there are threads");
    let last = ends.iter().map(|end| end.1).max().expect("there are threads");
    let longest = ends.iter().map(|end| end.2).max().unwrap_or_default();
    Outcome { ns: (last - first).as_nanos() as f64 / operations as f64, longest }
}

/// Gives the calling thread one of the cores that it may use.
fn pin(index: usize) {
    // SAFETY: zeroes are an empty set.
    let mut usable: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable and as large as said; 0 is the calling thread.
    unsafe { libc::sched_getaffinity(0, size_of_val(&usable), &mut usable) };
    // SAFETY: it only looks at a bit.
    let cores: Vec<usize> =
        (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &usable) }).collect();
    let Some(&core) = cores.get(index % cores.len().max(1)) else { return };
    // SAFETY: zeroes are an empty set.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: it only sets a bit of a set that large.
    unsafe { libc::CPU_SET(core, &mut one) };
    // SAFETY: the set is as large as said; 0 is the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of_val(&one), &one) };
}

/// Keeps a core busy for about a nanosecond a step.
#[inline(always)]
pub fn work(steps: u32) {
    for step in 0..steps {
        black_box(step);
    }
}

/// At most so many threads are inside at a time; remembers if there ever were more.
#[derive(Debug, Default)]
pub struct Inside {
    now: AtomicU64,
    too_many: AtomicBool,
}

impl Inside {
    pub fn enter(&self, most: u32) {
        if self.now.fetch_add(1, SeqCst) >= most.into() {
            self.too_many.store(true, SeqCst);
        }
    }

    pub fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }

    pub fn verify(&self) -> Result<(), String> {
        if self.too_many.load(SeqCst) { Err("more threads inside than there are permits".into()) } else { Ok(()) }
    }
}
