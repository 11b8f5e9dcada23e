//! What a worker does for groups, and for a bound.

use super::groups::{Group, Priority};
use super::worker::Worker;
use std::sync::Arc;

/// After so many jobs of one level, the next lower one has a turn, so that none starves.
pub(super) const JOBS_PER_TURN: u32 = 16;

impl Worker {
    /// Runs jobs of groups between two batches, as if groups were one more lane.
    #[cold]
    pub(super) fn run_groups<const BOUNDED: bool>(&self) {
        let turn = self.group_turn.get();
        self.group_turn.set(turn.wrapping_add(1));
        if turn % JOBS_PER_TURN == JOBS_PER_TURN - 1 {
            self.run_grouped::<BOUNDED>(&[Priority::Low], 1);
        }
        let mut ran = 0;
        while ran < JOBS_PER_TURN && (ran == 0 || self.core.front.is_empty() && !self.must_stop()) {
            match self.run_grouped::<BOUNDED>(&[Priority::Normal], JOBS_PER_TURN - ran) {
                0 => return,
                more => ran += more,
            }
        }
    }

    /// Runs jobs of one group, taken from the first of these levels that has a ready one: up to `most` with one token,
    /// or more if there is no other work. Returns how many.
    pub(super) fn run_grouped<const BOUNDED: bool>(&self, levels: &[Priority], most: u32) -> u32 {
        let Some((group, id, item)) = self.core.take_grouped(levels) else { return 0 };
        self.group.replace(Some(Arc::clone(&group)));
        let (mut ran, mut next) = (0, Some((id, item)));
        while let Some((id, item)) = next {
            self.free_place::<BOUNDED>();
            self.execute(id, item);
            ran += 1;
            next = if self.keeps_token(&group, ran < most) { self.core.next_grouped(&group) } else { None };
        }
        self.group.take();
        self.core.return_token(&group);
        ran
    }

    fn keeps_token(&self, group: &Group, in_turn: bool) -> bool {
        // Calls are not visible work, and a group's queue may never be empty.
        let stays = !self.must_stop() && !self.station.is_called();
        stays && !self.core.has_other_work(group.level()) && (in_turn || !self.core.has_visible_work())
    }

    /// Whether the job that has ended belongs to a group with more jobs, for which this worker has the token.
    #[cold]
    pub(super) fn has_grouped_work(&self) -> bool {
        self.group.borrow().as_ref().is_some_and(|group| group.has_queued())
    }

    /// Called after a job was claimed: frees its place in a bounded queue.
    #[inline(always)]
    pub(super) fn free_place<const BOUNDED: bool>(&self) {
        if BOUNDED && let Some(bound) = &self.core.bound {
            self.station.begun.count(); // E0
            bound.notify(); // E1
            if let Some(marks) = &bound.water_marks {
                marks.may_have_fallen(&self.station.begun, &*self.core);
            }
        }
    }
}
