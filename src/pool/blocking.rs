//! Jobs that block, and the workers that replace theirs meanwhile. Protocol: `README.md`, "Blocking".

use super::current;
use super::worker::Worker;
use crate::sys::fence;

/// A blocking region, which ends when this is dropped; false if it is inside another one, or was not admitted.
struct Region(bool);

impl Drop for Region {
    fn drop(&mut self) {
        if self.0 {
            current::with(Worker::unblock);
        }
    }
}

/// Runs `code`, which blocks. In a job, another worker may be woken or started meanwhile.
pub(crate) fn run<R>(code: impl FnOnce() -> R) -> R {
    let _region = Region(current::with(Worker::block).unwrap_or(false));
    code()
}

/// Whether the calling job is in such a region.
pub(crate) fn is_under_way() -> bool {
    current::with(|worker| worker.blocks.get()).unwrap_or(false)
}

impl Worker {
    /// The running job begins to block; false if it blocks already, there is no job, or no more workers may block.
    pub(super) fn block(&self) -> bool {
        let outermost = !self.blocks.get() && self.job.get() != 0 && !self.is_guest();
        if !outermost || self.core.is_forked() || !self.core.crew.block() {
            return false;
        }
        self.blocks.set(true);
        fence::heavy(); // A2
        if self.core.crew.needs_recruit() && self.core.has_visible_work() && self.core.recruit().is_err() {
            self.core.let_sleeper_retry(); // A3. Without a sleeper, this worker will find the work in the end.
        }
        true
    }

    /// The running job continues; false if it did not block.
    pub(super) fn unblock(&self) -> bool {
        let blocks = self.blocks.replace(false);
        // In a forked child, the holder of the crew's lock may not exist.
        if blocks && !self.core.is_forked() {
            self.core.crew.unblock();
        }
        blocks
    }

    /// Called if there is a surplus of workers: this one stands by, that is, sleeps uncounted until it is needed. False
    /// if the worker has slept too long, and is to leave.
    #[cold]
    pub(super) fn stand_by(&self) -> bool {
        self.start_searching();
        if !self.core.crew.stand_by(self.number) {
            return true; // Another one stands by already.
        }
        fence::heavy(); // Y2
        if self.core.has_visible_work() {
            let _ = self.core.recruit(); // Y3. If the system refuses a thread, the counted workers will find the work.
        }
        if self.station.is_called() && self.core.crew.cancel_sleep(self.number) {
            return true;
        }
        self.core.crew.await_token(self.number, |parker| self.sleep(|end| parker.park_until(end)))
    }
}
