//! All workers of a pool: which of them sleep, and which is woken or started next.

use super::asking::Asking;
use super::census::Census;
use super::job::Job;
use super::station::Station;
use super::{fork, loops};
use crate::sync::Parker;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::sys::lock::{Lock, LockGuard};
use std::io;
use std::sync::Arc;

/// Stations, the census, and the stack of sleeping workers. Protocol and proof: `README.md`, "Sleep and wake".
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) census: CachePadded<Census>,
    asking: Asking,
    /// The most workers that are counted. Exceeded for a moment when a blocking job continues.
    limit: usize,
    /// How many workers may be uncounted at a time because their jobs block.
    extra: usize,
    state: Lock<State>,
    /// How many worker numbers were ever used: 0 to this, exclusive.
    used: AtomicUsize,
    /// Calls that workers were ever given.
    called: AtomicU64,
    stations: Box<[Arc<CachePadded<Station>>]>,
}

#[derive(Debug, Default)]
struct State {
    /// A stack of the sleeping workers. The last one is woken first: its cache is the warmest.
    asleep: Vec<usize>,
    /// A stack of the workers that stand by: they sleep, and are not counted because enough others are.
    standby: Vec<usize>,
    /// How many workers are not counted because their jobs block.
    blocked: usize,
    /// Numbers of workers that have left, for reuse.
    free: Vec<usize>,
    /// Calls that were made and not taken.
    calls: usize,
}

impl Crew {
    /// A crew without workers, for at most `limit` workers plus `extra` that block.
    pub(super) fn new(limit: usize, extra: usize, bounded: bool) -> Self {
        Self {
            census: CachePadded::new(Census::new(bounded)),
            asking: Asking::default(),
            limit,
            extra,
            state: Lock::new(State { asleep: Vec::with_capacity(limit), ..State::default() }),
            used: AtomicUsize::new(0),
            called: AtomicU64::new(0),
            stations: (0..limit + extra).map(|_| Arc::new(CachePadded::new(Station::new()))).collect(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The most workers there can be, counted or not.
    pub(super) fn most(&self) -> usize {
        self.stations.len()
    }

    /// Workers that are alive, counted or not.
    pub(super) fn threads(&self) -> usize {
        let state = self.state.lock();
        self.census.read().alive() + state.blocked + state.standby.len()
    }

    pub(super) fn station(&self, worker: usize) -> &Arc<CachePadded<Station>> {
        &self.stations[worker]
    }

    /// How many worker numbers were ever used. Acquire: a thread that observes a worker's run observes its number, too.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// The stations of all workers that there can be; the first [`used`](Self::used) ones have had a worker.
    pub(super) fn stations(&self) -> impl Iterator<Item = &Station> {
        self.stations.iter().map(|station| &***station)
    }

    /// Called after work was made visible and `fence::light`. True if no searcher is sure to find the work, and a
    /// worker could be woken or started for it.
    #[inline]
    pub(super) fn needs_recruit(&self) -> bool {
        let seen = self.census.read(); // S2
        if seen.has_searcher() || !seen.has_reserve(self.limit) {
            seen.wants_fences() && self.needs_recruit_after_fence()
        } else {
            true
        }
    }

    /// The searcher relies on this submitter's fence.
    #[cold]
    fn needs_recruit_after_fence(&self) -> bool {
        fence(Ordering::SeqCst); // S3
        self.census.read().lacks_searcher(self.limit)
    }

    /// Wakes a worker, or starts one with `start(number)`, unless one searches by now. A refused start is an error only
    /// if no worker is counted: others will find the work.
    #[cold]
    pub(super) fn recruit(
        &self,
        visible: impl FnOnce() -> bool,
        start: impl FnOnce(usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.state.lock(); // R1
        fence(Ordering::SeqCst);
        let now = self.census.read();
        if !now.lacks_searcher(self.limit) {
            return Ok(());
        }
        if !visible() {
            return Ok(()); // The work was taken, or belongs to a group at its limit.
        }
        if let Some(worker) = self.pop_sleeper(&mut state) {
            drop(state);
            self.station(worker).wake(wants_help()); // R3
            return Ok(());
        }
        match self.add_worker(&mut state, start) {
            Err(refused) if now.alive() == 0 => Err(refused),
            _ => Ok(()),
        }
    }

    /// Runs `take`, if no worker is counted; none comes back or starts meanwhile.
    pub(super) fn while_deserted<R>(&self, take: impl FnOnce() -> R) -> Option<R> {
        let _state = self.state.lock();
        (self.census.read().alive() == 0).then(take)
    }

    /// Wakes `count` workers, or as many as sleep, even if others search.
    pub(super) fn wake_up_to(&self, count: usize) {
        for _ in 0..count {
            let woken = self.pop_sleeper(&mut self.state.lock());
            let Some(worker) = woken else { return };
            self.station(worker).wake(true); // R3
        }
    }

    /// Pops a sleeper off the stack. The caller must give it its token, after the lock.
    fn pop_sleeper(&self, state: &mut State) -> Option<usize> {
        let worker = state.asleep.pop()?;
        self.census.wake_up(); // R2
        Some(worker)
    }

    /// Starts a worker with `start(number)`, whether or not there is work; false at the limit.
    pub(super) fn hire(&self, start: impl FnOnce(usize) -> io::Result<()>) -> io::Result<bool> {
        let mut state = self.state.lock();
        if self.census.read().alive() >= self.limit {
            return Ok(false);
        }
        self.add_worker(&mut state, start)?;
        Ok(true)
    }

    /// Adds a searching worker: one that stands by, or else a new one.
    fn add_worker(&self, state: &mut State, start: impl FnOnce(usize) -> io::Result<()>) -> io::Result<()> {
        if let Some(worker) = state.standby.pop() {
            self.census.add_worker();
            self.station(worker).wake(false);
            return Ok(());
        }
        let used = self.used.load(Ordering::Relaxed);
        start(state.free.last().copied().unwrap_or(used))?;
        if state.free.pop().is_none() {
            self.used.store(used + 1, Ordering::Release);
        }
        self.census.add_worker(); // R4
        Ok(())
    }

    /// A new worker waits until R4 has counted it.
    pub(super) fn wait_until_counted(&self) {
        drop(self.state.lock());
    }

    /// A searching worker has found work. True if it must [`recruit`](Self::recruit): it was the last searcher,
    /// submitters may have relied on it, and more work is `visible`. If it `asks`, submitters are asked to fence.
    #[must_use]
    pub(super) fn stop_searching(&self, asks: bool, visible: impl FnOnce() -> bool) -> bool {
        let request = self.asking.ask(&self.census, asks);
        let (before, now) = self.census.stop_searching(); // F1
        if !now.lacks_searcher(self.limit) {
            return false;
        }
        self.asking.fence_after_search(&self.census, before.is_woken_or_heard(), request); // F2
        visible() // F3
    }

    /// A searching worker sleeps by `sleep(parker)` until it is woken, unless there is a `reason` to stay awake. A
    /// `sleep` that returns false gives up. At the bottom of the stack, it is woken after all others that sleep now. If
    /// it `asks`, submitters are asked to fence. The worker is searching again when this returns; false if it gave up.
    #[must_use]
    pub(super) fn park(
        &self,
        worker: usize,
        at_bottom: bool,
        asks: bool,
        reason: impl FnOnce() -> bool,
        sleep: impl FnOnce(&Parker) -> bool,
    ) -> bool {
        let request = self.asking.ask(&self.census, asks);
        let before = {
            let mut state = self.state.lock();
            let position = if at_bottom { 0 } else { state.asleep.len() };
            state.asleep.insert(position, worker);
            self.census.fall_asleep() // P1
        };
        self.asking.fence_after_search(&self.census, before.is_heard(), request); // P2
        // If this fails, the worker was popped off the stack already, and its token is on its way.
        if reason() && self.cancel_sleep(worker) {
            return true; // P3
        }
        self.await_token(worker, sleep) // P4
    }

    /// Waits for the token; false if it gave up, and is searching again.
    pub(super) fn await_token(&self, worker: usize, sleep: impl FnOnce(&Parker) -> bool) -> bool {
        let station = self.station(worker);
        station.wake_cpu.before_sleep();
        let mut woken = sleep(&station.parker);
        if !woken && !self.cancel_sleep(worker) {
            station.parker.park();
            woken = true;
        }
        station.wake_cpu.after_sleep();
        woken
    }

    /// A sleeper removes itself from its stack, and is counted and searching; false if it is being woken.
    pub(super) fn cancel_sleep(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        if remove(&mut state.asleep, worker) {
            self.census.wake_up();
        } else if remove(&mut state.standby, worker) {
            self.census.add_worker();
        } else {
            return false;
        }
        true
    }

    /// A running worker is no longer counted, because its job blocks; false if `extra` workers block already.
    #[must_use]
    pub(super) fn block(&self) -> bool {
        if self.extra == 0 {
            return false;
        }
        let mut state = self.state.lock();
        let admitted = state.blocked < self.extra;
        if admitted {
            state.blocked += 1;
            self.census.block(); // A1
        }
        admitted
    }

    /// It is counted again, and sleepers are moved to the standby stack while there is a surplus.
    pub(super) fn unblock(&self) {
        let mut state = self.state.lock();
        state.blocked -= 1;
        self.census.unblock(); // Z1
        while self.has_surplus() && !state.asleep.is_empty() {
            let sleeper = state.asleep.remove(0);
            self.census.stand_by(); // Z2
            state.standby.push(sleeper);
        }
    }

    /// Whether more workers are counted than the limit allows.
    #[inline]
    pub(super) fn has_surplus(&self) -> bool {
        self.extra > 0 && self.census.read().has_surplus(self.limit)
    }

    /// A searching worker is no longer counted, if there is a surplus. Then it must recruit for visible work (Y3) and
    /// [`await_token`](Self::await_token).
    #[must_use]
    pub(super) fn stand_by(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        let surplus = self.has_surplus();
        if surplus {
            state.standby.push(worker);
            self.census.remove_worker(); // Y1
        }
        surplus
    }

    /// Submitters need not fence any more.
    #[inline]
    pub(super) fn stop_asking(&self) {
        self.asking.stop(&self.census);
    }

    pub(super) fn wake_all(&self) {
        let state = self.state.lock();
        self.wake_sleepers(state);
    }

    fn wake_sleepers(&self, mut state: LockGuard<'_, State>) {
        state.asleep.iter().for_each(|_| self.census.wake_up());
        state.standby.iter().for_each(|_| self.census.add_worker());
        let (asleep, standby) = (std::mem::take(&mut state.asleep), std::mem::take(&mut state.standby));
        drop(state);
        for worker in asleep.into_iter().chain(standby) {
            self.station(worker).wake(false);
        }
    }

    /// Starts workers with `start(number)` up to the limit, or until the system refuses one, and gives each living
    /// worker a `make_call()`. `announce(true)` makes them check their stations. An error only if no worker is alive.
    pub(super) fn call(
        &self,
        start: impl Fn(usize) -> io::Result<()>,
        make_call: impl Fn() -> Job,
        announce: impl FnOnce(bool),
    ) -> io::Result<()> {
        let mut state = self.state.lock(); // U1
        let mut refused = Ok(());
        while refused.is_ok() && self.census.read().alive() < self.limit {
            refused = self.add_worker(&mut state, &start);
        }
        let living: Vec<usize> = (0..self.used()).filter(|number| !state.free.contains(number)).collect();
        if living.is_empty() {
            return refused;
        }
        self.called.fetch_add(living.len() as u64, Ordering::SeqCst); // U2
        living.iter().for_each(|&number| self.station(number).call(make_call())); // U3
        state.calls += living.len();
        announce(true); // U4
        self.wake_sleepers(state); // U5
        Ok(())
    }

    /// A worker has taken so many calls. `announce(false)` ends the checks when no call is left.
    pub(super) fn calls_taken(&self, calls: usize, announce: impl FnOnce(bool)) {
        let mut state = self.state.lock();
        state.calls -= calls;
        if state.calls == 0 {
            announce(false);
        }
    }

    /// Calls that workers were ever given.
    pub(super) fn called(&self) -> u64 {
        self.called.load(Ordering::Acquire)
    }

    /// A searching worker leaves; false if it has a call, and must stay.
    #[must_use]
    pub(super) fn leave(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        let leaves = !self.station(worker).is_called();
        if leaves {
            state.free.push(worker);
            self.census.remove_worker();
        }
        leaves
    }

    /// A worker that has just left is counted again, as searching, if no other is alive.
    pub(super) fn rejoin(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        let position = state.free.iter().position(|&free| free == worker);
        match position.filter(|_| self.census.read().alive() == 0) {
            Some(position) => {
                state.free.remove(position);
                self.census.add_worker();
                true
            }
            None => false,
        }
    }
}

/// Whether the calling thread is in a loop or a fork, and so goes on working beside the worker that it wakes.
fn wants_help() -> bool {
    loops::is_under_way() || fork::is_under_way()
}

/// Removes a worker from a stack; false if it is not there.
fn remove(stack: &mut Vec<usize>, worker: usize) -> bool {
    let position = stack.iter().rposition(|&sleeper| sleeper == worker);
    position.map(|position| stack.remove(position)).is_some()
}
