//! The pool: what submitters, workers and waiters share.

use super::bound::{Bound, Limits};
use super::closing::CloseState;
use super::crew::Crew;
use super::groups::Groups;
use super::guest::Guests;
use super::hooks::Hooks;
use super::lanes::Lanes;
use super::orphans::Orphans;
use super::panics::{self, PanicDetail};
use super::process_pools;
use super::quotas::Quotas;
use super::threads::Threads;
use super::timers::{Storms, Timers};
use super::waits::Waits;
use super::water_marks::DequeueCounter;
use crate::queue::{Front, Lane, Owner, Quota, Store};
use crate::sync::EventCount;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sys::clock::Clock;
use crate::sys::{fence, unique};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How a pool is configured.
#[derive(Debug)]
pub(crate) struct Settings {
    /// At most this many workers; at least 1, at most [`MOST_WORKERS`](super::MOST_WORKERS).
    pub(crate) workers: usize,
    /// Worker n is called `<prefix>-<n>`.
    pub(crate) prefix: String,
    /// Bytes of a worker's stack; `None` for the system's default.
    pub(crate) stack_size: Option<usize>,
    /// Whether all submitting threads share one first-in-first-out queue.
    pub(crate) ordered: bool,
    /// Whether outcomes say how long jobs took.
    pub(crate) timing: bool,
    /// How many workers more there may be while jobs block.
    pub(crate) extra_workers: usize,
    /// A worker leaves after it has slept for so long.
    pub(crate) idle_timeout: Option<Duration>,
    /// A worker leaves after it has run so many jobs.
    pub(crate) jobs_per_worker: Option<u64>,
    pub(crate) hooks: Hooks,
    /// How much is recorded about panics.
    pub(crate) panic_detail: PanicDetail,
    /// The bound on queued jobs.
    pub(crate) limits: Option<Limits>,
    /// Whether this is the global pool, which no user closes.
    pub(crate) permanent: bool,
    /// The clock of the timers.
    pub(crate) clock: Clock,
}

pub(crate) struct Core {
    /// Unique in the process.
    pub(super) number: u64,
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) front: Front,
    pub(super) groups: Groups,
    pub(super) lanes: Lanes,
    pub(super) crew: Crew,
    pub(super) waits: Waits,
    pub(super) bound: Option<Bound>,
    /// Counts of jobs that submitters run themselves.
    pub(super) guests: Guests,
    /// Counts accepted jobs that ended otherwise than on a worker.
    pub(super) cancelled: DequeueCounter,
    /// Jobs that ended expired, since the last [`clear`](Self::clear). Included in `cancelled`.
    pub(super) expired: AtomicU64,
    /// The number of failures at the last [`clear`](Self::clear).
    forgotten: AtomicU64,
    /// Notified when the pool may be quiescent.
    pub(super) quiet: EventCount,
    /// Notified when a worker, or the timers' sleeper, has left.
    pub(super) left: EventCount,
    pub(super) threads: Threads,
    /// How many workers were started.
    pub(super) started: AtomicUsize,
    pub(super) orphans: Orphans,
    pub(super) quotas: Quotas,
    /// Created with the first timer.
    pub(super) timers: OnceLock<Arc<Timers>>,
    pub(super) storms: Storms,
    /// Users' handles; dropping the last one closes the pool.
    handles: AtomicUsize,
    pub(super) close_state: CloseState,
}

impl Core {
    pub(crate) fn new(mut settings: Settings) -> Arc<Self> {
        let bound = settings.limits.take().map(Bound::new);
        fence::enable();
        panics::install_hook(settings.panic_detail);
        let core = Arc::new(Self {
            number: unique::number(),
            crew: Crew::new(settings.workers, settings.extra_workers, bound.is_some()),
            bound,
            guests: Guests::default(),
            settings,
            store: Store::new(),
            front: Front::default(),
            groups: Groups::new(),
            lanes: Lanes::new(),
            waits: Waits::default(),
            cancelled: DequeueCounter::new(),
            expired: AtomicU64::new(0),
            forgotten: AtomicU64::new(0),
            quiet: EventCount::new(),
            left: EventCount::new(),
            threads: Threads::default(),
            started: AtomicUsize::new(0),
            orphans: Orphans::default(),
            quotas: Quotas::default(),
            timers: OnceLock::new(),
            storms: Storms::default(),
            handles: AtomicUsize::new(1),
            close_state: CloseState::default(),
        });
        process_pools::register(&core);
        core
    }

    /// Whether there is work that a worker would find: the only check that the proofs depend on.
    pub(super) fn has_visible_work(&self) -> bool {
        self.has_work(0, |lane| !lane.is_empty())
    }

    /// The same, where a lane has work if it is `such`, and lane number `turn` is checked first.
    pub(super) fn has_work(&self, turn: usize, such: impl Fn(&Lane) -> bool) -> bool {
        // Lanes before stations: a run appears in its claimer's station before it disappears from its lane.
        self.has_queued_work(turn, such) || self.has_batches()
    }

    /// The same without workers' batches.
    pub(super) fn has_queued_work(&self, turn: usize, such: impl Fn(&Lane) -> bool) -> bool {
        self.front.has_offers() || self.lanes.any(turn, such) || self.groups.are_ready()
    }

    /// Whether a worker has unstarted jobs in its batch.
    pub(super) fn has_batches(&self) -> bool {
        self.crew.stations().take(self.crew.used()).any(|s| s.batch.rest() > 0)
    }

    /// Whether more work would find a worker: one that searches or sleeps, or one that could be started.
    pub(super) fn has_free_worker(&self) -> bool {
        self.crew.census.read().has_free_worker(self.crew.limit())
    }

    /// How many workers are alive, counted in the census or not.
    pub(crate) fn threads(&self) -> usize {
        // In a forked child, the holder of the crew's lock may not exist.
        if self.is_forked() { self.alive() } else { self.crew.threads() }
    }

    /// How many workers are alive and counted in the census.
    pub(super) fn alive(&self) -> usize {
        self.crew.census.read().alive()
    }

    /// How many workers are running a job.
    pub(crate) fn busy(&self) -> usize {
        self.crew.stations().filter(|station| station.is_running()).count()
    }

    /// How many jobs failed, since the last [`clear`](Self::clear).
    pub(crate) fn failed(&self) -> u64 {
        self.failed_ever().saturating_sub(self.forgotten.load(Ordering::Relaxed))
    }

    /// How many jobs ended expired, since the last [`clear`](Self::clear).
    pub(crate) fn expired(&self) -> u64 {
        self.expired.load(Ordering::Acquire)
    }

    /// Resets [`failed`](Self::failed) and [`expired`](Self::expired) to 0.
    pub(super) fn forget_failures(&self) {
        self.forgotten.fetch_max(self.failed_ever(), Ordering::Relaxed);
        self.expired.store(0, Ordering::Relaxed);
    }

    fn failed_ever(&self) -> u64 {
        self.crew.stations().map(|s| s.failed()).sum::<u64>() + self.guests.failed()
    }

    /// Makes another handle.
    pub(crate) fn share(core: &Arc<Self>) -> Arc<Self> {
        core.handles.fetch_add(1, Ordering::Relaxed);
        Arc::clone(core)
    }

    /// Drops a handle; the last one ends the pool.
    pub(crate) fn unshare(core: &Arc<Self>) {
        if core.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            core.end_without_handles();
        }
    }

    /// Whether outcomes say how long jobs took.
    pub(crate) fn is_timed(&self) -> bool {
        self.settings.timing
    }

    /// The clock of the timers. Does not create them.
    pub(crate) fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// A quota on unread results, which is lifted while the pool ends.
    pub(crate) fn quota(&self, places: u64) -> Arc<Quota> {
        // In a forked child, the holder of the quotas' lock may not exist.
        if self.is_forked() { Arc::new(Quota::new(places)) } else { self.quotas.add(places) }
    }

    /// Keeps queues without a reader until no job can deliver to them any more.
    pub(crate) fn retire<D: Send + 'static, F: Send + 'static>(&self, queues: Owner<D, F>) {
        if self.is_forked() {
            return std::mem::forget(queues); // The holder of the orphans' lock may not exist in this process.
        }
        self.orphans.adopt(queues);
    }

    /// Whether no user has a handle any more.
    pub(super) fn is_without_handles(&self) -> bool {
        self.handles.load(Ordering::Acquire) == 0
    }

    /// Whether this is the global pool, which no user closes.
    pub(crate) fn is_permanent(&self) -> bool {
        self.settings.permanent
    }

    /// The limit on workers.
    pub(crate) fn limit(&self) -> usize {
        self.crew.limit()
    }

    /// The limit on worker threads: [`limit`](Self::limit), plus the extra ones while jobs block.
    pub(crate) fn most(&self) -> usize {
        self.crew.most()
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alive, pending) = (self.alive(), self.pending());
        f.debug_struct("Pool")
            .field("name", &self.settings.prefix)
            .field("alive", &alive)
            .field("pending", &pending)
            .finish()
    }
}
