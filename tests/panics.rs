//! Panics without a location, and panic hooks that are lost. A process has one panic hook, so this is one test.

mod common;

use common::{Count, LIMIT, pool_of, within_limit};
use fastthreadpool::{JobError, Outcome, Panic, Pool};
use std::panic::{self, catch_unwind, resume_unwind};
use std::sync::mpsc;

fn panic_of<T>(outcome: Outcome<T>) -> Panic {
    match outcome.result {
        Err(JobError::Panicked(panic)) => panic,
        _ => panic!("the job has not panicked"),
    }
}

#[inline(never)]
fn deep_in_the_job() {
    panic!("on purpose");
}

/// Conformance 32: location and backtrace where they are enabled, and the program's own hook is still called for every
/// panic.
#[test]
fn a_panic_says_where_it_was_if_asked() {
    within_limit(|| {
        let heard = Count::new();
        let own = heard.clone();
        panic::set_hook(Box::new(move |_| {
            own.add();
        }));
        let silent = pool_of(1);
        let panic = |pool: &Pool| {
            let results = pool.results();
            results.submit(deep_in_the_job).unwrap();
            panic_of(results.next(LIMIT).unwrap())
        };
        let nothing = panic(&silent);
        assert_eq!((nothing.to_string().as_str(), nothing.location(), heard.get()), ("on purpose", None, 1));

        let (told, hears) = mpsc::channel();
        let builder = Pool::builder().workers(1).panic_locations();
        let hook = move |_, error: &JobError| told.send(error.to_string()).unwrap();
        let (placed, _second) = (builder.clone().on_failure(hook).build().unwrap(), builder.clone().build().unwrap());
        let found = panic(&placed);
        let line = concat!(file!(), ":19:5");
        assert_eq!((found.location(), found.backtrace(), found.message()), (Some(line), None, "on purpose"));
        assert_eq!(hears.recv().unwrap(), format!("the job panicked: on purpose (at {line})"));
        assert_eq!(found.into_payload().downcast_ref(), Some(&"on purpose"));
        assert_eq!(heard.get(), 2, "the hook that was there is called, once, however many pools ask");
        assert_eq!(panic(&silent).location(), None);

        // A panic that a job has caught itself is not attributed to the next job, which panics without the hook.
        placed.submit(|| drop(catch_unwind(deep_in_the_job))).unwrap().join().unwrap();
        let results = placed.results::<()>();
        results.submit(|| resume_unwind(Box::new("quietly"))).unwrap();
        assert_eq!(panic_of(results.next(LIMIT).unwrap()).location(), None);

        // A callback's panic is the job's failure.
        results.job(|| ()).then(|_| deep_in_the_job()).submit().unwrap();
        assert_eq!(panic_of(results.next(LIMIT).unwrap()).location(), Some(line));

        let traced = builder.panic_backtraces().build().unwrap();
        let handle = traced.submit(deep_in_the_job).unwrap();
        let Err(JobError::Panicked(panic)) = handle.join() else { panic!("the job has panicked") };
        let text = panic.backtrace().unwrap();
        assert!(text.contains("deep_in_the_job") && panic.location() == Some(line), "{text}");
    });
}
