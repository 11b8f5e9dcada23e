//! Jobs that panic, return errors or call `fail`, and destructors that panic.

mod common;

use common::{Count, Gate, LIMIT, OnDrop, pool_of, within_limit};
use fastthreadpool::{JobError, Outcome, Pool, Results, Shutdown, fail};
use std::fmt;
use std::panic::{panic_any, resume_unwind};
use std::thread;

/// The text of the only failure that can be read.
fn only_failure<T: Send + fmt::Debug + 'static>(results: &Results<T>) -> String {
    let (_id, error) = results.next_failed(LIMIT).expect("there is a failure");
    assert_eq!((results.failed_count(), results.done_count(), results.outstanding()), (0, 0, 0));
    error.to_string()
}

/// Checks that the pool's worker is still the same, that counts are right, and that the pool shuts down.
fn expect_sound(pool: &Pool, failed: u64) {
    pool.wait_idle(LIMIT).unwrap();
    assert_eq!((pool.busy(), pool.pending(), pool.alive(), pool.failed()), (0, 0, 1, failed));
    let ran = Count::new();
    pool.spawn(ran.job()).unwrap();
    pool.wait_idle(LIMIT).unwrap();
    assert_eq!((ran.get(), pool.failed(), pool.alive()), (1, failed, 1));
    pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
}

/// Conformance 31, 35.
#[test]
fn a_panic_is_one_failure_and_the_worker_goes_on() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        results.submit(|| panic!("on {}", "purpose")).unwrap();
        assert_eq!(only_failure::<()>(&results), "the job panicked: on purpose");
        results.submit(|| panic!("on purpose")).unwrap();
        assert_eq!(only_failure(&results), "the job panicked: on purpose");
        results.submit(|| panic_any(7_u8)).unwrap();
        match results.next(LIMIT).unwrap().result {
            Err(JobError::Panicked(mut panic)) => assert_eq!(panic.payload_mut().downcast_ref(), Some(&7_u8)),
            other => panic!("{other:?}"),
        }
        pool.spawn(|| panic!("on purpose")).unwrap();
        pool.spawn_batch([|| panic!("on purpose"), || panic!("on purpose")]).unwrap();
        expect_sound(&pool, 6);
    });
}

/// Conformance 31, 32.
#[test]
fn an_error_is_one_failure_and_keeps_its_type() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let id = results.try_submit(|| "three".parse::<i32>()).unwrap();
        let (failed, error) = results.next_failed(LIMIT).unwrap();
        assert_eq!(failed, id);
        match &error {
            JobError::Failed(cause) => assert!(cause.is::<std::num::ParseIntError>()),
            other => panic!("{other:?}"),
        }
        assert!(std::error::Error::source(&error).is_none(), "its text is in the failure's");
        pool.try_spawn(|| Err("on purpose")).unwrap();
        pool.try_spawn_first(|| Err("on purpose")).unwrap();
        pool.try_spawn_batch([|| Err("on purpose"), || Ok(())]).unwrap();
        expect_sound(&pool, 4);
    });
}

/// Conformance 25, 31: a job with options fails like any other; its callback gets the error.
#[test]
fn an_error_of_a_job_with_options_is_its_failure() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let parse = |text: &'static str| move || text.parse::<i32>();
        results.try_job(parse("1")).submit().unwrap();
        results.try_job(parse("x")).settle(|_, result| result.or(Ok(-1))).submit().unwrap();
        let handle = pool.try_job(parse("y")).submit_handle().unwrap();
        let Err(JobError::Failed(error)) = handle.join() else { panic!("it has failed") };
        assert!(error.is::<std::num::ParseIntError>());
        assert_eq!(results.as_completed().map(|outcome| outcome.result.unwrap()).collect::<Vec<_>>(), [1, -1]);
        assert_eq!(pool.failed(), 1);
    });
}

/// Conformance 31, 35, "fail".
#[test]
fn a_declared_failure_replaces_the_value() {
    within_limit(|| {
        let (pool, drops) = (pool_of(1), Count::new());
        let results = pool.results();
        let token = drops.on_drop();
        let job = move || {
            assert!(fail(1, "at first"));
            assert!(fail(2, "in the end"));
            token
        };
        results.submit(job).unwrap();
        assert_eq!(only_failure(&results), "the job failed: in the end (code 2)");
        assert_eq!(drops.get(), 1, "the value is dropped");
        pool.spawn(|| assert!(fail(3, "on purpose"))).unwrap();
        assert!(!fail(4, "this is no job"));
        expect_sound(&pool, 2);
    });
}

/// Conformance 31: a failure is the failure of one job.
#[test]
fn a_declared_failure_does_not_outlive_its_job() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let panicking = || {
            fail(1, "and then it panicked");
            panic!("on purpose");
        };
        results.submit(panicking).unwrap();
        results.submit(|| ()).unwrap();
        assert_eq!(results.next_failed(LIMIT).unwrap().1.to_string(), "the job panicked: on purpose");
        results.next_done(LIMIT).unwrap();
        expect_sound(&pool, 1);
    });
}

/// Conformance 31: `fail` in the destructor of a value or payload does not fail a later job.
#[test]
fn a_failure_declared_in_a_drop_does_not_outlive_its_job() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let (results, unread) = (pool.results(), pool.results());
        let declaring = || OnDrop(|| assert!(fail(2, "while dropped")));
        let replaced = move || {
            fail(1, "on purpose");
            Some(declaring())
        };
        pool.spawn(gate.job()).unwrap();
        results.submit(replaced).unwrap();
        results.submit(|| None).unwrap();
        unread.submit(declaring).unwrap();
        results.submit(|| None).unwrap();
        pool.spawn(move || resume_unwind(Box::new(declaring()))).unwrap();
        results.submit(|| None).unwrap();
        drop(unread);
        gate.open();
        results.next_failed(LIMIT).unwrap();
        assert_eq!(std::iter::from_fn(|| results.next_done(LIMIT).ok()).count(), 3, "the next jobs did not fail");
        expect_sound(&pool, 2);
    });
}

/// Panics while it is dropped, but not while another panic is under way, which would abort.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("on purpose, in a drop");
        }
    }
}

impl fmt::Debug for Grenade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grenade")
    }
}

impl fmt::Display for Grenade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a grenade")
    }
}

impl std::error::Error for Grenade {}

/// Conformance 35; reliability R5.
#[test]
fn a_panic_in_the_drop_of_what_a_job_owns_is_the_jobs() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let owned = Grenade;
        results.submit(move || drop(owned)).unwrap();
        assert_eq!(only_failure(&results), "the job panicked: on purpose, in a drop");
        let owned = Grenade;
        let unused = move || {
            let _owned = &owned;
        };
        pool.spawn(unused).unwrap();
        expect_sound(&pool, 2);
    });
}

/// Reliability R5.
#[test]
fn a_panic_in_the_drop_of_an_error_counts_once() {
    within_limit(|| {
        let pool = pool_of(1);
        pool.try_spawn(|| Err(Grenade)).unwrap();
        expect_sound(&pool, 1);
    });
}

/// Reliability R5.
#[test]
fn a_panic_in_the_drop_of_a_payload_counts_once() {
    within_limit(|| {
        let pool = pool_of(1);
        pool.spawn(|| panic_any(Grenade)).unwrap();
        expect_sound(&pool, 1);
    });
}

/// Reliability R5: an unread payload was counted when it was thrown.
#[test]
fn a_panic_in_the_drop_of_an_unread_payload_is_not_counted() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results::<()>();
        let wait = gate.job();
        let job = move || {
            wait();
            panic_any(Grenade)
        };
        results.submit(job).unwrap();
        drop(results);
        gate.open();
        expect_sound(&pool, 1);
    });
}

/// Reliability R5: the payload of a panic in a payload's destructor panics when it is dropped, too.
#[test]
fn a_panic_in_the_drop_of_the_payload_of_a_panic_in_a_drop_is_survived() {
    within_limit(|| {
        let pool = pool_of(1);
        pool.spawn(|| panic_any(OnDrop(|| panic_any(OnDrop(|| panic_any(Grenade)))))).unwrap();
        expect_sound(&pool, 1);
    });
}

/// Reliability R5.
#[test]
fn a_panic_in_the_drop_of_a_replaced_value_is_survived() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let job = || {
            fail(1, "on purpose");
            Grenade
        };
        results.submit(job).unwrap();
        assert_eq!(only_failure(&results), "the job failed: on purpose (code 1)");
        expect_sound(&pool, 1);
    });
}

/// Reliability R5: the panicking destructor of an unread value fails no job.
#[test]
fn a_panic_in_the_drop_of_an_unread_value_is_no_failure_of_a_job() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results();
        let wait = gate.job();
        let job = move || {
            wait();
            Grenade
        };
        results.submit(job).unwrap();
        drop(results);
        gate.open();
        expect_sound(&pool, 0);
    });
}

/// Reliability R5.
#[test]
fn a_panic_in_the_drop_of_a_cancelled_job_does_not_reach_the_canceller() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let results = pool.results();
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let job = || {
            let owned = Grenade;
            move || drop(owned)
        };
        let ids = [pool.spawn(job()).unwrap(), results.submit(job()).unwrap(), pool.spawn_first(job()).unwrap()];
        assert_eq!(ids.map(|id| pool.cancel(id)), [true; 3]);
        assert_eq!(pool.pending(), 1);
        assert_eq!(only_failure(&results), "the job was cancelled before it started");
        gate.open();
        expect_sound(&pool, 0);
    });
}

/// Conformance 35; reliability R5.
#[test]
fn a_hundred_thousand_panics_are_a_hundred_thousand_failures() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        for _ in 0..50_000 {
            // Thrown without the panic hook, which would print each of them.
            pool.spawn(|| resume_unwind(Box::new("on purpose"))).unwrap();
            results.submit(|| resume_unwind(Box::new("on purpose"))).unwrap();
        }
        let panicked = |outcome: Outcome<()>| matches!(outcome.result, Err(JobError::Panicked(_)));
        assert_eq!(results.as_completed().map(panicked).filter(|&panicked| panicked).count(), 50_000);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!((pool.failed(), pool.busy(), pool.pending()), (100_000, 0, 0));
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
    });
}

/// A job's error fits into other error types: a job that waits for a job passes its error on with `?`.
#[test]
fn a_jobs_error_may_be_another_jobs_error() {
    within_limit(|| {
        let pool = pool_of(2);
        let inner = pool.submit(|| -> u8 { panic!("on purpose") }).unwrap();
        let outer = pool.try_submit(move || inner.join()).unwrap();
        let error: Box<dyn std::error::Error + Send + Sync> = outer.join().unwrap_err().into();
        assert_eq!(error.to_string(), "the job failed: the job panicked: on purpose");
    });
}

/// Reporters print an error, its source, and so on: each says something new.
#[test]
fn an_errors_source_does_not_repeat_the_error() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no port")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    fn report(error: &dyn std::error::Error) -> Vec<String> {
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
    }
    within_limit(|| {
        let pool = pool_of(1);
        let job = pool.try_submit(|| "x".parse::<u8>().map_err(Outer)).unwrap();
        assert_eq!(report(&job.join().unwrap_err()), ["the job failed: no port", "invalid digit found in string"]);
        let job = pool.submit(|| fail(5, "five")).unwrap();
        assert_eq!(report(&job.join().unwrap_err()), ["the job failed: five (code 5)"]);
        let hook = |_| Err::<(), _>("no licence");
        let broken = Pool::builder().workers(1).try_on_start(hook).build().unwrap();
        let _ = broken.spawn(|| ());
        let error = std::iter::repeat_with(|| broken.check()).find_map(Result::err).unwrap();
        let text = "the pool is broken: the start hook of worker 0 failed: no licence; make a new one";
        assert_eq!(report(&error), [text]);
    });
}
