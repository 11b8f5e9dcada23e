//! The workers of a pool as a body: who sleeps, who is woken, who is started.

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
    /// Workers that are counted, but for a short time.
    limit: usize,
    /// Workers that may block at a time, and are not counted then.
    extra: usize,
    state: Lock<State>,
    /// Numbers that workers have or have had: the first so many.
    used: AtomicUsize,
    /// Calls that workers were ever given.
    called: AtomicU64,
    stations: Box<[Arc<CachePadded<Station>>]>,
}

#[derive(Debug, Default)]
struct State {
    /// Sleeping workers; the one that fell asleep last is woken first, its cache is the warmest.
    asleep: Vec<usize>,
    /// Workers that sleep and are not counted, because there are enough without them.
    standby: Vec<usize>,
    /// How many workers are not counted because their jobs block.
    blocked: usize,
    /// Numbers of workers that have left.
    free: Vec<usize>,
    /// Calls that workers have not come to.
    calls: usize,
}

impl Crew {
    /// At most `limit` workers, and `extra` while as many block. None of them lives yet.
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

    /// The most workers there can be, whether they are counted or not.
    pub(super) fn most(&self) -> usize {
        self.stations.len()
    }

    /// Threads that live, whether they are counted or not.
    pub(super) fn heads(&self) -> usize {
        let state = self.state.lock();
        self.census.read().alive() + state.blocked + state.standby.len()
    }

    pub(super) fn station(&self, worker: usize) -> &Arc<CachePadded<Station>> {
        &self.stations[worker]
    }

    /// How many numbers workers have or have had. Acquire: whoever sees a worker's run sees its number.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// The stations of all workers there can be; those that live or have lived have the first.
    pub(super) fn stations(&self) -> impl Iterator<Item = &Station> {
        self.stations.iter().map(|station| &***station)
    }

    /// Called by whoever has made work visible, after `fence::light`. True if nobody is sure to find it, and somebody
    /// could be woken or started to.
    #[inline]
    pub(super) fn needs_recruit(&self) -> bool {
        let seen = self.census.read(); // S2
        if seen.has_searcher() || !seen.has_reserve(self.limit) {
            seen.wants_fences() && self.needs_another()
        } else {
            true
        }
    }

    /// Others rely on submitters' fences.
    #[cold]
    fn needs_another(&self) -> bool {
        fence(Ordering::SeqCst); // S3
        self.census.read().lacks_searcher(self.limit)
    }

    /// Wakes a worker, or starts one with `start(number)`, unless one is searching by now. An error only if no worker
    /// is counted: otherwise those that are will come to the work.
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
            return Ok(()); // Somebody has taken it, or it is a group's that is at its limit.
        }
        if let Some(worker) = self.wake_last(&mut state) {
            drop(state);
            self.station(worker).rouse(wants_help()); // R3
            return Ok(());
        }
        match self.engage(&mut state, start) {
            Err(refused) if now.alive() == 0 => Err(refused),
            _ => Ok(()),
        }
    }

    /// Wakes so many workers, or as many as sleep, although others may search.
    pub(super) fn muster(&self, count: usize) {
        for _ in 0..count {
            let woken = self.wake_last(&mut self.state.lock());
            let Some(worker) = woken else { return };
            self.station(worker).rouse(true); // R3
        }
    }

    /// Takes the worker that fell asleep last off the stack; the caller gives it its token when it has left the lock.
    fn wake_last(&self, state: &mut State) -> Option<usize> {
        let worker = state.asleep.pop()?;
        self.census.wake_up(); // R2
        Some(worker)
    }

    /// Starts a worker with `start(number)`, whether there is work or not; false if there are as many as can be.
    pub(super) fn hire(&self, start: impl FnOnce(usize) -> io::Result<()>) -> io::Result<bool> {
        let mut state = self.state.lock();
        if self.census.read().alive() >= self.limit {
            return Ok(false);
        }
        self.engage(&mut state, start)?;
        Ok(true)
    }

    /// One counted worker more, who is searching: one that stands by, or a new one.
    fn engage(&self, state: &mut State, start: impl FnOnce(usize) -> io::Result<()>) -> io::Result<()> {
        if let Some(worker) = state.standby.pop() {
            self.census.begin();
            self.station(worker).rouse(false);
            return Ok(());
        }
        let used = self.used.load(Ordering::Relaxed);
        start(state.free.last().copied().unwrap_or(used))?;
        if state.free.pop().is_none() {
            self.used.store(used + 1, Ordering::Release);
        }
        self.census.begin(); // R4
        Ok(())
    }

    /// A new worker waits until R4 has counted it.
    pub(super) fn arrive(&self) {
        drop(self.state.lock());
    }

    /// A searching worker has found work. True if it must call [`recruit`](Self::recruit) in case `visible` more is
    /// there: it was the last searcher, and submitters have relied on it. If it `asks`, they fence for themselves from
    /// then on.
    #[must_use]
    pub(super) fn stop_searching(&self, asks: bool, visible: impl FnOnce() -> bool) -> bool {
        let asked = self.asking.ask(&self.census, asks);
        let (before, now) = self.census.stop_searching(); // F1
        if !now.lacks_searcher(self.limit) {
            return false;
        }
        self.asking.order(&self.census, before.is_woken_or_heard(), asked); // F2
        visible() // F3
    }

    /// A searching worker sleeps until it is woken, unless `reason` to stay awake appears; if it `lies_low`, after all
    /// others that sleep by then. If it comes to sleep, it does so with `sleep(parker)`, which gives up if it
    /// returns false. If it `asks`, submitters fence for themselves from then on. It is searching again when this
    /// returns; false if nobody has woken it.
    #[must_use]
    pub(super) fn park(
        &self,
        worker: usize,
        lies_low: bool,
        asks: bool,
        reason: impl FnOnce() -> bool,
        sleep: impl FnOnce(&Parker) -> bool,
    ) -> bool {
        let asked = self.asking.ask(&self.census, asks);
        let before = {
            let mut state = self.state.lock();
            let place = if lies_low { 0 } else { state.asleep.len() };
            state.asleep.insert(place, worker);
            self.census.fall_asleep() // P1
        };
        self.asking.order(&self.census, before.is_heard(), asked); // P2
        // If it does not rise, somebody has taken this worker off the stack already: the token is on its way.
        if reason() && self.rise(worker) {
            return true; // P3
        }
        self.doze(worker, sleep) // P4
    }

    /// A sleeper waits for its token; false if it gives up.
    pub(super) fn doze(&self, worker: usize, sleep: impl FnOnce(&Parker) -> bool) -> bool {
        let station = self.station(worker);
        station.wake_cpu.before_sleep();
        let mut woken = sleep(&station.parker);
        if !woken && !self.rise(worker) {
            station.parker.park();
            woken = true;
        }
        station.wake_cpu.after_sleep();
        woken
    }

    /// A sleeper gets up by itself and is searching, and counted; false if somebody is waking it.
    pub(super) fn rise(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        if remove(&mut state.asleep, worker) {
            self.census.wake_up();
        } else if remove(&mut state.standby, worker) {
            self.census.begin();
        } else {
            return false;
        }
        true
    }

    /// A running worker is not counted any more, because its job blocks; false if as many block as may.
    #[must_use]
    pub(super) fn block(&self) -> bool {
        if self.extra == 0 {
            return false;
        }
        let mut state = self.state.lock();
        let may = state.blocked < self.extra;
        if may {
            state.blocked += 1;
            self.census.block(); // A1
        }
        may
    }

    /// It is counted again, and so many sleepers are not that there are no more than there shall be.
    pub(super) fn unblock(&self) {
        let mut state = self.state.lock();
        state.blocked -= 1;
        self.census.unblock(); // Z1
        while self.has_surplus() && !state.asleep.is_empty() {
            let sleeper = state.asleep.remove(0);
            self.census.dismiss(); // Z2
            state.standby.push(sleeper);
        }
    }

    /// Whether there are more workers than there shall be.
    #[inline]
    pub(super) fn has_surplus(&self) -> bool {
        self.extra > 0 && self.census.read().has_surplus(self.limit)
    }

    /// A searching worker is not counted any more, if there is a surplus. Then it must see to what is visible, and
    /// [`doze`](Self::doze).
    #[must_use]
    pub(super) fn stand_by(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        let surplus = self.has_surplus();
        if surplus {
            state.standby.push(worker);
            self.census.end(); // Y1
        }
        surplus
    }

    /// Submitters need not fence for themselves any more.
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
        state.standby.iter().for_each(|_| self.census.begin());
        let (asleep, standby) = (std::mem::take(&mut state.asleep), std::mem::take(&mut state.standby));
        drop(state);
        for worker in asleep.into_iter().chain(standby) {
            self.station(worker).rouse(false);
        }
    }

    /// Starts the workers that are missing with `start(number)`, as far as the system lets it, and gives every worker
    /// there is a `call()`. `calling(true)` tells them to look. An error only if there are none.
    pub(super) fn call(
        &self,
        start: impl Fn(usize) -> io::Result<()>,
        call: impl Fn() -> Job,
        calling: impl FnOnce(bool),
    ) -> io::Result<()> {
        let mut state = self.state.lock(); // U1
        let mut refused = Ok(());
        while refused.is_ok() && self.census.read().alive() < self.limit {
            refused = self.engage(&mut state, &start);
        }
        let living: Vec<usize> = (0..self.used()).filter(|number| !state.free.contains(number)).collect();
        if living.is_empty() {
            return refused;
        }
        self.called.fetch_add(living.len() as u64, Ordering::SeqCst); // U2
        living.iter().for_each(|&number| self.station(number).call(call())); // U3
        state.calls += living.len();
        calling(true); // U4
        self.wake_sleepers(state); // U5
        Ok(())
    }

    /// A worker has come to so many calls. `calling(false)` tells the others not to look any more.
    pub(super) fn answer(&self, calls: usize, calling: impl FnOnce(bool)) {
        let mut state = self.state.lock();
        state.calls -= calls;
        if state.calls == 0 {
            calling(false);
        }
    }

    /// Calls that workers were ever given.
    pub(super) fn called(&self) -> u64 {
        self.called.load(Ordering::Acquire)
    }

    /// A searching worker leaves for good; false if it stays, because it is called.
    #[must_use]
    pub(super) fn leave(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        let goes = !self.station(worker).is_called();
        if goes {
            state.free.push(worker);
            self.census.end();
        }
        goes
    }

    /// A worker that has left comes back, searching, if there is no other.
    pub(super) fn come_back(&self, worker: usize) -> bool {
        let mut state = self.state.lock();
        let position = state.free.iter().position(|&free| free == worker);
        match position.filter(|_| self.census.read().alive() == 0) {
            Some(position) => {
                state.free.remove(position);
                self.census.begin();
                true
            }
            None => false,
        }
    }
}

/// Whether the calling thread goes on with something that it wakes others to help with.
fn wants_help() -> bool {
    loops::is_under_way() || fork::is_under_way()
}

/// Takes a worker off a stack; false if it is not there.
fn remove(stack: &mut Vec<usize>, worker: usize) -> bool {
    let position = stack.iter().rposition(|&sleeper| sleeper == worker);
    position.map(|position| stack.remove(position)).is_some()
}
