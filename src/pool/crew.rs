//! The workers of a pool as a body: who sleeps, who is woken, who is started.

use super::census::Census;
use super::station::Station;
use crate::sync::Parker;
use crate::sys::CachePadded;
use crate::sys::atomic::{Ordering, fence};
use crate::sys::fence;
use crate::sys::lock::Lock;
use std::io;
use std::sync::Arc;

/// Stations, the census, and the stack of sleeping workers. Protocol and proof: `README.md`, "Sleep and wake".
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) census: CachePadded<Census>,
    limit: usize,
    /// Sleeping workers; the one that fell asleep last is woken first, its cache is the warmest.
    asleep: Lock<Vec<usize>>,
    stations: Box<[Arc<CachePadded<Station>>]>,
}

impl Crew {
    /// At most `limit` workers, none of whom lives yet.
    pub(super) fn new(limit: usize, bounded: bool) -> Self {
        Self {
            census: CachePadded::new(Census::new(bounded)),
            limit,
            asleep: Lock::new(Vec::with_capacity(limit)),
            stations: (0..limit).map(|_| Arc::new(CachePadded::new(Station::new()))).collect(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn station(&self, worker: usize) -> &Arc<CachePadded<Station>> {
        &self.stations[worker]
    }

    /// The stations of all workers there can be; those that live have the first.
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
        let mut asleep = self.asleep.lock(); // R1
        fence(Ordering::SeqCst);
        let now = self.census.read();
        if !now.lacks_searcher(self.limit) {
            return Ok(());
        }
        if let Some(worker) = asleep.pop() {
            self.census.wake_up(); // R2
            drop(asleep);
            self.station(worker).parker.unpark(); // R3
            return Ok(());
        }
        if !visible() {
            return Ok(()); // A sleeper that woke by itself has taken it.
        }
        match start(now.alive()) {
            Ok(()) => self.census.begin(), // R4
            Err(refused) if now.alive() == 0 => return Err(refused),
            Err(_) => {}
        }
        Ok(())
    }

    /// A new worker waits until R4 has counted it.
    pub(super) fn arrive(&self) {
        drop(self.asleep.lock());
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
    /// so with `sleep(parker)`. It is searching again when this returns.
    pub(super) fn park(&self, worker: usize, reason: impl FnOnce() -> bool, sleep: impl FnOnce(&Parker)) {
        {
            let mut asleep = self.asleep.lock();
            asleep.push(worker);
            self.census.fall_asleep(); // P1
        }
        fence::heavy(); // P2
        if reason() {
            let mut asleep = self.asleep.lock(); // P3
            if let Some(position) = asleep.iter().rposition(|&sleeper| sleeper == worker) {
                asleep.remove(position);
                self.census.wake_up();
                return;
            }
            // Somebody has taken this worker off the stack already: the token is on its way.
        }
        sleep(&self.station(worker).parker); // P4
    }

    pub(super) fn wake_all(&self) {
        let woken = {
            let mut asleep = self.asleep.lock();
            asleep.iter().for_each(|_| self.census.wake_up());
            std::mem::take(&mut *asleep)
        };
        for worker in woken {
            self.station(worker).parker.unpark();
        }
    }

    /// A searching worker leaves for good.
    pub(super) fn leave(&self) {
        let _asleep = self.asleep.lock();
        self.census.end();
    }
}
