//! Callbacks that are not called, called twice, called too late, or that do harm when they fail.

mod common;

use common::{Count, Gate, LIMIT, eventually, lock, pool_of, within_limit};
use fastthreadpool::{
    JobError, JobHandle, ManualClock, Outcome, Pool, RecvError, Shutdown, SubmitError, current_job, fail, worker_index,
};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The outcomes that a callback was called with, in order.
type Log = Arc<Mutex<Vec<(u64, Result<i32, String>)>>>;

fn logging(log: &Log) -> impl FnMut(&Outcome<i32>) + Send + 'static {
    let log = Arc::clone(log);
    move |outcome| lock(&log).push((outcome.id.get(), outcome.result.as_ref().copied().map_err(ToString::to_string)))
}

/// Conformance 22: on the worker that ran the job, once, before the outcome can be read.
#[test]
fn a_callback_runs_on_the_worker_before_the_outcome_is_read() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for n in 0..1000 {
            let seen = Arc::clone(&seen);
            let note = move |outcome: &Outcome<_>| {
                assert_eq!(current_job(), Some(outcome.id));
                let (worker, number) = *outcome.result.as_ref().unwrap();
                assert_eq!(worker_index(), worker, "another worker's job");
                lock(&seen).push(number);
            };
            results.job(move || (worker_index(), n)).then(note).submit().unwrap();
        }
        for outcome in results.as_completed() {
            let (_, number) = outcome.result.unwrap();
            assert!(lock(&seen).contains(&number), "read before the callback saw it");
        }
        let mut seen = lock(&seen).clone();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..1000));
    });
}

/// Conformance 25, 101: the callback's panic or error becomes the job's failure, and the value is dropped.
#[test]
fn a_failing_callback_fails_its_job() {
    within_limit(|| {
        let pool = pool_of(1);
        let (results, dropped) = (pool.results(), Count::new());
        let value = |dropped: &Count| {
            let count = dropped.clone();
            move || count.on_drop()
        };
        results.job(value(&dropped)).then(|_| panic!("on purpose")).submit().unwrap();
        results.job(value(&dropped)).try_then(|_| Err("not good enough")).submit().unwrap();
        results.job(value(&dropped)).try_then(|_| Ok::<_, String>(())).submit().unwrap();
        assert!(matches!(results.next_failed(LIMIT).unwrap().1, JobError::Panicked(_)));
        assert_eq!(results.next_failed(LIMIT).unwrap().1.to_string(), "the job failed: not good enough");
        let kept = results.next_done(LIMIT).unwrap();
        assert_eq!((dropped.get(), pool.failed(), pool.alive()), (2, 2, 1));
        drop(kept);
        assert_eq!(dropped.get(), 3);
    });
}

/// Conformance 22, 31, 55, 101: called for failures and cancellations, too, but not for a job that was not accepted.
#[test]
fn a_callback_sees_failures_and_cancellations() {
    within_limit(|| {
        let (pool, gate, log) = (pool_of(1), Gate::new(), Log::default());
        pool.spawn(gate.job()).unwrap();
        let results = pool.results();
        let panicking = results.job(|| panic!("on purpose")).then(logging(&log)).submit().unwrap();
        let cancelled = results.job(|| 1).then(logging(&log)).submit().unwrap();
        assert!(pool.cancel(cancelled));
        assert_eq!(*lock(&log), [(cancelled.get(), Err("the job was cancelled before it started".into()))]);
        gate.open();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let refused = results.job(|| 2).then(logging(&log)).finally(|| panic!("it was not accepted")).submit();
        assert!(matches!(refused, Err(SubmitError::Shutdown)));
        assert_eq!(lock(&log)[1..], [(panicking.get(), Err("the job panicked: on purpose".into()))]);
        assert_eq!((results.failed_count(), results.outstanding()), (2, 0));
    });
}

/// Conformance 31, 33, 34, 55: a callback's failure is counted, reported and logged once, even if its job never ran, and
/// that job counts as failed only. To be cancelled or to expire is no failure.
#[test]
fn a_callback_that_fails_for_a_job_that_never_ran_is_reported() {
    within_limit(|| {
        let (clock, reported, lines) = (ManualClock::new(), Arc::new(Mutex::new(Vec::new())), Count::new());
        let (report, log) = (Arc::clone(&reported), lines.each());
        let builder = Pool::builder().workers(1).clock(&clock).on_log(move |_| log());
        let pool = builder.on_failure(move |id, error| lock(&report).push((id, error.to_string()))).build().unwrap();
        let (gate, soon) = (Gate::new(), Duration::from_millis(1));
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let refusing = || pool.job(|| ()).try_then(|_| Err("not good enough"));
        let cancelled = [
            refusing().submit_handle().unwrap(),
            pool.job(|| ()).then(|_| panic!("on purpose")).submit_handle().unwrap(),
            pool.job(|| ()).settle(|_, _| Err(JobError::TimedOut)).submit_handle().unwrap(),
            refusing().at(soon).submit_handle().unwrap(),
        ];
        assert!(cancelled.iter().all(JobHandle::cancel));
        let expired = refusing().start_within(soon).submit_handle().unwrap();
        let unread = refusing().start_within(soon).submit().unwrap();
        let same = pool.job(|| ()).settle(|_, result| result).start_within(soon).submit_handle().unwrap();
        let mended = pool.job(|| ()).settle(|_, _| Ok(())).start_within(soon).submit_handle().unwrap();
        clock.advance(soon);
        assert!(matches!(same.join(), Err(JobError::Expired)) && mended.join().is_ok());

        let mut expected = vec![(unread, "the job failed: not good enough".to_string())];
        let failures = cancelled.into_iter().chain([expired]);
        expected.extend(failures.map(|job| (job.id(), job.join().unwrap_err().to_string())));
        let mut reported = lock(&reported);
        reported.sort_unstable();
        expected.sort_unstable();
        assert_eq!(*reported, expected);
        assert_eq!((lines.get(), pool.failed(), pool.expired()), (6, 6, 1));
    });
}

/// Conformance 101: what the callback returns replaces the result, however the job has ended.
#[test]
fn a_callback_puts_another_result_in_place() {
    within_limit(|| {
        let (pool, gate, dropped) = (pool_of(1), Gate::new(), Count::new());
        let results = pool.results();
        let value = |n: u32| {
            let count = dropped.clone();
            move || (n, count.on_drop())
        };
        pool.spawn(gate.job()).unwrap();
        results.job(value(1)).settle(|_, result| result.map(|(n, token)| (n + 10, token))).submit().unwrap();
        results.job(value(2)).settle(|_, _| Err(JobError::TimedOut)).submit().unwrap();
        results.job(value(3)).settle(|_, _| panic!("on purpose")).submit().unwrap();
        let spare = value(4);
        results.job(|| panic!("on purpose")).settle(move |_, failed| failed.or_else(|_| Ok(spare()))).submit().unwrap();
        let id = pool.job(|| panic!("on purpose")).settle(|id, _| Ok(id)).submit_handle().unwrap();
        let cancelled = pool.job(|| 5).settle(|_, cancelled| cancelled.or(Ok(6))).submit_handle().unwrap();
        assert!(cancelled.cancel());
        assert_eq!(cancelled.join().unwrap(), 6);
        gate.open();
        assert_eq!(id.id(), id.join().unwrap());
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((results.done_count(), results.failed_count(), pool.failed(), dropped.get()), (2, 2, 2, 2));
        assert_eq!([(); 2].map(|()| results.next_done(LIMIT).unwrap().1.0), [11, 4]);
        assert!(matches!(results.next_failed(LIMIT).unwrap().1, JobError::TimedOut));
        assert!(matches!(results.next_failed(LIMIT).unwrap().1, JobError::Panicked(_)));
        assert_eq!(dropped.get(), 4, "each once");
    });
}

/// A job can be ended in many ways; each calls `finally` once, before the outcome can be read.
#[test]
fn finally_is_called_once_however_a_job_ends() {
    within_limit(|| {
        let (pool, gate, ended) = (pool_of(1), Gate::new(), Count::new());
        let results = pool.results();
        pool.spawn(gate.job()).unwrap();
        results.job(|| 1).finally(ended.job()).submit().unwrap();
        results.job(|| panic!("on purpose")).finally(ended.job()).submit().unwrap();
        results.job(|| 1).then(|_| panic!("on purpose")).finally(ended.job()).submit().unwrap();
        let cancelled = results.job(|| 1).finally(ended.job()).submit().unwrap();
        pool.job(|| 1).finally(ended.job()).submit().unwrap();
        assert!(pool.cancel(cancelled));
        assert_eq!(ended.get(), 1);
        gate.open();
        assert_eq!(results.as_completed().count(), 4);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(ended.get(), 5);
    });
}

/// Conformance 18, 27, 28: values in their order under one id, then the failure.
#[test]
fn a_job_emits_any_number_of_values() {
    within_limit(|| {
        let (pool, log) = (pool_of(2), Log::default());
        let results = pool.results();
        for count in [0, 1, 1000] {
            let id = results.emitting(move |out| {
                (0..count).for_each(|n| out.emit(n));
                Ok::<_, String>(())
            });
            let id = id.submit().unwrap();
            let values: Vec<_> = results.as_completed().map(|outcome| (outcome.id, outcome.result.unwrap())).collect();
            assert!(values.into_iter().eq((0..count).map(|n| (id, n))));
        }
        let failing = results.emitting(|out| {
            (0..3).for_each(|n| out.emit(n));
            Err("then it broke")
        });
        let id = failing.then(logging(&log)).submit().unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((results.done_count(), results.failed_count(), pool.failed()), (3, 1, 1));
        let (failed, error) = results.next_failed(LIMIT).unwrap();
        assert_eq!((failed, error.to_string()), (id, "the job failed: then it broke".into()));
        assert!((0..3).eq(std::iter::from_fn(|| results.next_done(LIMIT).ok().map(|(_, value)| value))));
        let shown = [Ok(0), Ok(1), Ok(2), Err("the job failed: then it broke".to_string())];
        assert!(lock(&log).drain(..).eq(shown.map(|shown| (id.get(), shown))));
    });
}

/// Conformance 25, 27: values that the callback refuses are not delivered, the others are, and the job has failed.
#[test]
fn a_callback_that_fails_on_one_value_spares_the_others() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let numbers = results.emitting(|out| {
            (0..4).for_each(|n| out.emit(n));
            Ok::<_, String>(())
        });
        numbers.then(|outcome| assert!(!matches!(outcome.result, Ok(1 | 2)), "on purpose")).submit().unwrap();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((results.done_count(), results.failed_count(), pool.failed()), (2, 1, 1));
        assert_eq!([results.next_done(LIMIT).unwrap().1, results.next_done(LIMIT).unwrap().1], [0, 3]);
    });
}

/// Conformance 105, 118: `fail` in a callback or hook fails neither the job nor the loop on whose thread it is called.
#[test]
fn a_callback_fails_nothing_that_runs_below_it() {
    fn declare() {
        assert!(!fail(1, "said by a callback"), "there is nothing to fail");
    }
    within_limit(|| {
        let pool = Pool::builder().workers(1).on_failure(|_, _| declare()).on_log(|_| declare()).build().unwrap();
        let results = pool.results();
        let emitting = results.emitting(|out| {
            out.emit(1);
            Ok::<_, String>(())
        });
        emitting.then(|_| declare()).submit().unwrap();
        assert_eq!(results.next_done(LIMIT).unwrap().1, 1);

        let own = pool.clone();
        let cancel_another = move || {
            let refuse = |_: &Outcome<()>| {
                declare();
                Err("not good enough")
            };
            let another = own.job(|| ()).try_then(refuse).finally(declare).submit_handle().unwrap();
            another.on_done(|_| declare());
            assert!(another.cancel());
            another.on_done(|_| declare());
        };
        let own = pool.clone();
        let cancelling = move || {
            cancel_another();
            own.for_range(0..9, |_| cancel_another())
        };
        assert!(pool.submit(cancelling).unwrap().join().unwrap(), "the loop was stopped");
        assert_eq!(pool.failed(), 10, "those that were cancelled");
    });
}

/// Conformance 23, 24: one thread, one at a time; a panic is kept with the job's id and delays nothing.
#[test]
fn a_results_callback_gets_everything_on_one_thread() {
    within_limit(|| {
        let (pool, log) = (pool_of(4), Log::default());
        let (results, threads) = (pool.results(), Arc::new(Mutex::new(Vec::new())));
        let (seen, ran_on) = (Arc::clone(&log), Arc::clone(&threads));
        let (inside, mut entered) = (Count::new(), 0);
        let callback = move |outcome: Outcome<i32>| {
            lock(&ran_on).push(thread::current().id());
            assert_eq!(inside.add(), entered, "never two at a time");
            entered += 1;
            let mut log = lock(&seen);
            log.push((outcome.id.get(), outcome.result.map_err(|error| error.to_string())));
            let count = log.len();
            drop(log);
            assert_ne!(count, 500, "on purpose");
        };
        results.on_outcome(callback).unwrap();
        assert!(results.on_outcome(|_| ()).is_err(), "there is one already");
        let mut ids: Vec<_> = (0..1000).map(|n| results.submit(move || n).unwrap().get()).collect();
        pool.wait_idle(LIMIT).unwrap();
        let failures = results.clone();
        common::eventually("all was handed on", || lock(&log).len() == 1000);
        let failures: Vec<_> =
            std::iter::from_fn(|| Some(failures.callback_failures())).find(|f| !f.is_empty()).unwrap();
        assert_eq!((failures.len(), failures[0].0.get()), (1, lock(&log)[499].0));
        drop(results);
        let mut seen: Vec<_> = lock(&log).iter().map(|(id, _)| *id).collect();
        seen.sort_unstable();
        ids.sort_unstable();
        assert_eq!(seen, ids);
        let threads = lock(&threads);
        assert!(threads.iter().all(|&id| id == threads[0]));
    });
}

/// Conformance 23: outcomes that had arrived are delivered before the drop returns, and none afterwards.
#[test]
fn dropping_the_results_waits_for_their_callback() {
    within_limit(|| {
        for _ in 0..100 {
            let (pool, called) = (pool_of(2), Count::new());
            let results = pool.results();
            let counting = called.clone();
            results.on_outcome(move |_| assert!(counting.add() < 10)).unwrap();
            for n in 0..10 {
                results.submit(move || n).unwrap();
            }
            pool.wait_idle(LIMIT).unwrap();
            drop(results);
            assert_eq!(called.get(), 10);
        }
    });
}

/// A callback may hold the last handle to its own results.
#[test]
fn a_callback_drops_the_last_handle() {
    within_limit(|| {
        let (pool, gone) = (pool_of(1), Count::new());
        let results = pool.results();
        let (last, on_drop) = (results.clone(), gone.on_drop());
        let mut kept = Some((last, on_drop));
        results.on_outcome(move |_: Outcome<i32>| drop(kept.take())).unwrap();
        results.submit(|| 1).unwrap();
        drop(results);
        common::eventually("the callback was dropped", || gone.get() == 1);
    });
}

/// Conformance 73.
#[test]
fn reading_beside_a_callback_is_an_error() {
    within_limit(|| {
        let pool = Pool::new().unwrap();
        let results = pool.results::<i32>();
        results.on_outcome(drop).unwrap();
        results.submit(|| 1).unwrap();
        assert_eq!(results.next(LIMIT).unwrap_err(), RecvError::CallbackInUse);
        assert_eq!(results.next_done(LIMIT).unwrap_err(), RecvError::CallbackInUse);
        assert_eq!(results.next_failed(LIMIT).unwrap_err(), RecvError::CallbackInUse);
        assert!(results.take(1).is_empty());
        let iterate = std::panic::AssertUnwindSafe(|| results.as_completed().count());
        assert!(std::panic::catch_unwind(iterate).is_err());
    });
}

/// Conformance 24: an error that the callback returns is kept with the job's id, like a panic; each is returned once.
#[test]
fn an_error_of_a_results_callback_is_kept() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        let odd = |outcome: Outcome<u32>| if outcome.result.unwrap() % 2 == 1 { Err("odd") } else { Ok(()) };
        results.try_on_outcome(odd).unwrap();
        let ids: Vec<_> = (0..10).map(|n| results.submit(move || n).unwrap()).collect();
        let mut failed = Vec::new();
        eventually("every second outcome has failed", || {
            failed.extend(results.callback_failures());
            failed.len() == 5
        });
        failed.sort_by_key(|(id, _)| *id);
        let odd: Vec<_> = ids.into_iter().skip(1).step_by(2).collect();
        assert_eq!(failed.iter().map(|(id, _)| *id).collect::<Vec<_>>(), odd);
        assert!(failed.iter().all(|(_, error)| error.to_string() == "the job failed: odd"));
        assert_eq!(pool.failed(), 0, "no job has failed");
    });
}
