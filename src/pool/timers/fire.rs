//! Firing: from due to queued.

use super::deadlines::Expected;
use super::due::JobHint;
use super::tick::TickHint;
use super::{BACK, ClockKind, GRACE, State, TIMERS_AT_ONCE, Timers};
use crate::pool::core::Core;
use crate::pool::hire;
use crate::pool::job::Job;
use crate::pool::producer;
use crate::queue::{Item, Node, OutOfMemory, Popped, Producing};
use std::io;
use std::sync::Arc;

/// When to retry what the system has refused, in nanoseconds.
const RETRY_AFTER: u64 = hire::RETRY_AFTER.as_nanos() as u64;

/// Who checks for due timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checker {
    /// The thread that sleeps for the timers.
    Sleeper,
    /// A worker that has slept for the timers.
    Lookout,
    /// A worker that was promised more by a storm.
    Worker,
    /// A thread that has advanced a manual clock, for which nobody sleeps.
    ManualClock,
    /// Any other thread.
    Other,
}

/// What the sleeper does after a check.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::pool) enum Fired {
    /// It sleeps until then, by kind of clock: the next due moment; in a storm, the next deadline.
    Until([u64; 2]),
    /// The same, while a lookout sleeps for the timers before that.
    BehindLookout([u64; 2]),
    /// It ends, because the pool is closed.
    Closed,
}

/// By kind of clock.
const NEVER: [u64; 2] = [u64::MAX; 2];

/// The due timers that one check queues.
struct DueBatch<'a, 'lane> {
    core: &'a Core,
    timers: &'a Arc<Timers>,
    lane: &'a mut Producing<'lane>,
    /// Hints with placement "front", which are queued together.
    front: Vec<(Node, Item)>,
    queued: usize,
}

/// The current time by a timer's own clock, and by the monotonic one.
#[derive(Clone, Copy)]
struct Now {
    own: u64,
    monotonic: u64,
}

impl Core {
    /// Queues what is due, or begins a storm.
    pub(in crate::pool) fn fire_due(self: &Arc<Self>) {
        self.check(Checker::Other);
    }

    /// The pool's manual clock was advanced: as [`fire_due`](Self::fire_due), and handles overdue deadlines.
    pub(crate) fn clock_advanced(self: &Arc<Self>) {
        if !self.is_forked() {
            self.check(Checker::ManualClock);
        }
    }

    /// The sleeper's check: handles overdue deadlines, and queues some due timers.
    pub(in crate::pool) fn fire_as_sleeper(self: &Arc<Self>) -> Fired {
        self.check(Checker::Sleeper).1
    }

    /// Ends the lookout, and queues some due timers (L4).
    pub(in crate::pool) fn fire_as_lookout(self: &Arc<Self>) {
        self.check(Checker::Lookout);
    }

    /// A worker's check in a storm: queues some due timers. False if it found none.
    pub(in crate::pool) fn fire_in_storm(self: &Arc<Self>) -> bool {
        self.check(Checker::Worker).0 > 0
    }

    /// Checks for due timers, and queues some of them; returns how many.
    fn check(self: &Arc<Self>, checker: Checker) -> (usize, Fired) {
        let timers = self.timers();
        if matches!(checker, Checker::Sleeper | Checker::ManualClock) {
            self.report_overdue(timers);
            if self.is_forked() {
                return (0, Fired::Closed); // A callback has forked. The lock's holder may not exist in this process.
            }
        }
        let mut state = timers.state.lock();
        // SAFETY: 1. queues, the crew and the timers run no user code under their locks.
        let mut visit = unsafe { producer::visit(self) };
        if self.is_closed() && checker != Checker::Worker {
            let _ = checker == Checker::Lookout && state.end_lookout(GRACE); // The closer wakes the sleeper.
            return (0, self.fire_when_closed(&mut state, checker == Checker::Sleeper));
        }
        let (mut queued, mut until) = (0, NEVER);
        let now = timers.clock.now();
        if state.storm == (checker == Checker::Worker) && !(checker == Checker::Sleeper && state.relies_on_lookout(now))
        {
            let more;
            (queued, more) = self.fire_some(timers, &mut state, &mut visit.lane, now);
            timers.set_storm(self, &mut state, more);
        }
        if checker == Checker::Sleeper {
            until = if state.storm { [state.deadlines.next_due(), u64::MAX] } else { state.next_due() };
            state.set_sleeper_until(until);
        }
        let ring = checker == Checker::Lookout && state.end_lookout(GRACE);
        let (storm, has_lookout) = (state.storm, state.lookout.is_some());
        drop(state);
        if ring {
            timers.alarm.unpark();
        }
        // Still in the visit: Close, V4.
        if self.ensure_worker_if(queued > 0 || storm).is_err() {
            match checker {
                Checker::Sleeper => until = [timers.clock.now() + RETRY_AFTER, u64::MAX],
                _ => timers.alarm.unpark(),
            }
        }
        drop(visit);
        if queued > 0 {
            self.check_high_mark();
        }
        (queued, if has_lookout { Fired::BehindLookout(until) } else { Fired::Until(until) })
    }

    /// Queues some due timers; returns how many, and whether more may be due.
    pub(super) fn fire_some(
        &self,
        timers: &Arc<Timers>,
        state: &mut State,
        lane: &mut Producing<'_>,
        monotonic: u64,
    ) -> (usize, bool) {
        let front = Vec::with_capacity(TIMERS_AT_ONCE);
        DueBatch { core: self, timers, lane, front, queued: 0 }.fire(state, monotonic)
    }

    /// Reports what is overdue, unless this is a call from a callback of such a report: a callback may advance the
    /// clock.
    fn report_overdue(self: &Arc<Self>, timers: &Timers) {
        let mut state = timers.state.lock();
        if !state.deadlines.begin_report() {
            return;
        }
        loop {
            let (overdue, more) = self.take_overdue(timers, &mut state);
            if overdue.is_empty() && !more {
                return state.deadlines.end_report();
            }
            drop(state);
            self.handle_overdue(overdue);
            if self.is_forked() {
                return;
            }
            state = timers.state.lock();
        }
    }

    /// Takes some overdue entries, unless the process exits; also returns whether there may be more.
    fn take_overdue(&self, timers: &Timers, state: &mut State) -> (Vec<Expected>, bool) {
        if state.deadlines.is_empty() || self.is_stopped() {
            return (Vec::new(), false);
        }
        state.deadlines.take_overdue(timers.clock.now())
    }

    /// The result in a closed pool, whose sleeper stays as long as accepted jobs have deadlines.
    fn fire_when_closed(&self, state: &mut State, to_sleep: bool) -> Fired {
        if state.deadlines.is_empty() || self.is_stopped() {
            state.has_sleeper &= !to_sleep;
            return Fired::Closed;
        }
        let until = [state.deadlines.next_due(), u64::MAX];
        if to_sleep {
            state.set_sleeper_until(until);
        }
        Fired::Until(until)
    }

    /// Makes sure of a worker if jobs were queued (`visible`), or if work is left from when no thread could be started.
    fn ensure_worker_if(self: &Arc<Self>, visible: bool) -> io::Result<()> {
        if visible || (self.alive() == 0 && self.has_visible_work()) { self.ensure_worker() } else { Ok(()) }
    }
}

impl DueBatch<'_, '_> {
    /// Returns how many timers it has queued, and whether more may be due.
    fn fire(mut self, state: &mut State, monotonic: u64) -> (usize, bool) {
        let mut work = TIMERS_AT_ONCE;
        let mut more = self.fire_by(state, ClockKind::Monotonic, Now { own: monotonic, monotonic }, &mut work);
        if !more && state.by_wall > 0 {
            let own = self.timers.clock.wall();
            more = self.fire_by(state, ClockKind::Wall, Now { own, monotonic }, &mut work);
        }
        self.queue_front(state);
        (self.queued, more)
    }

    fn fire_by(&mut self, state: &mut State, kind: ClockKind, now: Now, work: &mut usize) -> bool {
        loop {
            match state.wheels[kind as usize].pop(&state.slab, now.own, work) {
                Popped::Due(node) if state.repeats(node) => self.tick(state, node, now),
                Popped::Due(node) => self.fire_once(state, node, now),
                Popped::Busy => return true,
                Popped::Nothing => return false,
            }
        }
    }

    /// A delayed job is due.
    fn fire_once(&mut self, state: &mut State, node: Node, now: Now) {
        let due = now.monotonic_of(state.slab.due(node));
        state.slab.note(node, 0); // No item's id, until the hint is queued.
        state.delayed -= 1;
        let hint = Job::new(JobHint { job: state.slab.lend(node), id: state.slab.id(node), due }).into_item();
        if !state.is_back(node) {
            return self.front.push((node, hint));
        }
        self.core.take_places_above_limit(1);
        match self.lane.push(&self.core.store, hint) {
            Ok(queue_id) => self.note(state, node, queue_id),
            Err(OutOfMemory) => self.refuse(state, node, hint),
        }
    }

    fn note(&mut self, state: &mut State, node: Node, queue_id: u64) {
        state.slab.note(node, queue_id);
        self.queued += 1;
    }

    fn queue_front(&mut self, state: &mut State) {
        if self.front.is_empty() {
            return;
        }
        let hints = std::mem::take(&mut self.front);
        let mut noted = hints.iter().map(|(node, _)| *node);
        let items = hints.iter().map(|(_, item)| *item);
        self.core.take_places_above_limit(hints.len());
        self.core.front.append_all(&self.core.store, items, |queue_id| {
            let node = noted.next().expect("as many are queued as were given");
            self.queued += 1;
            state.slab.note(node, queue_id);
        });
        let refused = noted.len();
        for &(node, hint) in &hints[hints.len() - refused..] {
            self.refuse(state, node, hint);
        }
    }

    /// A tick of a schedule is due. Delayed jobs that were due earlier are queued before it.
    fn tick(&mut self, state: &mut State, node: Node, now: Now) {
        self.queue_front(state);
        let (id, due, back) = (state.slab.id(node), state.slab.due(node), state.is_back(node));
        let schedule = state.schedules.get_mut(&id).expect("a node that repeats has a schedule");
        let verdict = schedule.tick(due, now.own);
        let mut next = verdict.next;
        if let Some(due) = verdict.run {
            let tick = TickHint { timers: Arc::clone(self.timers), id, due: now.monotonic_of(due) };
            match self.queue_tick(Job::new(tick), back) {
                Some(queue_id) => {
                    schedule.queued.push_back((queue_id, schedule.number));
                    self.queued += 1;
                }
                None => next = Some(schedule.put_back_tick(next, now.own.saturating_add(RETRY_AFTER))),
            }
        }
        if let Some(next) = next {
            state.rearm(node, next);
        }
    }

    /// Returns the hint's id; `None` if there is no memory.
    fn queue_tick(&mut self, tick: Job, back: bool) -> Option<u64> {
        let item = tick.into_item();
        let mut queue_id = None;
        self.core.take_places_above_limit(1);
        if back {
            queue_id = self.lane.push(&self.core.store, item).ok();
        } else {
            self.core.front.append_all(&self.core.store, std::iter::once(item), |id| queue_id = Some(id));
        }
        if queue_id.is_none() {
            self.core.put_back_places(1);
            // SAFETY: 1. the item was made from a job above; 2. it was not queued.
            drop(unsafe { Job::from_item(item) });
        }
        queue_id
    }

    /// There was no memory to queue a hint: its timer waits again, for a short time.
    #[cold]
    fn refuse(&self, state: &mut State, node: Node, hint: Item) {
        self.core.put_back_places(1);
        // SAFETY: 1. the item was made from a job; 2. it was not queued.
        drop(unsafe { Job::from_item(hint) });
        state.delayed += 1;
        let now = self.timers.now(state.kind(node));
        state.rearm(node, now.saturating_add(RETRY_AFTER));
    }
}

impl Now {
    /// Converts a due moment of the own clock to the monotonic one.
    fn monotonic_of(self, due: u64) -> u64 {
        self.monotonic.saturating_sub(self.own.saturating_sub(due))
    }
}

impl State {
    fn is_back(&self, node: Node) -> bool {
        self.slab.mark(node) & BACK != 0
    }

    /// By kind of clock, until when the sleeper may sleep.
    fn next_due(&mut self) -> [u64; 2] {
        let grace = if self.lookout.is_some() { GRACE } else { 0 };
        let timer = self.next_timer(ClockKind::Monotonic).saturating_add(grace);
        [timer.min(self.deadlines.next_due()), self.next_timer(ClockKind::Wall)]
    }

    pub(super) fn next_timer(&mut self, kind: ClockKind) -> u64 {
        self.wheels[kind as usize].next_due(&self.slab).unwrap_or(u64::MAX)
    }
}
