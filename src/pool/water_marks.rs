//! Water marks: telling the user that the queue has become long, or short again. Protocol and proof: `BOUND.md`.

use super::hooks::swallow_panic;
use crate::sys::atomic::{AtomicU32, AtomicU64, Ordering, count, fence as full_fence};
use crate::sys::fence;
use crate::sys::lock::Lock;
use crate::sys::size::real_or_modelled;
use std::fmt;

/// Whoever takes jobs out is allowed at least so many without a look at the low mark, or none: to share out allowances
/// anew costs as much as some ten looks.
const LEAST_ALLOWANCE: u64 = real_or_modelled(64, 1);

/// What is told: whether the queue has risen to the high mark, and how many jobs were queued when that was noticed.
pub(crate) type Tell = Box<dyn Fn(bool, u64) + Send + Sync>;

/// Where the marks are, and who is told.
pub(crate) struct Marks {
    /// Below `high`.
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) tell: Tell,
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marks").field("low", &self.low).field("high", &self.high).finish_non_exhaustive()
    }
}

/// Counts the jobs that leave the queue in one way: begun by one worker, or cancelled by anybody.
///
/// # Memory ordering
///
/// What is counted was done before: the stores release, the loads acquire. For `allowed` see `BOUND.md`.
#[derive(Debug)]
pub(super) struct DequeueCounter {
    gone: AtomicU64,
    /// Whoever counts more than these looks at the marks.
    allowed: AtomicU64,
}

impl DequeueCounter {
    pub(super) fn new() -> Self {
        Self { gone: AtomicU64::new(0), allowed: AtomicU64::new(u64::MAX) }
    }

    /// Counts a job, where one thread at a time does.
    #[inline]
    pub(super) fn count(&self) {
        count(&self.gone);
    }

    /// Counts some jobs, whichever thread does.
    pub(super) fn count_shared(&self, jobs: u64) {
        self.gone.fetch_add(jobs, Ordering::SeqCst);
    }

    /// How many jobs were counted.
    #[inline]
    pub(super) fn gone(&self) -> u64 {
        self.gone.load(Ordering::Acquire)
    }

    /// After a job was counted and `fence::light`.
    #[inline]
    fn exceeds_allowance(&self) -> bool {
        self.gone.load(Ordering::Relaxed) > self.allowed.load(Ordering::Relaxed)
    }
}

/// A queue with marks.
pub(super) trait MarkedQueue {
    fn counters(&self) -> impl Iterator<Item = &DequeueCounter>;

    /// How many jobs are queued: never less than there are, unless some leave meanwhile.
    fn queued(&self) -> u64;
}

/// Nobody looks for the low mark.
const BELOW: u32 = 0;
/// Nobody has an allowance.
const ABOVE: u32 = 1;
/// Counters may have an allowance.
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

    /// Called by a submitter that has made the queue longer; `at_most` so many are queued.
    #[inline]
    pub(super) fn may_have_risen(&self, at_most: u64, queue: &impl MarkedQueue) {
        fence::light(); // M1
        let is_due = || self.phase.load(Ordering::Relaxed) == BELOW;
        if at_most >= self.marks.high && is_due() {
            self.look(queue, is_due);
        }
    }

    /// Called by whoever has counted jobs with `counter`, after `fence::light` (M1).
    #[inline]
    pub(super) fn may_have_fallen(&self, counter: &DequeueCounter, queue: &impl MarkedQueue) {
        let is_due = || counter.exceeds_allowance();
        if is_due() {
            self.look(queue, is_due);
        }
    }

    /// Called by whoever has made the queue shorter in another way.
    pub(super) fn has_fallen(&self, queue: &impl MarkedQueue) {
        self.look(queue, || true);
    }

    /// Settles anew if that can change anything.
    #[cold]
    fn look(&self, queue: &impl MarkedQueue, is_due: impl Fn() -> bool) {
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

    /// How many jobs more each counter can be allowed while `queued` are queued.
    fn allowance(&self, queued: u64, queue: &impl MarkedQueue) -> u64 {
        let allowance = queued.saturating_sub(self.marks.low + 1) / queue.counters().count() as u64;
        if allowance < LEAST_ALLOWANCE { 0 } else { allowance }
    }

    /// Finds out which mark was passed last, and shares out allowances, unless somebody else has just done so. True if
    /// the caller must tell the user.
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

    /// Calls the user's function, with no lock held, until what was told is true.
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
            swallow_panic(|| (self.marks.tell)(above, queued));
        }
    }
}
