//! The ticks of schedules: their hints in the pool's queue, and what follows a run.

use super::schedule::{Schedule, Ticking};
use super::{State, TickInfo, Timers};
use crate::pool::core::Core;
use crate::pool::job::{Task, Unrun};
use crate::pool::{Worker, unwind};
use std::sync::Arc;

/// A queued hint. The worker that claims it checks under the timers' lock whether the tick is still to be run.
#[derive(Debug)]
pub(super) struct TickHint {
    pub(super) timers: Arc<Timers>,
    pub(super) id: u64,
    /// As in [`JobHint`](super::due::JobHint).
    pub(super) due: u64,
}

impl Task for TickHint {
    fn run(self, worker: &Worker) {
        let Some((work, number)) = self.timers.start(self.id, worker.job()) else { return };
        let began = self.timers.clock.now();
        let tick = TickInfo { number, began, late_by: began.saturating_sub(self.due) };
        let outer = worker.enter_tick(self.id, tick);
        let went_well = work.run(worker);
        worker.dispose(work);
        // If the job has forked, the holder of the timers' lock may not exist in this process.
        if !worker.core().is_forked() {
            self.timers.tick_ended(self.id, went_well, worker);
        }
        worker.leave_tick(outer);
    }

    fn cancel(self, _queue_id: u64, _why: Unrun) {
        unreachable!("a hint is cancelled with its pool");
    }

    fn cancel_in(self, _core: &Core, queue_id: u64, _why: Unrun) -> u64 {
        self.timers.cancel_tick(self.id, queue_id);
        self.id
    }
}

impl Timers {
    /// A worker has claimed a hint. Returns the work and the tick's number, unless the schedule has ended meanwhile.
    fn start(&self, id: u64, queue_id: u64) -> Option<(Arc<dyn Ticking>, u64)> {
        let mut state = self.state.lock();
        let schedule = state.schedules.get_mut(&id)?;
        let number = schedule.unqueue(queue_id)?;
        schedule.running += 1;
        Some((Arc::clone(&schedule.work), number))
    }

    /// A queued tick was cancelled, but not its schedule.
    fn cancel_tick(&self, id: u64, queue_id: u64) {
        let mut state = self.state.lock();
        let Some(schedule) = state.schedules.get_mut(&id) else { return };
        if schedule.unqueue(queue_id).is_none() {
            return;
        }
        let work = Arc::clone(&schedule.work);
        let (over, fire) = self.advance(&mut state, id);
        drop(state);
        work.cancelled(id);
        unwind::dispose(work);
        self.schedule_ended(id, over);
        if fire && let Some(core) = self.core.upgrade() {
            core.fire_due();
        }
    }

    /// A tick's run has ended.
    fn tick_ended(&self, id: u64, went_well: bool, worker: &Worker) {
        let mut state = self.state.lock();
        let Some(schedule) = state.schedules.get_mut(&id) else { return };
        schedule.running -= 1;
        if !went_well && schedule.plan.stop_on_error {
            schedule.stop();
            let (node, hints) = (schedule.node, std::mem::take(&mut schedule.queued));
            if state.slab.is_waiting(node) {
                state.disarm(node); // It is over when its other runs have ended.
            }
            let (over, _) = self.advance(&mut state, id);
            drop(state);
            worker.core().take_back_hints(hints.into_iter().map(|(queue_id, _)| queue_id));
            worker.resume();
            return self.schedule_ended(id, over);
        }
        let (over, fire) = self.advance(&mut state, id);
        drop(state);
        if over.is_some() {
            worker.resume();
            self.schedule_ended(id, over);
        }
        if fire {
            worker.core().fire_due();
        }
    }

    /// A schedule has one queued or running job less: sets its next tick, or ends it. The second result is true if the
    /// caller must call `fire_due`.
    fn advance(&self, state: &mut State, id: u64) -> (Option<Schedule>, bool) {
        let Some(schedule) = state.schedules.get_mut(&id) else { return (None, false) };
        if schedule.is_over() {
            return (state.end_schedule(id), false);
        }
        let node = schedule.node;
        if state.slab.is_waiting(node) {
            return (None, false);
        }
        let kind = state.kind(node);
        let now = self.now(kind);
        let next = state.schedules.get_mut(&id).and_then(|schedule| schedule.next_after_end(now));
        let Some(due) = next else { return (None, false) };
        state.rearm(node, due);
        if due > now
            && let Some(target) = state.wake_target_for(kind, due)
        {
            self.ring(&target);
        }
        (None, due <= now)
    }

    /// Reports that a schedule has ended. Called after the lock.
    pub(super) fn schedule_ended(&self, id: u64, over: Option<Schedule>) {
        let Some(Schedule { work, cancelled, .. }) = over else { return };
        if cancelled {
            work.cancelled(id);
        }
        unwind::dispose(work);
    }
}

impl State {
    /// Removes a schedule.
    pub(super) fn end_schedule(&mut self, id: u64) -> Option<Schedule> {
        let schedule = self.schedules.remove(&id)?;
        if self.slab.is_waiting(schedule.node) {
            self.remove_waiting(schedule.node, &mut None);
        } else {
            self.free(schedule.node);
        }
        Some(schedule)
    }
}
