//! Handles that report a wrong state, or lose outcomes.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, blocked, eventually, pool_of, within_limit};
use fastthreadpool::{Deadline, JobError, JobState, Pool, WaitError, cancel_requested, current_job, fail};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// Conformance 109, 18.
#[test]
fn a_handle_follows_its_job_from_the_queue_to_its_value() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let first = pool.submit(gate.job()).unwrap();
        gate.wait_started(1);
        let second = pool.submit(|| current_job().unwrap()).unwrap();
        assert_eq!((first.state(), second.state()), (JobState::Running, JobState::Queued));
        assert!(second.get().is_none() && !second.is_done());
        assert_eq!(second.wait(Deadline::NOW), Err(WaitError::TimedOut));
        assert_eq!(second.wait(Duration::from_millis(1)), Err(WaitError::TimedOut));
        gate.open();
        second.wait(LIMIT).unwrap();
        assert_eq!((first.state(), second.state()), (JobState::Done, JobState::Done));
        for _ in 0..2 {
            assert_eq!(*second.get().unwrap().unwrap(), second.id());
        }
        let id = second.id();
        assert_ne!(first.id(), id);
        assert_eq!(second.join().unwrap(), id);
    });
}

/// Conformance 109: every state and outcome of a job.
#[test]
fn a_handle_says_why_there_is_no_value() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let panicked = pool.submit(|| -> u8 { panic!("no value") }).unwrap();
        let returned = pool.try_submit(|| Err::<u8, _>("an error")).unwrap();
        let declared = pool
            .submit(|| {
                fail(3, "declared");
                1
            })
            .unwrap();
        let cancelled = pool.submit(|| 1).unwrap();
        assert!(cancelled.cancel());
        assert_eq!(cancelled.state(), JobState::Cancelled);
        gate.open();
        for job in [&panicked, &returned, &declared] {
            job.wait(LIMIT).unwrap();
            assert_eq!(job.state(), JobState::Failed);
        }
        assert_eq!(pool.failed(), 3);
        let text = |error: &JobError| error.to_string();
        assert_eq!(text(panicked.get().unwrap().unwrap_err()), "the job panicked: no value");
        assert_eq!(text(&returned.join().unwrap_err()), "the job failed: an error");
        assert_eq!(text(&declared.join().unwrap_err()), "the job failed: declared (code 3)");
        assert!(matches!(cancelled.join(), Err(JobError::Cancelled)));
    });
}

/// Conformance 113: also if the job's callback has put another result in the place of the cancellation.
#[test]
fn a_cancelled_job_stays_cancelled_whatever_its_callback_makes_of_it() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let settled = pool.job(|| 1).settle(|_, _| Ok(2)).submit_handle().unwrap();
        let refused = pool.job(|| 1).then(|_| panic!("on purpose")).submit_handle().unwrap();
        assert!([&settled, &refused].into_iter().all(|job| job.cancel() && job.cancel()));
        assert!(settled.join().is_ok_and(|value| value == 2) && matches!(refused.join(), Err(JobError::Panicked(_))));
        let expired =
            pool.job(|| 1).start_within(Duration::from_nanos(1)).settle(|_, _| Ok(2)).submit_handle().unwrap();
        expired.wait(LIMIT).unwrap();
        assert!(!expired.cancel(), "it was not cancelled");
        gate.open();
    });
}

/// Conformance 113.
#[test]
fn cancelling_wakes_waiters_at_once_and_only_works_on_queued_jobs() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let (ran, drops) = (Count::new(), Count::new());
        let token = drops.on_drop();
        let (run, owned) = (ran.clone(), token);
        let job = Arc::new(std::sync::Mutex::new(Some(
            pool.submit(move || {
                run.add();
                drop(owned);
            })
            .unwrap(),
        )));
        let (sent, id) = mpsc::channel();
        let waiter = {
            let job = job.lock().unwrap().take().unwrap();
            let sent = sent.clone();
            thread::spawn(move || {
                sent.send(job.id()).unwrap();
                let outcome = job.join();
                assert!(matches!(outcome, Err(JobError::Cancelled)));
            })
        };
        let id = id.recv().unwrap();
        assert!(pool.cancel(id), "the only worker is blocked, and need not be asked");
        waiter.join().unwrap();
        assert_eq!((ran.get(), drops.get()), (0, 1));
        let again = pool.submit(|| 1).unwrap();
        assert!(again.cancel() && again.cancel(), "cancelled stays cancelled");
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        let done = pool.submit(|| 1).unwrap();
        done.wait(LIMIT).unwrap();
        assert!(!done.cancel());
        assert_eq!(done.join().unwrap(), 1);
    });
}

/// Conformance 109: a running job is asked to stop, and only that one.
#[test]
fn a_running_job_learns_that_it_was_cancelled() {
    within_limit(|| {
        let (pool, gate) = (pool_of(2), Gate::new());
        let door = gate.door();
        let asked = pool
            .submit(move || {
                door.pass();
                cancel_requested()
            })
            .unwrap();
        let door = gate.door();
        let other = pool
            .submit(move || {
                door.pass();
                cancel_requested()
            })
            .unwrap();
        gate.wait_started(2);
        assert!(!asked.cancel());
        gate.open();
        assert!(asked.join().unwrap());
        assert!(!other.join().unwrap());
        assert!(!pool.submit(cancel_requested).unwrap().join().unwrap(), "the next job of the worker");
        assert!(!cancel_requested());
    });
}

/// Conformance 103: a job is running until its callback has returned.
#[test]
fn a_callback_learns_that_its_job_was_cancelled() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let door = gate.door();
        let pausing = move |_, _| {
            door.pass();
            Ok(cancel_requested())
        };
        let job = pool.job(|| false).settle(pausing).submit_handle().unwrap();
        gate.wait_started(1);
        assert_eq!((job.state(), job.cancel()), (JobState::Running, false));
        gate.open();
        assert!(job.join().unwrap());
        let next = pool.job(|| false).settle(|_, _| Ok(cancel_requested())).submit_handle().unwrap();
        assert!(!next.join().unwrap(), "the next job of the worker");
    });
}

/// Conformance 103: so do the parts of it that other threads run.
#[test]
fn the_parts_of_a_job_learn_that_it_was_cancelled() {
    type Way = fn(&Pool, &(dyn Fn() + Sync));
    let ways: [Way; 3] = [
        |pool, part| _ = pool.for_range(0..2, |_| part()),
        |pool, part| _ = pool.join(part, part),
        |pool, part| {
            pool.scope(|scope| {
                scope.spawn(part);
                part();
            });
        },
    ];
    within_limit(move || {
        for way in ways {
            let (pool, gate) = (pool_of(2), Gate::new());
            let (inner, door) = (pool.clone(), gate.door());
            let part = move || {
                door.pass();
                eventually("it is asked to stop", cancel_requested);
            };
            let job = pool.submit(move || way(&inner, &part)).unwrap();
            gate.wait_started(2);
            assert!(!job.cancel());
            gate.open();
            job.join().unwrap();
            assert!(!pool.run(cancel_requested).unwrap(), "the next job of a worker");
        }
    });
}

/// Conformance 109, 118.
#[test]
fn callbacks_come_once_in_order_and_can_be_removed() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let job = pool.submit(|| 7).unwrap();
        let (sender, calls) = mpsc::channel();
        let call = |number: usize| {
            let sender = sender.clone();
            move |result: Result<&i32, &JobError>| {
                sender.send((number, *result.unwrap(), thread::current().id())).unwrap()
            }
        };
        job.on_done(call(1));
        let removed = job.on_done(call(2));
        job.on_done(|_| panic!("concerns nobody else"));
        job.on_done(call(3));
        assert!(job.remove_callback(removed) && !job.remove_callback(removed));
        gate.open();
        job.wait(LIMIT).unwrap();
        let early: Vec<_> = calls.try_iter().collect();
        assert_eq!(early.iter().map(|call| (call.0, call.1)).collect::<Vec<_>>(), [(1, 7), (3, 7)]);
        assert!(early.iter().all(|call| call.2 != thread::current().id()), "on the worker");
        let late = job.on_done(call(4));
        assert_eq!(calls.try_recv().unwrap(), (4, 7, thread::current().id()), "at once");
        assert!(!job.remove_callback(late));
        assert_eq!((pool.failed(), job.join().unwrap()), (0, 7));
    });
}

/// Conformance 55, 109: callbacks outlive the handle; for a cancelled job they are called on the cancelling thread.
#[test]
fn a_callback_hears_of_a_detached_and_of_a_cancelled_job() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let (sender, calls) = mpsc::channel();
        let detached = pool.submit(|| "value").unwrap();
        let (id, heard) = (detached.id(), sender.clone());
        detached.on_done(move |result| heard.send(result.copied().map_err(|_| ())).unwrap());
        drop(detached);
        let cancelled = pool.submit(|| "never").unwrap();
        cancelled.on_done(move |result| sender.send(result.copied().map_err(|_| ())).unwrap());
        assert!(cancelled.cancel());
        assert_eq!(calls.try_recv(), Ok(Err(())));
        gate.open();
        assert_eq!(calls.recv_timeout(LIMIT), Ok(Ok("value")));
        assert!(!pool.cancel(id));
    });
}

/// Conformance 109: every value is dropped once, whenever the handle is dropped.
#[test]
fn values_are_dropped_once_however_the_handle_ends() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let (values, code) = (Count::new(), Count::new());
        let submit = || {
            let (value, owned) = (values.on_drop(), code.on_drop());
            pool.submit(move || {
                drop(owned);
                value
            })
            .unwrap()
        };
        drop(submit());
        let (read, joined, kept) = (submit(), submit(), submit());
        let cancelled = submit();
        assert!(cancelled.cancel());
        assert_eq!((values.get(), code.get()), (1, 1));
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((values.get(), code.get()), (2, 5), "what nobody can read is dropped by the worker");
        assert!(read.get().unwrap().is_ok());
        drop(read);
        assert_eq!(values.get(), 3);
        drop(joined.join().unwrap());
        assert_eq!(values.get(), 4);
        drop(pool);
        assert!(kept.get().unwrap().is_ok(), "readable after the pool is gone");
        drop((kept, cancelled));
        assert_eq!(values.get(), 5);
    });
}

/// Conformance 109: handles are dropped while their jobs end.
#[test]
fn a_handle_dropped_while_its_job_ends_loses_nothing() {
    within_limit(|| {
        let (pool, values) = (pool_of(2), Count::new());
        const JOBS: usize = 20_000;
        for number in 0..JOBS {
            let value = values.on_drop();
            let job = pool.submit(move || value).unwrap();
            match number % 4 {
                0 => drop(job),
                1 => drop(job.join().unwrap()),
                2 => drop(job.join_until(Deadline::NOW)),
                _ => drop((job.cancel(), job)),
            }
        }
        pool.wait_idle(LIMIT).unwrap();
        drop(pool);
        assert_eq!(values.get(), JOBS);
    });
}

/// A value whose destructor panics has no effect on others.
#[test]
fn a_value_that_panics_in_its_drop_does_not_kill_the_worker() {
    within_limit(|| {
        let (pool, gate) = blocked();
        drop(pool.submit(|| OnDrop(|| panic!("from a drop"))).unwrap());
        gate.open();
        assert_eq!(pool.submit(|| 1).unwrap().join().unwrap(), 1);
        assert_eq!(pool.alive(), 1);
    });
}

/// Conformance 118: a callback is called once, whether it is registered before or after the job's end.
#[test]
fn a_callback_that_comes_after_the_end_may_panic() {
    within_limit(|| {
        let (pool, called) = (pool_of(1), Count::new());
        let job = pool.submit(|| 5).unwrap();
        job.wait(LIMIT).unwrap();
        let captured = called.on_drop();
        job.on_done(move |_| {
            let _captured = captured;
            panic!("in a callback");
        });
        assert_eq!((called.get(), job.join().unwrap()), (1, 5));
    });
}

/// Conformance 113, 109: one thread waits for a job that another one cancels, by the same handle.
#[test]
fn a_handle_is_used_by_several_threads() {
    within_limit(|| {
        let (pool, gate) = blocked();
        let job = pool.submit(|| ()).unwrap();
        thread::scope(|scope| {
            let waiters = [(); 3].map(|()| scope.spawn(|| (job.wait(LIMIT), job.state())));
            assert!(job.cancel());
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), (Ok(()), JobState::Cancelled));
            }
        });
        drop(gate);
    });
}

/// Conformance 62: a refused job leaves nothing behind.
#[test]
fn a_refused_submit_drops_the_job() {
    within_limit(|| {
        let (pool, drops) = (pool_of(1), Count::new());
        pool.shutdown(fastthreadpool::Shutdown::Drain, LIMIT).unwrap();
        let owned = drops.on_drop();
        assert!(pool.submit(move || drop(owned)).is_err());
        assert_eq!(drops.get(), 1);
    });
}

/// Conformance 109: both times, of a job that ran and of one that did not; none unless the pool measures.
#[test]
fn a_handle_knows_how_long_its_job_took() {
    within_limit(|| {
        let (pool, gate) = (Pool::builder().workers(1).timing(true).build().unwrap(), Gate::new());
        let first = pool.submit(gate.job()).unwrap();
        gate.wait_started(1);
        let (second, cancelled) =
            (pool.submit(|| -> () { panic!("measured too") }).unwrap(), pool.submit(|| ()).unwrap());
        assert!(first.times().is_none());
        thread::sleep(Duration::from_millis(5));
        assert!(cancelled.cancel());
        gate.open();
        second.wait(LIMIT).unwrap();
        let least = Duration::from_millis(5);
        assert!(first.times().unwrap().ran >= least && second.times().unwrap().queued >= least);
        let cancelled = cancelled.times().unwrap();
        assert!(cancelled.queued >= least && cancelled.ran.is_zero());
        let unmeasured = pool_of(1).submit(|| ()).unwrap();
        unmeasured.wait(LIMIT).unwrap();
        assert!(unmeasured.times().is_none());
    });
}
