//! Whether anything is queued or running, and waiting until nothing is. Protocol and proof: `README.md`, "Quiescence".

use super::closing::WaitError;
use super::core::Core;
use crate::sync::{Deadline, awake};

impl Core {
    /// Notifies threads that wait for quiescence. Called after jobs were counted as finished.
    pub(super) fn notify_quiet(&self) {
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

    /// Whether nothing was queued or running at some moment during this call: reads all finished before all submitted.
    pub(super) fn is_quiescent(&self) -> bool {
        let finished = self.finished();
        finished == self.submitted()
    }

    /// Waits until nothing is queued or running.
    pub(crate) fn wait_quiescent(&self, deadline: Deadline) -> Result<(), WaitError> {
        self.may_wait_for_all()?;
        let verdict = || match self.is_quiescent() {
            true => Some(Ok(())),
            false => self.is_halted().then_some(Err(WaitError::Exiting)),
        };
        let seems_quiet = || self.crew.census.read().none_running() && self.is_quiescent();
        let _wait = awake::wait(deadline, seems_quiet, || self.finished());
        self.quiet.wait_until(deadline, verdict).unwrap_or(Err(WaitError::TimedOut))
    }

    /// How many jobs are queued or running.
    pub(crate) fn pending(&self) -> u64 {
        let finished = self.finished();
        self.submitted().saturating_sub(finished)
    }

    /// Called after jobs were counted that ended otherwise than on a worker.
    pub(super) fn ended_elsewhere(&self) {
        self.notify_quiet();
        // Race with workers that go to sleep in a closed pool: before their P2 → they observe the count, after → this
        // wakes them.
        if self.crew.census.read().is_sealed() {
            self.crew.wake_all();
            self.left.notify(); // There may be no worker that would.
        }
    }
}
