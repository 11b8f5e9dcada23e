//! Backpressure: what happens when jobs are submitted faster than they run.

use super::BuildError;
use crate::pool::{Full, Limits, Marks};
use std::fmt;
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

/// The mark that the number of queued jobs has reached. Passed to the callback of
/// [`Builder::water_marks`](crate::Builder::water_marks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaterMark {
    /// The number has risen to the high mark: producers should slow down.
    High,
    /// The number has fallen to the low mark: producers may continue.
    Low,
}

#[derive(Clone, Default)]
pub(super) struct Backpressure {
    bound: Option<(u64, Full)>,
    marks: Option<(usize, usize, MarkCallback)>,
}

type MarkCallback = Arc<dyn Fn(WaterMark, usize) + Send + Sync>;

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
        self.marks = Some((low, high, Arc::new(call)));
    }

    pub(super) fn limits(self) -> Result<Option<Limits>, BuildError> {
        if self.bound.is_none() && self.marks.is_none() {
            return Ok(None);
        }
        let (most, when_full) = self.bound.unwrap_or((UNLIMITED, Full::Wait(None)));
        Ok(Some(Limits { most, when_full, marks: self.marks.map(marks).transpose()? }))
    }
}

fn marks((low, high, call): (usize, usize, MarkCallback)) -> Result<Marks, BuildError> {
    if low >= high {
        return Err(BuildError::InvalidWaterMarks { low, high });
    }
    let tell =
        Box::new(move |above, queued| call(if above { WaterMark::High } else { WaterMark::Low }, queued as usize));
    Ok(Marks { low: low as u64, high: high as u64, tell })
}

impl fmt::Debug for Backpressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = self.marks.as_ref().map(|(low, high, _)| (low, high));
        f.debug_struct("Backpressure").field("bound", &self.bound).field("marks", &marks).finish()
    }
}
