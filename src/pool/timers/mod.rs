//! Delayed and scheduled jobs, and deadlines of jobs. Protocol: `TIMERS.md`.

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
pub(in crate::pool) use lookout::LookoutState;
pub use schedule::MissedTicks;
use schedule::Schedule;
pub(crate) use schedule::{Plan, Rhythm, Ticking};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
pub(in crate::pool) use storm::Storms;
pub(crate) use view::TimerState;
pub(crate) use watch::{Overrun, OverrunHook};

/// How many timers one check touches under the lock, so that very many that are due at once delay no submitter for
/// long.
const TIMERS_AT_ONCE: usize = real_or_modelled(64, 1);

/// How many nanoseconds the sleeper gives the lookout to queue a due timer. In models the clock stands still.
const GRACE: u64 = real_or_modelled(50_000, 0);

/// The clock of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockKind {
    Monotonic = 0,
    Wall = 1,
}

/// A moment on one of the clocks, and that clock's current time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    pub(crate) kind: ClockKind,
    pub(crate) due: u64,
    pub(crate) now: u64,
}

/// What a job can ask about its tick: that of a schedule, or the only one of a delayed job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickInfo {
    pub(crate) number: u64,
    /// When the job began, on the monotonic clock.
    pub(crate) began: u64,
    pub(crate) late_by: u64,
}

/// A node's mark: it is due by the wall clock.
const WALL: u8 = 1;
/// A node's mark: once due, it is queued behind the queued jobs.
const BACK: u8 = 2;
/// A node's mark: it belongs to a schedule.
const REPEATS: u8 = 4;

/// The timers of a pool. Created with the first one.
#[derive(Debug)]
pub(crate) struct Timers {
    core: Weak<Core>,
    clock: Clock,
    pub(in crate::pool) state: FastLock<State>,
    /// Where the sleeper sleeps.
    pub(in crate::pool) alarm: Parker,
}

/// All state of the timers. No user code runs under its lock.
#[derive(Debug)]
pub(in crate::pool) struct State {
    /// The nodes of all timers that wait, are queued or have begun. A node contains the job of a delayed one, which is
    /// lent to the hint when that is queued; the node then records the hint's id instead of the due time.
    slab: Slab<Option<Job>>,
    /// By kind of clock.
    wheels: [Wheel; 2],
    schedules: HashMap<u64, Schedule>,
    pub(in crate::pool) deadlines: Deadlines,
    /// How many delayed jobs wait.
    delayed: usize,
    /// How many timers go by the wall clock; if none does, that clock is not read.
    by_wall: usize,
    /// By kind of clock, until when the lookout, or else the sleeper, sleeps; 0 while it is awake.
    asleep_until: [u64; 2],
    has_sleeper: bool,
    lookout: Option<Lookout>,
    /// Whether more is due than one check may touch: then workers queue it.
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
    /// Inserts a timer, and takes its job, which is `None` for a schedule. The job is passed by reference and moved
    /// once, as a whole: see `TIMERS.md`, "The wheel".
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
        // SAFETY: 1. the node is new, so its job is not lent.
        unsafe { self.slab.remove(node, job) };
        why
    }

    /// Puts a timer that is in no wheel into one.
    fn rearm(&mut self, node: Node, due: u64) {
        let kind = self.kind(node);
        let inserted = self.wheels[kind as usize].insert(&self.slab, node, due);
        inserted.expect("there is memory for one entry");
    }

    /// Takes a waiting timer out of its wheel.
    fn disarm(&mut self, node: Node) {
        let kind = self.kind(node);
        self.wheels[kind as usize].remove(&self.slab, node);
    }

    /// Removes a waiting timer. Moves its job, unless it is a schedule, to `job`, which must be `None`.
    #[inline(always)]
    fn remove_waiting(&mut self, node: Node, job: &mut Option<Job>) {
        let mark = self.slab.mark(node);
        self.wheels[kind_of(mark) as usize].remove(&self.slab, node);
        self.delayed -= usize::from(mark & REPEATS == 0);
        self.by_wall -= usize::from(kind_of(mark) == ClockKind::Wall);
        // SAFETY: 1. the job of a waiting timer is not lent.
        unsafe { self.slab.remove(node, job) };
    }

    /// Frees the node of a timer that is in no wheel, and whose job was taken.
    fn free(&mut self, node: Node) {
        self.by_wall -= usize::from(self.kind(node) == ClockKind::Wall);
        self.slab.free(node);
    }

    /// Called after timers were removed. Returns memory that only many timers need, to be dropped after the lock.
    #[inline]
    fn take_surplus(&mut self) -> Option<Box<impl Sized + use<>>> {
        if self.slab.len() > 0 { None } else { self.take_surplus_now() }
    }

    #[cold]
    fn take_surplus_now(&mut self) -> Option<Box<impl Sized + use<>>> {
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
