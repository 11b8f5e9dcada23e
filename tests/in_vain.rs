//! Waits and submits that cannot succeed, and return an error.

mod common;

use common::{Count, Gate, LIMIT, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, Policy, Pool, RecvError, SubmitError};
use std::thread;
use std::time::Duration;

/// Reliability R10: the only possible worker would wait for itself.
#[test]
fn the_only_worker_does_not_wait_for_ever_for_its_own_pool() {
    within_limit(|| {
        let pool = pool_of(1);
        let (results, verdicts) = (pool.results(), pool.results());
        let reader = results.clone();
        let job = move || {
            reader.submit(|| 1).unwrap();
            let untimed = [
                reader.next(Deadline::NEVER).map(drop),
                reader.next_done(Deadline::NEVER).map(drop),
                reader.next_failed(Deadline::NEVER).map(drop),
            ];
            (untimed, reader.next(Duration::from_millis(1)).map(drop), reader.as_completed().count())
        };
        verdicts.submit(job).unwrap();
        let (untimed, timed, completed) = verdicts.next_done(LIMIT).unwrap().1;
        assert_eq!(untimed, [Err(RecvError::Deadlock); 3]);
        assert_eq!((timed, completed), (Err(RecvError::TimedOut), 0));
        assert_eq!(results.next_done(LIMIT).unwrap().1, 1, "nothing is lost");
    });
}

/// Reliability R10: available outcomes are read, and waiting for other pools and other workers is allowed.
#[test]
fn a_job_waits_where_an_outcome_can_come() {
    within_limit(|| {
        let (one, two) = (pool_of(1), pool_of(2));
        let verdicts = one.results();
        let of_another = two.results();
        let reader = verdicts.clone();
        let job = move || {
            of_another.submit(|| 5).unwrap();
            of_another.next(Deadline::NEVER).unwrap().result.unwrap()
        };
        verdicts.submit(job).unwrap();
        assert_eq!(reader.next_done(LIMIT).unwrap().1, 5);
        let (inner, outer) = (two.results(), two.results());
        let job = move || {
            inner.submit(|| 6).unwrap();
            inner.next(Deadline::NEVER).unwrap().result.unwrap() + 1
        };
        outer.submit(job).unwrap();
        assert_eq!(outer.next_done(LIMIT).unwrap().1, 7);
        let in_one = one.results();
        in_one.submit(|| 8).unwrap();
        one.wait_idle(LIMIT).unwrap();
        let (reader, results) = (in_one.clone(), one.results());
        results
            .submit(move || {
                (reader.next(Deadline::NEVER).unwrap().result.unwrap(), reader.next(Deadline::NEVER).is_err())
            })
            .unwrap();
        assert_eq!(results.next_done(LIMIT).unwrap().1, (8, true), "it is there; and then there is nothing more");
    });
}

/// Reliability R7: all of a batch or nothing, also when there is no thread for it.
#[test]
fn a_batch_for_which_no_thread_starts_is_refused_whole() {
    within_limit(|| {
        let pool = Pool::builder().workers(2).stack_size(1 << 60).build().unwrap();
        let (results, drops) = (pool.results(), Count::new());
        let job = || {
            let token = drops.on_drop();
            move || drop(token)
        };
        for round in 1..=50 {
            let refused = results.submit_batch((0..600).map(|_| job())).unwrap_err();
            assert!(matches!(refused, SubmitError::Thread(_)), "{refused}");
            assert!(matches!(pool.spawn_batch((0..600).map(|_| job())), Err(SubmitError::Thread(_))));
            assert!(matches!(pool.spawn(job()), Err(SubmitError::Thread(_))));
            assert!(matches!(results.submit_first(job()), Err(SubmitError::Thread(_))));
            assert_eq!((drops.get(), results.outstanding()), (1202 * round, 0));
            assert_eq!((pool.pending(), pool.alive(), pool.queued_ids()), (0, 0, vec![]));
        }
        pool.wait_idle(Deadline::NOW).unwrap();
        assert!(pool.spawn_batch(Vec::<fn()>::new()).unwrap().is_empty());
    });
}

/// Conformance 59: the end of a thread is the end of its thread-locals, and the deadline covers it.
#[test]
fn a_thread_that_takes_long_to_end_does_not_hold_a_shutdown_beyond_its_deadline() {
    use common::OnDrop;
    use fastthreadpool::{Shutdown, WaitError};
    use std::cell::RefCell;
    type Wish = OnDrop<Box<dyn FnMut()>>;
    thread_local!(static SLOW: RefCell<Option<Wish>> = const { RefCell::new(None) });
    within_limit(|| {
        let (pool, gate) = (pool_of(2), Gate::new());
        let door = gate.door();
        let job = move || {
            SLOW.set(Some(OnDrop(Box::new(move || door.pass()))));
        };
        pool.spawn(job).unwrap();
        for timeout in [Duration::from_millis(20), Duration::ZERO] {
            assert_eq!(pool.shutdown(Shutdown::Drain, timeout), Err(WaitError::TimedOut));
        }
        gate.wait_started(1);
        assert_eq!((pool.alive(), pool.pending()), (0, 0), "only the thread is left");
        assert_eq!(pool.reopen(Duration::from_millis(1)), Err(WaitError::TimedOut));
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        pool.shutdown(Shutdown::Drain, Deadline::NOW).expect("no thread is left");
    });
}

/// Conformance 11, 108: a submit that waits until a worker has its job is told the cause when the pool breaks.
#[test]
fn a_hand_off_that_a_broken_pool_ends_is_told_the_cause() {
    within_limit(|| {
        let (start, cancelled) = (Gate::new(), Gate::new());
        let (before, after) = (start.door(), cancelled.door());
        let hook = move |_| {
            before.pass();
            Err("no licence")
        };
        let builder = Pool::builder().workers(1).max_queued(0, Policy::HandOff);
        let (pool, start, cancelled) = (builder.try_on_start(hook).build().unwrap(), start, cancelled);
        // Timers are cancelled before queued jobs: this one keeps the worker from those.
        pool.job(|| ()).at(LIMIT).then(move |_| after.pass()).submit().unwrap();
        let first = pool.spawn(|| ());
        let second = thread::scope(|scope| {
            let second = scope.spawn(|| pool.spawn(|| ()));
            eventually("it waits", || pool.queued_ids().len() == 1);
            start.open();
            second.join().unwrap()
        });
        cancelled.open();
        assert!(first.is_ok(), "the worker had it");
        assert!(
            matches!(&second, Err(SubmitError::Broken(why)) if why.to_string().contains("no licence")),
            "{second:?}"
        );
    });
}
