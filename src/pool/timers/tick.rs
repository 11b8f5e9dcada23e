//! The ticks of schedules: their hints in the pool's queue, and what follows a run.

use super::lookout::WakeTarget;
use super::schedule::{Schedule, Ticking};
use super::{State, TickInfo, Timers, kind_of};
use crate::pool::core::Core;
use crate::pool::job::{Task, Unrun};
use crate::pool::{Worker, unwind};
use std::collections::VecDeque;
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

    fn cancel(self, _core: &Core, _queue_id: u64, _why: Unrun) {
        unreachable!("a hint is cancelled with its pool");
    }

    fn cancel_in(self, _core: &Core, queue_id: u64, _why: Unrun) -> u64 {
        self.timers.cancel_tick(self.id, queue_id);
        self.id
    }
}

/// What remains to be done after the lock when a schedule has one queued or running job less.
#[derive(Default)]
struct Next {
    /// The schedule, if it has ended.
    over: Option<Schedule>,
    /// The thread that must be woken for the next tick.
    wake: Option<WakeTarget>,
    /// Whether the next tick is already due, and must be fired.
    is_due: bool,
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
        let next = self.advance(&mut state, id);
        drop(state);
        if let Some(target) = &next.wake {
            self.ring(target);
        }
        work.cancelled(id);
        unwind::dispose(work);
        self.schedule_ended(id, next.over);
        if next.is_due
            && let Some(core) = self.core.upgrade()
        {
            core.fire_due();
        }
    }

    /// A tick's run has ended.
    fn tick_ended(&self, id: u64, went_well: bool, worker: &Worker) {
        let mut state = self.state.lock();
        let Some(schedule) = state.schedules.get_mut(&id) else { return };
        schedule.running -= 1;
        let mut hints = VecDeque::new();
        if !went_well && schedule.plan.stop_on_error {
            schedule.stop();
            hints = std::mem::take(&mut schedule.queued);
            let node = schedule.node;
            if state.slab.is_waiting(node) {
                state.disarm(node); // It is over when its other runs have ended.
            }
        }
        let next = self.advance(&mut state, id);
        drop(state);
        if let Some(target) = &next.wake {
            self.ring(target);
        }
        worker.core().take_back_hints(hints.into_iter().map(|(queue_id, _)| queue_id));
        if next.over.is_some() {
            worker.resume();
            self.schedule_ended(id, next.over);
        }
        if next.is_due {
            worker.core().fire_due();
        }
    }

    /// A schedule has one queued or running job less: sets its next tick, or ends it.
    fn advance(&self, state: &mut State, id: u64) -> Next {
        let Some(schedule) = state.schedules.get_mut(&id) else { return Next::default() };
        if schedule.is_over() {
            return Next { over: state.end_schedule(id), ..Next::default() };
        }
        let node = schedule.node;
        if state.slab.is_waiting(node) {
            return Next::default();
        }
        let kind = kind_of(state.slab.mark(node));
        let now = self.now(kind);
        let Some(due) = schedule.next_after_end(now) else { return Next::default() };
        state.rearm(node, due);
        let is_due = due <= now;
        let wake = if is_due { None } else { state.wake_target_for(kind, due) };
        Next { over: None, wake, is_due }
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
