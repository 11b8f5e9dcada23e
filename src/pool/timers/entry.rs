//! How timers come in, are set anew and are cancelled.

use super::schedule::{Live, Plan, Ticking};
use super::{BACK, ClockKind, REPEATS, State, Timers, WALL, When};
use crate::pool::core::Core;
use crate::pool::job::Job;
use crate::pool::submit::Refusal;
use crate::queue::{Item, Node, OutOfMemory, Slab};
use crate::sync::FastLockGuard;
use crate::sys::fence;
use std::sync::Arc;

/// Where the job of a timer goes that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Before all jobs that were submitted without a delay, behind those that were due before.
    Front,
    /// Behind the jobs that are queued.
    Back,
}

/// What a timer is that shall be cancelled.
enum Cut {
    /// It waited, and is gone. Its job is where the caller wants it: in here it would be moved in pieces.
    Once,
    /// Its hint was queued, and is not any more.
    Queued(Item),
    /// It is gone, but for what is queued. In a box: what is moved about with every cut is small.
    Schedule(Box<Live>),
}

/// What ends with its pool, with ids.
struct Closed {
    /// Schedules that would have gone on.
    cut_off: Vec<u64>,
    /// Delayed jobs.
    jobs: Vec<(u64, Job)>,
    /// Schedules of which no job is queued or running.
    over: Vec<(u64, Live)>,
}

impl Core {
    pub(crate) fn timers(self: &Arc<Self>) -> &Arc<Timers> {
        self.timers.get_or_init(|| Arc::new(Timers::new(self)))
    }

    /// The timers, if there ever was one. None in a forked child: whoever holds their lock may not exist there.
    pub(in crate::pool) fn known_timers(&self) -> Option<&Arc<Timers>> {
        self.timers.get().filter(|_| !self.is_forked())
    }

    /// Queues a job when it is due; returns its id. A job that is not accepted stays where it is.
    pub(crate) fn submit_timed(
        self: &Arc<Self>,
        when: When,
        placement: Placement,
        job: &mut Option<Job>,
    ) -> Result<u64, Refusal> {
        self.enter(when, |state| {
            let node = state.insert(job, mark(when, placement), when)?;
            Ok(state.slab.id(node))
        })
    }

    /// Queues a job at every tick of a plan, from the first on; returns the id of them all.
    pub(crate) fn submit_schedule(
        self: &Arc<Self>,
        first: When,
        placement: Placement,
        plan: Plan,
        work: Arc<dyn Ticking>,
    ) -> Result<u64, Refusal> {
        self.enter(first, |state| {
            state.schedules.try_reserve(1).map_err(|_| OutOfMemory)?;
            let node = state.insert(&mut None, mark(first, placement) | REPEATS, first)?;
            let id = state.slab.id(node);
            state.schedules.insert(id, Live::new(node, plan, work));
            Ok(id)
        })
    }

    fn enter(
        self: &Arc<Self>,
        when: When,
        insert: impl FnOnce(&mut State) -> Result<u64, OutOfMemory>,
    ) -> Result<u64, Refusal> {
        self.admits_timers()?;
        let timers = self.timers();
        fence::light(); // Race with Close, C1 to C2: the closer finds the timers, or this finds the pool closed.
        let mut state = timers.state.lock();
        self.admits_timers()?;
        self.ensure_sleeper(timers, &mut state).map_err(Refusal::NoThread)?;
        let id = insert(&mut state).map_err(|OutOfMemory| Refusal::OutOfMemory)?;
        self.expect(timers, state, when);
        Ok(id)
    }

    /// A timer was set: its job is queued at once, or somebody watches for its moment.
    #[inline(always)]
    fn expect(self: &Arc<Self>, timers: &Timers, mut state: FastLockGuard<'_, State>, when: When) {
        let is_due = when.due <= when.now;
        let target = if is_due { None } else { state.wake_target_for(when.kind, when.due) };
        drop(state);
        if is_due {
            self.fire_due();
        } else if let Some(target) = target {
            timers.ring(&target);
        }
    }

    /// Close: a closed pool takes timers from nobody, for all that wait are cancelled.
    fn admits_timers(&self) -> Result<(), Refusal> {
        if self.is_closed() { Err(self.refusal_when_closed().unwrap_or(Refusal::Closed)) } else { Ok(()) }
    }

    /// Cancels a timer, whether it waits or its job is queued. False if it is too late or there is none.
    #[cold]
    pub(crate) fn cancel_timer(&self, id: u64) -> bool {
        let Some(timers) = self.known_timers() else { return false };
        let mut job = None;
        match timers.cut(self, id, &mut job) {
            None => false,
            Some(Cut::Once) => {
                self.cancel_job(job.expect("a delayed job that waits has one"), id);
                true
            }
            Some(Cut::Queued(hint)) => {
                self.end_unrun(id, hint.into());
                true
            }
            Some(Cut::Schedule(mut live)) => {
                live.cancelled = true;
                self.take_back_hints(live.queued.drain(..).map(|(queue_id, _)| queue_id));
                timers.finish(id, Some(*live));
                self.drop_unread();
                true
            }
        }
    }

    /// Cancels every timer that waits, and every schedule; returns how many.
    pub(crate) fn cancel_timers(&self) -> usize {
        let Some(timers) = self.known_timers() else { return 0 };
        let ids: Vec<u64> = {
            let state = timers.state.lock();
            let nodes = state.slab.nodes().filter(|&node| state.repeats(node) || state.slab.is_waiting(node));
            nodes.map(|node| state.slab.id(node)).collect()
        };
        ids.into_iter().filter(|&id| self.cancel_timer(id)).count()
    }

    /// Sets a timer anew: due `delay` nanoseconds from now. A delayed job that is queued but has not begun waits
    /// again. False if there is nothing to set: no such timer, too late, or a schedule whose next tick is not known
    /// yet.
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
        self.expect(timers, state, When { kind, due, now });
        if was_queued {
            self.count_cancelled(1); // Not under the lock: whoever is told that the queue is shorter is users' code.
        }
        true
    }

    /// Frees the nodes of delayed jobs that have begun, and the entries of deadlines that were met.
    pub(in crate::pool) fn free_spent(&self, ids: &[u64]) {
        let Some(timers) = self.known_timers() else { return };
        let mut state = timers.state.lock();
        for &id in ids {
            match state.slab.find(id) {
                Some(node) => state.free(node),
                None => state.deadlines.forget(id),
            }
        }
        let surplus = (state.rest(), state.deadlines.surplus());
        let was_last = state.deadlines.is_empty();
        drop(state);
        drop(surplus);
        self.let_sleeper_go(timers, was_last);
    }

    /// Takes hints that nobody needs any more out of the queue. One that a worker has just claimed is harmless.
    pub(super) fn take_back_hints(&self, queue_ids: impl IntoIterator<Item = u64>) {
        queue_ids.into_iter().for_each(|queue_id| drop(self.take_back(queue_id)));
    }

    /// Close: timers that have not fired are cancelled, schedules have no further tick, the sleeper leaves. Tells of
    /// each that is cancelled.
    pub(crate) fn close_timers(&self, cancelled: &mut dyn FnMut(u64)) {
        let Some(timers) = self.known_timers() else { return };
        self.calm_storm();
        let Closed { cut_off, jobs, over } = {
            let mut state = timers.state.lock();
            if !self.is_closed() {
                return; // It was opened again, and by then everything was cancelled.
            }
            state.close()
        };
        timers.alarm.unpark();
        cut_off.into_iter().for_each(&mut *cancelled);
        jobs.into_iter().for_each(|(id, job)| cancelled(self.cancel_job(job, id)));
        over.into_iter().for_each(|(id, live)| timers.finish(id, Some(live)));
        self.drop_unread();
    }
}

impl Timers {
    #[inline(always)]
    fn cut(&self, core: &Core, id: u64, job: &mut Option<Job>) -> Option<Cut> {
        let mut state = self.state.lock();
        let node = state.slab.find(id)?;
        let cut = if state.repeats(node) {
            if state.schedules.get(&id)?.has_begun_its_last() {
                return None;
            }
            Cut::Schedule(Box::new(state.end_schedule(id)?))
        } else if state.slab.is_waiting(node) {
            state.remove_waiting(node, job);
            Cut::Once
        } else {
            return core.take_out(state.slab.due(node)).map(|hint| Cut::Queued(hint.item));
        };
        if let Some(surplus) = state.rest() {
            drop(state);
            drop(surplus);
        }
        Some(cut)
    }
}

impl State {
    /// A schedule's tick has come and is not queued yet. True if it has to be, and the next one is set to `due`.
    fn set_schedule_anew(&mut self, id: u64, now: u64, due: u64) -> bool {
        self.schedules.get_mut(&id).is_some_and(|live| live.set_anew(now, due))
    }

    /// What is cancelled by closing. Jobs that are queued stay: they were due before.
    fn close(&mut self) -> Closed {
        let waiting = |state: &Self, node: &Node| !state.repeats(*node) && state.slab.is_waiting(*node);
        let delayed: Vec<Node> = self.slab.nodes().filter(|node| waiting(self, node)).collect();
        let jobs = delayed.into_iter().filter_map(|node| {
            let (id, mut job) = (self.slab.id(node), None);
            self.remove_waiting(node, &mut job);
            Some((id, job?))
        });
        let jobs = jobs.collect();
        let mut cut_off = Vec::new();
        for (&id, live) in self.schedules.iter_mut().filter(|(_, live)| live.left > 0) {
            cut_off.push(id);
            live.cancelled = true;
            live.stop();
        }
        for node in self.schedules.values().map(|live| live.node).collect::<Vec<_>>() {
            if self.slab.is_waiting(node) {
                self.disarm(node);
            }
        }
        let over: Vec<u64> = self.schedules.iter().filter(|(_, live)| live.is_over()).map(|(&id, _)| id).collect();
        let over = over.into_iter().filter_map(|id| Some((id, self.end_schedule(id)?))).collect();
        Closed { cut_off, jobs, over }
    }
}

fn mark(when: When, placement: Placement) -> u8 {
    let wall = if when.kind == ClockKind::Wall { WALL } else { 0 };
    let back = if placement == Placement::Back { BACK } else { 0 };
    wall | back
}

/// Whether an id is a timer's.
pub(in crate::pool) fn is_timer(id: u64) -> bool {
    Slab::<Option<Job>>::is_id(id)
}
