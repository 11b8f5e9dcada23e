//! Water marks: reporting that the queue has become long, or short again. Protocol and proof: `BOUND.md`.

use super::hooks::swallow_panic;
use crate::sys::atomic::{AtomicU32, AtomicU64, Ordering, count, fence as full_fence};
use crate::sys::fence;
use crate::sys::lock::Lock;
use crate::sys::size::real_or_modelled;
use std::fmt;
use std::sync::Arc;

/// The least allowance that is worth its price: settling costs as much as some ten checks of the low mark.
const LEAST_ALLOWANCE: u64 = real_or_modelled(64, 1);

/// The mark that the number of queued jobs has reached. Passed to the callback of
/// [`Builder::water_marks`](crate::Builder::water_marks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaterMark {
    /// The number has risen to the high mark: producers should slow down.
    High,
    /// The number has fallen to the low mark: producers may continue.
    Low,
}

/// The marks, and the user's function, which is called with the number of jobs that were queued then.
#[derive(Clone)]
pub(crate) struct Marks {
    /// In a pool below `high`.
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) tell: Arc<dyn Fn(WaterMark, usize) + Send + Sync>,
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marks").field("low", &self.low).field("high", &self.high).finish_non_exhaustive()
    }
}

/// Counts jobs that leave the queue: begun by one worker, or cancelled by any thread.
///
/// # Memory ordering
///
/// Counting releases and [`gone`](Self::gone) acquires, so a job that is observed as counted has left the queue. For
/// `allowed` see `BOUND.md`.
#[derive(Debug)]
pub(super) struct DequeueCounter {
    gone: AtomicU64,
    /// A thread that counts further than this checks the marks.
    allowed: AtomicU64,
}

impl DequeueCounter {
    pub(super) fn new() -> Self {
        Self { gone: AtomicU64::new(0), allowed: AtomicU64::new(u64::MAX) }
    }

    /// Counts a job; called by one thread at a time.
    #[inline]
    pub(super) fn count(&self) {
        count(&self.gone);
    }

    /// Counts some jobs; called by any thread.
    pub(super) fn count_shared(&self, jobs: u64) {
        self.gone.fetch_add(jobs, Ordering::SeqCst);
    }

    /// How many jobs were counted.
    #[inline]
    pub(super) fn gone(&self) -> u64 {
        self.gone.load(Ordering::Acquire)
    }

    /// Called after a job was counted and `fence::light`.
    #[inline]
    fn exceeds_allowance(&self) -> bool {
        self.gone.load(Ordering::Relaxed) > self.allowed.load(Ordering::Relaxed)
    }
}

/// A queue with marks.
pub(super) trait MarkedQueue {
    fn counters(&self) -> impl Iterator<Item = &DequeueCounter>;

    /// An upper bound on the queued jobs, exact unless some leave meanwhile.
    fn queued(&self) -> u64;
}

/// Threads that take jobs out do not check the low mark.
const BELOW: u32 = 0;
/// They check it for each job.
const ABOVE: u32 = 1;
/// They check it when their counter exceeds its allowance.
const FAR_ABOVE: u32 = 2;

#[derive(Debug)]
pub(super) struct WaterMarks {
    marks: Marks,
    /// Written under the lock of `state`.
    phase: AtomicU32,
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    above: bool,
    told: bool,
    telling: bool,
    queued: u64,
}

impl WaterMarks {
    pub(super) fn new(marks: Marks) -> Self {
        Self { marks, phase: AtomicU32::new(BELOW), state: Lock::new(State::default()) }
    }

    /// Called by a submitter after it has queued jobs; `at_most` so many are queued.
    #[inline]
    pub(super) fn may_have_risen(&self, at_most: u64, queue: &impl MarkedQueue) {
        fence::light(); // M1
        let is_due = || self.phase.load(Ordering::Relaxed) == BELOW;
        if at_most >= self.marks.high && is_due() {
            self.check(queue, is_due);
        }
    }

    /// Called after jobs were counted by `counter`, and `fence::light` (M1).
    #[inline]
    pub(super) fn may_have_fallen(&self, counter: &DequeueCounter, queue: &impl MarkedQueue) {
        let is_due = || counter.exceeds_allowance();
        if is_due() {
            self.check(queue, is_due);
        }
    }

    /// Called after the queue became shorter in another way.
    pub(super) fn has_fallen(&self, queue: &impl MarkedQueue) {
        self.check(queue, || true);
    }

    /// Settles if that can change anything.
    #[cold]
    fn check(&self, queue: &impl MarkedQueue, is_due: impl Fn() -> bool) {
        full_fence(Ordering::SeqCst); // M2
        let queued = queue.queued();
        let stays = match self.phase.load(Ordering::Relaxed) {
            BELOW => queued < self.marks.high,
            ABOVE => queued > self.marks.low && self.allowance(queued, queue) == 0,
            _ => false,
        };
        if !stays && self.settle(queue, is_due) {
            self.tell();
        }
    }

    /// How many more jobs each counter is allowed while `queued` jobs are queued.
    fn allowance(&self, queued: u64, queue: &impl MarkedQueue) -> u64 {
        let allowance = queued.saturating_sub(self.marks.low + 1) / queue.counters().count() as u64;
        if allowance < LEAST_ALLOWANCE { 0 } else { allowance }
    }

    /// Finds out which mark was passed last, and distributes allowances, unless another thread has just done so. True
    /// if the caller must report.
    fn settle(&self, queue: &impl MarkedQueue, is_due: impl Fn() -> bool) -> bool {
        let mut state = self.state.lock();
        if !is_due() {
            return false;
        }
        let queued = loop {
            self.phase.store(if state.above { FAR_ABOVE } else { BELOW }, Ordering::Relaxed); // R1
            for counter in queue.counters() {
                counter.allowed.store(if state.above { 0 } else { u64::MAX }, Ordering::Relaxed);
            }
            fence::heavy(); // R2
            if state.above {
                for counter in queue.counters() {
                    counter.allowed.store(counter.gone(), Ordering::Relaxed); // R3
                }
            }
            let queued = queue.queued(); // R4
            if if state.above { queued > self.marks.low } else { queued < self.marks.high } {
                break queued;
            }
            state.above = !state.above;
            state.queued = queued;
        };
        if state.above {
            match self.allowance(queued, queue) {
                0 => self.phase.store(ABOVE, Ordering::Relaxed),
                allowance => {
                    for counter in queue.counters() {
                        counter.allowed.fetch_add(allowance, Ordering::Relaxed); // R5
                    }
                }
            }
        }
        state.above != state.told && !std::mem::replace(&mut state.telling, true)
    }

    /// Calls the user's function without a lock until what was reported is true.
    fn tell(&self) {
        loop {
            let (above, queued) = {
                let mut state = self.state.lock();
                if state.told == state.above {
                    state.telling = false;
                    return;
                }
                state.told = state.above;
                (state.above, state.queued)
            };
            let mark = if above { WaterMark::High } else { WaterMark::Low };
            swallow_panic(|| (self.marks.tell)(mark, queued as usize));
        }
    }
}
