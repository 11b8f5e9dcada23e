//! Water marks: telling the user that the queue has become long, or short again. Protocol and proof: `BOUND.md`.

use super::hooks::swallow_panic;
use crate::sys::atomic::{AtomicU32, AtomicU64, Ordering, count, fence as full_fence};
use crate::sys::fence;
use crate::sys::lock::Lock;
use crate::sys::size::LEAST_LEAVE;
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

/// Where jobs leave the queue: a worker that begins them, or all those who cancel some.
///
/// # Memory ordering
///
/// What is counted was done before: the stores release, the loads acquire. `leave` is in `BOUND.md`.
#[derive(Debug)]
pub(super) struct Outlet {
    gone: AtomicU64,
    /// Beyond so many gone, whoever lets one go looks at the marks.
    leave: AtomicU64,
}

impl Outlet {
    pub(super) fn new() -> Self {
        Self { gone: AtomicU64::new(0), leave: AtomicU64::new(u64::MAX) }
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

    /// How many jobs have left through it.
    #[inline]
    pub(super) fn gone(&self) -> u64 {
        self.gone.load(Ordering::Acquire)
    }

    /// After a job was counted and `fence::light`.
    #[inline]
    fn is_without_leave(&self) -> bool {
        self.gone.load(Ordering::Relaxed) > self.leave.load(Ordering::Relaxed)
    }
}

/// Whose marks these are.
pub(super) trait Basin {
    fn outlets(&self) -> impl Iterator<Item = &Outlet>;

    /// How many jobs are queued: never less than there are, unless some leave meanwhile.
    fn queued(&self) -> u64;
}

/// Nobody looks for the low mark.
const BELOW: u32 = 0;
/// No outlet has leave.
const ABOVE: u32 = 1;
/// Outlets may have leave.
const FAR_ABOVE: u32 = 2;

#[derive(Debug)]
pub(super) struct Water {
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

impl Water {
    pub(super) fn new(marks: Marks) -> Self {
        Self { marks, phase: AtomicU32::new(BELOW), state: Lock::new(State::default()) }
    }

    /// Called by a submitter that has made the queue longer; `at_most` so many are queued.
    #[inline]
    pub(super) fn may_have_risen(&self, at_most: u64, basin: &impl Basin) {
        fence::light(); // M1
        let is_due = || self.phase.load(Ordering::Relaxed) == BELOW;
        if at_most >= self.marks.high && is_due() {
            self.look(basin, is_due);
        }
    }

    /// Called by whoever has counted jobs that leave through `outlet`, after `fence::light` (M1).
    #[inline]
    pub(super) fn may_have_fallen(&self, outlet: &Outlet, basin: &impl Basin) {
        let is_due = || outlet.is_without_leave();
        if is_due() {
            self.look(basin, is_due);
        }
    }

    /// Called by whoever has made the queue shorter otherwise.
    pub(super) fn has_fallen(&self, basin: &impl Basin) {
        self.look(basin, || true);
    }

    /// Reckons anew if that can change anything.
    #[cold]
    fn look(&self, basin: &impl Basin, is_due: impl Fn() -> bool) {
        full_fence(Ordering::SeqCst); // M2
        let queued = basin.queued();
        let stays = match self.phase.load(Ordering::Relaxed) {
            BELOW => queued < self.marks.high,
            ABOVE => queued > self.marks.low && self.leave(queued, basin) == 0,
            _ => false,
        };
        if !stays && self.reckon(basin, is_due) {
            self.tell();
        }
    }

    /// To how many jobs each outlet can be given leave while `queued` are.
    fn leave(&self, queued: u64, basin: &impl Basin) -> u64 {
        let leave = queued.saturating_sub(self.marks.low + 1) / basin.outlets().count() as u64;
        if leave < LEAST_LEAVE { 0 } else { leave }
    }

    /// Says which mark was passed last, and gives leave; or somebody else just did so, and it is not due any more. True
    /// if the caller must tell the user.
    fn reckon(&self, basin: &impl Basin, is_due: impl Fn() -> bool) -> bool {
        let mut state = self.state.lock();
        if !is_due() {
            return false;
        }
        let queued = loop {
            self.phase.store(if state.above { FAR_ABOVE } else { BELOW }, Ordering::Relaxed); // R1
            for outlet in basin.outlets() {
                outlet.leave.store(if state.above { 0 } else { u64::MAX }, Ordering::Relaxed);
            }
            fence::heavy(); // R2
            if state.above {
                for outlet in basin.outlets() {
                    outlet.leave.store(outlet.gone(), Ordering::Relaxed); // R3
                }
            }
            let queued = basin.queued(); // R4
            if if state.above { queued > self.marks.low } else { queued < self.marks.high } {
                break queued;
            }
            state.above = !state.above;
            state.queued = queued;
        };
        if state.above {
            match self.leave(queued, basin) {
                0 => self.phase.store(ABOVE, Ordering::Relaxed),
                leave => basin.outlets().for_each(|outlet| _ = outlet.leave.fetch_add(leave, Ordering::Relaxed)), // R5
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
