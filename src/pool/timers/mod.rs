//! Jobs that are due later, and jobs that are due again and again. Protocol: `TIMERS.md`.

mod deadlines;
mod due;
mod entry;
mod expiring;
mod fire;
mod lateness;
mod lookout;
mod schedule;
mod sleeper;
mod storm;
mod tick;
mod view;
mod watch;

use super::core::Core;
use super::job::Job;
use crate::queue::{Node, OutOfMemory, Side, Slab, Wheel};
use crate::sync::{FastLock, Parker};
use crate::sys::clock::Clock;
use crate::sys::size::real_or_modelled;
use deadlines::Deadlines;
pub(crate) use entry::Placement;
pub(in crate::pool) use entry::is_timer;
pub(in crate::pool) use fire::Fired;
pub(in crate::pool) use lateness::Lateness;
use lookout::Lookout;
pub(in crate::pool) use lookout::Watch;
use schedule::Live;
pub(crate) use schedule::{Missed, Plan, Rhythm, Ticking};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
pub(in crate::pool) use storm::Storms;
pub(crate) use view::TimerState;
pub(crate) use watch::{Overrun, OverrunHook};

/// Timers that are touched before others get a turn: very many that are due at once must not hold up those who submit.
const TIMERS_AT_ONCE: usize = real_or_modelled(64, 1);

/// Nanoseconds that the thread which sleeps for the timers lets a worker have to come to one that is due. A model's
/// clock stands still.
const GRACE: u64 = real_or_modelled(50_000, 0);

/// By which of its two clocks a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockKind {
    Monotonic = 0,
    Wall = 1,
}

/// A moment on one of the clocks, and what that clock shows now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    pub(crate) kind: ClockKind,
    pub(crate) due: u64,
    pub(crate) now: u64,
}

/// What a job can be told about its being due: the tick of a schedule, or the only one of a delayed job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickInfo {
    pub(crate) number: u64,
    /// When the job began, on the monotonic clock.
    pub(crate) began: u64,
    pub(crate) late_by: u64,
}

/// A node's mark: the wall clock says when it is due.
const WALL: u8 = 1;
/// A node's mark: once due it goes behind the jobs that are queued.
const BACK: u8 = 2;
/// A node's mark: its job is in `schedules`.
const REPEATS: u8 = 4;

/// The timers of a pool. Made when the first one comes.
#[derive(Debug)]
pub(crate) struct Timers {
    core: Weak<Core>,
    clock: Clock,
    pub(in crate::pool) state: FastLock<State>,
    /// Where the sleeper sleeps.
    pub(in crate::pool) alarm: Parker,
}

/// What the lock guards: whoever has it decides what becomes of a timer. No user's code runs under it.
#[derive(Debug)]
pub(in crate::pool) struct State {
    /// Timers that wait, and those that are queued or have begun. The job of a delayed one, which is lent to its hint
    /// while that is queued; the node then notes the hint's id.
    slab: Slab<Option<Job>>,
    /// By kind of clock.
    wheels: [Wheel; 2],
    schedules: HashMap<u64, Live>,
    pub(in crate::pool) deadlines: Deadlines,
    /// Delayed jobs that wait.
    delayed: usize,
    /// Timers by the wall clock: without any, nobody asks for the time of day.
    by_wall: usize,
    /// By kind of clock, until when somebody sleeps for the timers: the lookout, or else the sleeper; 0 before that.
    asleep_until: [u64; 2],
    has_sleeper: bool,
    lookout: Option<Lookout>,
    /// More is due than is queued at once: workers come for it.
    storm: bool,
}

impl Timers {
    fn new(core: &Arc<Core>) -> Self {
        let state = State {
            slab: Slab::new(),
            wheels: [Wheel::new(Side::First), Wheel::new(Side::Second)],
            schedules: HashMap::new(),
            deadlines: Deadlines::new(),
            delayed: 0,
            by_wall: 0,
            asleep_until: [0; 2],
            has_sleeper: false,
            lookout: None,
            storm: false,
        };
        let clock = core.settings.clock.clone();
        Self { core: Arc::downgrade(core), clock, state: FastLock::new(state), alarm: Parker::new() }
    }

    fn now(&self, kind: ClockKind) -> u64 {
        match kind {
            ClockKind::Monotonic => self.clock.now(),
            ClockKind::Wall => self.clock.wall(),
        }
    }
}

/// By a node's mark.
fn kind_of(mark: u8) -> ClockKind {
    if mark & WALL == 0 { ClockKind::Monotonic } else { ClockKind::Wall }
}

impl State {
    /// A new timer, which takes the job; none for a schedule.
    /// Where the job is not moved about: read in pieces that it was not written in, it stalls the processor.
    #[inline]
    fn insert(&mut self, job: &mut Option<Job>, mark: u8, when: When) -> Result<Node, OutOfMemory> {
        if self.slab.len() == 0 {
            self.wheels[when.kind as usize].begin_at(when.now);
        }
        self.slab.reserve()?;
        let node = self.slab.insert(job, mark);
        if let Err(refused) = self.wheels[when.kind as usize].insert(&self.slab, node, when.due) {
            return Err(self.refuse(refused, node, job));
        }
        self.delayed += usize::from(mark & REPEATS == 0);
        self.by_wall += usize::from(when.kind == ClockKind::Wall);
        Ok(node)
    }

    #[cold]
    fn refuse(&mut self, why: OutOfMemory, node: Node, job: &mut Option<Job>) -> OutOfMemory {
        // SAFETY: the node is new, its job is not lent.
        unsafe { self.slab.remove(node, job) };
        why
    }

    /// A timer that is in no wheel waits again.
    fn rearm(&mut self, node: Node, due: u64) {
        let kind = self.kind(node);
        let inserted = self.wheels[kind as usize].insert(&self.slab, node, due);
        inserted.expect("memory for four bytes");
    }

    /// A timer that waits is taken out of its wheel.
    fn disarm(&mut self, node: Node) {
        let kind = self.kind(node);
        self.wheels[kind as usize].remove(&self.slab, node);
    }

    /// A timer that waits is gone; its job, if it is no schedule, goes where there is none.
    #[inline(always)]
    fn remove_waiting(&mut self, node: Node, job: &mut Option<Job>) {
        let mark = self.slab.mark(node);
        self.wheels[kind_of(mark) as usize].remove(&self.slab, node);
        self.delayed -= usize::from(mark & REPEATS == 0);
        self.by_wall -= usize::from(kind_of(mark) == ClockKind::Wall);
        // SAFETY: the job of a timer that waits is not lent.
        unsafe { self.slab.remove(node, job) };
    }

    /// A timer that is in no wheel, and whose job was taken, is gone.
    fn free(&mut self, node: Node) {
        self.forget(node);
        self.slab.free(node);
    }

    fn forget(&mut self, node: Node) {
        self.by_wall -= usize::from(self.kind(node) == ClockKind::Wall);
    }

    /// Called when timers have gone: memory that only many timers need, for the caller to drop without the lock.
    #[inline]
    fn rest(&mut self) -> Option<Box<impl Sized + use<>>> {
        if self.slab.len() > 0 { None } else { self.rest_now() }
    }

    #[cold]
    fn rest_now(&mut self) -> Option<Box<impl Sized + use<>>> {
        let surplus = self.slab.surplus()?;
        self.wheels.iter_mut().for_each(Wheel::give_up);
        Some(surplus)
    }

    fn kind(&self, node: Node) -> ClockKind {
        kind_of(self.slab.mark(node))
    }

    fn repeats(&self, node: Node) -> bool {
        self.slab.mark(node) & REPEATS != 0
    }
}
