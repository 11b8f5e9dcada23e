//! What the test files share: gates that jobs wait at, limits against hanging, counted drops.
#![allow(dead_code, reason = "each test file uses its own part")]

use fastthreadpool::{ManualClock, Pool};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A test that takes longer than this is considered to hang.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// Runs a test's body on a thread of its own. If the body hangs, even while it unwinds, the test fails and does not
/// block.
pub(crate) fn within_limit(body: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        body();
        let _ = done.send(());
    });
    match ended.recv_timeout(LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            if let Err(payload) = thread.join() {
                std::panic::resume_unwind(payload);
            }
        }
    }
}

/// Runs a random test's rounds: `FTPOOL_ROUNDS` of them (40), with the seeds from `FTPOOL_SOAK_SEED` (1) on.
pub(crate) fn for_each_seed(round: impl Fn(u64) + Copy + Send + 'static) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, rounds) = (number("FTPOOL_SOAK_SEED").unwrap_or(1), number("FTPOOL_ROUNDS").unwrap_or(40));
    for seed in first..first + rounds {
        println!("seed {seed}"); // Shown if it fails.
        within_limit(move || round(seed));
    }
}

/// Polls until `condition` holds, where there is no notification to wait for.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "never came true: {what}");
        thread::yield_now();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pool with this many workers.
pub(crate) fn pool_of(workers: i32) -> Pool {
    Pool::builder().workers(workers).build().expect("a pool of this size can be built")
}

/// Keeps a pool's only worker at a gate.
pub(crate) fn block(pool: &Pool) -> Gate {
    let gate = Gate::new();
    pool.spawn(gate.job()).unwrap();
    gate.wait_started(1);
    gate
}

/// A pool whose only worker is at a gate.
pub(crate) fn blocked() -> (Pool, Gate) {
    let pool = pool_of(1);
    let gate = block(&pool);
    (pool, gate)
}

/// A pool with a manual clock.
pub(crate) fn manual(workers: i32) -> (Pool, ManualClock) {
    let clock = ManualClock::new();
    (Pool::builder().workers(workers).clock(&clock).build().unwrap(), clock)
}

/// Advances the clock step by step, and after each step waits until its jobs have ended.
pub(crate) fn advance(pool: &Pool, clock: &ManualClock, steps: u32, step: Duration) {
    for _ in 0..steps {
        clock.advance(step);
        pool.wait_idle(LIMIT).unwrap();
    }
}

/// Jobs wait here until the test opens it, or fails. Declare it after the pool, so that a failing test opens it before
/// the pool's drop waits for the jobs.
#[derive(Default)]
pub(crate) struct Gate(Door);

/// The jobs' side of a [`Gate`].
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<(Mutex<Visitors>, Condvar)>);

#[derive(Default)]
struct Visitors {
    started: usize,
    open: bool,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn door(&self) -> Door {
        self.0.clone()
    }

    /// A job that counts as started and waits until the gate opens.
    pub(crate) fn job(&self) -> impl FnOnce() + Clone + Send + 'static {
        let door = self.door();
        move || door.pass()
    }

    pub(crate) fn started(&self) -> usize {
        lock(&self.0.0.0).started
    }

    /// Waits until `count` jobs have come to the gate.
    pub(crate) fn wait_started(&self, count: usize) {
        let (visitors, changed) = &*self.0.0;
        let seen = changed
            .wait_timeout_while(lock(visitors), LIMIT, |visitors| visitors.started < count)
            .unwrap_or_else(PoisonError::into_inner);
        let started = seen.0.started;
        drop(seen);
        assert!(started >= count, "{started} of {count} jobs have started");
    }

    pub(crate) fn open(&self) {
        let (visitors, changed) = &*self.0.0;
        lock(visitors).open = true;
        changed.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl Door {
    pub(crate) fn pass(&self) {
        let (visitors, changed) = &*self.0;
        let mut seen = lock(visitors);
        seen.started += 1;
        changed.notify_all();
        let seen = changed.wait_timeout_while(seen, LIMIT, |visitors| !visitors.open);
        let open = seen.unwrap_or_else(PoisonError::into_inner).0.open;
        assert!(open, "the gate was never opened");
    }
}

/// A counter that jobs share with the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// Counts one; returns how many there were before.
    pub(crate) fn add(&self) -> usize {
        self.0.fetch_add(1, SeqCst)
    }

    /// A job that counts its run.
    pub(crate) fn job(&self) -> impl FnOnce() + Clone + Send + 'static {
        self.each()
    }

    /// A function that counts its calls.
    pub(crate) fn each(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let count = self.clone();
        move || {
            count.add();
        }
    }

    /// A value that counts its drop.
    pub(crate) fn on_drop(&self) -> Counted {
        Counted(self.clone())
    }
}

/// Counts its drop.
#[derive(Debug)]
pub(crate) struct Counted(Count);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A pseudorandom number generator: Marsaglia's xorshift64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }
}

/// What Linux says about this process's threads.
#[cfg(target_os = "linux")]
pub(crate) mod linux {
    use std::fs;
    use std::path::PathBuf;

    /// The `/proc` folders of the threads whose name begins with `prefix`.
    pub(crate) fn threads_named(prefix: &str) -> Vec<PathBuf> {
        let tasks = fs::read_dir("/proc/self/task").expect("Linux lists a process's threads");
        let is_named =
            |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with(prefix));
        tasks.filter_map(|task| Some(task.ok()?.path())).filter(is_named).collect()
    }

    /// The calling thread's `/proc` folder.
    pub(crate) fn this_thread() -> PathBuf {
        PathBuf::from("/proc").join(fs::read_link("/proc/thread-self").expect("Linux names the calling thread"))
    }

    /// A line `field: value` of a thread's `status` file.
    pub(crate) fn status(task: &std::path::Path, field: &str) -> String {
        let status = fs::read_to_string(task.join("status")).expect("a living thread has a status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.expect("the status has the field").trim().to_string()
    }
}
