//! Values whose destructors panic, with payloads whose destructors panic.

mod common;

use common::{Count, LIMIT, blocked, pool_of, within_limit};
use fastthreadpool::{Emitter, Outcome, Pool, Shutdown, SubmitError};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

/// Panics when it is dropped, with a payload that panics when it is dropped.
struct Grenade(u32);

impl Drop for Grenade {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Self(self.0 - 1));
        }
    }
}

/// Reliability R5: of two failures of a job the one that is not kept is dropped, and may panic.
#[test]
fn a_second_failure_may_panic_when_it_is_dropped() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        let code = |emitter: &Emitter<'_, ()>| {
            emitter.emit(());
            Err::<(), _>("at last")
        };
        let refuse = |outcome: &Outcome<()>| {
            if outcome.result.is_ok() {
                panic_any(Grenade(2));
            }
        };
        results.emitting(code).then(refuse).submit().unwrap();
        let (_, error) = results.next_failed(LIMIT).unwrap();
        assert_eq!(error.to_string(), "the job failed: at last");
        let both = || {
            pool.scope(|scope| {
                scope.spawn(|| panic_any(Grenade(2)));
                panic!("the closure");
            })
        };
        let thrown = catch_unwind(AssertUnwindSafe(both)).unwrap_err();
        assert_eq!(thrown.downcast_ref(), Some(&"the closure"));
    });
}

/// Reliability R5: all jobs of a refused batch are dropped; otherwise a results object would wait for the rest.
#[test]
fn a_refused_batch_may_panic_when_it_is_dropped() {
    within_limit(|| {
        let pool = pool_of(1);
        let results = pool.results();
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        let jobs = (0..3).map(|_| Grenade(2)).map(|grenade| move || drop(grenade));
        assert!(matches!(results.submit_batch(jobs), Err(SubmitError::Shutdown)));
        assert_eq!((results.outstanding(), results.as_completed().count()), (0, 0));
    });
}

/// Reliability R5: the other outcomes that nobody reads are dropped as well, before and after the last job has ended.
#[test]
fn unread_outcomes_may_panic_when_they_are_dropped() {
    within_limit(|| {
        for ended in [true, false] {
            let ((pool, gate), dropped) = (blocked(), Count::new());
            let results = pool.results();
            for _ in 0..200 {
                let [value, payload] = [0; 2].map(|_| (dropped.on_drop(), Grenade(2)));
                results.submit(move || value).unwrap();
                results.submit(move || panic_any(payload)).unwrap();
            }
            if ended {
                gate.open();
                pool.wait_idle(LIMIT).unwrap();
            }
            drop(results);
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!(dropped.get(), 400);
        }
    });
}

/// Reliability R5: the callback for water marks is dropped with its pool, as hooks are.
#[test]
fn a_water_mark_callback_may_panic_when_it_is_dropped() {
    within_limit(|| {
        let grenade = Grenade(2);
        let pool = Pool::builder().water_marks(1, 2, move |_, _| _ = &grenade).build().unwrap();
        pool.run(|| ()).unwrap();
        drop(pool);
    });
}
