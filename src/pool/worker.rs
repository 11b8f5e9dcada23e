//! A worker thread: finds jobs, runs them, sleeps when there are none.

use super::core::Core;
use super::grouped::JOBS_PER_TURN;
use super::groups::{Group, Priority};
use super::job::Job;
use super::nested::Suspended;
use super::resting::LastSleep;
use super::round::Round;
use super::running::Failure;
use super::station::Station;
use super::timers::{Lateness, LookoutState, TickInfo};
use crate::queue::{Item, Lane, Place, Taken, WriterId};
use crate::sys::CachePadded;
use crate::sys::atomic::AtomicBool;
use crate::sys::size::real_or_modelled;
use crate::sys::thread::stand_still;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

/// With fewer jobs since its last search, a worker asks submitters to fence (`README.md`, "Asked"). Models ask
/// explicitly.
const ASK_BELOW: u64 = real_or_modelled(16, 0);

/// With so many jobs since its last search, a worker withdraws the request: submits are too many to fence.
const STOP_ASKING_AT: u64 = 128;

/// A worker's private half. It is *searching* (and counted as such) from its start until it finds a job, and again when
/// it sees no more work.
pub(crate) struct Worker {
    pub(super) core: Arc<Core>,
    pub(super) number: usize,
    pub(super) writer_id: WriterId,
    pub(super) station: Arc<CachePadded<Station>>,
    pub(super) round: Round,
    pub(super) searching: Cell<bool>,
    /// The station's count of finished jobs when this worker started.
    pub(super) finished_at_start: Cell<u64>,
    pub(super) job: Cell<u64>,
    pub(super) failure: Cell<Option<Box<Failure>>>,
    /// Whether the running job blocks, so that this worker is not counted.
    pub(super) blocks: Cell<bool>,
    /// The jobs below the running one on this thread's stack: each waits for the one above it.
    pub(super) suspended: RefCell<Vec<Suspended>>,
    /// The flag that asks the running job to stop, or null.
    pub(super) stop_flag: Cell<*const AtomicBool>,
    /// The flag that asks the running job to stop because it overruns, or null.
    pub(super) overrun_flag: Cell<*const AtomicBool>,
    pub(super) hook_state: Cell<HookState>,
    /// The station's count of finished jobs when the last search ended.
    finished_at_search: Cell<u64>,
    pub(super) last_sleep: Cell<LastSleep>,
    /// How often groups had a turn.
    pub(super) group_turn: Cell<u32>,
    /// The group whose token this worker holds.
    pub(super) group: RefCell<Option<Arc<Group>>>,
    pub(super) tick: Cell<Option<TickInfo>>,
    /// How many jobs of timers this worker has run.
    pub(super) ticks: Cell<u64>,
    /// Whether it sleeps for the timers, and how late it wakes.
    pub(super) lookout_state: Cell<LookoutState>,
    pub(super) lateness: Cell<Lateness>,
    /// How many sleeps in a row ended with nothing but jobs of timers.
    pub(super) timer_sleeps: Cell<u32>,
    /// Timer nodes and deadline entries of jobs that have begun, to be freed together.
    pub(super) retired: RefCell<Vec<u64>>,
    /// Whether destructors of unread outcomes run: user code that belongs to no job.
    pub(super) reaping: Cell<bool>,
}

/// Which hooks a worker has called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HookState {
    /// The start hook is to be called before the first job.
    NotStarted,
    Started,
    /// The start hook has failed: this worker runs nothing.
    StartFailed,
    /// The stop hook was called.
    Stopped,
}

impl Worker {
    pub(super) fn new(core: Arc<Core>, number: usize) -> Self {
        let station = Arc::clone(core.crew.station(number));
        // SAFETY: 1. no other living worker of the pool has this number, and a result queue belongs to one pool.
        let writer_id = unsafe { WriterId::new(number) };
        Self {
            searching: Cell::new(true),
            hook_state: Cell::new(HookState::NotStarted),
            ..Self::at(station, writer_id, number, core)
        }
    }

    /// A *guest*: a submitter that runs a job itself. It never searches, and no other thread knows its station.
    pub(super) fn guest(core: Arc<Core>, station: Arc<CachePadded<Station>>) -> Self {
        Self::at(station, WriterId::OUTSIDE, core.most(), core)
    }

    fn at(station: Arc<CachePadded<Station>>, writer_id: WriterId, number: usize, core: Arc<Core>) -> Self {
        Self {
            number,
            writer_id,
            round: Round::starting_at(number),
            searching: Cell::new(false),
            finished_at_start: Cell::new(station.finished()),
            job: Cell::new(0),
            failure: Cell::new(None),
            blocks: Cell::new(false),
            suspended: RefCell::new(Vec::new()),
            stop_flag: Cell::new(ptr::null()),
            overrun_flag: Cell::new(ptr::null()),
            hook_state: Cell::new(HookState::Started),
            finished_at_search: Cell::new(station.finished()),
            last_sleep: Cell::new(LastSleep::new(station.finished())),
            group_turn: Cell::new(0),
            group: RefCell::new(None),
            tick: Cell::new(None),
            ticks: Cell::new(0),
            lookout_state: Cell::new(LookoutState::Off),
            lateness: Cell::new(Lateness::default()),
            timer_sleeps: Cell::new(0),
            retired: RefCell::new(Vec::new()),
            reaping: Cell::new(false),
            station,
            core,
        }
    }

    pub(super) fn is_guest(&self) -> bool {
        self.number == self.core.most()
    }

    /// Whether it is one of this pool's workers.
    pub(super) fn belongs_to(&self, core: &Core) -> bool {
        ptr::eq(&raw const *self.core, core) && !self.is_guest()
    }

    pub(super) fn run(&self) {
        self.core.crew.wait_until_counted();
        match self.core.bound {
            None => self.work::<false>(),
            Some(_) => self.work::<true>(),
        }
    }

    /// Compiled twice, so that a pool without a bound does not pay for one.
    fn work<const BOUNDED: bool>(&self) {
        loop {
            if !self.core.front.is_empty() && !self.run_front::<BOUNDED>() {
                return;
            }
            if let Some(place) = self.station.batch.next().or_else(|| self.find_batch::<BOUNDED>()) {
                self.run_place::<BOUNDED>(place);
            } else if !self.must_stop() && self.run_grouped::<BOUNDED>(&Priority::ALL, JOBS_PER_TURN) > 0 {
            } else if !self.must_stop() && !self.searching.get() {
                self.start_searching(); // `find_batch` relied on groups, and other workers were faster.
            } else if self.core.is_over() {
                return self.leave();
            } else if (self.has_reached_job_limit() || !self.rest()) && self.depart() {
                return self.core.left.notify();
            }
        }
    }

    /// Runs what the front stack has or announces. False in a forked child: the copied worker must return at once.
    #[cold]
    fn run_front<const BOUNDED: bool>(&self) -> bool {
        if self.station.is_called() && !self.core.is_stopped() {
            self.run_calls();
        }
        let mut urgent = 0;
        loop {
            while !self.core.is_stopped()
                && !self.must_stop()
                && let Some((id, item)) = self.pop_front()
            {
                self.free_place::<BOUNDED>();
                self.execute(id, item);
            }
            if urgent == JOBS_PER_TURN || self.must_stop() || !self.core.front.announces() {
                break;
            }
            match self.run_grouped::<BOUNDED>(&[Priority::High], JOBS_PER_TURN - urgent) {
                0 => break,
                ran => urgent = JOBS_PER_TURN.min(urgent + ran),
            }
        }
        if self.core.is_halted() {
            stand_still();
        }
        !self.core.is_forked()
    }

    fn pop_front(&self) -> Option<(u64, Item)> {
        let pop = || self.core.front.pop(&self.core.store);
        pop().or_else(|| {
            while self.core.front.promises() && !self.core.fire_in_storm() {}
            pop()
        })
    }

    #[inline(always)]
    fn run_place<const BOUNDED: bool>(&self, place: Place) {
        // SAFETY: 1. the batch gives a place to one worker; 2. the hold on it is given back when the batch is retired.
        if let Some(taken) = unsafe { self.core.store.claim(place) } {
            self.free_place::<BOUNDED>();
            // SAFETY: 1. the place was claimed, and the hold on it is given back after the batch.
            unsafe { self.execute_at(place.id(), taken) };
        }
    }

    /// Returns the first place of a new batch, from a lane or stolen from another worker.
    #[inline(never)]
    fn find_batch<const BOUNDED: bool>(&self) -> Option<Place> {
        let holds = self.station.batch.retire(&self.core.store);
        if BOUNDED && let Some(bound) = &self.core.bound {
            bound.batch_has_ended(|| self.core.freed());
        }
        if self.must_stop() {
            return None;
        }
        if holds > 0 && self.since_search() >= STOP_ASKING_AT {
            self.core.crew.stop_asking();
        }
        if self.core.groups.are_ready() {
            self.run_groups::<BOUNDED>();
        }
        self.batch_from_lanes().or_else(|| {
            if self.core.groups.are_ready() && !self.searching.get() && !self.core.has_batches() {
                return None; // The caller gives groups another turn, without the fence that ends a search.
            }
            self.start_searching();
            self.steal()
        })
    }

    fn steal(&self) -> Option<Place> {
        let used = self.core.crew.used();
        let mut victims = (1..used).map(|offset| self.core.crew.station((self.number + offset) % used));
        let range = victims.find_map(|victim| if victim.keeps_up() { None } else { victim.batch.split() })?;
        Some(self.station.batch.install(range))
    }

    /// Whether there seems to be more work at the end of a batch, not counting other workers' batches: to steal, a
    /// worker must search.
    fn expects_work(&self) -> bool {
        self.core.has_queued_work(self.round.turn(), Lane::promises)
    }

    /// Whether there is visible work. The same as `Core::has_visible_work`, from this worker's lane on.
    pub(super) fn sees_work(&self) -> bool {
        self.core.has_work(self.round.turn(), |lane| !lane.is_empty())
    }

    pub(super) fn execute(&self, id: u64, item: Item) {
        // SAFETY: 1. the item was claimed by the caller, and lies in this frame.
        unsafe { self.execute_at(id, Taken::elsewhere(&item)) };
    }

    /// # Safety
    ///
    /// 1. The item was claimed and stays where it lies.
    #[inline(always)]
    unsafe fn execute_at(&self, id: u64, taken: Taken) {
        if self.searching.get() && !self.end_search() {
            // SAFETY: the caller's 1.
            self.skip_job(id, unsafe { taken.copy() });
            return;
        }
        self.station.set_running(true);
        self.job.set(id);
        // SAFETY: 1. only jobs are queued, and the item stays in place by the caller's 1; 2. it was claimed, so no
        // other job was made of it.
        unsafe { Job::run_at(taken, self) };
        if self.station.is_running() {
            self.ended();
        }
        self.job.set(0);
        // A failure that a destructor has declared after the outcome is not the next job's.
        self.failure.take();
        self.station.count_finished();
    }

    /// Ends a job that this worker may not run. In a forked child it does nothing: the job is run in the parent.
    #[cold]
    fn skip_job(&self, id: u64, item: Item) {
        if !self.core.is_forked() {
            self.core.end_unrun(id, item.into());
        }
    }

    /// The job's code has ended. Called before its outcome is published: a user who waits for the outcome and then
    /// submits the next job finds this worker searching, and no second one is started.
    #[inline(always)]
    pub(crate) fn ended(&self) {
        self.station.set_running(false);
        if self.station.batch.rest() == 0 {
            self.batch_has_ended();
        }
    }

    fn batch_has_ended(&self) {
        if !self.is_nested() && !self.expects_work() && !self.has_grouped_work() {
            self.start_searching();
        }
    }

    /// User code runs again after [`ended`](Self::ended). It may wait for other jobs, so no submitter may rely on this
    /// worker to find them.
    #[inline(always)]
    pub(crate) fn resume(&self) {
        if self.searching.get() {
            self.stop_searching();
        }
        self.station.set_running(true);
    }

    /// Ends the search, and calls the start hook before the first job. False if this worker may not run the job: the
    /// hook has failed, or has forked this process.
    #[cold]
    fn end_search(&self) -> bool {
        self.stop_searching();
        if self.hook_state.get() == HookState::NotStarted {
            let started = self.call_hook("start", &self.core.settings.hooks.start);
            self.hook_state.set(if started.is_ok() { HookState::Started } else { HookState::StartFailed });
            if let Err(cause) = started {
                self.core.break_pool(cause);
            }
        }
        let ready = self.hook_state.get() == HookState::Started && !self.core.is_forked();
        if !ready {
            self.start_searching(); // So that its next job, such as a call, is not run either.
        }
        ready
    }

    /// The last steps before a worker leaves: calls the stop hook, if the start hook was called; drops unread outcomes,
    /// because it may not have rested since its last job; searches. What the hook submits to its own closed pool is
    /// refused. False in a forked child, if the hook has forked: the copied worker must return at once.
    pub(super) fn prepare_to_leave(&self) -> bool {
        if self.hook_state.replace(HookState::Stopped) == HookState::Started
            && let Err(cause) = self.call_hook("stop", &self.core.settings.hooks.stop)
        {
            self.core.break_pool(cause);
        }
        if self.core.is_forked() {
            return false;
        }
        if self.core.orphans.any() {
            self.reap();
        }
        self.start_searching();
        true
    }

    /// Whether user code that runs on this worker belongs to a job, which the pool's end waits for.
    pub(super) fn runs_job_code(&self) -> bool {
        self.hook_state.get() != HookState::Stopped && !self.reaping.get()
    }

    /// Jobs finished since the last search.
    fn since_search(&self) -> u64 {
        self.station.finished() - self.finished_at_search.get()
    }

    #[inline]
    pub(super) fn start_searching(&self) {
        if !self.is_guest() && !self.searching.replace(true) {
            self.core.crew.census.start_searching();
        }
    }

    /// Race with a submitter that observes a searcher and wakes nobody: before this → F3 observes the job and recruits,
    /// after → the submitter observes no searcher and recruits itself.
    #[cold]
    pub(super) fn stop_searching(&self) {
        self.searching.set(false);
        let asks = self.since_search() < ASK_BELOW;
        self.finished_at_search.set(self.station.finished());
        if self.core.crew.stop_searching(asks, || self.sees_work()) {
            // A refused thread is no error: this worker is alive, and will find the work.
            let _ = self.core.recruit();
        }
    }
}
