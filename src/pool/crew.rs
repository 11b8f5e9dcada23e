//! The workers of a pool as a body: who sleeps, who is woken, who is started.

use super::census::Census;
use super::station::Station;
use crate::sync::Parker;
use crate::sys::CachePadded;
use crate::sys::atomic::{AtomicUsize, Ordering, fence};
use crate::sys::fence;
use crate::sys::lock::Lock;
use std::io;
use std::sync::Arc;

/// Stations, the census, and the stack of sleeping workers. Protocol and proof: `README.md`, "Sleep and wake".
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) census: CachePadded<Census>,
    limit: usize,
    roster: Lock<Roster>,
    /// Numbers that workers have or have had: the first so many.
    used: AtomicUsize,
    stations: Box<[Arc<CachePadded<Station>>]>,
}

#[derive(Debug, Default)]
struct Roster {
    /// Sleeping workers; the one that fell asleep last is woken first, its cache is the warmest.
    asleep: Vec<usize>,
    /// Numbers of workers that have left.
    free: Vec<usize>,
}

impl Crew {
    /// At most `limit` workers, none of whom lives yet.
    pub(super) fn new(limit: usize, bounded: bool) -> Self {
        Self {
            census: CachePadded::new(Census::new(bounded)),
            limit,
            roster: Lock::new(Roster { asleep: Vec::with_capacity(limit), free: Vec::new() }),
            used: AtomicUsize::new(0),
            stations: (0..limit).map(|_| Arc::new(CachePadded::new(Station::new()))).collect(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
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
        self.census.read().lacks_searcher(self.limit) // S2
    }

    /// Wakes a worker, or starts one with `start(number)`, unless one is searching by now. An error only if no worker
    /// lives: otherwise those who do will come to the work.
    #[cold]
    pub(super) fn recruit(
        &self,
        visible: impl FnOnce() -> bool,
        start: impl FnOnce(usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut roster = self.roster.lock(); // R1
        fence(Ordering::SeqCst);
        let now = self.census.read();
        if !now.lacks_searcher(self.limit) {
            return Ok(());
        }
        if !visible() {
            return Ok(()); // Somebody has taken it, or it is a group's that is at its limit.
        }
        if let Some(worker) = roster.asleep.pop() {
            self.census.wake_up(); // R2
            drop(roster);
            self.station(worker).parker.unpark(); // R3
            return Ok(());
        }
        match start(self.vacancy(&roster)) {
            Ok(()) => self.enlist(&mut roster), // R4
            Err(refused) if now.alive() == 0 => return Err(refused),
            Err(_) => {}
        }
        Ok(())
    }

    /// Starts a worker with `start(number)`, whether there is work or not; false if there are as many as can be.
    pub(super) fn hire(&self, start: impl FnOnce(usize) -> io::Result<()>) -> io::Result<bool> {
        let mut roster = self.roster.lock();
        if self.census.read().alive() >= self.limit {
            return Ok(false);
        }
        start(self.vacancy(&roster))?;
        self.enlist(&mut roster);
        Ok(true)
    }

    /// The number of the next worker.
    fn vacancy(&self, roster: &Roster) -> usize {
        roster.free.last().copied().unwrap_or(self.used.load(Ordering::Relaxed))
    }

    /// The worker that has got the vacancy is counted, as searching.
    fn enlist(&self, roster: &mut Roster) {
        if roster.free.pop().is_none() {
            self.used.store(self.used.load(Ordering::Relaxed) + 1, Ordering::Release);
        }
        self.census.begin();
    }

    /// A new worker waits until R4 has counted it.
    pub(super) fn arrive(&self) {
        drop(self.roster.lock());
    }

    /// A searching worker has found work. True if it must call [`recruit`](Self::recruit) in case `visible` more is
    /// there: it was the last searcher, and submitters have relied on it.
    #[must_use]
    pub(super) fn stop_searching(&self, visible: impl FnOnce() -> bool) -> bool {
        let now = self.census.stop_searching(); // F1
        if !now.lacks_searcher(self.limit) {
            return false;
        }
        fence::heavy(); // F2
        visible() // F3
    }

    /// A searching worker sleeps until it is woken, unless `reason` to stay awake appears. If it comes to sleep, it does
    /// so with `sleep(parker)`, which gives up if it returns false. It is searching again when this returns; false if nobody has
    /// woken it.
    #[must_use]
    pub(super) fn park(
        &self,
        worker: usize,
        reason: impl FnOnce() -> bool,
        sleep: impl FnOnce(&Parker) -> bool,
    ) -> bool {
        {
            let mut roster = self.roster.lock();
            roster.asleep.push(worker);
            self.census.fall_asleep(); // P1
        }
        fence::heavy(); // P2
        if reason() {
            let mut roster = self.roster.lock(); // P3
            if roster.rise(worker) {
                self.census.wake_up();
                return true;
            }
            // Somebody has taken this worker off the stack already: the token is on its way.
        }
        let parker = &self.station(worker).parker;
        if sleep(parker) {
            return true; // P4
        }
        let mut roster = self.roster.lock();
        if roster.rise(worker) {
            self.census.wake_up();
            return false;
        }
        drop(roster);
        parker.park();
        true
    }

    pub(super) fn wake_all(&self) {
        let woken = {
            let mut roster = self.roster.lock();
            roster.asleep.iter().for_each(|_| self.census.wake_up());
            std::mem::take(&mut roster.asleep)
        };
        for worker in woken {
            self.station(worker).parker.unpark();
        }
    }

    /// A searching worker leaves for good.
    pub(super) fn leave(&self, worker: usize) {
        let mut roster = self.roster.lock();
        roster.free.push(worker);
        self.census.end();
    }

    /// A worker that has left comes back, searching, if there is no other.
    pub(super) fn come_back(&self, worker: usize) -> bool {
        let mut roster = self.roster.lock();
        let position = roster.free.iter().position(|&free| free == worker);
        match position.filter(|_| self.census.read().alive() == 0) {
            Some(position) => {
                roster.free.remove(position);
                self.census.begin();
                true
            }
            None => false,
        }
    }
}

impl Roster {
    /// A sleeper gets up by itself; false if somebody is waking it.
    fn rise(&mut self, worker: usize) -> bool {
        let position = self.asleep.iter().rposition(|&sleeper| sleeper == worker);
        position.map(|position| self.asleep.remove(position)).is_some()
    }
}
