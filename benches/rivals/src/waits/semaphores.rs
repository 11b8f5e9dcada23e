//! Scenarios of semaphores, and the semaphores that come as crates.

use super::race::{Body, How, Inside, Outcome, Waits, run, work};
use fastthreadpool::Semaphore;
use futures::executor::block_on;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number of permits.
pub trait Permits: Sync {
    const NAME: &'static str;

    fn new(permits: u32) -> Self;

    fn acquire(&self);

    fn release(&self);

    /// Takes and gives so often in one thread.
    #[inline(always)]
    fn alone(&self, times: usize) {
        for _ in 0..times {
            self.acquire();
            self.release();
        }
    }
}

/// Threads that do the same: take a permit, so many steps inside, give it back, so many steps outside.
#[derive(Clone, Copy, Debug)]
pub struct Contest {
    pub threads: usize,
    pub permits: u32,
    pub inside: u32,
    pub outside: u32,
    pub operations: usize,
}

/// One round. Permits are counted in the end, and threads inside where that costs nothing beside the rest.
pub fn contest<P: Permits>(contest: Contest) -> Result<Outcome, String> {
    let (semaphore, inside) = (P::new(contest.permits), Inside::default());
    let count = AtomicU64::new(0);
    let each = contest.operations / contest.threads;
    let alone = |_: &mut Waits| semaphore.alone(each);
    let body = |waits: &mut Waits| {
        for _ in 0..each {
            let began = waits.begin();
            semaphore.acquire();
            waits.end(began);
            if contest.permits == 1 {
                // Loses counts if two threads are inside.
                count.store(count.load(Relaxed) + 1, Relaxed);
            }
            if contest.inside > 0 {
                inside.enter(contest.permits);
                work(contest.inside);
                inside.leave();
            }
            semaphore.release();
            work(contest.outside);
        }
    };
    let bodies = match contest.threads {
        1 => vec![Box::new(alone) as Body<'_>],
        threads => (0..threads).map(|_| Box::new(body) as Body<'_>).collect(),
    };
    let outcome = run(bodies, each * contest.threads, How { every: contest.inside > 0, pinned: true });
    // Hangs if one was lost.
    (0..contest.permits).for_each(|_| semaphore.acquire());
    inside.verify()?;
    let (counted, expected) = (count.into_inner(), (each * contest.threads) as u64);
    if contest.permits == 1 && counted != expected {
        return Err(format!("{} counted {counted} of {expected}", P::NAME));
    }
    Ok(outcome)
}

/// Two threads take turns; each turn is counted.
pub fn ping_pong<P: Permits>(turns: usize, pinned: bool) -> Result<Outcome, String> {
    let (ping, pong, count) = (P::new(0), P::new(0), AtomicU64::new(0));
    let take_turns = |own: &P, other: &P, waits: &mut Waits| {
        for _ in 0..turns {
            let began = waits.begin();
            own.acquire();
            waits.end(began);
            count.store(count.load(Relaxed) + 1, Relaxed);
            other.release();
        }
    };
    ping.release();
    let outcome = run(
        vec![
            Box::new(|waits: &mut Waits| take_turns(&ping, &pong, waits)),
            Box::new(|waits: &mut Waits| take_turns(&pong, &ping, waits)),
        ],
        turns,
        How { pinned, ..How::default() },
    );
    let counted = count.load(Relaxed);
    if counted == 2 * turns as u64 { Ok(outcome) } else { Err(format!("{} took {counted} turns", P::NAME)) }
}

const PLACES: usize = 64;

/// A ring of places; which place is whose, a counter says.
struct Ring {
    places: [UnsafeCell<u64>; PLACES],
    head: AtomicU64,
    tail: AtomicU64,
}

// SAFETY: with one producer and one consumer, the semaphores say whose a place is.
unsafe impl Sync for Ring {}

/// One producer, one consumer and a ring of 64 places between them; the consumer adds up.
pub fn ring<P: Permits>(items: usize, pinned: bool) -> Result<Outcome, String> {
    let (free, full) = (P::new(PLACES as u32), P::new(0));
    let ring =
        Ring { places: [const { UnsafeCell::new(0) }; PLACES], head: AtomicU64::new(0), tail: AtomicU64::new(0) };
    let ring = &ring;
    let sum = AtomicU64::new(0);
    let produce = |waits: &mut Waits| {
        for item in 1..=items as u64 {
            let began = waits.begin();
            free.acquire();
            waits.end(began);
            let at = ring.tail.load(Relaxed);
            ring.tail.store(at + 1, Relaxed);
            let place = ring.places[at as usize % PLACES].get();
            // SAFETY: the permit says that this place is free.
            unsafe { place.write(item) };
            full.release();
        }
    };
    let consume = |waits: &mut Waits| {
        for _ in 0..items {
            let began = waits.begin();
            full.acquire();
            waits.end(began);
            let at = ring.head.load(Relaxed);
            ring.head.store(at + 1, Relaxed);
            let place = ring.places[at as usize % PLACES].get();
            // SAFETY: the permit says that this place is full.
            sum.fetch_add(unsafe { place.read() }, Relaxed);
            free.release();
        }
    };
    let outcome = run(vec![Box::new(produce), Box::new(consume)], items, How { pinned, ..How::default() });
    let (sum, expected) = (sum.load(Relaxed), (items * (items + 1) / 2) as u64);
    if sum == expected { Ok(outcome) } else { Err(format!("{}: the items add up to {sum}, not {expected}", P::NAME)) }
}

impl Permits for Semaphore {
    const NAME: &'static str = "Semaphore (Rust)";

    fn new(permits: u32) -> Self {
        Self::new(permits)
    }

    #[inline(always)]
    fn acquire(&self) {
        self.acquire().expect("nobody closes it");
    }

    #[inline(always)]
    fn release(&self) {
        self.release(1).expect("it has few permits");
    }
}

/// The fair kind.
pub struct Fair(Semaphore);

impl Permits for Fair {
    const NAME: &'static str = "Semaphore, fair (Rust)";

    fn new(permits: u32) -> Self {
        Self(Semaphore::fair(permits))
    }

    #[inline(always)]
    fn acquire(&self) {
        self.0.acquire().expect("nobody closes it");
    }

    #[inline(always)]
    fn release(&self) {
        self.0.release(1).expect("it has few permits");
    }
}

/// What a Rust program does without a semaphore.
pub struct StdPermits(std::sync::Mutex<u32>, std::sync::Condvar);

impl Permits for StdPermits {
    const NAME: &'static str = "std Mutex + Condvar";

    fn new(permits: u32) -> Self {
        Self(std::sync::Mutex::new(permits), std::sync::Condvar::new())
    }

    fn acquire(&self) {
        let permits = self.0.lock().expect("nobody panics");
        *self.1.wait_while(permits, |permits| *permits == 0).expect("nobody panics") -= 1;
    }

    fn release(&self) {
        *self.0.lock().expect("nobody panics") += 1;
        self.1.notify_one();
    }
}

/// The same with parking_lot.
pub struct ParkingPermits(parking_lot::Mutex<u32>, parking_lot::Condvar);

impl Permits for ParkingPermits {
    const NAME: &'static str = "parking_lot Mutex + Condvar";

    fn new(permits: u32) -> Self {
        Self(parking_lot::Mutex::new(permits), parking_lot::Condvar::new())
    }

    fn acquire(&self) {
        let mut permits = self.0.lock();
        self.1.wait_while(&mut permits, |permits| *permits == 0);
        *permits -= 1;
    }

    fn release(&self) {
        *self.0.lock() += 1;
        self.1.notify_one();
    }
}

impl Permits for tokio::sync::Semaphore {
    const NAME: &'static str = "tokio Semaphore";

    fn new(permits: u32) -> Self {
        Self::new(permits as usize)
    }

    fn acquire(&self) {
        match self.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) => block_on(self.acquire()).expect("nobody closes it").forget(),
        }
    }

    fn release(&self) {
        self.add_permits(1);
    }
}

impl Permits for async_lock::Semaphore {
    const NAME: &'static str = "async-lock Semaphore";

    fn new(permits: u32) -> Self {
        Self::new(permits as usize)
    }

    fn acquire(&self) {
        self.acquire_blocking().forget();
    }

    fn release(&self) {
        self.add_permits(1);
    }
}
