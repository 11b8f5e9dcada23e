//! Limits, groups, water marks, cancelling and reopening, combined at random, checked against simple counts.
//!
//! `FTPOOL_SOAK_SEED` sets the seed, `FTPOOL_ROUNDS` the number of rounds.

mod common;

use common::{Gate, LIMIT, Random, for_each_seed, lock};
use fastthreadpool::{Deadline, Group, JobId, Policy, Pool, Priority, Shutdown, SubmitError, WaitError, WaterMark};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const MOMENT: Duration = Duration::from_micros(300);
const THREADS: u64 = 3;
const STEPS: usize = 120;

/// How all jobs have ended.
#[derive(Default)]
struct Books {
    accepted: AtomicUsize,
    refused: AtomicUsize,
    run: AtomicUsize,
    /// Jobs that were dropped, run or not.
    gone: AtomicUsize,
    made: AtomicUsize,
    /// Jobs that began beyond the limit of their group.
    too_many: AtomicUsize,
    ids: Mutex<Vec<JobId>>,
}

/// Counts a job's end when it is dropped.
struct Entry(Arc<Books>);

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, SeqCst);
    }
}

/// A group, and how many of its jobs run.
#[derive(Clone)]
struct Counted {
    group: Arc<Group>,
    running: Arc<AtomicUsize>,
}

struct Round {
    pool: Pool,
    groups: Vec<Counted>,
    books: Arc<Books>,
}

impl Round {
    fn new(random: &mut Random, told: &Arc<Mutex<Vec<WaterMark>>>) -> (Arc<Self>, usize, Policy) {
        let most = [1, 2, 5, 300][random.below(4) as usize];
        let policy = match random.below(6) {
            0 => Policy::Block,
            1 => Policy::Timed(MOMENT),
            2 => Policy::Reject,
            3 => Policy::CallerRuns,
            4 => Policy::DiscardOldest,
            _ => Policy::HandOff,
        };
        let mut builder = Pool::builder().workers(1 + random.below(3) as i32).max_queued(most, policy);
        builder = builder.ordered(random.below(4) == 0);
        if random.below(3) == 0 {
            builder = builder.idle_timeout(MOMENT);
        }
        if random.below(4) == 0 {
            builder = builder.jobs_per_worker(7);
        }
        if random.below(2) == 0 {
            let told = Arc::clone(told);
            builder = builder.water_marks(random.below(2) as usize, 2, move |mark, _| lock(&told).push(mark));
        }
        let pool = builder.build().expect("the settings fit");
        let priorities = [Priority::High, Priority::Normal, Priority::Low];
        let group = |priority| {
            let group = Arc::new(pool.group(1 + random.below(2) as usize, priority));
            Counted { group, running: Arc::default() }
        };
        let groups = priorities.map(group).into();
        (Arc::new(Self { pool, groups, books: Arc::default() }), most, policy)
    }

    /// A job that may itself submit, cancel or panic.
    fn job(self: &Arc<Self>, random: &mut Random, of: Option<&Counted>, depth: u32) -> impl FnOnce() + Send + use<> {
        self.books.made.fetch_add(1, SeqCst);
        let (round, entry, seed) = (Arc::clone(self), Entry(Arc::clone(&self.books)), random.number());
        let of = of.cloned();
        move || {
            let _entry = entry;
            if let Some(Counted { group, running }) = &of {
                round.books.too_many.fetch_add(usize::from(running.fetch_add(1, SeqCst) >= group.limit()), SeqCst);
            }
            round.books.run.fetch_add(1, SeqCst);
            let mut random = Random::new(seed);
            match random.below(12) {
                0 => thread::yield_now(),
                1 => thread::sleep(MOMENT / 4),
                2 | 3 if depth > 0 => round.submit(&mut random, depth - 1),
                4 => round.cancel(&mut random),
                _ => {}
            }
            if let Some(Counted { running, .. }) = &of {
                running.fetch_sub(1, SeqCst);
            }
        }
    }

    fn note(&self, verdict: Result<JobId, SubmitError>) {
        let kept = match verdict {
            Ok(id) => {
                lock(&self.books.ids).push(id);
                &self.books.accepted
            }
            Err(SubmitError::Full | SubmitError::Shutdown) => &self.books.refused,
            Err(other) => panic!("{other:?}"),
        };
        kept.fetch_add(1, SeqCst);
    }

    fn submit(self: &Arc<Self>, random: &mut Random, depth: u32) {
        match random.below(9) {
            0 => self.note(self.pool.spawn_first(self.job(random, None, depth))),
            1 => {
                let jobs: Vec<_> = (0..=random.below(3)).map(|_| self.job(random, None, depth)).collect();
                let count = jobs.len();
                match self.pool.spawn_batch(jobs) {
                    Ok(ids) => ids.into_iter().for_each(|id| self.note(Ok(id))),
                    Err(why) => {
                        self.note(Err(why));
                        self.books.refused.fetch_add(count - 1, SeqCst);
                    }
                }
            }
            2 => {
                let deadline = if random.below(2) == 0 { Deadline::NOW } else { MOMENT.into() };
                self.note(self.pool.offer(self.job(random, None, depth), deadline).map_err(|refused| refused.error));
            }
            3..=5 => {
                let of = &self.groups[random.below(3) as usize];
                let job = self.job(random, Some(of), depth);
                let first = random.below(3) == 0;
                self.note(if first { of.group.spawn_first(job) } else { of.group.spawn(job) });
            }
            6 => match self.pool.submit(self.job(random, None, depth)) {
                Ok(handle) => {
                    if random.below(2) == 0 {
                        handle.cancel();
                    }
                    self.note(Ok(handle.id()));
                }
                Err(why) => self.note(Err(why)),
            },
            7 => {
                let of = &self.groups[random.below(3) as usize];
                let job = self.pool.job(self.job(random, Some(of), depth)).group(&of.group).start_within(MOMENT);
                self.note(job.submit());
            }
            _ => self.note(self.pool.spawn(self.job(random, None, depth))),
        }
    }

    fn cancel(&self, random: &mut Random) {
        match random.below(8) {
            0 => _ = self.pool.cancel_all(),
            1 => _ = self.groups[random.below(3) as usize].group.cancel_all(),
            _ => {
                let id = {
                    let ids = lock(&self.books.ids);
                    let back = random.below(8) as usize;
                    ids.iter().rev().nth(back).copied()
                };
                id.into_iter().for_each(|id| _ = self.pool.cancel(id));
            }
        }
    }

    fn step(self: &Arc<Self>, random: &mut Random) {
        match random.below(40) {
            0 => _ = self.pool.wait_idle(MOMENT),
            1 => _ = self.groups[random.below(3) as usize].group.wait_idle(MOMENT),
            2..=9 => self.cancel(random),
            10 => _ = self.pool.clear(MOMENT),
            11 if random.below(4) == 0 => self.close(random),
            12 => _ = (self.pool.pending(), self.pool.queued_ids(), self.groups[0].group.pending()),
            _ => self.submit(random, 2),
        }
    }

    fn close(&self, random: &mut Random) {
        match random.below(3) {
            0 => _ = self.pool.shutdown(Shutdown::Drain, MOMENT),
            1 => _ = self.pool.shutdown(Shutdown::Cancel, MOMENT),
            _ => _ = self.pool.shutdown_now(&mut Vec::new(), LIMIT),
        }
        while self.pool.reopen(LIMIT) == Err(WaitError::TimedOut) {}
    }

    /// Checks that no job is left, that the counts agree, and that every place is free.
    fn expect_rest(&self, most: usize, policy: Policy) {
        while self.pool.reopen(LIMIT).is_err() {}
        self.pool.wait_idle(LIMIT).expect("all jobs end");
        for Counted { group, running } in &self.groups {
            group.wait_idle(LIMIT).expect("all jobs of the group end");
            assert_eq!((group.pending(), group.busy(), running.load(SeqCst)), (0, 0, 0));
        }
        assert_eq!((self.pool.pending(), self.pool.queued_ids()), (0, vec![]));
        let [made, gone, accepted, refused, run] = {
            let Books { made, gone, accepted, refused, run, .. } = &*self.books;
            [made, gone, accepted, refused, run].map(|count| count.load(SeqCst))
        };
        assert_eq!((made, made), (gone, accepted + refused), "made, gone; accepted {accepted}, refused {refused}");
        assert!(run <= accepted && self.books.too_many.load(SeqCst) == 0);
        if policy == Policy::HandOff {
            return;
        }
        let gate = Gate::new();
        let workers = self.pool.limit();
        for started in 1..=workers {
            self.pool.spawn(gate.job()).expect("there is room");
            gate.wait_started(started);
        }
        for _ in 0..most {
            self.pool.offer(|| (), Deadline::NOW).expect("there is room for as many as ever");
        }
        assert!(self.pool.offer(|| (), Deadline::NOW).is_err(), "there is more room than ever");
        gate.open();
        self.pool.wait_idle(LIMIT).expect("all jobs end");
    }
}

fn round(seed: u64) {
    let mut random = Random::new(seed);
    let told = Arc::default();
    let (round, most, policy) = Round::new(&mut random, &told);
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (round, mut random) = (Arc::clone(&round), Random::new(random.number()));
            thread::spawn(move || (0..STEPS).for_each(|_| round.step(&mut random)))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no step fails"));
    round.expect_rest(most, policy);
    round.pool.shutdown(Shutdown::Drain, LIMIT).expect("the pool ends");
    let told = lock(&told);
    let alternate = told.iter().enumerate().all(|(number, &mark)| (mark == WaterMark::High) == (number % 2 == 0));
    assert!(alternate && told.len() % 2 == 0, "marks do not alternate: {told:?}");
}

/// Under concurrent operations each accepted job ends once, nothing waits forever, groups keep their limits, and in the
/// end every place is free.
#[test]
fn books_agree_whatever_happens_at_a_time() {
    for_each_seed(round);
}
