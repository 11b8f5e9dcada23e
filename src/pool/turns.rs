//! What a worker does for groups and for the bound.

use super::groups::Level;
use super::worker::Worker;

/// So many jobs of a higher level run before one of a lower gets its turn, so that none is starved.
pub(super) const GUARD: u32 = 16;

impl Worker {
    /// Between two batches it is the groups' turn, as if they were one more lane.
    #[cold]
    pub(super) fn visit_groups<const BOUNDED: bool>(&self) {
        let turn = self.group_turn.get();
        self.group_turn.set(turn.wrapping_add(1));
        if turn % GUARD == GUARD - 1 {
            self.run_grouped::<BOUNDED>(&[Level::Low]);
        }
        for _ in 0..GUARD {
            if !self.run_grouped::<BOUNDED>(&[Level::Normal]) || !self.core.front.is_empty() {
                return;
            }
        }
    }

    /// Runs a job of a group that has one and may run it: of the first of these levels where there is one.
    pub(super) fn run_grouped<const BOUNDED: bool>(&self, levels: &[Level]) -> bool {
        let Some((group, id, item)) = self.core.take_grouped(levels) else { return false };
        self.free_place::<BOUNDED>();
        self.execute(id, item);
        self.core.grouped_has_ended(&group);
        true
    }

    /// A job was taken: its place among the queued is free.
    #[inline(always)]
    pub(super) fn free_place<const BOUNDED: bool>(&self) {
        if BOUNDED && let Some(bound) = &self.core.bound {
            self.station.count_begun(); // E0
            bound.notify();
            if let Some(water) = &bound.water {
                let queued = || bound.queued(|| self.core.freed());
                self.put_off.set(water.may_have_fallen(self.put_off.get(), self.core.most() as u64, queued));
            }
        }
    }
}
