//! Scenarios of locks, and the locks that come as crates.

use super::race::{Body, How, Outcome, Waits, run, work};
use fastthreadpool::FastLock;

/// A count that one thread at a time may change.
pub trait Lock: Sync {
    const NAME: &'static str;

    fn new() -> Self;

    fn with(&self, section: impl FnOnce(&mut u64));

    /// Counts so often in one thread.
    #[inline(always)]
    fn count_alone(&self, times: usize) {
        (0..times).for_each(|_| self.with(|count| *count += 1));
    }

    /// Counts so often beside other threads.
    #[inline(always)]
    fn count_beside(&self, times: usize, Contest { inside, outside, .. }: Contest, waits: &mut Waits) {
        for _ in 0..times {
            let began = waits.begin();
            self.with(|count| {
                waits.end(began);
                *count += 1;
                work(inside);
            });
            work(outside);
        }
    }
}

/// Threads that do the same: so many steps inside, so many outside.
#[derive(Clone, Copy, Debug)]
pub struct Contest {
    pub threads: usize,
    pub inside: u32,
    pub outside: u32,
    pub operations: usize,
}

impl Contest {
    pub fn is_short(self) -> bool {
        self.inside == 0
    }
}

/// One round; the count says whether every operation was alone.
pub fn contest<L: Lock>(contest: Contest) -> Result<Outcome, String> {
    let lock = L::new();
    let each = contest.operations / contest.threads;
    let alone = |_: &mut Waits| lock.count_alone(each);
    let body = |waits: &mut Waits| lock.count_beside(each, contest, waits);
    let bodies = match contest.threads {
        1 => vec![Box::new(alone) as Body<'_>],
        threads => (0..threads).map(|_| Box::new(body) as Body<'_>).collect(),
    };
    let outcome = run(bodies, each * contest.threads, How { every: !contest.is_short(), pinned: true });
    let mut counted = 0;
    lock.with(|count| counted = *count);
    let expected = (each * contest.threads) as u64;
    if counted == expected { Ok(outcome) } else { Err(format!("{} counted {counted} of {expected}", L::NAME)) }
}

impl Lock for FastLock<u64> {
    const NAME: &'static str = "FastLock (Rust)";

    fn new() -> Self {
        Self::new(0)
    }

    #[inline(always)]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        section(&mut self.lock());
    }
}

impl Lock for std::sync::Mutex<u64> {
    const NAME: &'static str = "std Mutex";

    fn new() -> Self {
        Self::new(0)
    }

    #[inline(always)]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        section(&mut self.lock().expect("nobody panics"));
    }
}

impl Lock for parking_lot::Mutex<u64> {
    const NAME: &'static str = "parking_lot Mutex";

    fn new() -> Self {
        Self::new(0)
    }

    #[inline(always)]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        section(&mut self.lock());
    }
}
