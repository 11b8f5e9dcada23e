//! Moments by which a job must have begun, or its code have ended. Protocol: `TIMERS.md`, "Deadlines of jobs".

use super::watch::Run;
use super::{ClockKind, TIMERS_AT_ONCE, Timers};
use crate::pool::core::Core;
use crate::queue::{OutOfMemory, Popped, Side, Slab, Wheel};
use crate::sys::token;
use std::sync::Arc;

/// What must have happened by the entry's moment.
#[derive(Debug, Default)]
pub(super) enum Expected {
    /// Not known yet, or already reported.
    #[default]
    Nothing,
    /// The job with this id has begun.
    Begin(u64),
    /// The code of a running job has ended.
    End(Arc<Run>),
}

/// Entries of jobs that must begin in time, from before the job is queued until it begins or is cancelled; and of
/// watched runs, from the beginning of the code to its end. Ids are those of the slab, which no job has.
#[derive(Debug)]
pub(in crate::pool) struct Deadlines {
    slab: Slab<Expected>,
    wheel: Wheel,
    /// The [tokens](token::of_this_thread) of threads that report what is overdue.
    reporting: Vec<usize>,
}

impl Deadlines {
    pub(super) fn new() -> Self {
        Self { slab: Slab::new(), wheel: Wheel::new(Side::First), reporting: Vec::new() }
    }

    pub(in crate::pool) fn is_empty(&self) -> bool {
        self.slab.len() == 0
    }

    /// Reserves an entry that expects nothing yet.
    pub(super) fn reserve(&mut self, now: u64) -> Result<u64, OutOfMemory> {
        if self.is_empty() {
            self.wheel.begin_at(now);
        }
        self.slab.reserve()?;
        let node = self.slab.insert(&mut Expected::Nothing, 0);
        Ok(self.slab.id(node))
    }

    /// Whether the entry exists. It does not if the job has begun or was cancelled meanwhile.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.slab.find(id).is_some()
    }

    /// Puts the entry into the wheel. False if it does not exist: the job has begun or was cancelled meanwhile.
    pub(super) fn arm(&mut self, id: u64, expected: Expected, due: u64) -> bool {
        let Some(node) = self.slab.find(id) else { return false };
        // SAFETY: 1. nothing is ever lent here.
        unsafe { self.slab.replace(node, expected) };
        self.wheel.insert(&self.slab, node, due).expect("there is memory for one entry");
        true
    }

    /// Frees an entry. Called by its owner according to the protocol.
    pub(super) fn forget(&mut self, id: u64) {
        let Some(node) = self.slab.find(id) else { return };
        if self.slab.is_waiting(node) {
            self.wheel.remove(&self.slab, node);
        }
        // SAFETY: 1. nothing is ever lent here.
        unsafe { self.slab.remove(node, &mut Expected::Nothing) };
    }

    /// The calling thread is about to report what is overdue. False if there are no entries, or if this is a call from
    /// a callback of its own report.
    pub(super) fn begin_report(&mut self) -> bool {
        let me = token::of_this_thread();
        let begins = !self.is_empty() && !self.reporting.contains(&me);
        self.reporting.extend(begins.then_some(me));
        begins
    }

    pub(super) fn end_report(&mut self) {
        let me = token::of_this_thread();
        self.reporting.retain(|&thread| thread != me);
    }

    /// Takes some overdue entries out of the wheel, but not out of the slab; returns what they expected, and whether
    /// there may be more.
    pub(super) fn take_overdue(&mut self, now: u64) -> (Vec<Expected>, bool) {
        let (mut overdue, mut work) = (Vec::new(), TIMERS_AT_ONCE);
        loop {
            match self.wheel.pop(&self.slab, now, &mut work) {
                // SAFETY: 1. nothing is ever lent here.
                Popped::Due(node) => overdue.push(unsafe { self.slab.replace(node, Expected::Nothing) }),
                Popped::Busy => return (overdue, true),
                Popped::Nothing => return (overdue, false),
            }
        }
    }

    pub(super) fn next_due(&mut self) -> u64 {
        self.wheel.next_due(&self.slab).unwrap_or(u64::MAX)
    }

    /// Memory that only many entries need, to be dropped after the lock.
    pub(super) fn surplus(&mut self) -> Option<Box<impl Sized + use<>>> {
        let surplus = self.slab.surplus()?;
        self.wheel.begin_at(0);
        Some(surplus)
    }
}

impl Core {
    /// Reserves an entry for a job that is about to be submitted. An error if there is no thread or no memory for it.
    pub(super) fn reserve_deadline(self: &Arc<Self>) -> Result<u64, crate::pool::Refusal> {
        use crate::pool::Refusal;
        // So that a closed pool starts no sleeper for a job that it refuses, and because in a forked child the lock's
        // holder may not exist.
        if let Some(why) = self.refusal() {
            return Err(why);
        }
        let timers = self.timers();
        let mut state = timers.state.lock();
        self.ensure_sleeper(timers, &mut state).map_err(Refusal::NoThread)?;
        let now = timers.now(ClockKind::Monotonic);
        state.deadlines.reserve(now).map_err(|OutOfMemory| Refusal::OutOfMemory)
    }

    /// Watches from now on that what is expected happens in time.
    pub(super) fn arm_deadline(self: &Arc<Self>, id: u64, expected: Expected, due: u64) {
        let timers = self.timers();
        let mut state = timers.state.lock();
        if due <= timers.now(ClockKind::Monotonic) {
            let is_armed = state.deadlines.contains(id);
            drop(state);
            if is_armed && !self.is_stopped() {
                self.handle_overdue(vec![expected]); // Not other jobs': callers do not expect their callbacks here.
            }
            return;
        }
        let ring = state.deadlines.arm(id, expected, due) && state.is_before_sleeper_wakes(due);
        drop(state);
        if ring {
            timers.alarm.unpark();
        }
    }

    /// Frees an entry.
    pub(super) fn forget_deadline(&self, id: u64) {
        let Some(timers) = self.known_timers() else { return };
        let mut state = timers.state.lock();
        state.deadlines.forget(id);
        let surplus = state.deadlines.surplus();
        let was_last = state.deadlines.is_empty();
        drop(state);
        drop(surplus);
        self.wake_sleeper_if_done(timers, was_last);
    }

    /// Wakes the sleeper of a closed pool, which stays until the last entry is freed. Called after entries were freed.
    pub(super) fn wake_sleeper_if_done(&self, timers: &Timers, was_last: bool) {
        if was_last && self.is_closed() {
            timers.alarm.unpark();
        }
    }

    /// Ends jobs that were not begun in time, and reports those that run too long.
    pub(super) fn handle_overdue(&self, overdue: Vec<Expected>) {
        for expected in overdue {
            if self.is_forked() {
                return; // A callback has forked: the others are the parent's.
            }
            match expected {
                Expected::Nothing => {}
                Expected::Begin(id) => self.expire(id),
                Expected::End(run) => self.tell_overrun(&run),
            }
        }
    }
}
