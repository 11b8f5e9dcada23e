//! Schedules: when the next tick is due, and what becomes of late ones.

use crate::pool::Worker;
use crate::queue::Node;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// The work of a schedule, defined by the layers above.
pub(crate) trait Ticking: Send + Sync + 'static {
    /// Called when a queued tick, or the whole schedule, was cancelled.
    fn cancelled(&self, id: u64);

    /// Does the work of a tick, like [`Task::run`](crate::pool::Task::run). False if it failed.
    fn run(&self, worker: &Worker) -> bool;
}

/// What happens to ticks of a [`Schedule`](crate::Schedule) that are due while the job of an earlier tick is queued or
/// running.
///
/// If several ticks are due at once, because a clock has jumped or the machine was suspended, `Skip` and `Coalesce` run
/// the job once, for the latest of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissedTicks {
    /// Skips them. The next tick after the job's end comes at its usual time.
    #[default]
    Skip,
    /// Merges them into one run, as soon as the earlier job has ended.
    Coalesce,
    /// Queues a job for each. Jobs may pile up, and several may run at the same time.
    Queue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// One interval from tick to tick.
    FixedRate(MissedTicks),
    /// One interval from the end of a run to the next tick.
    FixedDelay,
}

/// The parameters of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Nanoseconds; not 0.
    pub(crate) interval: u64,
    pub(crate) rhythm: Rhythm,
    /// Not 0.
    pub(crate) max_runs: u64,
    pub(crate) stop_on_error: bool,
}

/// A schedule that has ticks left, or whose last runs have not ended.
pub(super) struct Schedule {
    pub(super) node: Node,
    pub(super) plan: Plan,
    pub(super) work: Arc<dyn Ticking>,
    /// How many ticks were due, without owed ones.
    pub(super) number: u64,
    /// How many runs are left.
    pub(super) left: u64,
    /// The hint's id and the tick's number of each queued job.
    pub(super) queued: VecDeque<(u64, u64)>,
    pub(super) running: usize,
    /// When the first owed tick was due: one that comes when no job is queued or running any more.
    owed: Option<u64>,
    /// It was set anew at the first moment of each: after the ticks that had come by then, the next is due at the
    /// second. That has come, too, except perhaps for the last.
    anew: VecDeque<(u64, u64)>,
    /// Whether it was cancelled before its end.
    pub(super) cancelled: bool,
}

/// What follows from a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// A job is queued, for the tick that was due then.
    pub(super) run: Option<u64>,
    /// The next tick is due then.
    pub(super) next: Option<u64>,
}

impl Schedule {
    pub(super) fn new(node: Node, plan: Plan, work: Arc<dyn Ticking>) -> Self {
        let left = plan.max_runs;
        let (queued, anew) = (VecDeque::new(), VecDeque::new());
        Self { node, plan, work, number: 0, left, queued, running: 0, owed: None, anew, cancelled: false }
    }

    /// Whether a job is queued or running.
    pub(super) fn is_active(&self) -> bool {
        self.running > 0 || !self.queued.is_empty()
    }

    /// A tick that was due at `due` is fired.
    pub(super) fn tick(&mut self, due: u64, now: u64) -> Verdict {
        let verdict = match self.plan.rhythm {
            Rhythm::FixedDelay => self.count(1, Verdict { run: Some(due), next: None }),
            Rhythm::FixedRate(MissedTicks::Queue) => {
                let next = self.after_one(due);
                self.count(1, Verdict { run: Some(due), next })
            }
            Rhythm::FixedRate(MissedTicks::Coalesce) if self.is_active() => {
                self.owed = Some(due);
                Verdict::default()
            }
            Rhythm::FixedRate(MissedTicks::Skip | MissedTicks::Coalesce) => {
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

    /// There was no memory to queue the job of the tick before `next`. Returns when the next one is due: if none
    /// follows, that tick comes again at `retry`.
    pub(super) fn put_back_tick(&mut self, next: Option<u64>, retry: u64) -> u64 {
        self.left += 1;
        next.unwrap_or_else(|| {
            self.number -= 1;
            retry
        })
    }

    /// The next tick is set to `due`; true if ticks that have come are queued before, as if nothing had happened.
    pub(super) fn set_anew(&mut self, now: u64, due: u64) -> bool {
        let each = self.plan.rhythm == Rhythm::FixedRate(MissedTicks::Queue);
        if each {
            // If no tick has come since the last time, that time is replaced.
            let set = self.anew.pop_back_if(|&mut (_, due)| due > now).map_or(now, |(set, _)| set);
            self.anew.push_back((set, due));
        }
        each
    }

    /// The tick after one that was due at `due`, where each is queued.
    fn after_one(&mut self, due: u64) -> Option<u64> {
        let next = self.after(due);
        let anew = self.anew.pop_front_if(|&mut (set, _)| next.is_none_or(|next| next > set));
        anew.map_or(next, |(_, due)| Some(due))
    }

    /// `None` at the end of the clock, after 584 years.
    fn after(&self, due: u64) -> Option<u64> {
        due.checked_add(self.plan.interval)
    }

    /// Called after a run has ended or a queued job was cancelled. Returns when the next tick is due, if it waited for
    /// that.
    pub(super) fn next_after_end(&mut self, now: u64) -> Option<u64> {
        if self.is_active() || self.left == 0 {
            return None;
        }
        match self.plan.rhythm {
            Rhythm::FixedDelay => self.after(now),
            Rhythm::FixedRate(_) => self.owed.take(),
        }
    }

    /// Ends the ticks.
    pub(super) fn stop(&mut self) {
        (self.left, self.owed) = (0, None);
    }

    /// Whether no run will begin any more.
    pub(super) fn has_begun_its_last(&self) -> bool {
        self.left == 0 && self.queued.is_empty()
    }

    /// How many ticks were due by now, including owed ones.
    pub(super) fn ticks(&self, now: u64) -> u64 {
        let owed = self.owed.map_or(0, |due| (now.saturating_sub(due) / self.plan.interval).saturating_add(1));
        self.number.saturating_add(owed)
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.has_begun_its_last() && self.running == 0
    }

    /// Takes a queued job off the list; returns the number of its tick.
    pub(super) fn unqueue(&mut self, queue_id: u64) -> Option<u64> {
        let position = self.queued.iter().position(|&(queued, _)| queued == queue_id)?;
        self.queued.remove(position).map(|(_, number)| number)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").field("plan", &self.plan).field("number", &self.number).finish_non_exhaustive()
    }
}
