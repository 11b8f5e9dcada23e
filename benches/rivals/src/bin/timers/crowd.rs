//! Very many timers at once.

use fastthreadpool::{JobId, ManualClock, Pool};
use rivals::native_timers::Timers;
use rivals::process::{cpu_time, resident};
use rivals::tally::{self, Round};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::sync::{Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

pub(crate) const STEPS: [&str; 7] = [
    "insert",
    "set anew, random order",
    "cancel, random order",
    "cancel, oldest first",
    "insert + cancel at once",
    "insert + fire",
    "bytes each",
];

pub(crate) type Make = Box<dyn Fn() -> Box<dyn Crowd>>;

/// Somebody who keeps timers. Each fires [`tally::record`] with its number.
pub(crate) trait Crowd {
    fn insert(&mut self, number: usize, delay: Duration);

    /// False if it cannot.
    fn cancel(&mut self, number: usize) -> bool;

    /// False if it cannot.
    fn reset(&mut self, number: usize, delay: Duration) -> bool;

    /// Lets an hour pass, and waits until everything that waits has run.
    fn fire(&mut self);
}

/// One time per step, or none if it cannot be done. Three crowds, one after another: what a step leaves is where the next begins.
pub(crate) fn measure(make: &Make, timers: usize) -> Vec<Option<f64>> {
    let mut random = Random(1);
    let delays: Vec<Duration> = (0..timers).map(|_| Duration::from_nanos(random.below(600_000_000_000))).collect();
    let order = random.shuffled(timers);
    let all = |crowd: &mut Box<dyn Crowd>| (0..timers).for_each(|number| crowd.insert(number, delays[number]));

    let mut crowd = make();
    // SAFETY: gives memory back that the allocator keeps.
    unsafe { libc::malloc_trim(0) };
    let memory = || resident().expect("Linux says how large a process is");
    let empty = memory();
    let round = Round::begin(timers);
    let inserting = time(timers, || all(&mut crowd));
    let bytes = (memory() - empty) / timers as f64;
    let firing = time(timers, || crowd.fire());
    round.verify().expect("what was inserted runs once");
    drop(crowd);

    let mut crowd = make();
    all(&mut crowd);
    let mut cancelled = false;
    let at_once = time(timers, || {
        cancelled = (timers..2 * timers).all(|number| {
            crowd.insert(number, delays[number - timers]);
            crowd.cancel(number)
        });
    });
    let in_order = time(timers, || cancelled &= (0..timers).all(|number| crowd.cancel(number)));
    none_is_left(crowd, cancelled);

    let mut crowd = make();
    all(&mut crowd);
    let mut reset = true;
    let resetting = time(timers, || {
        reset = order.iter().all(|&number| crowd.reset(number, delays[timers - 1 - number]));
    });
    let cancelling = time(timers, || cancelled &= order.iter().all(|&number| crowd.cancel(number)));
    none_is_left(crowd, cancelled);

    let when = |able: bool, ns: f64| able.then_some(ns);
    vec![
        Some(inserting),
        when(reset, resetting),
        when(cancelled, cancelling),
        when(cancelled, in_order),
        when(cancelled, at_once),
        Some(inserting + firing),
        Some(bytes),
    ]
}

/// All were cancelled, if that can be done.
fn none_is_left(mut crowd: Box<dyn Crowd>, cancelled: bool) {
    if cancelled {
        let round = Round::begin(0);
        crowd.fire();
        round.verify().expect("what was cancelled does not run");
    }
}

/// CPU time of all threads: other programs on the machine do not count.
fn time(count: usize, steps: impl FnOnce()) -> f64 {
    let began = cpu_time();
    steps();
    (cpu_time() - began).as_nanos() as f64 / count as f64
}

/// A pool with one worker, by a clock that goes when it is told to.
pub(crate) struct Ours {
    pool: Pool,
    clock: ManualClock,
    ids: Vec<JobId>,
}

impl Ours {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new();
        let pool = Pool::builder().workers(1).clock(&clock).build().expect("a pool");
        let mut ids = vec![JobId::from_number(1).expect("not 0"); 2 << 20];
        ids.clear(); // The memory is there now, and does not count as the timers'.
        Self { pool, clock, ids }
    }
}

impl Crowd for Ours {
    fn insert(&mut self, number: usize, delay: Duration) {
        self.ids.push(self.pool.spawn_later(delay, move || tally::record(number)).expect("the pool is open"));
    }

    fn cancel(&mut self, number: usize) -> bool {
        assert!(self.pool.cancel(self.ids[number]), "it waits");
        true
    }

    fn reset(&mut self, number: usize, delay: Duration) -> bool {
        assert!(self.pool.reschedule(self.ids[number], delay), "it waits");
        true
    }

    fn fire(&mut self) {
        self.clock.advance(Duration::from_secs(3600));
        self.pool.wait_idle(Duration::from_secs(60)).expect("it ends");
    }
}

/// tokio-util's queue, by tokio's paused clock, on the one thread that may use it.
pub(crate) struct Tokio {
    runtime: tokio::runtime::Runtime,
    queue: DelayQueue<usize>,
    keys: Vec<Key>,
}

impl Tokio {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let entered = runtime.enter();
        let queue = DelayQueue::new();
        drop(entered);
        Self { runtime, queue, keys: Vec::with_capacity(2 << 20) }
    }
}

impl Crowd for Tokio {
    fn insert(&mut self, number: usize, delay: Duration) {
        let _entered = self.runtime.enter();
        self.keys.push(self.queue.insert(number, delay));
    }

    fn cancel(&mut self, number: usize) -> bool {
        let _entered = self.runtime.enter();
        let removed = self.queue.remove(&self.keys[number]);
        assert_eq!(removed.into_inner(), number);
        true
    }

    fn reset(&mut self, number: usize, delay: Duration) -> bool {
        let _entered = self.runtime.enter();
        self.queue.reset(&self.keys[number], delay);
        true
    }

    fn fire(&mut self) {
        let queue = &mut self.queue;
        self.runtime.block_on(async {
            tokio::time::advance(Duration::from_secs(3600)).await;
            while !queue.is_empty() {
                let expired = poll_fn(|context| match queue.poll_expired(context) {
                    Poll::Ready(Some(expired)) => Poll::Ready(Some(expired.into_inner())),
                    _ => Poll::Ready(None),
                });
                if let Some(number) = expired.await {
                    tally::record(number);
                } else {
                    tokio::time::advance(Duration::from_millis(1)).await;
                }
            }
        });
    }
}

/// A loop of C or C++, on the one thread that may use it.
pub(crate) struct Native(pub(crate) Timers);

extern "C" fn record(number: usize) {
    tally::record(number);
}

impl Crowd for Native {
    fn insert(&mut self, number: usize, delay: Duration) {
        assert_eq!(self.0.insert(delay, record), number);
    }

    fn cancel(&mut self, number: usize) -> bool {
        self.0.cancel(number);
        true
    }

    fn reset(&mut self, number: usize, delay: Duration) -> bool {
        self.0.reset(number, delay);
        true
    }

    fn fire(&mut self) {
        self.0.fire();
    }
}

/// What one would write at first.
#[derive(Default)]
pub(crate) struct Heap {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    changed: Condvar,
    inserted: u64,
}

/// When it is due, in which order it came, and what is to be done.
type Entry = (Duration, u64, fn(usize), usize);

impl Heap {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

impl Crowd for Heap {
    fn insert(&mut self, number: usize, delay: Duration) {
        let due = (delay, self.inserted, tally::record as fn(usize), number);
        self.inserted += 1;
        self.heap.lock().expect("nobody panics").push(Reverse(due));
        self.changed.notify_one();
    }

    fn cancel(&mut self, _number: usize) -> bool {
        false
    }

    fn reset(&mut self, _number: usize, _delay: Duration) -> bool {
        false
    }

    fn fire(&mut self) {
        loop {
            let popped = self.heap.lock().expect("nobody panics").pop();
            let Some(Reverse((_, _, job, number))) = popped else { return };
            job(number);
        }
    }
}

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for place in (1..count).rev() {
            order.swap(place, self.below(place as u64 + 1) as usize);
        }
        order
    }
}
