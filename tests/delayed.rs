//! Delayed jobs that are early, late or out of order, or that are reported wrongly.

mod common;

use common::{Count, Gate, LIMIT, lock, manual, within_limit};
use fastthreadpool::{
    Deadline, Due, JobError, JobId, JobState, Outcome, Pool, Shutdown, SubmitError, Tick, Until, WaitError,
    current_job, current_tick, wait,
};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(31_556_952);

/// The numbers of the jobs, in the order in which they ran.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u32>>>);

impl Log {
    fn job(&self, number: u32) -> impl FnOnce() + Clone + Send + Sync + 'static {
        let log = self.clone();
        move || lock(&log.0).push(number)
    }

    fn read(&self) -> Vec<u32> {
        lock(&self.0).clone()
    }
}

/// Conformance 36.
#[test]
fn nothing_is_early_and_what_is_due_is_queued() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(2), Count::new());
        pool.spawn_later(SECOND, ran.job()).unwrap();
        clock.advance(SECOND - Duration::from_nanos(1));
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.pending(), pool.alive()), (0, 0, 0));
        clock.advance(Duration::from_nanos(1));
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ran.get(), 1);
    });
}

/// Conformance 36: by the system's clock, also for jobs that are submitted while the pool sleeps for a later one.
#[test]
fn the_machines_clock_is_obeyed() {
    within_limit(|| {
        let (pool, (sender, receiver)) = (Pool::new().unwrap(), mpsc::channel());
        for delay in [40, 3, 20, 0, 1, 30, 10, 5].map(Duration::from_millis) {
            let (due, sender) = (Instant::now() + delay, sender.clone());
            pool.spawn_later(delay, move || sender.send((due, Instant::now(), delay)).unwrap()).unwrap();
            thread::yield_now();
        }
        let came: Vec<_> = receiver.iter().take(8).collect();
        assert!(came.iter().all(|(due, began, _)| began >= due), "{came:?}");
    });
}

/// Conformance 14: "front" is the default, and comes after submit_first.
#[test]
fn an_expired_job_goes_before_older_ordinary_ones() {
    within_limit(|| {
        let ((pool, clock), gate, log) = (manual(1), Gate::new(), Log::default());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        pool.spawn_at(Due::after(SECOND).back(), log.job(9)).unwrap();
        for (number, delay) in [(3, 3), (1, 1), (2, 2)] {
            pool.spawn_later(delay * SECOND, log.job(number)).unwrap();
        }
        for number in [5, 6] {
            pool.spawn(log.job(number)).unwrap();
        }
        clock.advance(10 * SECOND);
        pool.spawn_first(log.job(0)).unwrap();
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        let mut order = log.read();
        let back = order.iter().position(|&number| number == 9).unwrap();
        order.remove(back);
        assert_eq!(order, [0, 1, 2, 3, 5, 6]);
        assert!(back >= 4, "behind all that are due");
    });
}

/// Conformance 15.
#[test]
fn jobs_due_at_the_same_time_keep_their_order() {
    within_limit(|| {
        for back in [false, true] {
            let ((pool, clock), log) = (manual(1), Log::default());
            for number in 0..1000 {
                let due = Due::after(SECOND);
                pool.spawn_at(if back { due.back() } else { due }, log.job(number)).unwrap();
            }
            clock.advance(SECOND);
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(log.read(), (0..1000).collect::<Vec<_>>(), "back: {back}");
        }
    });
}

/// Conformance 38, 39.
#[test]
fn a_delay_of_zero_leaves_nothing_behind() {
    within_limit(|| {
        for pool in [Pool::new().unwrap(), manual(2).0] {
            let ran = Count::new();
            for _ in 0..1000 {
                pool.spawn_later(Duration::ZERO, ran.job()).unwrap();
                assert_eq!(pool.delayed_count(), 0);
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!((ran.get(), pool.delayed().len(), pool.pending()), (1000, 0, 0));
        }
    });
}

/// Conformance 39.
#[test]
fn the_view_shows_what_has_not_fired() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        let soon = pool.spawn_later(SECOND, ran.job()).unwrap();
        let late = pool.spawn_later(3 * SECOND, ran.job()).unwrap();
        clock.advance(SECOND / 2);
        let mut delayed = pool.delayed();
        delayed.sort_by_key(|timer| timer.due_in);
        let seen: Vec<_> = delayed.iter().map(|timer| (timer.id, timer.due_in)).collect();
        assert_eq!(seen, [(soon, Some(SECOND / 2)), (late, Some(5 * SECOND / 2))]);
        assert_eq!((pool.delayed_count(), pool.scheduled_count(), pool.scheduled().len()), (2, 0, 0));
        clock.advance(SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.timer(soon), pool.delayed_count()), (None, 1));
        assert!(pool.cancel(late));
        assert_eq!((pool.timer(late), pool.delayed_count(), ran.get()), (None, 0, 1));
    });
}

/// Conformance 16, 17: an id of the same kind as all others, the same from the outside and from the inside.
#[test]
fn the_id_is_known_in_the_job() {
    within_limit(|| {
        let ((pool, clock), results) = {
            let made = manual(2);
            let results = made.0.results();
            (made, results)
        };
        let ids: Vec<JobId> =
            (0..100).map(|_| results.submit_later(SECOND, || current_job().unwrap()).unwrap()).collect();
        clock.advance(SECOND);
        let mut inside: Vec<JobId> = results.as_completed().map(|outcome| outcome.result.unwrap()).collect();
        inside.sort();
        let mut outside = ids.clone();
        outside.sort();
        assert_eq!(inside, outside);
        let again = pool.spawn_later(SECOND, || {}).unwrap();
        assert!(!ids.contains(&again));
        assert!(!ids.into_iter().any(|id| pool.cancel(id)), "stale ids name nothing");
    });
}

/// Conformance 45, by a manual wall clock that is set.
#[test]
fn a_moment_on_the_wall_clock_follows_that_clock() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        let noon = clock.wall_clock() + 10 * SECOND;
        pool.spawn_at(noon, ran.job()).unwrap();
        clock.advance(9 * SECOND);
        clock.set_wall_clock(noon - 3600 * SECOND);
        clock.advance(3599 * SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.delayed_count()), (0, 1));
        clock.set_wall_clock(noon + SECOND);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.delayed_count()), (1, 0));
        // The clock is set back, so that the time lies ahead again.
        clock.set_wall_clock(noon - 5 * SECOND);
        for seconds in [2, 4, 3] {
            pool.spawn_at(noon - seconds * SECOND, ran.job()).unwrap();
        }
        for _ in 0..3 {
            clock.advance(SECOND);
            pool.wait_idle(LIMIT).unwrap();
        }
        assert_eq!(ran.get(), 4);
    });
}

/// Conformance 45: by the system's wall clock.
#[test]
fn the_machines_wall_clock_is_obeyed() {
    within_limit(|| {
        let (pool, (sender, receiver)) = (Pool::new().unwrap(), mpsc::channel());
        let due = SystemTime::now() + Duration::from_millis(20);
        pool.spawn_later(3600 * SECOND, || {}).unwrap();
        pool.spawn_at(Due::at_wall_clock(due).or_now(), move || sender.send(SystemTime::now()).unwrap()).unwrap();
        let began = receiver.recv_timeout(LIMIT).unwrap();
        assert!(began >= due);
    });
}

/// Conformance 45: a time that has passed is an error, or means now.
#[test]
fn a_moment_in_the_past_is_refused_or_now() {
    within_limit(|| {
        let ((pool, clock), ran, dropped) = (manual(1), Count::new(), Count::new());
        clock.advance(10 * SECOND);
        let past = clock.wall_clock() - SECOND;
        let owned = dropped.on_drop();
        let refused = pool.spawn_at(past, move || drop(owned)).unwrap_err();
        assert!(matches!(refused, SubmitError::Past), "{refused:?}");
        assert_eq!(dropped.get(), 1);
        assert!(matches!(pool.spawn_at(SystemTime::UNIX_EPOCH, || {}), Err(SubmitError::Past)));
        pool.spawn_at(Due::at_wall_clock(past).or_now(), ran.job()).unwrap();
        pool.spawn_at(Due::at_wall_clock(SystemTime::UNIX_EPOCH - SECOND).or_now(), ran.job()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.delayed_count()), (2, 0));
    });
}

/// Conformance 45: also where the clock cannot show the moment, since it began later.
#[test]
fn a_moment_before_the_clock_began_has_passed() {
    within_limit(|| {
        let (early, ran) = (Instant::now().checked_sub(SECOND).unwrap(), Count::new());
        let (pool, _clock) = manual(1);
        assert!(matches!(pool.spawn_at(early, || ()), Err(SubmitError::Past)));
        pool.spawn_at(Due::at(early).or_now(), ran.job()).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.delayed_count()), (1, 0));
    });
}

/// Reliability 11: nothing overflows.
#[test]
fn a_delay_of_centuries_is_accepted() {
    within_limit(|| {
        let ((pool, clock), ran) = (manual(1), Count::new());
        clock.advance(SECOND);
        for delay in [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX - 1), 500 * YEAR] {
            pool.spawn_later(delay, ran.job()).unwrap();
            pool.spawn_at(Due::after(delay).leeway(Duration::MAX), ran.job()).unwrap();
        }
        clock.advance(400 * YEAR);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((ran.get(), pool.delayed_count()), (0, 8));
        let real = Pool::new().unwrap();
        let id = real.spawn_later(Duration::MAX, ran.job()).unwrap();
        assert!(real.timer(id).unwrap().due_in > Some(500 * YEAR));
    });
}

/// Leeway is never used to be early, nor to be later than it allows.
#[test]
fn leeway_delays_no_more_than_it_says() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        let mut moments = std::collections::BTreeSet::new();
        for n in 1..1000_u32 {
            let (delay, leeway) = (n * Duration::from_micros(1013), Duration::from_millis(100));
            let id = pool.spawn_at(Due::after(delay).leeway(leeway), || {}).unwrap();
            let due = pool.timer(id).unwrap().due_in.unwrap();
            assert!(due >= delay && due <= delay + leeway, "{delay:?} became {due:?}");
            moments.insert(clock.elapsed() + due);
        }
        assert!(moments.len() <= 20, "a thousand timers wake the machine {} times", moments.len());
    });
}

/// The tick of a delayed job.
#[test]
fn a_late_job_knows_how_late_it_is() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        let results = pool.results();
        results.submit_later(SECOND, || current_tick().unwrap()).unwrap();
        clock.advance(5 * SECOND);
        let tick = results.next(LIMIT).unwrap().result.unwrap();
        assert_eq!((tick.number, tick.late_by), (1, 4 * SECOND));
        assert_eq!(current_tick(), None);
    });
}

/// Decision: as_completed waits for timers, wait_idle does not.
#[test]
fn as_completed_waits_for_a_timer() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        let results = pool.results();
        let later = results.submit_later(SECOND, || 7).unwrap();
        let never = results.submit_later(2 * SECOND, || 8).unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(results.next(Deadline::NOW).unwrap_err(), fastthreadpool::RecvError::TimedOut);
        assert!(pool.cancel(never));
        let advancing = clock.clone();
        let reader = thread::spawn(move || {
            results.as_completed().map(|outcome| (outcome.id, outcome.result.ok())).collect::<Vec<_>>()
        });
        advancing.advance(SECOND);
        let mut read = reader.join().unwrap();
        read.sort();
        let mut expected = vec![(later, Some(7)), (never, None)];
        expected.sort();
        assert_eq!(read, expected);
    });
}

/// Conformance 37.
#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_delayed_jobs_start_one_thread() {
    within_limit(|| {
        let (pool, ran) = (Pool::builder().workers(1).name("single").build().unwrap(), Count::new());
        for n in 0..10_000 {
            pool.spawn_later(Duration::from_micros(n), ran.job()).unwrap();
        }
        common::eventually("all have run", || ran.get() == 10_000);
        let named = common::linux::threads_named("single");
        assert_eq!(named.len(), 2, "a worker and a sleeper");
        assert_eq!(common::linux::threads_named("single-timer").len(), 1);
    });
}

/// Issue 5: callbacks and handles as for any job; the outcome says when the job was due.
#[test]
fn a_delayed_job_has_a_callback_and_a_handle() {
    within_limit(|| {
        let ((pool, clock), seen) = (manual(1), Arc::<Mutex<Vec<_>>>::default());
        let log = Arc::clone(&seen);
        let look = move |outcome: &Outcome<u32>| lock(&log).push((outcome.id, outcome.tick().map(|tick| tick.number)));
        let job = pool.job(|| 7).at(SECOND).then(look).submit_handle().unwrap();
        assert_eq!((job.state(), pool.delayed_count()), (JobState::Queued, 1));
        assert!(matches!(job.wait(Deadline::NOW), Err(WaitError::TimedOut)));
        clock.advance(SECOND);
        let id = job.id();
        assert_eq!(job.join().unwrap(), 7);
        assert_eq!(lock(&seen)[..], [(id, Some(1))]);
        let cancelled = pool.job(|| 7).at(SECOND).submit_handle().unwrap();
        assert!(cancelled.cancel());
        assert!(matches!(cancelled.join(), Err(JobError::Cancelled)));
        let past = Instant::now().checked_sub(SECOND).unwrap();
        assert!(matches!(pool.job(|| 7).at(past).submit_handle(), Err(SubmitError::Past)));
        let left = pool.job(|| 7).at(SECOND).submit_handle().unwrap();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        assert!(matches!(left.join(), Err(JobError::Cancelled)), "it was not due when the pool ended");
    });
}

/// Conformance 119: the only worker would wait for a job that only it could run, in every kind of wait.
#[test]
fn a_job_does_not_wait_for_ever_for_a_delayed_job_of_its_pool() {
    within_limit(|| {
        let (pool, clock) = manual(1);
        let waiting = pool.submit(move || {
            let pool = Pool::current().unwrap();
            let later = |delay| pool.job(|| 7).at(delay).submit_handle().unwrap();
            let alone = [later(SECOND), later(SECOND * 2)];
            assert_eq!(alone[0].wait(Deadline::NEVER), Err(WaitError::Deadlock));
            assert_eq!(wait(&alone, Until::First, Deadline::NEVER), Err(WaitError::Deadlock));
            assert_eq!(wait(&alone, Until::All, Deadline::NEVER), Err(WaitError::Deadlock));
            assert_eq!(alone[0].wait(Duration::from_millis(1)), Err(WaitError::TimedOut), "with a limit it may");
            let mixed = [later(SECOND), pool.submit(|| 8).unwrap()];
            assert_eq!(wait(&mixed, Until::First, Deadline::NEVER).unwrap().done, [1]);
            let [first, _] = alone;
            first
        });
        let first = waiting.unwrap().join().unwrap();
        clock.advance(SECOND);
        assert_eq!(first.join().unwrap(), 7, "outside it may be waited for");
    });
}

/// Issue 5: the outcome of a delayed job says how late it started.
#[test]
fn an_outcome_says_when_its_job_was_due() {
    within_limit(|| {
        let ((pool, clock), gate) = (manual(1), Gate::new());
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let results = pool.results();
        results.submit_later(SECOND, || 1).unwrap();
        results.try_submit_at(SECOND, || Err::<i32, _>("failed")).unwrap();
        results.submit(|| 2).unwrap();
        clock.advance(SECOND * 4);
        gate.open();
        let mut ticks: Vec<_> = results.as_completed().map(|outcome| (outcome.tick(), outcome.result.ok())).collect();
        ticks.sort_by_key(|(_, value)| *value);
        let late = |tick: Option<Tick>| tick.map(|tick| (tick.number, tick.late_by));
        let ticks: Vec<_> = ticks.into_iter().map(|(tick, value)| (late(tick), value)).collect();
        let due = Some((1, SECOND * 3));
        assert_eq!(ticks, [(due, None), (due, Some(1)), (None, Some(2))]);
    });
}
