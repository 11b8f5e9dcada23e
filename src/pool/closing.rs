//! The end of a pool.

use super::core::Core;
use crate::sync::Deadline;
use crate::sys::atomic::{Ordering, fence};
use crate::sys::{fence, thread};
use std::sync::Arc;

/// Why a wait for the end did not reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    TimedOut,
    /// The caller is a job of the pool, whose own end it would wait for.
    Deadlock,
}

impl Core {
    /// From now on only the pool's own jobs may submit; workers leave once nothing is queued or running.
    pub(crate) fn close(&self) {
        self.crew.census.close(); // C1
        fence::heavy(); // C2
        self.lanes.wait_for_visits(); // C3
        self.crew.census.seal(); // C4
        self.quotas.lift();
        self.crew.wake_all();
    }

    /// Closes the pool, waits until everything accepted has run and every worker has ended.
    pub(crate) fn drain(&self, deadline: Deadline) -> Result<(), Unfinished> {
        if self.is_current() {
            return Err(Unfinished::Deadlock);
        }
        self.close();
        let nobody_left = || (self.alive() == 0).then_some(());
        self.left.wait_until(deadline, nobody_left).ok_or(Unfinished::TimedOut)?;
        let threads = std::mem::take(&mut *self.threads.lock());
        threads.into_iter().for_each(thread::join_other);
        Ok(())
    }

    /// As [`drain`](Self::drain), but what is queued is cancelled, not run.
    pub(crate) fn cancel_and_drain(&self, deadline: Deadline) -> Result<(), Unfinished> {
        if self.is_current() {
            return Err(Unfinished::Deadlock);
        }
        self.close();
        self.cancel_all();
        self.drain(deadline)
    }

    /// A user's last handle is gone. A worker of the pool itself cannot wait for its own end: it leaves that to the
    /// last worker.
    pub(crate) fn wind_up(self: &Arc<Self>) {
        match self.drain(Deadline::NEVER) {
            Ok(()) => {}
            Err(Unfinished::Deadlock | Unfinished::TimedOut) => self.close(),
        }
    }

    /// Whether outsiders are refused.
    pub(crate) fn is_closed(&self) -> bool {
        self.crew.census.read().is_closed()
    }

    /// Whether a worker may leave: no outsider can bring work any more, and nothing is queued or running.
    pub(super) fn is_over(&self) -> bool {
        if !self.crew.census.read().is_sealed() {
            return false;
        }
        fence(Ordering::Acquire); // Close, C4: what the last visits brought is seen as submitted.
        self.is_quiescent()
    }
}
