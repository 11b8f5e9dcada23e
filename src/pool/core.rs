//! The pool itself: what submitters, workers and waiters share.

use super::bound::{Bound, Limits};
use super::closing::Ending;
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

/// How a pool was asked to be.
#[derive(Debug)]
pub(crate) struct Settings {
    /// At most this many workers; at least 1, at most [`MOST_WORKERS`].
    pub(crate) workers: usize,
    /// Worker n is called `<prefix>-<n>`.
    pub(crate) prefix: String,
    /// Bytes of a worker's stack; `None` for the system's default.
    pub(crate) stack_size: Option<usize>,
    /// One first-in-first-out order for all submitting threads.
    pub(crate) ordered: bool,
    /// Whether outcomes say how long jobs took.
    pub(crate) timing: bool,
    /// How many workers more there may be while as many block.
    pub(crate) extra_workers: usize,
    /// A worker that has slept for so long leaves.
    pub(crate) idle_timeout: Option<Duration>,
    /// A worker that has run so many jobs leaves.
    pub(crate) jobs_per_worker: Option<u64>,
    pub(crate) hooks: Hooks,
    /// How much outcomes say of panics.
    pub(crate) panic_detail: PanicDetail,
    /// How many jobs may be queued.
    pub(crate) limits: Option<Limits>,
    /// The pool is everybody's: no user closes it.
    pub(crate) permanent: bool,
    /// What timers go by.
    pub(crate) clock: Clock,
}

pub(crate) struct Core {
    /// Tells this pool from every other that the process ever has.
    pub(super) number: u64,
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) front: Front,
    pub(super) groups: Groups,
    pub(super) lanes: Lanes,
    pub(super) crew: Crew,
    pub(super) waits: Waits,
    pub(super) bound: Option<Bound>,
    /// Jobs that submitters run themselves.
    pub(super) guests: Guests,
    /// Accepted jobs that were ended by somebody else than a worker.
    pub(super) cancelled: DequeueCounter,
    /// Of those, jobs that were not begun in time, since the last [`clear`](Self::clear).
    pub(super) expired: AtomicU64,
    /// Failures that were forgotten by [`clear`](Self::clear).
    forgotten: AtomicU64,
    /// Notified when a job has finished and its worker sees nothing more to do.
    pub(super) quiet: EventCount,
    /// Notified when a worker has left.
    pub(super) left: EventCount,
    pub(super) threads: Threads,
    /// Threads that were started.
    pub(super) started: AtomicUsize,
    pub(super) orphans: Orphans,
    pub(super) quotas: Quotas,
    /// Made when the first one comes.
    pub(super) timers: OnceLock<Arc<Timers>>,
    pub(super) storms: Storms,
    /// Handles that users have; the one that drops the last closes the pool.
    handles: AtomicUsize,
    pub(super) ending: Ending,
}

impl Core {
    pub(crate) fn new(mut settings: Settings) -> Arc<Self> {
        let bound = settings.limits.take().map(Bound::new);
        fence::enable();
        panics::listen(settings.panic_detail);
        let core = Arc::new(Self {
            number: unique::number(),
            crew: Crew::new(settings.workers, settings.extra_workers, bound.is_some()),
            bound,
            guests: Guests::new(),
            settings,
            store: Store::new(),
            front: Front::new(),
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
            ending: Ending::new(),
        });
        process_pools::enter(&core);
        core
    }

    /// Whether a worker that looks now would find something.
    pub(super) fn has_visible_work(&self) -> bool {
        self.has_work(0, |lane| !lane.is_empty())
    }

    /// The same for one who looks at lane number `turn` first, and to whom `such` lanes have work.
    pub(super) fn has_work(&self, turn: usize, such: impl Fn(&Lane) -> bool) -> bool {
        // Lanes before stations: a run appears in its claimer's station before it disappears from its lane.
        self.has_queued_work(turn, such) || self.has_batches()
    }

    /// The same without what workers have in their batches.
    pub(super) fn has_queued_work(&self, turn: usize, such: impl Fn(&Lane) -> bool) -> bool {
        self.front.has_offers() || self.lanes.any(turn, such) || self.groups.are_ready()
    }

    /// Whether a worker has jobs in its batch that nobody has come to.
    pub(super) fn has_batches(&self) -> bool {
        self.crew.stations().take(self.crew.used()).any(|s| s.batch.rest() > 0)
    }

    /// Whether somebody would come to more work: a worker that searches or sleeps, or one that could be started.
    pub(super) fn has_free_hands(&self) -> bool {
        self.crew.census.read().has_free_hands(self.crew.limit())
    }

    /// Threads that live.
    pub(crate) fn threads(&self) -> usize {
        // In the child of a fork, whoever holds the crew's lock may not exist.
        if self.is_forked() { self.alive() } else { self.crew.heads() }
    }

    /// Workers that live and are counted.
    pub(super) fn alive(&self) -> usize {
        self.crew.census.read().alive()
    }

    /// Workers that are running a job.
    pub(crate) fn busy(&self) -> usize {
        self.crew.stations().filter(|station| station.is_running()).count()
    }

    /// Jobs that ended in a failure.
    pub(crate) fn failed(&self) -> u64 {
        self.failed_ever().saturating_sub(self.forgotten.load(Ordering::Relaxed))
    }

    /// Jobs that were not begun in time.
    pub(crate) fn expired(&self) -> u64 {
        self.expired.load(Ordering::Acquire)
    }

    /// [`failed`](Self::failed) and [`expired`](Self::expired) begin at 0 again.
    pub(super) fn forget_failures(&self) {
        self.forgotten.store(self.failed_ever(), Ordering::Relaxed);
        self.expired.store(0, Ordering::Relaxed);
    }

    fn failed_ever(&self) -> u64 {
        self.crew.stations().map(|s| s.failed()).sum::<u64>() + self.guests.failed()
    }

    /// One handle more.
    pub(crate) fn share(core: &Arc<Self>) -> Arc<Self> {
        core.handles.fetch_add(1, Ordering::Relaxed);
        Arc::clone(core)
    }

    /// One handle less; without the last one the pool ends.
    pub(crate) fn unshare(core: &Arc<Self>) {
        if core.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            core.wind_up();
        }
    }

    /// Whether outcomes say how long jobs took.
    pub(crate) fn is_timed(&self) -> bool {
        self.settings.timing
    }

    /// By which moments are told. Nobody has to make the timers for that, or to wait until they are made.
    pub(crate) fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// A bound that is lifted while the pool ends.
    pub(crate) fn quota(&self, places: u64) -> Arc<Quota> {
        // In the child of a fork, whoever holds the quotas' lock may not exist.
        if self.is_forked() { Arc::new(Quota::new(places)) } else { self.quotas.add(places) }
    }

    /// Nobody reads from these queues any more; jobs may still deliver to them.
    pub(crate) fn retire<D: Send + 'static, F: Send + 'static>(&self, queues: Owner<D, F>) {
        if self.is_forked() {
            return std::mem::forget(queues); // Whoever holds the orphans' lock may not exist in this process.
        }
        self.orphans.adopt(queues);
    }

    /// Whether nobody outside has a handle that keeps the pool open.
    pub(super) fn is_without_handles(&self) -> bool {
        self.handles.load(Ordering::Acquire) == 0
    }

    /// Whether no user closes this pool.
    pub(crate) fn is_permanent(&self) -> bool {
        self.settings.permanent
    }

    /// The limit on workers.
    pub(crate) fn limit(&self) -> usize {
        self.crew.limit()
    }

    /// The limit on threads: the workers, and those that come while workers block.
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
