//! Timers that are inserted, rescheduled, cancelled and fired by several threads at once: none is lost, none runs
//! twice, none is early, and none outlives its pool.

mod common;

use common::{Count, Gate, LIMIT, Random, within_limit};
use fastthreadpool::{Due, JobId, ManualClock, MissedTicks, Pool, Schedule, Shutdown};
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Operations of the soak; `FTPOOL_SOAK_TIMERS` says another number.
fn operations() -> u64 {
    std::env::var("FTPOOL_SOAK_TIMERS").map_or(300_000, |text| text.parse().expect("a number of operations"))
}

/// How accepted timers have ended.
#[derive(Default)]
struct Ledger {
    accepted: AtomicU64,
    ran: AtomicU64,
    /// Timers that ran, and timers that were dropped without having run.
    dropped: AtomicU64,
    cancelled: AtomicU64,
    early: AtomicU64,
}

/// A timer's job: counts its run, and its end.
struct Entry {
    ledger: Arc<Ledger>,
    due: Instant,
}

impl Entry {
    fn run(self) {
        self.ledger.early.fetch_add(u64::from(Instant::now() < self.due), SeqCst);
        self.ledger.ran.fetch_add(1, SeqCst);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, SeqCst);
    }
}

/// One thread's share of the work on a pool.
fn churn(pool: &Pool, ledger: &Arc<Ledger>, seed: u64, operations: u64) {
    let mut random = Random::new(seed);
    let mut ids: Vec<JobId> = Vec::new();
    for _ in 0..operations {
        let delay = Duration::from_nanos(random.number() >> (64 - random.below(22)).min(63));
        match random.below(8) {
            0 | 1 if !ids.is_empty() => {
                let id = ids.swap_remove(random.below(ids.len() as u64) as usize);
                ledger.cancelled.fetch_add(u64::from(pool.cancel(id)), SeqCst);
                assert!(!pool.cancel(id), "a timer is cancelled once");
            }
            2 if !ids.is_empty() => {
                // Always later than it was to be: an entry knows when it would be early.
                pool.reschedule(ids[random.below(ids.len() as u64) as usize], Duration::from_millis(5));
            }
            3 if ids.len() > 500 => ids.truncate(100),
            _ => {
                let entry = Entry { ledger: Arc::clone(ledger), due: Instant::now() + delay };
                let due = Due::after(delay);
                let due = if random.below(2) == 0 { due } else { due.back() };
                ids.push(pool.spawn_at(due, move || entry.run()).unwrap());
                ledger.accepted.fetch_add(1, SeqCst);
            }
        }
    }
}

/// Reliability R1, conformance 36, 49: with cancels and resets racing against firing.
#[test]
fn no_timer_is_lost_or_runs_twice() {
    within_limit(|| {
        for (round, workers) in [1, 2, 4].into_iter().enumerate() {
            let (pool, ledger) = (Pool::builder().workers(workers).build().unwrap(), Arc::new(Ledger::default()));
            thread::scope(|scope| {
                for n in 0..4 {
                    let (pool, ledger) = (&pool, &ledger);
                    scope.spawn(move || churn(pool, ledger, (round as u64) << 8 | n, operations() / 12));
                }
            });
            pool.cancel_timers();
            pool.wait_idle(LIMIT).unwrap();
            let [accepted, ran, dropped, cancelled, early] =
                [&ledger.accepted, &ledger.ran, &ledger.dropped, &ledger.cancelled, &ledger.early]
                    .map(|n| n.load(SeqCst));
            assert_eq!((dropped, early, pool.delayed_count()), (accepted, 0, 0), "ran {ran}, cancelled {cancelled}");
            assert!(ran + cancelled <= accepted);
            drop(pool);
            assert_eq!(ledger.dropped.load(SeqCst), accepted);
        }
    });
}

/// Reliability R4: a pool that is shut down while timers are submitted, fire and are cancelled.
#[test]
fn a_pool_ends_in_the_middle_of_everything() {
    within_limit(|| {
        for round in 0..300_u64 {
            let pool = Pool::builder().workers(1 + (round % 4) as i32).build().unwrap();
            let (accepted, dropped) = (Count::new(), Count::new());
            thread::scope(|scope| {
                for n in 0..2 {
                    let (pool, accepted, dropped) = (&pool, &accepted, &dropped);
                    scope.spawn(move || {
                        let mut random = Random::new(round << 8 | n);
                        loop {
                            let (delay, owned) = (Duration::from_nanos(random.below(100_000)), dropped.on_drop());
                            accepted.add();
                            match pool.spawn_later(delay, move || drop(owned)) {
                                Ok(id) if random.below(3) == 0 => drop(pool.cancel(id)),
                                Ok(id) if random.below(3) == 0 => drop(pool.reschedule(id, delay)),
                                Ok(_) => {}
                                Err(_) => return,
                            }
                        }
                    });
                }
                let job = || ();
                pool.schedule(Schedule::every(Duration::from_micros(30)).missed(MissedTicks::Queue), job).unwrap();
                (0..round % 50).for_each(|_| thread::yield_now());
                let mode = if round % 2 == 0 { Shutdown::Drain } else { Shutdown::Cancel };
                pool.shutdown(mode, LIMIT).unwrap();
            });
            assert_eq!((pool.alive(), pool.pending(), pool.delayed_count(), pool.scheduled_count()), (0, 0, 0, 0));
            assert_eq!(dropped.get(), accepted.get(), "round {round}");
        }
    });
}

/// Reliability R11: while a million timers fire, submitters are not blocked, and everything runs.
#[test]
fn a_storm_of_timers_starves_nobody() {
    within_limit(|| {
        let clock = ManualClock::new();
        let pool = Pool::builder().workers(2).clock(&clock).build().unwrap();
        let (storm, others) = (Count::new(), Count::new());
        let timers = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
        for n in 0..timers {
            pool.spawn_later(Duration::from_nanos(n * 7919 % 1_000_003), storm.job()).unwrap();
        }
        thread::scope(|scope| {
            scope.spawn(|| clock.advance(Duration::from_secs(1)));
            for _ in 0..1000 {
                pool.spawn(others.job()).unwrap();
                let id = pool.spawn_later(Duration::from_secs(3600), || unreachable!("an hour ahead")).unwrap();
                assert!(pool.cancel(id));
            }
        });
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((storm.get() as u64, others.get(), pool.delayed_count()), (timers, 1000, 0));
    });
}

/// Reliability R1: workers sleep for timers, and are woken for jobs and earlier timers.
#[test]
fn a_worker_that_sleeps_for_a_far_timer_misses_neither_jobs_nor_earlier_timers() {
    within_limit(|| {
        for workers in [1, 2, 3] {
            let (pool, mut random) = (Pool::builder().workers(workers).build().unwrap(), Random::new(workers as u64));
            let (sender, receiver) = channel();
            for round in 0..1000 {
                let far = pool.spawn_later(Duration::from_secs(3600), || unreachable!("an hour ahead")).unwrap();
                let (delay, sender) = (Duration::from_nanos(random.below(300_000)), sender.clone());
                let due = Instant::now() + delay;
                pool.spawn_later(delay, move || sender.send(Instant::now()).unwrap()).unwrap();
                for job in 0..random.below(4) {
                    assert_eq!(pool.submit(move || job).unwrap().join().unwrap(), job);
                }
                let began = receiver.recv_timeout(LIMIT).unwrap();
                assert!(began >= due, "round {round}: early");
                if random.below(2) == 0 {
                    assert!(pool.cancel(far));
                }
            }
        }
    });
}

/// Schedules cancelled by others while their jobs run: the last run has ended when the closure is dropped.
#[test]
fn a_schedule_is_cancelled_while_it_runs() {
    within_limit(|| {
        for round in 0..2000_u64 {
            let pool = Pool::builder().workers(2).build().unwrap();
            let (dropped, results) = (Count::new(), pool.results());
            let owned = dropped.on_drop();
            let missed = [MissedTicks::Skip, MissedTicks::Coalesce, MissedTicks::Queue][round as usize % 3];
            let plan = Schedule::every(Duration::from_micros(20 + round % 60)).missed(missed);
            let job = move || {
                let _keep = &owned;
            };
            let id = results.schedule(plan, job).unwrap();
            if round % 2 == 0 {
                results.next(LIMIT).unwrap();
            }
            assert!(pool.cancel(id));
            let outcomes = results.as_completed().filter(|outcome| outcome.result.is_err()).count();
            assert_eq!((outcomes, dropped.get(), pool.cancel(id)), (1, 1, false), "round {round}");
            pool.wait_idle(LIMIT).unwrap();
        }
    });
}

/// Conformance 49, 51: cancelled while another thread reschedules it. In either order, it is not too late.
#[test]
fn a_queued_timer_is_cancelled_while_it_is_set_anew() {
    within_limit(|| {
        let (pool, gate) = (Pool::builder().workers(1).build().unwrap(), Gate::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let (own, (sender, ids)) = (pool.clone(), channel());
        let resetter = thread::spawn(move || {
            loop {
                match ids.try_recv() {
                    Ok(id) => _ = own.reschedule(id, Duration::from_secs(3600)),
                    Err(TryRecvError::Empty) => hint::spin_loop(),
                    Err(TryRecvError::Disconnected) => break,
                }
            }
        });
        for round in 0..20_000 {
            let id = pool.spawn_later(Duration::ZERO, || unreachable!("it is cancelled")).unwrap();
            sender.send(id).unwrap();
            assert!(pool.cancel(id), "round {round}");
        }
        drop(sender);
        resetter.join().unwrap();
    });
}
