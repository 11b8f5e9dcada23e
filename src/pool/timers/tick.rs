//! The ticks of schedules: their hints in the pool's queue, and what follows a run.

use super::schedule::{Live, Ticking};
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
        let outside = worker.enter_tick(self.id, tick);
        let went_well = work.run(worker);
        worker.dispose(work);
        // If the job has forked, the holder of the timers' lock may not exist in this process.
        if !worker.core().is_forked() {
            self.timers.ended(self.id, went_well, worker);
        }
        worker.leave_tick(outside);
    }

    fn cancel(self, _queue_id: u64, _why: Unrun) {
        unreachable!("a hint is cancelled with its pool");
    }

    fn cancel_in(self, _core: &Core, queue_id: u64, _why: Unrun) -> u64 {
        self.timers.withdraw(self.id, queue_id);
        self.id
    }
}

impl Timers {
    /// A worker has claimed a hint. Returns the work and the tick's number, unless the schedule has ended meanwhile.
    fn start(&self, id: u64, queue_id: u64) -> Option<(Arc<dyn Ticking>, u64)> {
        let mut state = self.state.lock();
        let live = state.schedules.get_mut(&id)?;
        let number = live.unqueue(queue_id)?;
        live.running += 1;
        Some((Arc::clone(&live.work), number))
    }

    /// A queued tick was cancelled, but not its schedule.
    fn withdraw(&self, id: u64, queue_id: u64) {
        let mut state = self.state.lock();
        let Some(live) = state.schedules.get_mut(&id) else { return };
        if live.unqueue(queue_id).is_none() {
            return;
        }
        let work = Arc::clone(&live.work);
        let (over, fire) = self.go_on(&mut state, id);
        drop(state);
        work.cancelled(id);
        unwind::dispose(work);
        self.finish(id, over);
        if fire && let Some(core) = self.core.upgrade() {
            core.fire_due();
        }
    }

    /// A tick's run has ended.
    fn ended(&self, id: u64, went_well: bool, worker: &Worker) {
        let mut state = self.state.lock();
        let Some(live) = state.schedules.get_mut(&id) else { return };
        live.running -= 1;
        if !went_well && live.plan.stop_on_error {
            live.stop();
            let (node, hints) = (live.node, std::mem::take(&mut live.queued));
            if state.slab.is_waiting(node) {
                state.disarm(node); // It is over when its other runs have ended.
            }
            let (over, _) = self.go_on(&mut state, id);
            drop(state);
            worker.core().take_back_hints(hints.into_iter().map(|(queue_id, _)| queue_id));
            worker.resume();
            return self.finish(id, over);
        }
        let (over, fire) = self.go_on(&mut state, id);
        drop(state);
        if over.is_some() {
            worker.resume();
            self.finish(id, over);
        }
        if fire {
            worker.core().fire_due();
        }
    }

    /// A schedule has one queued or running job less: sets its next tick, or ends it. The second result is true if the
    /// caller must call `fire_due`.
    fn go_on(&self, state: &mut State, id: u64) -> (Option<Live>, bool) {
        let Some(live) = state.schedules.get_mut(&id) else { return (None, false) };
        if live.is_over() {
            return (state.end_schedule(id), false);
        }
        let node = live.node;
        if state.slab.is_waiting(node) {
            return (None, false);
        }
        let kind = state.kind(node);
        let now = self.now(kind);
        let next = state.schedules.get_mut(&id).and_then(|live| live.next_after_end(now));
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
    pub(super) fn finish(&self, id: u64, over: Option<Live>) {
        let Some(Live { work, cancelled, .. }) = over else { return };
        if cancelled {
            work.cancelled(id);
        }
        unwind::dispose(work);
    }
}

impl State {
    /// Removes a schedule.
    pub(super) fn end_schedule(&mut self, id: u64) -> Option<Live> {
        let live = self.schedules.remove(&id)?;
        if self.slab.is_waiting(live.node) {
            self.remove_waiting(live.node, &mut None);
        } else {
            self.free(live.node);
        }
        Some(live)
    }
}
