//! Submitting jobs.

use super::admission::Patience;
use super::bound::Bound;
use super::core::Core;
use super::groups::Group;
use super::hooks::HookError;
use super::job::Job;
use super::unrun::TakenOut;
use super::{producer, unwind};
use crate::queue::{Item, OutOfMemory, Producing, Word};
use crate::sys::fence;
use std::io;
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::Arc;

/// Why a job was not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    Closed,
    Full,
    /// There may be no free place. Never leaves this module and `admission`; holds the pool for another try after the
    /// visit.
    Undecided(Arc<Core>),
    OutOfMemory,
    NoThread(io::Error),
    Broken(HookError),
    Forked,
    /// The caller is a worker, and would wait for itself.
    Deadlock,
}

/// Where a job is queued.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route<'a> {
    /// Behind the jobs that the same thread has submitted before.
    Back,
    /// Before all queued jobs.
    First,
    /// In a group; before its queued jobs if true, else behind them.
    Group(&'a Arc<Group>, bool),
}

/// A job that was not accepted, handed back.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) why: Refusal,
    pub(crate) job: Job,
}

/// The queued jobs of a batch.
#[derive(Debug)]
pub(super) struct Queued {
    ids: Vec<u64>,
    /// Set if no worker is alive and none could be started. Holds the pool for what follows the visit.
    refused: Option<(io::Error, Arc<Core>)>,
}

impl Queued {
    /// Called after the visit. Returns the jobs' ids, or takes all jobs back if no thread could be started for them.
    ///
    /// Race with a worker that leaves: it comes back before this → it will find the jobs, after → it finds none.
    pub(super) fn settle(self) -> Result<Vec<u64>, Refusal> {
        let Self { ids, refused } = self;
        let Some((refused, core)) = refused else { return Ok(ids) };
        let take_back = || ids.iter().filter_map(|&id| Some((id, core.take_back_uncounted(id)?))).collect::<Vec<_>>();
        let Some(back) = core.crew.while_deserted(take_back) else { return Ok(ids) };
        core.count_cancelled(back.len() as u64);
        core.give_back(ids, back, Refusal::NoThread(refused))
    }
}

impl Core {
    /// Queues a job behind those that this thread has submitted before; returns its id.
    ///
    /// In nearly all cases the thread's own lane has room, the pool is open and no worker must be woken. Then this
    /// calls no function, and saves no registers.
    #[inline(always)]
    pub(crate) fn submit(self: &Arc<Self>, job: Job) -> Result<u64, Rejected> {
        let item = job.into_item();
        // SAFETY: 1. as below.
        if let Some(mut lane) = unsafe { producer::visit_own(self) }
            && lane.has_room()
            && self.admits_one()
        {
            let id = lane.push_inside(item);
            return if self.needs_worker() { self.recruit_for(lane, id) } else { Ok(id) };
        }
        let (tag, [first, second, third]) = item.into_parts();
        // SAFETY: 1. the item was made from a job above, and was not queued.
        unsafe { self.submit_words(tag, first, second, third) }
    }

    /// The same in all other cases. The item is passed in words: if its address were, it would have to be kept in
    /// memory, and reading it back as a whole is half the time of a submit.
    ///
    /// # Safety
    ///
    /// 1. They are those of a job's item, which was not turned back into a job.
    #[cold]
    #[inline(never)]
    unsafe fn submit_words(
        self: &Arc<Self>,
        tag: NonNull<()>,
        first: Word,
        second: Word,
        third: Word,
    ) -> Result<u64, Rejected> {
        // SAFETY: 1. and 2. by the caller's 1.
        let job = unsafe { Job::from_item(Item::new(tag, [first, second, third])) };
        self.submit_by(job, Route::Back)
    }

    /// Whether one job is admitted without further checks. If so, it has taken its place.
    #[inline(always)]
    fn admits_one(&self) -> bool {
        let now = self.crew.census.read();
        now.is_open() || now.is_only_bounded() && self.bound.as_ref().is_some_and(Bound::take_fast)
    }

    /// Queues a job where the route says; returns its id.
    #[inline(always)]
    pub(crate) fn submit_routed(self: &Arc<Self>, job: Job, route: Route<'_>) -> Result<u64, Rejected> {
        match route {
            Route::Back => self.submit(job),
            Route::First => self.submit_by(job, route),
            Route::Group(..) => self.submit_guarded(job, Patience::NeverCallerRuns, route),
        }
    }

    /// As [`submit`](Self::submit), for a job that only helps its submitter: if there is no room it comes back,
    /// whatever the policy.
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
            // SAFETY: 1. queues and the crew run no user code; a rejected job is dropped by the caller.
            let mut visit = unsafe { producer::visit(self) };
            if matches!(route, Route::Back) && visit.lane.has_filled_a_segment() {
                self.crew.census.clear_woken();
            }
            match self.refuses(1) {
                None => match self.queue_one(&mut visit.lane, job, route) {
                    Ok(id) => return Ok(id),
                    Err(rejected) => rejected,
                },
                Some(why) => Rejected { why, job },
            }
        };
        Self::retry_undecided(&mut rejected, route).map(NonZero::get).ok_or(rejected)
    }

    /// Called in the visit of an admitted submitter.
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
            // SAFETY: 1. the item was made from a job above; 2. it was not queued.
            return Err(Rejected { why: Refusal::OutOfMemory, job: unsafe { Job::from_item(item) } });
        };
        match self.ensure_worker() {
            Ok(()) => Ok(id),
            Err(refused) => self.take_back_for(refused, id),
        }
    }

    /// Ends a visit in which a job was queued that no searcher is sure to find.
    #[cold]
    #[inline(never)]
    fn recruit_for(self: &Arc<Self>, _visit: Producing<'_>, id: u64) -> Result<u64, Rejected> {
        self.recruit().map_or_else(|refused| self.take_back_for(refused, id), |()| Ok(id))
    }

    /// Called in a visit, if no thread could be started for a queued job: takes the job back, unless it was claimed.
    fn take_back_for(&self, refused: io::Error, id: u64) -> Result<u64, Rejected> {
        let Some(job) = self.take_back_uncounted(id) else { return Ok(id) };
        self.count_cancelled_unreported(1);
        Err(Rejected { why: Refusal::NoThread(refused), job })
    }

    /// Queues all jobs or none; returns their ids.
    pub(crate) fn submit_batch(self: &Arc<Self>, jobs: Vec<Job>) -> Result<Vec<u64>, Refusal> {
        let items: Vec<Item> = jobs.into_iter().map(Job::into_item).collect();
        self.queue_batch(&items).inspect_err(|_| {
            // SAFETY: 1. the items were made from jobs above; 2. they were not queued.
            items.iter().for_each(|&item| unwind::dispose(unsafe { Job::from_item(item) }));
        })
    }

    fn queue_batch(self: &Arc<Self>, items: &[Item]) -> Result<Vec<u64>, Refusal> {
        // SAFETY: 1. queues and the crew run no user code; rejected jobs are dropped by the caller.
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

    /// Called in the visit of an admitted submitter, which calls [`Queued::settle`] after it.
    pub(super) fn push_batch(self: &Arc<Self>, lane: &mut Producing<'_>, items: &[Item]) -> Result<Queued, Refusal> {
        if items.is_empty() {
            return Ok(Queued { ids: Vec::new(), refused: None }); // Starts no thread.
        }
        let mut ids = Vec::with_capacity(items.len());
        self.push_each(lane, items, &mut ids).inspect_err(|_| self.put_back_places(items.len() as u64))?;
        let refused = self.ensure_worker().err().map(|refused| (refused, Arc::clone(self)));
        Ok(Queued { ids, refused })
    }

    fn push_each(
        self: &Arc<Self>,
        lane: &mut Producing<'_>,
        items: &[Item],
        ids: &mut Vec<u64>,
    ) -> Result<(), Refusal> {
        // Start a worker first: once some of the jobs are claimed, the batch cannot be taken back as a whole. While a
        // worker is alive a refused thread is no error; it may leave before the push, though (Leaving, D3).
        if self.alive() == 0 {
            self.recruit_if(&|| true).map_err(Refusal::NoThread)?;
        }
        lane.push_all(&self.store, items, |id| ids.push(id)).map_err(|OutOfMemory| Refusal::OutOfMemory)
    }

    /// Close, step V3. Bounded and closed pools check further.
    #[inline]
    fn refuses(self: &Arc<Self>, count: usize) -> Option<Refusal> {
        if self.crew.census.read().is_open() { None } else { self.refuses_slow(count as u64) }
    }

    /// Called after every push: makes sure that a worker will find the work.
    #[inline]
    pub(super) fn ensure_worker(self: &Arc<Self>) -> io::Result<()> {
        if self.needs_worker() { self.recruit() } else { Ok(()) }
    }

    #[inline(always)]
    fn needs_worker(&self) -> bool {
        fence::light(); // S1
        self.crew.needs_recruit()
    }

    /// Takes one of our own jobs out of the queue and drops it; false if it was claimed.
    pub(super) fn retract(&self, id: u64) -> bool {
        self.take_back(id).is_some()
    }

    /// Takes an accepted job out of the queue, if it was not claimed; it counts as ended.
    pub(super) fn take_back(&self, id: u64) -> Option<Job> {
        let job = self.take_back_uncounted(id)?;
        self.count_cancelled(1);
        Some(job)
    }

    /// The same, but the caller must count it.
    pub(super) fn take_back_uncounted(&self, id: u64) -> Option<Job> {
        let TakenOut { item, .. } = self.take_out(id)?;
        // SAFETY: 1. only jobs are queued; 2. the claim succeeded, so the item is turned back into a job once.
        Some(unsafe { Job::from_item(item) })
    }
}
