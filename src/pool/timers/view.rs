//! Queries about timers.

use super::{State, Timers};
use crate::pool::core::Core;
use crate::queue::Node;
use std::collections::HashMap;

/// The state of a timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerState {
    /// Nanoseconds until it is due, 0 if it is due but not fired yet; `None` if it does not wait.
    pub(crate) due_in: Option<u64>,
    /// How many jobs are queued for it.
    pub(crate) queued: usize,
    /// How many runs of a schedule have begun and not ended.
    pub(crate) running: usize,
    /// How many ticks of a schedule were due.
    pub(crate) ticks: u64,
}

impl Core {
    /// How many delayed jobs wait.
    pub(crate) fn delayed_len(&self) -> usize {
        self.known_timers().map_or(0, |timers| timers.state.lock().delayed)
    }

    /// How many schedules have not ended.
    pub(crate) fn scheduled_len(&self) -> usize {
        self.known_timers().map_or(0, |timers| timers.state.lock().schedules.len())
    }

    /// The state of a timer that waits, is queued, or repeats.
    pub(crate) fn timer_state(&self, id: u64) -> Option<TimerState> {
        let timers = self.known_timers()?;
        let state = timers.state.lock();
        let node = state.slab.find(id)?;
        let known = state.describe(timers, node, id);
        // A delayed job that has begun is no timer any more, though its node may still exist.
        let gone = !state.repeats(node) && known.due_in.is_none() && !self.store.is_queued(state.slab.due(node));
        if gone { None } else { Some(known) }
    }

    /// The ids that `queued` returns, ascending, with those of hints replaced by those of their timers, which users
    /// know.
    pub(in crate::pool) fn named(&self, queued: impl FnOnce() -> Vec<u64>) -> Vec<u64> {
        let Some(timers) = self.known_timers() else { return queued() };
        let state = timers.state.lock(); // Hints are neither queued nor cancelled meanwhile, only claimed.
        let mut ids = queued();
        let names = state.hints();
        for id in &mut ids {
            *id = names.get(id).copied().unwrap_or(*id);
        }
        ids.sort_unstable();
        ids
    }

    /// All waiting delayed jobs, or all schedules that have not ended.
    pub(crate) fn list_timers(&self, repeating: bool) -> Vec<(u64, TimerState)> {
        let Some(timers) = self.known_timers() else { return Vec::new() };
        let state = timers.state.lock();
        let listed = |&node: &Node| match repeating {
            true => state.repeats(node),
            false => !state.repeats(node) && state.slab.is_waiting(node),
        };
        let nodes = state.slab.nodes().filter(listed).map(|node| (node, state.slab.id(node)));
        nodes.map(|(node, id)| (id, state.describe(timers, node, id))).collect()
    }
}

impl State {
    /// Maps queued hints to their timers.
    fn hints(&self) -> HashMap<u64, u64> {
        let due = |&node: &Node| !self.repeats(node) && !self.slab.is_waiting(node);
        let once = self.slab.nodes().filter(due).map(|node| (self.slab.due(node), self.slab.id(node)));
        let ticks =
            self.schedules.iter().flat_map(|(&id, schedule)| schedule.queued.iter().map(move |&(hint, _)| (hint, id)));
        once.chain(ticks).collect()
    }

    fn describe(&self, timers: &Timers, node: Node, id: u64) -> TimerState {
        let now = timers.now(self.kind(node));
        let due_in = self.slab.is_waiting(node).then(|| self.slab.due(node).saturating_sub(now));
        match self.schedules.get(&id) {
            Some(schedule) => TimerState {
                due_in,
                queued: schedule.queued.len(),
                running: schedule.running,
                ticks: schedule.ticks(now),
            },
            None => TimerState { due_in, queued: usize::from(due_in.is_none()), running: 0, ticks: 0 },
        }
    }
}
