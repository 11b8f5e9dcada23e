//! Water marks: telling the user that the queue has become long, or short again. Protocol: `BOUND.md`.

use super::unwind;
use crate::sys::atomic::{AtomicU64, Ordering, fence as full_fence};
use crate::sys::fence;
use crate::sys::lock::Lock;
use std::fmt;

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

/// # Memory ordering
///
/// Whoever changes the number of queued jobs fences and then reads `tide`; whoever turns the tide fences and then reads
/// the number: one of the two sees that the other mark is passed.
#[derive(Debug)]
pub(super) struct Water {
    marks: Marks,
    /// Odd from a rise to the next fall. Changes also when looks that were put off must not be.
    tide: AtomicU64,
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    above: bool,
    told: bool,
    telling: bool,
    queued: u64,
}

/// How many looks at the marks a worker puts off, and in which tide.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PutOff {
    tide: u64,
    looks: u64,
}

impl Water {
    pub(super) fn new(marks: Marks) -> Self {
        Self { marks, tide: AtomicU64::new(0), state: Lock::new(State::default()) }
    }

    /// Called by a submitter that has made the queue longer; `at_most` so many are queued.
    #[inline]
    pub(super) fn may_have_risen(&self, at_most: u64, queued: impl Fn() -> u64) {
        if at_most >= self.marks.high && !is_above(self.tide.load(Ordering::Relaxed)) {
            self.look(queued);
        }
    }

    /// Called by each of at most `workers` workers that makes the queue shorter by one.
    #[inline]
    pub(super) fn may_have_fallen(&self, put_off: PutOff, workers: u64, queued: impl Fn() -> u64) -> PutOff {
        let tide = self.tide.load(Ordering::Acquire);
        if !is_above(tide) {
            return PutOff::default();
        }
        if put_off.tide == tide && put_off.looks > 0 {
            return PutOff { tide, looks: put_off.looks - 1 };
        }
        let missing = self.look(queued).saturating_sub(self.marks.low);
        PutOff { tide, looks: missing.saturating_sub(1) / workers }
    }

    /// Called by whoever else has made the queue shorter.
    pub(super) fn has_fallen(&self, queued: impl Fn() -> u64) {
        // What workers have put off was reckoned without this.
        self.tide.fetch_add(2, Ordering::AcqRel);
        self.look(queued);
    }

    /// Turns the tide as often as marks are passed, and tells the user. Returns how many jobs are queued.
    fn look(&self, queued: impl Fn() -> u64) -> u64 {
        full_fence(Ordering::SeqCst);
        let mut teller = false;
        let seen = loop {
            let seen = queued();
            if !self.is_passed(is_above(self.tide.load(Ordering::Relaxed)), seen) {
                break seen;
            }
            teller |= self.turn(&queued);
            fence::heavy();
        };
        if teller {
            self.tell();
        }
        seen
    }

    fn is_passed(&self, above: bool, queued: u64) -> bool {
        if above { queued <= self.marks.low } else { queued >= self.marks.high }
    }

    /// True if the caller must tell the user.
    #[cold]
    fn turn(&self, queued: impl Fn() -> u64) -> bool {
        let mut state = self.state.lock();
        let seen = queued();
        if !self.is_passed(state.above, seen) {
            return false;
        }
        state.above = !state.above;
        state.queued = seen;
        self.tide.fetch_add(1, Ordering::AcqRel);
        !std::mem::replace(&mut state.telling, true)
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
            if let Err(payload) = unwind::catch(|| (self.marks.tell)(above, queued)) {
                unwind::dispose(payload);
            }
        }
    }
}

fn is_above(tide: u64) -> bool {
    tide % 2 == 1
}
