//! Jobs that block, and the workers that come meanwhile. Protocol: `README.md`, "Blocking".

use super::current;
use super::worker::Worker;
use crate::sys::fence;

/// The end of a region; whether it was this one that began to block.
struct Region(bool);

impl Drop for Region {
    fn drop(&mut self) {
        if self.0 {
            current::with(Worker::unblock);
        }
    }
}

/// Runs `code`, which blocks: if a job does so, another worker may come meanwhile.
pub(crate) fn run<R>(code: impl FnOnce() -> R) -> R {
    let _region = Region(current::with(Worker::block).unwrap_or(false));
    code()
}

/// Whether the calling job blocks, and another worker may come.
pub(crate) fn is_under_way() -> bool {
    current::with(|worker| worker.blocks.get()).unwrap_or(false)
}

impl Worker {
    /// The running job blocks from now on; false if it did before, there is none, or as many block as may.
    pub(super) fn block(&self) -> bool {
        let outermost = !self.blocks.get() && self.job.get() != 0 && !self.is_guest();
        if !outermost || self.core.is_forked() || !self.core.crew.block() {
            return false;
        }
        self.blocks.set(true);
        fence::heavy(); // A2
        if self.core.crew.needs_recruit() && self.core.has_visible_work() {
            let _ = self.core.recruit(); // A3. If the system refuses, this worker comes to the work in the end.
        }
        true
    }

    /// The running job goes on; false if it did not block.
    pub(super) fn unblock(&self) -> bool {
        let blocks = self.blocks.replace(false);
        // In the child of a fork, whoever holds the crew's lock may not exist.
        if blocks && !self.core.is_forked() {
            self.core.crew.unblock();
        }
        blocks
    }

    /// There are more workers than there shall be: this one sleeps, uncounted, until it is one of those that shall be.
    /// False if that took too long to stay.
    #[cold]
    pub(super) fn stand_by(&self) -> bool {
        self.start_searching();
        if !self.core.crew.stand_by(self.number) {
            return true; // Another one does.
        }
        fence::heavy(); // Y2
        if self.core.has_visible_work() {
            let _ = self.core.recruit(); // Y3. If the system refuses, those who are counted come to the work.
        }
        if self.station.is_called() && self.core.crew.rise(self.number) {
            return true;
        }
        self.core.crew.doze(self.number, |parker| self.sleep(|end| parker.park_until(end)))
    }
}
