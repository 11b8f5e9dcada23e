//! Water marks that are not reported, or wrongly.

mod common;

use common::{Count, Gate, LIMIT, eventually, lock, within_limit};
use fastthreadpool::{BuildError, Deadline, Event, ManualClock, Policy, Pool, Priority, WaterMark, fail, worker_index};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

type Told = Arc<Mutex<Vec<(WaterMark, usize)>>>;

fn marked(workers: i32, low: usize, high: usize) -> (Pool, Told) {
    let told = Told::default();
    let tell = {
        let told = Arc::clone(&told);
        move |water, queued| lock(&told).push((water, queued))
    };
    let pool = Pool::builder().workers(workers).water_marks(low, high, tell).build().expect("the marks are in order");
    (pool, told)
}

/// Issue 3, backpressure: high and low water callback.
#[test]
fn a_mark_is_told_once_for_each_passage() {
    within_limit(|| {
        let (pool, told) = marked(1, 2, 5);
        for round in 1..=3 {
            let gate = Gate::new();
            pool.spawn(gate.job()).expect("there is no limit");
            gate.wait_started(1);
            for queued in 1..=10 {
                pool.spawn(|| ()).expect("there is no limit");
                assert_eq!(lock(&told).len(), round * 2 - 2 + usize::from(queued >= 5));
            }
            assert_eq!(*lock(&told).last().expect("told"), (WaterMark::High, 5));
            gate.open();
            pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
            assert_eq!(lock(&told).len(), round * 2);
            assert_eq!(*lock(&told).last().expect("told"), (WaterMark::Low, 2));
        }
    });
}

/// Issue 3, backpressure: cancelled jobs count for the low mark.
#[test]
fn cancelled_jobs_lower_the_water() {
    let (pool, told) = marked(1, 0, 3);
    let gate = Gate::new();
    pool.spawn(gate.job()).expect("there is no limit");
    gate.wait_started(1);
    let ids: Vec<_> = (0..3).map(|_| pool.spawn(|| ()).expect("there is no limit")).collect();
    assert!(ids.iter().all(|&id| pool.cancel(id)));
    assert_eq!(*lock(&told), [(WaterMark::High, 3), (WaterMark::Low, 0)]);
}

/// Of jobs that are cancelled together, none keeps its place while the callback submits others.
#[test]
fn jobs_that_are_cancelled_together_make_room_before_the_low_mark() {
    within_limit(|| {
        let (pool, refills, gate) = (Arc::new(OnceLock::<Pool>::new()), Count::new(), Gate::new());
        let refill = {
            let (pool, refills) = (Arc::downgrade(&pool), refills.clone());
            move |mark, _| {
                if mark == WaterMark::Low && refills.add() < 2 {
                    pool.upgrade().unwrap().get().unwrap().spawn_batch([|| (), || ()]).unwrap();
                }
            }
        };
        let builder = Pool::builder().workers(1).max_queued(2, Policy::Block).water_marks(1, 2, refill);
        let pool = pool.get_or_init(|| builder.build().unwrap());
        let group = pool.group(1, Priority::Normal);
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        (0..2).for_each(|_| assert!(group.spawn(|| ()).is_ok()));
        assert_eq!((group.cancel_all(), pool.cancel_all()), (2, 2));
        assert_eq!((refills.get(), pool.pending()), (2, 3));
    });
}

/// Issue 3, backpressure: jobs that are submitted by the pool's own jobs count, whichever way they are submitted.
#[test]
fn a_jobs_own_submits_raise_the_water() {
    within_limit(|| {
        let submits: [fn(&Pool); 2] = [
            |pool| (0..5).for_each(|_| _ = pool.spawn(|| ()).expect("there is no limit")),
            |pool| _ = pool.spawn_batch(vec![|| (); 5]).expect("there is no limit"),
        ];
        for submit in submits {
            let (pool, told) = marked(1, 0, 5);
            let (own, heard) = (pool.clone(), Arc::clone(&told));
            let job = move || {
                submit(&own);
                lock(&heard).clone()
            };
            let heard_by_then = pool.submit(job).expect("there is no limit").join().expect("it runs");
            assert_eq!(heard_by_then, [(WaterMark::High, 5)]);
            pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
            assert_eq!(*lock(&told), [(WaterMark::High, 5), (WaterMark::Low, 0)]);
        }
    });
}

/// Issue 3, backpressure: calls alternate and never overlap, on any threads; the last one is correct.
#[test]
fn marks_alternate_under_load() {
    within_limit(|| {
        let (told, busy) = (Told::default(), Arc::new(Mutex::new(())));
        let tell = {
            let (told, busy) = (Arc::clone(&told), Arc::clone(&busy));
            move |water, queued| {
                let _alone = busy.try_lock().expect("two calls at a time");
                lock(&told).push((water, queued));
            }
        };
        let pool = Pool::builder().workers(2).max_queued(40, Policy::Block).water_marks(3, 30, tell);
        let pool = pool.build().expect("the marks are in order");
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..5000 {
                        pool.spawn(|| ()).expect("there is room in the end");
                    }
                });
            }
        });
        pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
        // A worker may be about to call it.
        eventually("the water is low", || lock(&told).last().is_none_or(|told| told.0 == WaterMark::Low));
        let told = lock(&told);
        let expected = [WaterMark::High, WaterMark::Low].into_iter().cycle();
        assert!(told.iter().zip(expected).all(|(told, expected)| told.0 == expected), "{told:?}");
    });
}

/// Bad input: marks out of order, a callback that panics.
#[test]
fn bad_marks_and_callbacks_do_no_harm() {
    let wrong = Pool::builder().water_marks(5, 5, |_, _| ()).build();
    assert!(matches!(wrong, Err(BuildError::InvalidWaterMarks { low: 5, high: 5 })));

    let pool = Pool::builder().workers(1).water_marks(0, 1, |_, _| panic!("swallowed")).build().expect("in order");
    for _ in 0..100 {
        pool.spawn(|| ()).expect("there is no limit");
    }
    pool.wait_idle(Deadline::after(LIMIT)).expect("all jobs end");
    assert_eq!(pool.failed(), 0);
}

/// No user code runs under a lock: the callback submits a timer while another one is rescheduled.
#[test]
fn a_timer_that_is_set_anew_lowers_the_water() {
    within_limit(|| {
        static POOL: OnceLock<Pool> = OnceLock::new();
        let clock = ManualClock::new();
        let (tell, told) = mpsc::channel();
        let set_a_timer = move |water, _| {
            let pool = POOL.get().expect("it was made");
            tell.send((water, pool.spawn_later(Duration::from_secs(60), || ()).is_ok())).unwrap();
        };
        let built = Pool::builder().workers(1).clock(&clock).water_marks(1, 2, set_a_timer).build().unwrap();
        let pool = POOL.get_or_init(|| built);
        let gate = Gate::new();
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let due = pool.spawn_later(Duration::from_secs(1), || ()).unwrap();
        pool.spawn(|| ()).unwrap();
        clock.advance(Duration::from_secs(1));
        assert_eq!(told.recv(), Ok((WaterMark::High, true)), "by a job that is due");
        assert!(pool.reschedule(due, Duration::from_secs(60)));
        assert_eq!(told.try_recv(), Ok((WaterMark::Low, true)));
    });
}

/// A worker in the callback does not count as searching: another one starts for jobs that are submitted meanwhile.
#[test]
fn a_callback_may_wait_for_a_job() {
    within_limit(|| {
        for _ in 0..50 {
            let told = Arc::new((Event::new(), Event::new()));
            let tell = {
                let told = Arc::clone(&told);
                move |water, _| {
                    if water == WaterMark::Low && worker_index().is_some() {
                        told.0.set();
                        told.1.wait();
                    }
                }
            };
            let pool = Pool::builder().workers(2).water_marks(0, 1, tell).build().unwrap();
            pool.spawn(|| ()).unwrap();
            if told.0.wait_until(Duration::from_millis(5)) {
                pool.spawn(move || told.1.set()).unwrap();
            } else {
                told.1.set(); // The worker was fast, and nothing was told.
            }
            pool.wait_idle(LIMIT).unwrap();
        }
    });
}

/// `fail` in the callback does not fail the next job.
#[test]
fn a_callback_fails_no_job() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).water_marks(1, 2, |_, _| _ = fail(1, "no job")).build().unwrap();
        let gate = Gate::new();
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let jobs: Vec<_> = (0..4).map(|_| pool.submit(|| ()).unwrap()).collect();
        gate.open();
        assert!(jobs.into_iter().all(|job| job.join().is_ok()));
    });
}
