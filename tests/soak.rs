//! Random operations on many threads, with every job recorded: each ends exactly once.
//!
//! `FTPOOL_SOAK_JOBS` says how many jobs (1 000 000), `FTPOOL_SOAK_SEED` repeats a run's choices.

mod common;

use common::{LIMIT, Random};
use fastthreadpool::{JobId, Pool, Results, Shutdown, SubmitError};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

const PRODUCERS: u64 = 8;

// The counts and flags in a job's record.
const RAN: u8 = 1; // to 3, so that a second run shows
const DROPPED: u8 = 4; // to 3
const ACCEPTED: u8 = 16;
const CANCELLED: u8 = 32;
const DELIVERED: u8 = 64;
const DELIVERED_TWICE: u8 = 128;

/// Jobs that have ended, in all rounds.
static PROGRESS: AtomicU64 = AtomicU64::new(0);

/// One pool's life.
struct Round {
    slots: Vec<AtomicU8>,
    used: AtomicUsize,
    panicked: AtomicU64,
    outcomes: AtomicU64,
    closing: AtomicBool,
    mode: Shutdown,
}

/// Owned by each job: its record.
struct Entry {
    round: Arc<Round>,
    number: usize,
}

impl Round {
    /// The record of a new job; `None` when there were enough.
    fn entry(self: &Arc<Self>) -> Option<Entry> {
        let number = self.used.fetch_add(1, SeqCst);
        (number < self.slots.len()).then(|| Entry { round: Arc::clone(self), number })
    }

    fn note(&self, number: usize, what: u8) {
        self.slots[number].fetch_add(what, SeqCst);
    }

    /// Records the result of a submit; true if the job was accepted.
    fn submitted<I>(&self, numbers: &[usize], verdict: Result<I, SubmitError>) -> Option<I> {
        match verdict {
            Ok(ids) => {
                numbers.iter().for_each(|&number| self.note(number, ACCEPTED));
                Some(ids)
            }
            Err(SubmitError::Shutdown) if self.closing.load(SeqCst) => None,
            Err(refused) => panic!("an open pool refused a job: {refused}"),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.round.note(self.number, DROPPED);
        PROGRESS.fetch_add(1, SeqCst);
    }
}

impl Entry {
    /// The job itself: sometimes it submits another one, sometimes it panics.
    fn run(self, choice: u64) -> usize {
        self.round.note(self.number, RAN);
        if choice.is_multiple_of(8)
            && let Some(child) = self.round.entry()
        {
            let pool = Pool::current().expect("this is a job");
            let (number, later) = (child.number, choice / 8);
            let submit = if later % 4 == 1 { Pool::spawn_first } else { Pool::spawn };
            let verdict = submit(&pool, detached(move || child.run(later)));
            let accepted = self.round.submitted(&[number], verdict).is_some();
            assert!(accepted || self.round.mode == Shutdown::Cancel, "a pool that drains accepts jobs of its own jobs");
        }
        if choice % 64 == 1 {
            self.round.panicked.fetch_add(1, SeqCst);
            resume_unwind(Box::new("on purpose"));
        }
        self.number
    }
}

/// The job without its value.
fn detached(job: impl FnOnce() -> usize + Send + 'static) -> impl FnOnce() + Send + 'static {
    move || {
        job();
    }
}

/// Submits and cancels until enough jobs were submitted or the pool is closed.
fn produce(round: &Arc<Round>, pool: &Pool, results: &Results<usize>, mut random: Random) {
    let mut own: Vec<(JobId, usize)> = Vec::new();
    loop {
        let many = if random.below(16) == 0 { 1 + random.below(100) } else { 1 };
        let entries: Vec<Entry> = (0..many).map_while(|_| round.entry()).collect();
        if entries.is_empty() {
            return;
        }
        let numbers: Vec<usize> = entries.iter().map(|entry| entry.number).collect();
        let choice = random.number();
        let jobs = entries.into_iter().map(|entry| detached(move || entry.run(choice)));
        let verdict = match random.below(3) {
            choice if choice == 0 || many > 1 => pool.spawn_batch(jobs),
            1 => jobs.map(|job| pool.spawn(job)).collect(),
            _ => jobs.map(|job| pool.spawn_first(job)).collect(),
        };
        match round.submitted(&numbers, verdict) {
            Some(ids) => own.extend(ids.into_iter().zip(numbers)),
            None => return,
        }
        if random.below(2) == 0 && !deliver(round, results, &mut random, &mut own) {
            return;
        }
        while own.len() > 200 || random.below(4) == 0 && !own.is_empty() {
            let (id, number) = own.swap_remove(random.below(own.len() as u64) as usize);
            if random.below(2) == 0 && pool.cancel(id) {
                round.note(number, CANCELLED);
                assert!(!pool.cancel(id), "a job is cancelled once");
            }
        }
    }
}

/// Submits a job with an outcome; false if the pool is closed or enough were submitted.
fn deliver(round: &Arc<Round>, results: &Results<usize>, random: &mut Random, own: &mut Vec<(JobId, usize)>) -> bool {
    let Some(entry) = round.entry() else { return false };
    let (number, choice) = (entry.number, random.number());
    let job = move || entry.run(choice);
    let verdict = if random.below(8) == 0 { results.submit_first(job) } else { results.submit(job) };
    match round.submitted(&[number], verdict) {
        Some(id) => {
            round.outcomes.fetch_add(1, SeqCst);
            own.push((id, number));
            true
        }
        None => false,
    }
}

/// One pool from its first job to its end.
fn run_round(random: &mut Random, jobs: usize) {
    let mode = if random.below(2) == 0 { Shutdown::Drain } else { Shutdown::Cancel };
    let slots = (0..jobs).map(|_| AtomicU8::new(0)).collect();
    let [panicked, outcomes] = [const { AtomicU64::new(0) }; 2];
    let round = Arc::new(Round { slots, used: 0.into(), panicked, outcomes, closing: false.into(), mode });
    let workers = 1 << random.below(4);
    let pool = Pool::builder().workers(workers).ordered(random.below(8) == 0).build().unwrap();
    let results = pool.results();
    let read = || {
        let outcomes = results.as_completed();
        outcomes.map(|outcome| outcome.result.map_or((), |number| round.note(number, DELIVERED))).count() as u64
    };
    let early_outcomes = thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|_| {
                let (random, round, pool, results) = (Random::new(random.number()), &round, &pool, &results);
                scope.spawn(move || produce(round, pool, results, random))
            })
            .collect();
        let reader = scope.spawn(read);
        if random.below(2) == 0 {
            thread::sleep(Duration::from_micros(random.below(3000)));
        } else {
            producers.into_iter().for_each(|producer| producer.join().unwrap());
        }
        round.closing.store(true, SeqCst);
        match random.below(4) {
            0 => pool.wait_idle(Duration::from_micros(100)).unwrap_or_default(),
            1 => pool.shutdown(mode, Duration::from_micros(100)).unwrap_or_default(),
            _ => {}
        }
        pool.shutdown(mode, LIMIT).unwrap();
        reader.join().unwrap()
    });
    assert_eq!((pool.pending(), pool.busy(), pool.alive(), results.outstanding()), (0, 0, 0, 0));
    assert_eq!(pool.failed(), round.panicked.load(SeqCst));
    assert_eq!(early_outcomes + read(), round.outcomes.load(SeqCst));
    for (number, slot) in round.slots.iter().enumerate().take(round.used.load(SeqCst)) {
        expect_one_end(number, slot.load(SeqCst), mode);
    }
}

/// A job was refused, ran, or was cancelled, and in each case was dropped once.
fn expect_one_end(number: usize, slot: u8, mode: Shutdown) {
    let (ran, dropped) = (slot % DROPPED / RAN, slot % ACCEPTED / DROPPED);
    let [accepted, cancelled, delivered] = [ACCEPTED, CANCELLED, DELIVERED].map(|bit| slot & bit != 0);
    let right = slot < DELIVERED_TWICE
        && match (accepted, ran) {
            (false, 0) => !cancelled && !delivered,
            (true, 0) => !delivered && (cancelled || mode == Shutdown::Cancel),
            (true, 1) => !cancelled,
            _ => false,
        };
    assert!(right && dropped == 1, "job {number} has {slot:#010b} in the books ({mode:?})");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("the setting is a number"))
}

/// Reliability R1.
#[test]
fn every_job_has_one_end() {
    let jobs = setting("FTPOOL_SOAK_JOBS").unwrap_or(1_000_000) as usize;
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |now| now.subsec_nanos().into());
    let seed = setting("FTPOOL_SOAK_SEED").unwrap_or_else(clock);
    println!("FTPOOL_SOAK_SEED={seed}");
    let (done, ended) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let mut before = u64::MAX;
        while ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = PROGRESS.load(SeqCst);
            if std::mem::replace(&mut before, now) == now {
                eprintln!("no job has ended for a minute; FTPOOL_SOAK_SEED={seed}");
                std::process::abort();
            }
        }
    });
    let mut random = Random::new(seed);
    let mut run = 0;
    while run < jobs {
        let most = if random.below(4) == 0 { 20_000 } else { 2_000 };
        let round = 1 + random.below(most) as usize;
        run_round(&mut random, round);
        run += round;
    }
    drop(done);
    watchdog.join().unwrap();
}
