//! How a job comes in.

use super::admission::Patience;
use super::bound::Bound;
use super::core::Core;
use super::groups::Group;
use super::hooks::HookError;
use super::job::Job;
use super::unrun::TakenOut;
use super::{producer, unwind};
use crate::queue::{Item, OutOfMemory, Producing};
use crate::sys::fence;
use std::io;
use std::num::NonZero;
use std::sync::Arc;

/// Why a job was not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    Closed,
    Full,
    /// There is no place yet. Kept within this module and `admission`; the pool is kept in memory for another look.
    Undecided(Arc<Core>),
    OutOfMemory,
    NoThread(io::Error),
    Broken(HookError),
    Forked,
    /// The caller is a worker that would wait for itself.
    Deadlock,
}

/// Where a job is queued.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route<'a> {
    /// Behind those that the same thread has submitted before.
    Back,
    /// Before all that are queued.
    First,
    /// In a group, behind or before those that are there.
    Group(&'a Arc<Group>, bool),
}

/// A job that was not accepted, handed back.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) why: Refusal,
    pub(crate) job: Job,
}

/// The jobs of a batch that were queued.
#[derive(Debug)]
pub(super) struct Queued {
    ids: Vec<u64>,
    /// No worker lives, and there is no thread for one. The pool is kept in memory for what follows the visit.
    refused: Option<(io::Error, Arc<Core>)>,
}

impl Queued {
    /// Outside the visit: the jobs' ids; or all come back, as a single job does, if there is no thread for them.
    pub(super) fn settle(self) -> Result<Vec<u64>, Refusal> {
        let Some((refused, core)) = self.refused else { return Ok(self.ids) };
        let back = self.ids.iter().filter_map(|&id| core.take_back(id).map(|job| (id, job))).collect();
        core.give_back(self.ids, back, Refusal::NoThread(refused))
    }
}

impl Core {
    /// Queues a job behind those that this thread has submitted before; returns its id.
    ///
    /// Nearly always there is room in the thread's own lane, the pool admits everybody, and nobody needs to be woken.
    /// Then nothing is called here, and there are no registers to save.
    #[inline(always)]
    pub(crate) fn submit(self: &Arc<Self>, job: Job) -> Result<u64, Rejected> {
        // SAFETY: 1. as below.
        if let Some(mut lane) = unsafe { producer::visit_own(self) }
            && lane.has_room()
            && self.admits_one()
        {
            let id = lane.push_inside(job.into_item());
            return if self.needs_worker() { self.bring_worker(lane, id) } else { Ok(id) };
        }
        self.submit_by(job, Route::Back)
    }

    /// Whether one job may come in, as far as one look tells; it has its place then.
    #[inline(always)]
    fn admits_one(&self) -> bool {
        let now = self.crew.census.read();
        now.is_open() || now.is_only_bounded() && self.bound.as_ref().is_some_and(Bound::take_at_once)
    }

    /// Puts a job before all that are queued; returns its id.
    pub(crate) fn submit_first(self: &Arc<Self>, job: Job) -> Result<u64, Rejected> {
        self.submit_by(job, Route::First)
    }

    /// Queues a job wherever it shall be; returns its id.
    #[inline(always)]
    pub(crate) fn submit_routed(self: &Arc<Self>, job: Job, route: Route<'_>) -> Result<u64, Rejected> {
        match route {
            Route::Back => self.submit(job),
            Route::First => self.submit_first(job),
            Route::Group(group, first) => self.submit_grouped(group, job, first),
        }
    }

    /// As [`submit`](Self::submit), for a job that its submitter can do without, because it works on the same thing:
    /// where there is no room it comes back, whatever the policy.
    pub(super) fn submit_if_room(self: &Arc<Self>, job: Job) -> Result<u64, Rejected> {
        match &self.bound {
            None => self.submit(job),
            Some(_) => self.submit_guarded(job, Patience::IfRoom, Route::Back),
        }
    }

    #[cold]
    #[inline(never)]
    fn submit_by(self: &Arc<Self>, job: Job, route: Route<'_>) -> Result<u64, Rejected> {
        let mut rejected = {
            // SAFETY: 1. queues and the crew run no user's code; a job that is rejected is dropped by the caller.
            let mut visit = unsafe { producer::visit(self) };
            if matches!(route, Route::Back) && visit.lane.has_filled_a_segment() {
                self.crew.census.forget_wake_up();
            }
            match self.refuses(1) {
                None => match self.queue_one(&mut visit.lane, job, route) {
                    Ok(id) => return Ok(id),
                    Err(rejected) => rejected,
                },
                Some(why) => Rejected { why, job },
            }
        };
        Self::reconsider(&mut rejected, route).map(NonZero::get).ok_or(rejected)
    }

    /// During a visit of an admitted submitter.
    pub(super) fn queue_one(
        self: &Arc<Self>,
        lane: &mut Producing<'_>,
        job: Job,
        route: Route<'_>,
    ) -> Result<u64, Rejected> {
        let item = job.into_item();
        let pushed = match route {
            Route::Back => lane.push(&self.store, item),
            Route::First => self.front.push(&self.store, item),
            Route::Group(group, first) => self.push_grouped(group, item, first),
        };
        let Ok(id) = pushed else {
            self.put_back_places(1);
            // SAFETY: the item was made of a job above and was not queued.
            return Err(Rejected { why: Refusal::OutOfMemory, job: unsafe { Job::from_item(item) } });
        };
        match self.work_is_visible() {
            Ok(()) => Ok(id),
            Err(refused) => self.take_back_for(refused, id),
        }
    }

    /// The rest of a visit in which a job was queued that nobody is sure to find.
    #[cold]
    #[inline(never)]
    fn bring_worker(self: &Arc<Self>, _visit: Producing<'_>, id: u64) -> Result<u64, Rejected> {
        self.recruit().map_or_else(|refused| self.take_back_for(refused, id), |()| Ok(id))
    }

    /// In a visit: there is no thread for a job that was queued. It comes back, unless somebody has it.
    fn take_back_for(&self, refused: io::Error, id: u64) -> Result<u64, Rejected> {
        let Some(job) = self.take_back_uncounted(id) else { return Ok(id) };
        self.count_cancelled_in_visit(1);
        Err(Rejected { why: Refusal::NoThread(refused), job })
    }

    /// Queues all jobs or none; returns their ids.
    pub(crate) fn submit_batch(self: &Arc<Self>, jobs: Vec<Job>) -> Result<Vec<u64>, Refusal> {
        let items: Vec<Item> = jobs.into_iter().map(Job::into_item).collect();
        self.queue_batch(&items).inspect_err(|_| {
            // SAFETY: the items were made of jobs above and were not queued.
            items.iter().for_each(|&item| unwind::dispose(unsafe { Job::from_item(item) }));
        })
    }

    fn queue_batch(self: &Arc<Self>, items: &[Item]) -> Result<Vec<u64>, Refusal> {
        // SAFETY: 1. queues and the crew run no user's code; jobs that are rejected are dropped by the caller.
        let mut visit = unsafe { producer::visit(self) };
        match self.refuses(items.len()) {
            None => {
                let queued = self.push_batch(&mut visit.lane, items);
                drop(visit);
                queued?.settle()
            }
            Some(Refusal::Undecided(core)) => {
                drop(visit);
                core.queue_batch_guarded(items)
            }
            Some(why) => Err(why),
        }
    }

    /// During a visit of an admitted submitter; the rest, [`Queued::settle`], comes after it.
    pub(super) fn push_batch(self: &Arc<Self>, lane: &mut Producing<'_>, items: &[Item]) -> Result<Queued, Refusal> {
        if items.is_empty() {
            return Ok(Queued { ids: Vec::new(), refused: None }); // There is nothing to start a thread for.
        }
        let mut ids = Vec::with_capacity(items.len());
        self.push_each(lane, items, &mut ids).inspect_err(|_| self.put_back_places(items.len() as u64))?;
        let refused = self.work_is_visible().err().map(|refused| (refused, Arc::clone(self)));
        Ok(Queued { ids, refused })
    }

    fn push_each(
        self: &Arc<Self>,
        lane: &mut Producing<'_>,
        items: &[Item],
        ids: &mut Vec<u64>,
    ) -> Result<(), Refusal> {
        // A worker first: once some of the jobs are claimed the others cannot be taken back. Nearly always it is there
        // when they are queued, and while it lives a refused thread is no error; but it may leave (Leaving, D3).
        if self.alive() == 0 {
            self.recruit_if(&|| true).map_err(Refusal::NoThread)?;
        }
        lane.push_all(&self.store, items, |id| ids.push(id)).map_err(|OutOfMemory| Refusal::OutOfMemory)
    }

    /// Close, step V3. A pool that is bounded, or closed and admits its own jobs only, looks more closely.
    #[inline]
    fn refuses(self: &Arc<Self>, count: usize) -> Option<Refusal> {
        if self.crew.census.read().is_open() { None } else { self.refuses_after_all(count as u64) }
    }

    /// Called after every push: makes sure that somebody comes to the work.
    #[inline]
    pub(super) fn work_is_visible(self: &Arc<Self>) -> io::Result<()> {
        if self.needs_worker() { self.recruit() } else { Ok(()) }
    }

    #[inline(always)]
    fn needs_worker(&self) -> bool {
        fence::light(); // S1
        self.crew.needs_recruit()
    }

    /// Takes a job of ours out of the queue again and drops it; false if somebody has it.
    pub(super) fn retract(&self, id: u64) -> bool {
        self.take_back(id).is_some()
    }

    /// Takes an accepted job out of the queue again, if nobody has claimed it; it counts as ended.
    pub(super) fn take_back(&self, id: u64) -> Option<Job> {
        let job = self.take_back_uncounted(id)?;
        self.count_cancelled(1);
        Some(job)
    }

    /// The same; the caller counts it.
    pub(super) fn take_back_uncounted(&self, id: u64) -> Option<Job> {
        let TakenOut { item, .. } = self.take_out(id)?;
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so no other job was made of the item.
        Some(unsafe { Job::from_item(item) })
    }
}
