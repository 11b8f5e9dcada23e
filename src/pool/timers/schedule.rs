//! A job that is due again and again: when its next tick comes, and what becomes of those that come too late.

use crate::pool::Worker;
use crate::queue::Node;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// What the layers above want done at each tick.
pub(crate) trait Ticking: Send + Sync + 'static {
    /// Takes note that a queued tick, or the whole schedule, was cancelled.
    fn cancelled(&self, id: u64);

    /// Does a tick's work, like [`Task::run`](crate::pool::Task::run). False if it failed.
    fn run(&self, worker: &Worker) -> bool;
}

/// What becomes of ticks that come while the job of an earlier one is queued or running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// Each is queued.
    Queue,
    /// They are left out.
    Skip,
    /// They make one run together, when the earlier job has ended.
    Coalesce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// One interval from tick to tick.
    FixedRate(Missed),
    /// One interval from the end of a run to the next tick.
    FixedDelay,
}

/// How a schedule was asked to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Nanoseconds; not 0.
    pub(crate) interval: u64,
    pub(crate) rhythm: Rhythm,
    /// Not 0.
    pub(crate) most_runs: u64,
    pub(crate) stop_on_error: bool,
}

/// A schedule that goes on, or whose last runs have not ended.
pub(super) struct Live {
    pub(super) node: Node,
    pub(super) plan: Plan,
    pub(super) work: Arc<dyn Ticking>,
    /// Ticks that have come and are not owed.
    pub(super) number: u64,
    /// Runs that may still begin.
    pub(super) left: u64,
    /// The queue's id and the tick's number of every job that is queued.
    pub(super) queued: VecDeque<(u64, u64)>,
    pub(super) running: usize,
    /// When a tick was due that comes once no job is queued or running.
    owed: Option<u64>,
    /// It was set anew at the first moment: after the ticks that had come by then, the next is due at the second.
    anew: Option<(u64, u64)>,
    /// It did not come to its own end.
    pub(super) cancelled: bool,
}

/// What a tick leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// A job is queued, for the tick that was due then.
    pub(super) run: Option<u64>,
    /// The next tick is due then.
    pub(super) next: Option<u64>,
}

impl Live {
    pub(super) fn new(node: Node, plan: Plan, work: Arc<dyn Ticking>) -> Self {
        let left = plan.most_runs;
        let queued = VecDeque::new();
        Self { node, plan, work, number: 0, left, queued, running: 0, owed: None, anew: None, cancelled: false }
    }

    /// Whether a job is queued or running.
    pub(super) fn is_active(&self) -> bool {
        self.running > 0 || !self.queued.is_empty()
    }

    /// A tick that was due at `due` has come.
    pub(super) fn tick(&mut self, due: u64, now: u64) -> Verdict {
        let verdict = match self.plan.rhythm {
            Rhythm::FixedDelay => self.count(1, Verdict { run: Some(due), next: None }),
            Rhythm::FixedRate(Missed::Queue) => {
                let next = self.after_one(due);
                self.count(1, Verdict { run: Some(due), next })
            }
            Rhythm::FixedRate(Missed::Coalesce) if self.is_active() => {
                self.owed = Some(due);
                Verdict::default()
            }
            Rhythm::FixedRate(Missed::Skip | Missed::Coalesce) => {
                let more = now.saturating_sub(due) / self.plan.interval;
                let latest = due + more * self.plan.interval;
                let run = if self.is_active() { None } else { Some(latest) };
                self.count(more + 1, Verdict { run, next: self.after(latest) })
            }
        };
        match self.left {
            0 => Verdict { next: None, ..verdict },
            _ => verdict,
        }
    }

    fn count(&mut self, ticks: u64, verdict: Verdict) -> Verdict {
        self.number += ticks;
        self.left -= u64::from(verdict.run.is_some());
        verdict
    }

    /// The next tick is set to `due`; true if ticks that have come are queued before, as if nothing had happened.
    pub(super) fn set_anew(&mut self, now: u64, due: u64) -> bool {
        let each = self.plan.rhythm == Rhythm::FixedRate(Missed::Queue);
        if each {
            self.anew = Some((self.anew.map_or(now, |(before, _)| before), due));
        }
        each
    }

    /// The tick after one that was due at `due`, where each is queued.
    fn after_one(&mut self, due: u64) -> Option<u64> {
        let next = self.after(due);
        let anew = self.anew.take_if(|(set, _)| next.is_none_or(|next| next > *set));
        anew.map_or(next, |(_, due)| Some(due))
    }

    /// In 584 years nothing is due any more.
    fn after(&self, due: u64) -> Option<u64> {
        due.checked_add(self.plan.interval)
    }

    /// A run has ended, or a queued job was cancelled: when the next tick is due, if that depended on it.
    pub(super) fn next_after_end(&mut self, now: u64) -> Option<u64> {
        if self.is_active() || self.left == 0 {
            return None;
        }
        match self.plan.rhythm {
            Rhythm::FixedDelay => self.after(now),
            Rhythm::FixedRate(_) => self.owed.take(),
        }
    }

    /// There are no further ticks.
    pub(super) fn stop(&mut self) {
        (self.left, self.owed) = (0, None);
    }

    /// No run of it will begin any more.
    pub(super) fn has_begun_its_last(&self) -> bool {
        self.left == 0 && self.queued.is_empty()
    }

    /// Ticks that have come by now, those that are owed included.
    pub(super) fn ticks(&self, now: u64) -> u64 {
        let owed = self.owed.map_or(0, |due| (now.saturating_sub(due) / self.plan.interval).saturating_add(1));
        self.number.saturating_add(owed)
    }

    /// Nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        self.has_begun_its_last() && self.running == 0
    }

    /// Takes a queued job off the list; the number of its tick.
    pub(super) fn unqueue(&mut self, queue_id: u64) -> Option<u64> {
        let position = self.queued.iter().position(|&(queued, _)| queued == queue_id)?;
        self.queued.remove(position).map(|(_, number)| number)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("plan", &self.plan).field("number", &self.number).finish_non_exhaustive()
    }
}
