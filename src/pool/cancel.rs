//! Taking queued jobs out of their queues. `unrun` ends them.

use super::core::Core;
use super::timers::is_timer;
use super::unrun::TakenOut;

impl Core {
    /// Cancels a queued job or a timer. False if there is none: unknown, claimed by a worker, ended or cancelled
    /// before.
    pub(crate) fn cancel(&self, id: u64) -> bool {
        if self.is_forked() {
            return false;
        }
        if is_timer(id) {
            return self.cancel_timer(id);
        }
        let Some(job) = self.take_out(id) else { return false };
        self.end_unrun(id, job);
        true
    }

    /// Takes a job out of its queue, if it was not claimed. Needs no heavy fence if the job still lies in a lane, and
    /// in no worker's batch.
    pub(super) fn take_out(&self, id: u64) -> Option<TakenOut<'_>> {
        let mut hole = None;
        let hold = |number, position| {
            let lane = self.lanes.numbered(number);
            lane.hold(position).inspect(|_| hole = Some((lane, position)))
        };
        let (item, counted) = self.store.take_out(id, hold, |group| self.groups.end_one(group))?;
        if let Some((lane, position)) = hole {
            lane.leave_hole(&self.store, position);
        }
        Some(TakenOut { item, counted })
    }

    /// Cancels all jobs that are queued now; returns how many.
    pub(crate) fn cancel_all(&self) -> usize {
        if self.is_forked() {
            return 0;
        }
        let mut count = 0;
        self.cancel_each(&mut |_| count += 1);
        count
    }

    /// Cancels all jobs that are queued now, and reports the id of each.
    pub(super) fn cancel_each(&self, cancelled: &mut dyn FnMut(u64)) {
        self.finish_storm();
        let end = |id, item, counted| cancelled(self.end_one_of_several(id, TakenOut { item, counted }));
        self.store.revoke_all(|group| self.groups.end_one(group), end);
        self.lanes.all().for_each(|lane| lane.pass_holes(&self.store));
        self.check_low_mark();
    }

    /// The ids of the jobs that are queued now, ascending.
    pub(crate) fn queued(&self) -> Vec<u64> {
        if self.is_forked() { Vec::new() } else { self.named(|| self.store.queued()) }
    }

    pub(super) fn count_cancelled(&self, count: u64) {
        self.count_cancelled_unreported(count);
        self.check_low_mark();
    }

    /// The same, but the caller reports the low mark: after a visit, or after several jobs.
    pub(super) fn count_cancelled_unreported(&self, count: u64) {
        self.cancelled.count_shared(count);
        if let Some(bound) = &self.bound {
            bound.notify_all();
        }
        self.ended_elsewhere();
    }

    pub(super) fn cancelled(&self) -> u64 {
        self.cancelled.gone()
    }
}
