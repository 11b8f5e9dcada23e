//! Submitting, rescheduling and cancelling timers.

use super::schedule::{Plan, Schedule, Ticking};
use super::{BACK, ClockKind, REPEATS, State, Timers, WALL, When};
use crate::pool::core::Core;
use crate::pool::job::Job;
use crate::pool::submit::Refusal;
use crate::queue::{Item, Node, OutOfMemory, Slab};
use crate::sync::FastLockGuard;
use crate::sys::fence;
use std::sync::Arc;

/// Where a timer's job is queued when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Before all jobs that were submitted without a delay, and behind those that were due earlier.
    Front,
    /// Behind the queued jobs.
    Back,
}

/// A timer that was taken out to be cancelled.
enum Removed {
    /// A waiting delayed job. The job itself is returned through a reference, because moving it again would stall the
    /// processor.
    Waiting,
    /// The hint of a delayed job, which was queued.
    Queued(Item),
    /// A schedule, except for its queued hints. Boxed to keep the enum small.
    Schedule(Box<Schedule>),
}

/// What ends when the pool is closed, with ids.
struct Closed {
    /// Schedules that had ticks left.
    cut_short: Vec<u64>,
    /// Delayed jobs.
    jobs: Vec<(u64, Job)>,
    /// Schedules without queued or running jobs.
    over: Vec<(u64, Schedule)>,
}

impl Core {
    pub(crate) fn timers(self: &Arc<Self>) -> &Arc<Timers> {
        self.timers.get_or_init(|| Arc::new(Timers::new(self)))
    }

    /// The timers, if there ever was one. `None` in a forked child, where the holder of their lock may not exist.
    pub(in crate::pool) fn known_timers(&self) -> Option<&Arc<Timers>> {
        self.timers.get().filter(|_| !self.is_forked())
    }

    /// Submits a delayed job; returns its id. If it is refused, it stays in `job`.
    pub(crate) fn submit_timed(
        self: &Arc<Self>,
        when: When,
        placement: Placement,
        job: &mut Option<Job>,
    ) -> Result<u64, Refusal> {
        self.submit_timer(when, |state| {
            let node = state.insert(job, mark(when, placement), when)?;
            Ok(state.slab.id(node))
        })
    }

    /// Submits a schedule: a job is queued at every tick of the plan. Returns its id.
    pub(crate) fn submit_schedule(
        self: &Arc<Self>,
        first: When,
        placement: Placement,
        plan: Plan,
        work: Arc<dyn Ticking>,
    ) -> Result<u64, Refusal> {
        self.submit_timer(first, |state| {
            state.schedules.try_reserve(1).map_err(|_| OutOfMemory)?;
            let node = state.insert(&mut None, mark(first, placement) | REPEATS, first)?;
            let id = state.slab.id(node);
            state.schedules.insert(id, Schedule::new(node, plan, work));
            Ok(id)
        })
    }

    fn submit_timer(
        self: &Arc<Self>,
        when: When,
        insert: impl FnOnce(&mut State) -> Result<u64, OutOfMemory>,
    ) -> Result<u64, Refusal> {
        self.admits_timers()?;
        let timers = self.timers();
        fence::light(); // Race with C1/C2: the closer finds the timers, or this finds the pool closed.
        let mut state = timers.state.lock();
        self.admits_timers()?;
        self.ensure_sleeper(timers, &mut state).map_err(Refusal::NoThread)?;
        let id = insert(&mut state).map_err(|OutOfMemory| Refusal::OutOfMemory)?;
        self.after_insert(timers, state, when);
        Ok(id)
    }

    /// Called after a timer was inserted: fires it if it is due, else makes sure that a sleeper wakes in time (U1, U2).
    #[inline(always)]
    fn after_insert(self: &Arc<Self>, timers: &Timers, mut state: FastLockGuard<'_, State>, when: When) {
        let is_due = when.due <= when.now;
        let target = if is_due { None } else { state.wake_target_for(when.kind, when.due) };
        drop(state);
        if is_due {
            self.fire_due();
        } else if let Some(target) = target {
            timers.ring(&target);
        }
    }

    /// A closed pool accepts no timers, not even from its own jobs, because closing cancels all that wait.
    fn admits_timers(&self) -> Result<(), Refusal> {
        if self.is_closed() { Err(self.refusal_when_closed().unwrap_or(Refusal::Closed)) } else { Ok(()) }
    }

    /// Cancels a timer, whether it waits or its job is queued. False if it is too late, or if there is none.
    #[cold]
    pub(crate) fn cancel_timer(&self, id: u64) -> bool {
        let Some(timers) = self.known_timers() else { return false };
        let mut job = None;
        match timers.remove(self, id, &mut job) {
            None => false,
            Some(Removed::Waiting) => {
                self.cancel_job(job.expect("a waiting delayed job has one"), id);
                true
            }
            Some(Removed::Queued(hint)) => {
                self.end_unrun(id, hint.into());
                true
            }
            Some(Removed::Schedule(mut schedule)) => {
                schedule.cancelled = true;
                self.take_back_hints(schedule.queued.drain(..).map(|(queue_id, _)| queue_id));
                timers.schedule_ended(id, Some(*schedule));
                self.drop_unread();
                true
            }
        }
    }

    /// Cancels all waiting timers and all schedules; returns how many.
    pub(crate) fn cancel_timers(&self) -> usize {
        let Some(timers) = self.known_timers() else { return 0 };
        let ids: Vec<u64> = {
            let state = timers.state.lock();
            let nodes = state.slab.nodes().filter(|&node| state.repeats(node) || state.slab.is_waiting(node));
            nodes.map(|node| state.slab.id(node)).collect()
        };
        ids.into_iter().filter(|&id| self.cancel_timer(id)).count()
    }

    /// Reschedules a timer to be due `delay` nanoseconds from now. A delayed job that is queued but not begun waits
    /// again. False if there is no such timer, it is too late, or it is a schedule whose next tick is not known yet.
    pub(crate) fn reschedule(self: &Arc<Self>, id: u64, delay: u64) -> bool {
        let Some(timers) = self.known_timers() else { return false };
        let mut state = timers.state.lock();
        let Some(node) = state.slab.find(id).filter(|_| !self.is_closed()) else { return false };
        let kind = state.kind(node);
        let now = timers.now(kind);
        let due = now.saturating_add(delay);
        let was_queued = !state.slab.is_waiting(node);
        if !was_queued && state.slab.due(node) <= now && state.set_schedule_anew(id, now, due) {
            return true;
        }
        if !was_queued {
            state.disarm(node);
        } else if state.repeats(node) || self.take_back_uncounted(state.slab.due(node)).is_none() {
            return false;
        } else {
            state.delayed += 1;
        }
        state.rearm(node, due);
        self.after_insert(timers, state, When { kind, due, now });
        if was_queued {
            self.count_cancelled(1); // After the lock, because this may call user code, which reports a water mark.
        }
        true
    }

    /// Frees the nodes of delayed jobs and the entries of deadlines, for jobs that have begun.
    pub(in crate::pool) fn free_retired(&self, ids: &[u64]) {
        let Some(timers) = self.known_timers() else { return };
        let mut state = timers.state.lock();
        for &id in ids {
            match state.slab.find(id) {
                Some(node) => state.free(node),
                None => state.deadlines.forget(id),
            }
        }
        let surplus = (state.take_surplus(), state.deadlines.surplus());
        let was_last = state.deadlines.is_empty();
        drop(state);
        drop(surplus);
        self.wake_sleeper_if_done(timers, was_last);
    }

    /// Takes useless hints out of the queue. One that a worker has claimed meanwhile does nothing.
    pub(super) fn take_back_hints(&self, queue_ids: impl IntoIterator<Item = u64>) {
        queue_ids.into_iter().for_each(|queue_id| drop(self.take_back(queue_id)));
    }

    /// Close: cancels waiting timers, ends schedules, and lets the sleeper leave. Reports each timer that it cancels.
    pub(crate) fn close_timers(&self, cancelled: &mut dyn FnMut(u64)) {
        let Some(timers) = self.known_timers() else { return };
        self.finish_storm();
        let Closed { cut_short, jobs, over } = {
            let mut state = timers.state.lock();
            if !self.is_closed() {
                return; // The pool was reopened, and the opener has done this.
            }
            state.close()
        };
        timers.alarm.unpark();
        cut_short.into_iter().for_each(&mut *cancelled);
        jobs.into_iter().for_each(|(id, job)| cancelled(self.cancel_job(job, id)));
        over.into_iter().for_each(|(id, schedule)| timers.schedule_ended(id, Some(schedule)));
        self.drop_unread();
    }
}

impl Timers {
    #[inline(always)]
    fn remove(&self, core: &Core, id: u64, job: &mut Option<Job>) -> Option<Removed> {
        let mut state = self.state.lock();
        let node = state.slab.find(id)?;
        let removed = if state.repeats(node) {
            if state.schedules.get(&id)?.has_begun_its_last() {
                return None;
            }
            Removed::Schedule(Box::new(state.end_schedule(id)?))
        } else if state.slab.is_waiting(node) {
            state.remove_waiting(node, job);
            Removed::Waiting
        } else {
            return core.take_out(state.slab.due(node)).map(|hint| Removed::Queued(hint.item));
        };
        if let Some(surplus) = state.take_surplus() {
            drop(state);
            drop(surplus);
        }
        Some(removed)
    }
}

impl State {
    /// A schedule's tick has come and is not queued yet. True if it has to be, and the next one is set to `due`.
    fn set_schedule_anew(&mut self, id: u64, now: u64, due: u64) -> bool {
        self.schedules.get_mut(&id).is_some_and(|schedule| schedule.set_anew(now, due))
    }

    /// Takes out what closing cancels. Queued jobs stay, because they were due before.
    fn close(&mut self) -> Closed {
        let waits = |&node: &Node| !self.repeats(node) && self.slab.is_waiting(node);
        let delayed: Vec<Node> = self.slab.nodes().filter(waits).collect();
        let take_job = |node| {
            let (id, mut job) = (self.slab.id(node), None);
            self.remove_waiting(node, &mut job);
            Some((id, job?))
        };
        let jobs = delayed.into_iter().filter_map(take_job).collect();
        let mut cut_short = Vec::new();
        for (&id, schedule) in self.schedules.iter_mut().filter(|(_, schedule)| schedule.left > 0) {
            cut_short.push(id);
            schedule.cancelled = true;
            schedule.stop();
        }
        for node in self.schedules.values().map(|schedule| schedule.node).collect::<Vec<_>>() {
            if self.slab.is_waiting(node) {
                self.disarm(node);
            }
        }
        let over: Vec<u64> =
            self.schedules.iter().filter(|(_, schedule)| schedule.is_over()).map(|(&id, _)| id).collect();
        let over = over.into_iter().filter_map(|id| Some((id, self.end_schedule(id)?))).collect();
        Closed { cut_short, jobs, over }
    }
}

fn mark(when: When, placement: Placement) -> u8 {
    let wall = if when.kind == ClockKind::Wall { WALL } else { 0 };
    let back = if placement == Placement::Back { BACK } else { 0 };
    wall | back
}

/// Whether an id is that of a timer.
pub(in crate::pool) fn is_timer(id: u64) -> bool {
    Slab::<Option<Job>>::is_id(id)
}
