//! Backpressure: what happens when jobs are submitted faster than they run.

use super::{BuildError, WaterMark};
use crate::pool::{Full, Limits, Marks};
use std::sync::Arc;
use std::time::Duration;

/// What a submit does when the queue is full. Passed to [`Builder::max_queued`](crate::Builder::max_queued).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Waits until there is room. A shutdown of the pool ends the wait with
    /// [`SubmitError::Shutdown`](crate::SubmitError::Shutdown).
    Block,
    /// Waits until there is room, but no longer than this; then returns
    /// [`SubmitError::Full`](crate::SubmitError::Full).
    Timed(Duration),
    /// Returns [`SubmitError::Full`](crate::SubmitError::Full) at once.
    Reject,
    /// Runs the job on the submitting thread, which also slows that thread down.
    CallerRuns,
    /// Cancels the oldest queued job to make room: the one with the lowest id, which is the oldest of its thread, and
    /// the oldest of all in an [`ordered`](crate::Builder::ordered) pool.
    DiscardOldest,
    /// Waits until a worker starts the job; the number of queued jobs is not limited. A shutdown of the pool ends the
    /// wait with [`SubmitError::Shutdown`](crate::SubmitError::Shutdown), and the job will not run.
    HandOff,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Backpressure {
    bound: Option<(u64, Full)>,
    marks: Option<Marks>,
}

/// More jobs than fit into memory, but so few that adding counts to it does not overflow.
const UNLIMITED: u64 = u64::MAX / 4;

impl Backpressure {
    pub(super) fn bound(&mut self, max: usize, policy: Policy) {
        let full = match policy {
            Policy::Block => Full::Wait(None),
            Policy::Timed(time) => Full::Wait(Some(time)),
            Policy::Reject => Full::Wait(Some(Duration::ZERO)),
            Policy::CallerRuns => Full::CallerRuns,
            Policy::DiscardOldest => Full::DiscardOldest,
            Policy::HandOff => Full::HandOff,
        };
        let unlimited = max == 0 && policy != Policy::HandOff;
        self.bound = (!unlimited).then_some(((max as u64).min(UNLIMITED), full));
    }

    pub(super) fn mark(&mut self, low: usize, high: usize, call: impl Fn(WaterMark, usize) + Send + Sync + 'static) {
        self.marks = Some(Marks { low: low as u64, high: high as u64, tell: Arc::new(call) });
    }

    pub(super) fn limits(self) -> Result<Option<Limits>, BuildError> {
        if self.bound.is_none() && self.marks.is_none() {
            return Ok(None);
        }
        if let Some(Marks { low, high, .. }) = self.marks
            && low >= high
        {
            return Err(BuildError::InvalidWaterMarks { low: low as usize, high: high as usize });
        }
        let (most, when_full) = self.bound.unwrap_or((UNLIMITED, Full::Wait(None)));
        Ok(Some(Limits { most, when_full, marks: self.marks }))
    }
}
