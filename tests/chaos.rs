//! Operations of all kinds at random, by threads, by jobs and by callbacks, on pools with random settings. However they
//! meet, every accepted job has one end.
//!
//! `FTPOOL_SOAK_SEED` sets the seed, `FTPOOL_ROUNDS` the number of rounds.

mod chaos_books;
mod chaos_pool;
mod common;

use chaos_books::Record;
use chaos_pool::{build, hook};
use common::{Count, Counted, LIMIT, Random, eventually, for_each_seed, lock};
use fastthreadpool::{
    Deadline, Emitter, Group, JobError, JobHandle, JobId, ManualClock, MissedTicks, Outcome, Pool, Priority, Request,
    Results, Schedule, Shutdown, SubmitError, WaitError, as_completed, blocking, cancel_requested, fail,
};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use std::{iter, mem};

/// By which manual clocks advance.
const TICK: Duration = Duration::from_micros(50);

/// Owned by the code of a job.
struct Entry(Arc<Record>, Arc<Round>);

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

type Handle = (JobHandle<Counted>, Arc<Record>);

/// One pool from its first job to its end.
#[derive(Default)]
struct Round {
    /// `None` in the end: whoever uses it then is its last user.
    pool: Mutex<Option<Pool>>,
    clock: Option<ManualClock>,
    groups: Mutex<Vec<Group>>,
    results: Mutex<Vec<Results<Counted>>>,
    handles: Mutex<Vec<Handle>>,
    records: Mutex<Vec<Arc<Record>>>,
    /// Whose outcomes were read.
    read: Mutex<Vec<JobId>>,
    steps_left: AtomicI64,
    /// Whether some operations cancel all jobs, and whether some close the pool.
    cancels: bool,
    closes: bool,
    has_broken: AtomicBool,
    has_ended: AtomicBool,
    made: Count,
    dropped: Count,
    failures: Count,
    /// Of handles: added, removed and called.
    callbacks: [Count; 3],
}

/// Where an operation takes place. In a callback it does not wait.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Thread,
    Job,
    Callback,
}

fn moment(random: &mut Random) -> Duration {
    Duration::from_micros(random.below(300))
}

fn any<T: Clone>(random: &mut Random, all: &Mutex<Vec<T>>) -> Option<T> {
    let all = lock(all);
    all.get(random.below(all.len() as u64 + 1) as usize).cloned()
}

fn take<T>(random: &mut Random, all: &Mutex<Vec<T>>) -> Option<T> {
    let mut all = lock(all);
    let index = random.below(all.len() as u64 + 1) as usize;
    (index < all.len()).then(|| all.swap_remove(index))
}

impl Round {
    fn new(random: &mut Random) -> Arc<Self> {
        let clock = (random.below(2) == 0).then(ManualClock::new);
        Arc::new_cyclic(|round| {
            let (pool, cancels) = build(random, round, clock.as_ref());
            let priorities = [Priority::High, Priority::Normal, Priority::Low];
            let groups = priorities.map(|priority| pool.group(random.below(3) as usize, priority));
            Self {
                groups: Mutex::new(groups.into()),
                results: Mutex::new(vec![pool.results(), pool.results_bounded(1 + random.below(4) as usize)]),
                pool: Mutex::new(Some(pool)),
                clock,
                steps_left: AtomicI64::new(50 + random.below(300) as i64),
                cancels: cancels || random.below(2) == 0,
                closes: random.below(2) == 0,
                ..Self::default()
            }
        })
    }

    fn value(&self) -> Counted {
        self.made.add();
        self.dropped.on_drop()
    }

    /// The code of a new job.
    fn code(
        self: &Arc<Self>,
        random: &mut Random,
        depth: u32,
        record: Record,
    ) -> (Arc<Record>, impl Fn() -> Result<Counted, &'static str> + Send + Sync + use<>) {
        let record = Arc::new(Record { fails: random.below(4) == 0, ..record });
        lock(&self.records).push(Arc::clone(&record));
        let (entry, seed) = (Entry(Arc::clone(&record), Arc::clone(self)), random.number());
        let code = move || {
            let Entry(record, round) = &entry;
            let mut random = Random::new(seed + record.ran.fetch_add(1, SeqCst) as u64);
            match random.below(4) {
                0 => thread::yield_now(),
                1 => while !cancel_requested() && random.below(100) > 0 {},
                2 => blocking(|| round.maybe_act(&mut random, Place::Job, depth)),
                _ => round.maybe_act(&mut random, Place::Job, depth),
            }
            match random.below(3) {
                1 if record.fails => resume_unwind(Box::new(round.value())),
                2 if record.fails => Err("on purpose"),
                _ => Ok(round.value()).inspect(|_| assert!(!record.fails || fail(1, "on purpose"))),
            }
        };
        (record, code)
    }

    fn note(&self, record: &Record, verdict: Result<JobId, SubmitError>) {
        match verdict {
            Ok(id) => record.id.set(id).expect("a job is accepted once"),
            Err(SubmitError::Broken(_)) => assert!(self.has_broken.load(SeqCst)),
            Err(refused) => assert!(matches!(refused, SubmitError::Shutdown | SubmitError::Full), "{refused}"),
        }
    }

    fn keep(&self, record: Arc<Record>, verdict: Result<JobHandle<Counted>, SubmitError>) {
        if let Ok(handle) = verdict.map_err(|refused| self.note(&record, Err(refused))) {
            self.note(&record, Ok(handle.id()));
            lock(&self.handles).push((handle, record));
        }
    }

    fn maybe_act(self: &Arc<Self>, random: &mut Random, place: Place, depth: u32) {
        if depth > 0 && random.below(3) == 0 {
            self.act(random, place, depth - 1);
        }
    }

    /// One random operation.
    fn act(self: &Arc<Self>, random: &mut Random, place: Place, depth: u32) {
        let Some(pool) = lock(&self.pool).clone().filter(|_| self.steps_left.fetch_sub(1, SeqCst) > 0) else { return };
        let soon = if place == Place::Callback { Duration::ZERO } else { moment(random) };
        match random.below(24) {
            0 => {
                let (record, code) = self.code(random, depth, Record::default());
                let code = move || code().map(drop);
                let spawn = if random.below(2) == 0 { Pool::try_spawn } else { Pool::try_spawn_first };
                self.note(&record, spawn(&pool, code));
            }
            1 => {
                let jobs: Vec<_> = (0..8).map(|_| self.code(random, depth, Record::default())).collect();
                let (records, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
                let accepted = pool.try_spawn_batch(jobs.into_iter().map(|code| move || code().map(drop)));
                records.iter().zip(accepted.unwrap_or_default()).for_each(|(record, id)| self.note(record, Ok(id)));
            }
            2 | 3 => {
                let (record, code) = self.code(random, depth, Record::default());
                self.keep(record, pool.try_submit(code));
            }
            4..=8 => self.submit_with_options(random, depth, &pool),
            9 => self.schedule(random, depth, &pool),
            10 => {
                let Some(record) = any(random, &self.records) else { return };
                if let Some(&id) = record.id.get() {
                    if random.below(3) == 0 {
                        pool.reschedule(id, moment(random));
                    } else if pool.cancel(id) {
                        record.cancelled.store(true, SeqCst);
                    }
                }
            }
            11 if self.cancels => match random.below(4) {
                0 => _ = pool.cancel_all(),
                1 => _ = pool.cancel_timers(),
                2 => _ = any(random, &self.groups).map(|group| group.cancel_all()),
                _ => _ = pool.clear(soon),
            },
            12 if self.closes => {
                let mode = if self.cancels { Shutdown::Cancel } else { Shutdown::Drain };
                _ = pool.shutdown(mode, soon);
            }
            13 | 14 if self.closes => _ = pool.reopen(soon),
            15 => _ = pool.wait_idle(soon),
            16 => _ = any(random, &self.groups).map(|group| group.wait_idle(soon)),
            17 => _ = any(random, &self.results).map(|results| self.read(results.next(soon).ok())),
            18 => _ = self.clock.as_ref().map(|clock| clock.advance(TICK)),
            19 => self.share_work(random, place, depth, &pool),
            _ => self.use_handle(random, place, soon),
        }
    }

    /// Submits a job with options, whose outcomes go to a handle or to a results object.
    fn submit_with_options(self: &Arc<Self>, random: &mut Random, depth: u32, pool: &Pool) {
        let (results, group, count) = (any(random, &self.results), any(random, &self.groups), random.below(4) as usize);
        let [has_finally, has_deadline, is_delayed] = [(); 3].map(|()| random.below(3) == 0);
        let (is_delayed, emits) = (is_delayed && group.is_none(), results.as_ref().map(|_| count));
        let record = Record { has_finally, has_deadline, is_delayed, emits, ..Record::default() };
        let (record, code) = self.code(random, depth, record);
        let Some(results) = results else {
            let request = self.with_options(random, &record, group.as_ref(), pool.try_job(code));
            return self.keep(Arc::clone(&record), request.submit_handle());
        };
        let values: Vec<_> = (0..count).map(|_| self.value()).collect();
        let request = results.emitting(move |emitter| {
            values.into_iter().for_each(|value| emitter.emit(value));
            code().map(drop)
        });
        self.note(&record, self.with_options(random, &record, group.as_ref(), request).submit());
    }

    fn with_options<'a, F>(
        self: &Arc<Self>,
        random: &mut Random,
        record: &Arc<Record>,
        group: Option<&'a Group>,
        mut request: Request<'a, Counted, F>,
    ) -> Request<'a, Counted, F>
    where
        F: FnOnce(&Emitter<'_, Counted>) -> Result<Option<Counted>, JobError> + Send + 'static,
    {
        let this = Arc::downgrade(self);
        let [on_outcome, cleanup] = [(); 2].map(|()| (hook(random, &this), self.value()));
        if record.is_delayed {
            request = request.at(moment(random));
        } else if record.has_deadline {
            request = request.start_within(moment(random));
        }
        if record.has_finally {
            let record = Arc::clone(record);
            request = request.finally(move || _ = (record.finals.fetch_add(1, SeqCst), cleanup.0()));
        }
        if let Some(group) = group {
            request = request.group(group);
        }
        match random.below(3) {
            0 => request.first().run_limit("chaos", moment(random)),
            1 => request,
            _ => request.settle(move |_, result| (on_outcome.0(), result).1),
        }
    }

    fn schedule(self: &Arc<Self>, random: &mut Random, depth: u32, pool: &Pool) {
        let most_runs = 1 + random.below(5) as usize;
        let (record, code) = self.code(random, depth, Record { most_runs, is_delayed: true, ..Record::default() });
        let schedule = Schedule::every(Duration::from_micros(1 + random.below(200))).max_runs(most_runs as u64);
        let schedule = match random.below(4) {
            0 => schedule.fixed_delay(),
            1 => schedule.missed(MissedTicks::Skip),
            2 => schedule.missed(MissedTicks::Coalesce),
            _ => schedule.missed(MissedTicks::Queue).stop_on_error(),
        };
        match any(random, &self.results) {
            Some(results) => self.note(&record, results.try_schedule(schedule, code)),
            None => self.note(&record, pool.try_schedule(schedule, move || code().map(drop))),
        }
    }

    /// Work in which the caller takes part.
    fn share_work(self: &Arc<Self>, random: &mut Random, place: Place, depth: u32, pool: &Pool) {
        let (seed, ran, count) = (random.number(), Count::new(), 2 * random.below(20) as usize);
        let inside = if place == Place::Job { place } else { Place::Callback };
        let item = |index: usize| {
            ran.add();
            self.maybe_act(&mut Random::new(seed + index as u64 / 8), inside, depth);
        };
        // A callback must not wait for a scope's jobs: the workers may wait for the job that it belongs to.
        match random.below(if place == Place::Callback { 2 } else { 3 }) {
            0 => assert!(pool.for_range(0..count, item)),
            1 => (0..count).step_by(2).for_each(|index| _ = pool.join(|| item(index), || item(index + 1))),
            _ => pool.scope(|scope| (0..count).for_each(|index| scope.spawn(move || item(index)))),
        }
        assert_eq!(ran.get(), count);
    }

    fn use_handle(self: &Arc<Self>, random: &mut Random, place: Place, soon: Duration) {
        let Some((handle, record)) = take(random, &self.handles) else { return };
        let forever = place == Place::Job || place == Place::Thread && !record.is_delayed;
        let deadline = if forever && random.below(2) == 0 { Deadline::NEVER } else { Deadline::after(soon) };
        match random.below(6) {
            0 => _ = record.cancelled.fetch_or(handle.cancel(), SeqCst),
            1 => {
                let (round, acts, value) = (Arc::clone(self), hook(random, &Arc::downgrade(self)), self.value());
                self.callbacks[0].add();
                let key = handle.on_done(move |_| _ = (round.callbacks[2].add(), acts(), &value));
                if random.below(2) == 0 && handle.remove_callback(key) {
                    self.callbacks[1].add();
                }
            }
            2 => match handle.wait(deadline) {
                Ok(()) => assert!(handle.is_done()),
                Err(WaitError::TimedOut) => assert_ne!(deadline, Deadline::NEVER),
                Err(error) => assert!(error == WaitError::Deadlock && Pool::current().is_some()),
            },
            3 => return drop(handle),
            4 => {
                let other = take(random, &self.handles).map(|(handle, _)| handle);
                return as_completed([handle].into_iter().chain(other), soon)
                    .flatten()
                    .for_each(|job| assert!(job.is_done()));
            }
            _ => match handle.join_until(deadline) {
                Err(handle) => return lock(&self.handles).push((handle, record)),
                Ok(Ok(_)) => return assert!(record.ran.load(SeqCst) == 1 && !record.fails),
                Ok(Err(JobError::Cancelled | JobError::Expired)) => return assert_eq!(record.ran.load(SeqCst), 0),
                Ok(Err(_)) => return assert!(record.ran.load(SeqCst) == 1 && record.fails),
            },
        }
        lock(&self.handles).push((handle, record));
    }

    fn read(&self, outcome: Option<Outcome<Counted>>) -> bool {
        outcome.map(|outcome| lock(&self.read).push(outcome.id)).is_some()
    }

    /// Results with a bound are read while others wait.
    fn read_one(&self) {
        let results = lock(&self.results).clone();
        if !results.into_iter().any(|results| self.read(results.next(Deadline::NOW).ok())) {
            thread::yield_now();
        }
    }

    fn end(&self, random: &mut Random) {
        let pool = lock(&self.pool).take().expect("it ends once");
        match random.below(4) {
            0 => pool.shutdown(Shutdown::Drain, LIMIT).unwrap(),
            1 if self.cancels => pool.shutdown(Shutdown::Cancel, LIMIT).unwrap(),
            2 => pool.abandon(),
            _ => drop(pool),
        }
    }
}

/// Reliability R1.
#[test]
fn every_job_has_one_end_whatever_comes_together() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let round = Round::new(&mut random);
        thread::scope(|scope| {
            let work = |mut random: Random| {
                while round.steps_left.load(SeqCst) > 0 && lock(&round.pool).is_some() {
                    round.act(&mut random, Place::Thread, 3);
                }
            };
            if let Some(clock) = &round.clock {
                let has_ended = || round.has_ended.load(SeqCst);
                scope.spawn(move || iter::repeat(()).take_while(|()| !has_ended()).for_each(|()| clock.advance(TICK)));
            }
            let seeds: Vec<u64> = (0..1 + random.below(4)).map(|_| random.number()).collect();
            let threads = seeds.into_iter().map(|seed| scope.spawn(move || work(Random::new(seed))));
            let (threads, early) = (threads.collect::<Vec<_>>(), random.below(4) == 0);
            while threads.iter().any(|thread| !thread.is_finished()) && (!early || random.below(200) > 0) {
                round.read_one();
            }
            round.end(&mut random);
            eventually("all jobs have ended", || {
                round.read_one();
                lock(&round.records).iter().all(|record| record.dropped.load(SeqCst) > 0)
            });
            round.has_ended.store(true, SeqCst);
        });
        for results in mem::take(&mut *lock(&round.results)) {
            results.as_completed().for_each(|outcome| _ = round.read(Some(outcome)));
        }
        lock(&round.handles).drain(..).for_each(|(handle, _)| handle.wait(LIMIT).unwrap());
        lock(&round.groups).clear();
        eventually("nobody refers to the round", || Arc::strong_count(&round) == 1);
        eventually("everything is dropped", || round.made.get() == round.dropped.get());
        let records = mem::take(&mut *lock(&round.records));
        let (may_lapse, read) = (round.cancels || round.has_broken.load(SeqCst), lock(&round.read));
        records.iter().for_each(|record| record.check(may_lapse, &read));
        let failures = records.iter().filter(|record| record.fails).map(|record| record.ran.load(SeqCst)).sum();
        assert_eq!(round.failures.get(), failures);
        let [added, removed, called] = round.callbacks.each_ref().map(Count::get);
        assert_eq!(called, added - removed);
    });
}
