//! The job that every rival runs, and the proof that it ran: each thread counts its jobs and adds up their indices on
//! a cache line of its own, and after a round both totals are compared with what was submitted.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One thread's totals. Only that thread writes them.
#[repr(align(128))]
struct Slot {
    count: AtomicU64,
    sum: AtomicU64,
}

static SLOTS: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

/// Slots of threads that have ended, for rivals that start one for each job.
static SPARE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

thread_local! {
    static SLOT: Cell<Option<&'static Slot>> = const { Cell::new(None) };
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// Makes a slot another thread's when this one ends.
struct Lease(&'static Slot);

impl Drop for Lease {
    fn drop(&mut self) {
        SLOT.set(None);
        SPARE.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
    }
}

/// The job. Never inlined, so that every rival pays the same instructions for it.
#[inline(never)]
pub fn record(index: usize) {
    let slot = SLOT.get().unwrap_or_else(register);
    slot.sum.store(slot.sum.load(Ordering::Relaxed).wrapping_add(index as u64), Ordering::Relaxed);
    // Pairs with the Acquire in `total`: whoever sees the count sees the sum.
    slot.count.store(slot.count.load(Ordering::Relaxed) + 1, Ordering::Release);
}

#[cold]
fn register() -> &'static Slot {
    let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let slot = spare.unwrap_or_else(|| {
        let slot: &'static Slot = Box::leak(Box::new(Slot { count: AtomicU64::new(0), sum: AtomicU64::new(0) }));
        SLOTS.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
        slot
    });
    SLOT.set(Some(slot));
    LEASE.set(Some(Lease(slot)));
    slot
}

/// The totals of all threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    count: u64,
    sum: u64,
}

/// What ran so far.
pub fn total() -> Tally {
    let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.iter().fold(Tally { count: 0, sum: 0 }, |total, slot| Tally {
        count: total.count + slot.count.load(Ordering::Acquire),
        sum: total.sum.wrapping_add(slot.sum.load(Ordering::Relaxed)),
    })
}

/// A round of jobs with the indices 0 to `jobs` − 1, begun when it was made.
#[derive(Debug)]
pub struct Round {
    before: Tally,
    jobs: u64,
    began: Instant,
}

/// How long a round may make no progress before its jobs count as lost.
const PATIENCE: Duration = Duration::from_secs(30);

impl Round {
    /// No job may be on its way.
    pub fn begin(jobs: usize) -> Self {
        Self { before: total(), jobs: jobs as u64, began: Instant::now() }
    }

    fn done(&self) -> u64 {
        total().count - self.before.count
    }

    /// Waits until every job ran, for pools that cannot tell by themselves. Sleeps for half of the time that the rest
    /// seems to need, so it looks about ten times, and yields during the last 200 µs.
    pub fn wait(&self) -> Result<(), String> {
        let (mut seen, mut progressed) = (0, Instant::now());
        loop {
            let done = self.done();
            if done >= self.jobs {
                return Ok(());
            }
            if done > seen {
                (seen, progressed) = (done, Instant::now());
            } else if progressed.elapsed() > PATIENCE {
                return Err(format!("{} of {} jobs never ran", self.jobs - done, self.jobs));
            }
            let rest = self.began.elapsed().mul_f64((self.jobs - done) as f64 / done.max(1) as f64);
            if rest > Duration::from_micros(200) {
                thread::sleep((rest / 2).min(Duration::from_millis(10)));
            } else {
                thread::yield_now();
            }
        }
    }

    /// Whether every job ran exactly once, as far as count and sum can tell.
    pub fn verify(&self) -> Result<(), String> {
        let after = total();
        let ran = Tally { count: after.count - self.before.count, sum: after.sum.wrapping_sub(self.before.sum) };
        let expected = Tally { count: self.jobs, sum: (self.jobs * self.jobs.saturating_sub(1)) / 2 };
        if ran == expected { Ok(()) } else { Err(format!("ran {ran:?}, should have run {expected:?}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Round, record};

    /// One test, because the totals are the whole process's.
    #[test]
    fn lost_doubled_and_mistaken_jobs_are_noticed() {
        let run = |indices: &[usize]| {
            let round = Round::begin(3);
            indices.iter().for_each(|&index| record(index));
            round.verify()
        };
        assert_eq!(run(&[2, 0, 1]), Ok(()));
        assert!(run(&[0, 1]).is_err());
        assert!(run(&[0, 1, 2, 2]).is_err());
        assert!(run(&[0, 1, 1]).is_err());
    }
}
