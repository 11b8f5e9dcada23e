//! Submitting to a pool that is bounded or closed. Protocol: `BOUND.md`.

use super::bound::Full;
use super::core::Core;
use super::job::{Job, Task};
use super::producer;
use super::submit::{Refusal, Rejected, Route};
use super::water_marks::{DequeueCounter, MarkedQueue, WaterMarks};
use crate::queue::{Item, Producing};
use crate::sync::Deadline;
use crate::sys::hint;
use std::mem;
use std::num::NonZero;
use std::sync::Arc;

/// What a submitter does if there is no room.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// What the pool's policy says.
    Policy,
    /// The same, but it does not run the job itself, which would exceed the group's limit: it waits instead.
    NeverCallerRuns,
    /// It waits until then, whatever the policy says.
    Until(Deadline),
    /// What the policy says, but it waits no longer than the deadline, and runs the job itself only if `caller_runs`.
    PolicyUntil { deadline: Deadline, caller_runs: bool },
    /// It runs the job itself, whatever the policy says.
    CallerRuns,
    /// It is refused, whatever the policy says: it neither waits, nor makes room, nor runs the job.
    IfRoom,
}

/// Why jobs were not admitted.
enum NotAdmitted {
    Refused(Refusal),
    /// The submitter must run them itself; they are counted as guests.
    CallerRuns(Arc<Core>),
}

/// The result of one visit. Holds the pool for what follows the visit.
enum Attempt<R> {
    Admitted(R, Option<Arc<Core>>),
    Refused(Refusal),
    Full(Arc<Core>),
}

impl Core {
    /// Called in a visit to a pool that is bounded or closed: takes places for `count` jobs if they need nothing else.
    #[cold]
    #[inline(never)]
    pub(super) fn refuses_slow(self: &Arc<Self>, count: u64) -> Option<Refusal> {
        if let Some(why) = self.refusal() {
            return Some(why);
        }
        match &self.bound {
            None => None,
            Some(bound) if bound.is_plain() && bound.take(count, || self.freed()) => None,
            Some(_) => Some(Refusal::Undecided(Arc::clone(self))),
        }
    }

    /// Called after the visit: tries again to submit a job whose refusal is undecided. Returns its id, and leaves an
    /// empty job in `rejected`, if it is accepted now. The pool may have been destroyed, unless the refusal holds it.
    #[cold]
    #[inline(never)]
    pub(super) fn retry_undecided(rejected: &mut Rejected, route: Route<'_>) -> Option<NonZero<u64>> {
        let Refusal::Undecided(core) = &rejected.why else { return None };
        let core = Arc::clone(core);
        let job = mem::replace(&mut rejected.job, Job::empty());
        match core.submit_guarded(job, Patience::Policy, route) {
            Ok(id) => NonZero::new(id),
            Err(refused) => {
                *rejected = refused;
                None
            }
        }
    }

    /// As [`submit_by`](Self::submit_by), for a pool that is bounded or closed.
    #[cold]
    #[inline(never)]
    pub(super) fn submit_guarded(
        self: &Arc<Self>,
        job: Job,
        patience: Patience,
        route: Route<'_>,
    ) -> Result<u64, Rejected> {
        let mut unqueued = Some(job);
        let admitted = self.admit(1, patience, |core, lane| {
            let job = unqueued.take().expect("a job is queued once");
            core.queue_one(lane, job, route)
        });
        match admitted {
            Ok((verdict, kept)) => {
                let id = verdict.inspect_err(|_| Self::push_failed(&kept))?;
                let back = kept.and_then(|core| Some((core.after_push(&[id], patience).pop()?, core)));
                back.map_or(Ok(id), |((_, job), core)| Err(Rejected { why: core.unclaimed_refusal(), job }))
            }
            Err(not_admitted) => {
                let job = unqueued.take().expect("the job was not queued");
                match not_admitted {
                    NotAdmitted::Refused(why) => Err(Rejected { why, job }),
                    NotAdmitted::CallerRuns(core) => Ok(core.run_guest(job)),
                }
            }
        }
    }

    /// As [`queue_batch`](Self::queue_batch), for a pool that is bounded or closed.
    #[cold]
    pub(super) fn queue_batch_guarded(self: &Arc<Self>, items: &[Item]) -> Result<Vec<u64>, Refusal> {
        match self.admit(items.len() as u64, Patience::Policy, |core, lane| core.push_batch(lane, items)) {
            Ok((verdict, kept)) => {
                let ids = verdict.inspect_err(|_| Self::push_failed(&kept))?.settle()?;
                let Some(core) = kept else { return Ok(ids) };
                let back = core.after_push(&ids, Patience::Policy);
                if back.is_empty() { Ok(ids) } else { core.give_back(ids, back, core.unclaimed_refusal()) }
            }
            Err(NotAdmitted::Refused(why)) => Err(why),
            Err(NotAdmitted::CallerRuns(core)) => {
                // SAFETY: 1. the caller has made the items from jobs; 2. they were not queued.
                Ok(items.iter().map(|&item| core.run_guest(unsafe { Job::from_item(item) })).collect())
            }
        }
    }

    /// Called outside any visit, when only the jobs `back` of a batch could be taken back. If those are all, the
    /// submitter gets them back: it still has the items. Otherwise the batch was accepted, and they end cancelled.
    pub(super) fn give_back(&self, ids: Vec<u64>, back: Vec<(u64, Job)>, why: Refusal) -> Result<Vec<u64>, Refusal> {
        if back.len() < ids.len() {
            // Workers have the others.
            back.into_iter().for_each(|(id, job)| _ = self.cancel_job(job, id));
            return Ok(ids);
        }
        back.into_iter().for_each(|(_, job)| mem::forget(job));
        Err(why)
    }

    /// Submits `task`, waiting for room until the deadline, or hands it back.
    pub(crate) fn offer<T: Task + 'static>(self: &Arc<Self>, task: T, deadline: Deadline) -> Result<u64, (Refusal, T)> {
        hand_back(task, |job| self.submit_guarded(job, Patience::Until(deadline), Route::Back))
    }

    /// Submits `task` as [`submit`](Self::submit) does, or hands it back. If the caller `runs_it` where the queue is
    /// full, that is no reason to hand it back.
    pub(crate) fn submit_or_hand_back<T: Task + 'static>(
        self: &Arc<Self>,
        task: T,
        runs_it: bool,
    ) -> Result<u64, (Refusal, T)> {
        hand_back(task, |job| match runs_it {
            true => self.submit_guarded(job, Patience::CallerRuns, Route::Back),
            false => self.submit(job),
        })
    }

    /// Whether others may wait for the calling thread, which therefore must not wait for room: it runs a job, or ends
    /// one that keeps its place until its callbacks are over.
    fn must_not_wait(&self) -> bool {
        self.is_current() || self.is_ending_job()
    }

    /// Takes places for `count` jobs and queues them by `push`. If there is no room it does what the policy says.
    fn admit<R>(
        self: &Arc<Self>,
        count: u64,
        patience: Patience,
        mut push: impl FnMut(&Arc<Self>, &mut Producing<'_>) -> R,
    ) -> Result<(R, Option<Arc<Self>>), NotAdmitted> {
        let mut kept: Option<Arc<Self>> = None;
        let mut deadline = None;
        loop {
            let core = match kept.as_ref().unwrap_or(self).attempt(count, patience, &mut push) {
                Attempt::Admitted(pushed, kept) => return Ok((pushed, kept)),
                Attempt::Refused(why) => return Err(NotAdmitted::Refused(why)),
                Attempt::Full(core) => core,
            };
            let bound = core.bound.as_ref().expect("a pool without a bound is never full");
            match patience.when_full(bound.when_full) {
                Full::CallerRuns => return Err(NotAdmitted::CallerRuns(core)),
                _ if !bound.can_hold(count) => return Err(NotAdmitted::Refused(Refusal::Full)),
                Full::DiscardOldest => core.discard_oldest(),
                when_full => {
                    let deadline = *deadline.get_or_insert_with(|| patience.deadline(when_full));
                    if !bound.wait_for_room(count, deadline, || core.freed(), || core.is_closed()) {
                        return Err(NotAdmitted::Refused(Refusal::Full));
                    }
                }
            }
            kept = Some(core);
        }
    }

    /// One visit that queues the jobs, or not.
    fn attempt<R>(
        self: &Arc<Self>,
        count: u64,
        patience: Patience,
        push: &mut impl FnMut(&Arc<Self>, &mut Producing<'_>) -> R,
    ) -> Attempt<R> {
        // SAFETY: 1. `push` queues items, and wakes and starts workers; no user code runs.
        let mut visit = unsafe { producer::visit(self) };
        if let Some(why) = self.refusal() {
            return Attempt::Refused(why);
        }
        let exempt = self.must_not_wait();
        let Some(bound) = &self.bound else { return Attempt::Admitted(push(self, &mut visit.lane), None) };
        if exempt {
            bound.take_above_limit(count);
        } else if !bound.take(count, || self.freed()) {
            if patience.when_full(bound.when_full) == Full::CallerRuns {
                self.guests.begin(count); // Inside the visit, so that the pool's end waits for them.
            }
            return Attempt::Full(Arc::clone(self));
        }
        let kept = (bound.when_full == Full::HandOff || bound.water_marks.is_some()).then(|| Arc::clone(self));
        Attempt::Admitted(push(self, &mut visit.lane), kept)
    }

    /// Called after the visit in which jobs were queued: reports the high mark; with hand-off, waits until workers have
    /// the jobs. Returns those that no worker claimed in time.
    fn after_push(&self, ids: &[u64], patience: Patience) -> Vec<(u64, Job)> {
        let bound = self.bound.as_ref().expect("only a bounded pool is kept");
        self.check_high_mark();
        if bound.when_full != Full::HandOff || self.must_not_wait() || matches!(patience, Patience::IfRoom) {
            return Vec::new();
        }
        let deadline = patience.deadline(Full::HandOff);
        let waiting = |&id: &u64| {
            let taken = || !self.store.is_queued(id);
            bound.wait(deadline, || taken() || self.is_closed());
            // `None` if a worker is faster.
            let job = if taken() { None } else { self.take_back(id) };
            job.map(|job| (id, job))
        };
        ids.iter().filter_map(waiting).collect()
    }

    /// Called after a visit in which there was no memory or no thread for jobs that had places.
    fn push_failed(kept: &Option<Arc<Self>>) {
        if let Some(core) = kept
            && let Some(marks) = core.marks()
        {
            marks.has_fallen(&**core);
        }
    }

    /// Why no worker claimed the job in time.
    fn unclaimed_refusal(&self) -> Refusal {
        self.refusal().unwrap_or(Refusal::Full)
    }

    /// Called before jobs of timers are queued: nothing can wait for room for them, so they take places above the limit
    /// if there are none below it.
    pub(super) fn take_places_above_limit(&self, count: usize) {
        if let Some(bound) = &self.bound {
            bound.take_above_limit(count as u64);
        }
    }

    fn marks(&self) -> Option<&WaterMarks> {
        self.bound.as_ref()?.water_marks.as_ref()
    }

    /// Called outside any visit and lock, after jobs were queued: reports the high mark.
    pub(super) fn check_high_mark(&self) {
        if let Some(bound) = &self.bound
            && let Some(marks) = &bound.water_marks
        {
            marks.may_have_risen(bound.queued_at_most(), self);
        }
    }

    /// Gives back the places of jobs for which there was no memory, and which may have been counted. Does not report
    /// the marks: the caller is in a visit, or holds a lock.
    #[cold]
    pub(super) fn put_back_places(&self, count: u64) {
        if let Some(bound) = &self.bound {
            bound.put_back(count);
        }
        self.notify_quiet();
    }

    /// Cancels the oldest job to make room. If a worker claims it first, that makes room as well.
    fn discard_oldest(&self) {
        match self.store.take_oldest(|id| self.take_out(id)) {
            Some((id, job)) => _ = self.end_unrun(id, job),
            None => hint::yield_now(),
        }
    }

    /// How many places were freed so far.
    pub(super) fn freed(&self) -> u64 {
        self.counters().map(DequeueCounter::gone).sum()
    }

    /// Called outside any visit and lock, after places were freed otherwise than by a worker: reports the low mark. Not
    /// in the child of a fork, where the marks are the parent's.
    pub(super) fn check_low_mark(&self) {
        if let Some(marks) = self.marks()
            && !self.is_forked()
        {
            marks.may_have_fallen(&self.cancelled, self);
        }
    }
}

/// Submits `task` by `submit`, which hands back the job that it was given if it refuses it.
fn hand_back<T: Task + 'static>(
    task: T,
    submit: impl FnOnce(Job) -> Result<u64, Rejected>,
) -> Result<u64, (Refusal, T)> {
    // SAFETY: 1. the rejected job was made from a `T`.
    submit(Job::new(task)).map_err(|Rejected { why, job }| (why, unsafe { job.into_task() }))
}

impl MarkedQueue for Core {
    fn counters(&self) -> impl Iterator<Item = &DequeueCounter> {
        self.crew.stations().map(|station| &station.begun).chain([&self.cancelled])
    }

    fn queued(&self) -> u64 {
        self.bound.as_ref().map_or(0, |bound| bound.queued(|| self.freed()))
    }
}

impl Patience {
    fn when_full(self, policy: Full) -> Full {
        match self {
            Self::NeverCallerRuns | Self::PolicyUntil { caller_runs: false, .. } if policy == Full::CallerRuns => {
                Full::Wait(None)
            }
            Self::Policy | Self::NeverCallerRuns | Self::PolicyUntil { .. } => policy,
            Self::Until(_) | Self::IfRoom => Full::Wait(None),
            Self::CallerRuns => Full::CallerRuns,
        }
    }

    fn deadline(self, when_full: Full) -> Deadline {
        let by_policy = match when_full {
            Full::Wait(Some(time)) => Deadline::after(time),
            _ => Deadline::NEVER,
        };
        match self {
            Self::Until(deadline) => deadline,
            Self::IfRoom => Deadline::NOW,
            Self::PolicyUntil { deadline, .. } => by_policy.min(deadline),
            Self::Policy | Self::NeverCallerRuns | Self::CallerRuns => by_policy,
        }
    }
}
