//! Whether anything is queued or running; who waits until nothing is. Protocol and proof: `README.md`, "Quiescence".

use super::closing::Unfinished;
use super::core::Core;
use crate::sync::{Deadline, awake};

impl Core {
    /// Called after something was counted as finished.
    pub(super) fn maybe_quiet(&self) {
        self.quiet.notify();
    }

    fn submitted(&self) -> u64 {
        let queued = self.lanes.counted() + self.front.counted() + self.groups.counted();
        queued + self.guests.begun() + self.crew.called() + self.storms.begun()
    }

    fn finished(&self) -> u64 {
        let by_workers: u64 = self.crew.stations().map(|s| s.finished()).sum();
        by_workers + self.cancelled() + self.guests.ended() + self.storms.ended()
    }

    /// Whether at some moment during this call nothing was queued or running. Quiescence, in `README.md`: all finished
    /// are read before all submitted.
    pub(super) fn is_quiescent(&self) -> bool {
        let finished = self.finished();
        finished == self.submitted()
    }

    /// Waits until nothing is queued or running.
    pub(crate) fn wait_quiescent(&self, deadline: Deadline) -> Result<(), Unfinished> {
        self.may_wait_for_all()?;
        let verdict = || match self.is_quiescent() {
            true => Some(Ok(())),
            false => self.is_halted().then_some(Err(Unfinished::Exiting)),
        };
        let seems_quiet = || self.crew.census.read().nobody_runs() && self.is_quiescent();
        let _wait = awake::wait(deadline, seems_quiet, || self.finished());
        self.quiet.wait_until(deadline, verdict).unwrap_or(Err(Unfinished::TimedOut))
    }

    /// Jobs that are queued or running.
    pub(crate) fn pending(&self) -> u64 {
        let finished = self.finished();
        self.submitted().saturating_sub(finished)
    }

    /// Called after a job was counted that ended otherwise than on a worker.
    pub(super) fn ended_elsewhere(&self) {
        self.maybe_quiet();
        // Race with workers that wait for the end: before P2 of their sleep → they see the count, after → this wakes
        // them.
        if self.crew.census.read().is_sealed() {
            self.crew.wake_all();
            self.left.notify(); // There may be no worker to do so.
        }
    }
}
