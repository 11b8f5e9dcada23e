//! The observable state of a model.

use super::kinds::{Kind, Rhythm, State};
use super::{Model, Timer};

impl Model {
    pub(crate) fn count(&self) -> usize {
        self.timers.len()
    }

    /// How many ticks would come.
    pub(crate) fn ticks_until(&self, now: u64, wall: u64) -> u64 {
        let ticks = |timer: &Timer| {
            let late = if timer.by_wall { wall } else { now }.checked_sub(timer.waits?.0)?;
            match timer.kind {
                Kind::Every { interval, rhythm: Rhythm::Queue, .. } => {
                    Some((late / interval).saturating_add(1).min(timer.left))
                }
                _ => Some(1),
            }
        };
        self.timers.iter().filter_map(ticks).fold(0, u64::saturating_add)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.timers.iter().filter(|timer| timer.waits.is_some()).count()
    }

    /// The numbers of the queued jobs.
    pub(crate) fn queued(&self) -> Vec<usize> {
        let mut queued: Vec<_> = self.front.iter().chain(&self.lane).map(|queued| queued.timer).collect();
        queued.sort_unstable();
        queued
    }

    pub(crate) fn state(&self, number: usize) -> Option<State> {
        let timer = &self.timers[number];
        let begun = !self.repeats(number) && timer.waits.is_none() && timer.state.queued == 0;
        if timer.over || begun || matches!(timer.kind, Kind::Now { .. }) {
            return None;
        }
        let now = self.clock(number);
        let due_in = timer.waits.map(|(due, _)| due.saturating_sub(now));
        let owed = match timer.kind {
            Kind::Every { interval, .. } => timer.owed.map_or(0, |due| now.saturating_sub(due) / interval + 1),
            _ => 0,
        };
        Some(State { due_in, ticks: timer.state.ticks + owed, ..timer.state })
    }

    pub(crate) fn repeats(&self, number: usize) -> bool {
        matches!(self.timers[number].kind, Kind::Every { .. })
    }

    pub(crate) fn pending(&self) -> usize {
        self.front.len() + self.lane.len() + self.running.iter().flatten().count()
    }
}
