//! Types that lack an auto trait that users need: to send them to threads, put them into errors, or use them after a
//! panic.

use fastthreadpool::{
    AsCompleted, Builder, Completed, Deadline, Group, JobError, JobHandle, JobId, ManualClock, Map, Outcome, Panic,
    Pool, Results, Schedule, Scope, SubmitError, Timer,
};
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

fn is_shared<T: Send + Sync>() {}
fn is_sent<T: Send>() {}
fn is_shown<T: Debug>() {}
fn outlives_panics<T: UnwindSafe + RefUnwindSafe>() {}

/// A value without `Debug`.
struct Mute;

type Numbers = Map<std::ops::Range<u32>, fn(u32) -> u32, u32>;

/// Conformance 109: checked by the compiler.
#[test]
fn handles_pools_and_outcomes_are_shared_by_threads() {
    is_shared::<(Pool, Builder, Group, Results<u32>, JobHandle<u32>, JobId)>();
    is_shared::<(Outcome<u32>, JobError, SubmitError, Panic)>();
    is_shared::<(ManualClock, Timer, Deadline, Schedule)>();
    is_shared::<Scope<'_, '_>>();
    is_shared::<(Completed<u32>, Numbers, AsCompleted<'_, u32>)>();
    is_shared::<Results<std::cell::Cell<u32>>>();
    is_sent::<JobHandle<std::cell::Cell<u32>>>();
}

/// `unwrap` in tests needs `Debug` of a handle, also if the job's value has none.
#[test]
fn handles_are_shown_whatever_their_value() {
    is_shown::<(JobHandle<Mute>, Results<Mute>, Completed<Mute>, AsCompleted<'_, Mute>)>();
    is_shown::<Map<std::vec::IntoIter<Rc<Mute>>, fn(Rc<Mute>) -> Mute, Mute>>();
    let pool = Pool::new().unwrap();
    let job = pool.submit(|| Mute).unwrap();
    let shown = format!("{job:?}");
    assert!(shown.starts_with("JobHandle { id: ") && shown.contains(&job.id().to_string()), "{shown}");
    let Mute = job.join_until(Deadline::in_secs(240)).unwrap().unwrap();
}

/// Users' panics are caught where their code is called, so nothing of the pool is broken by one.
#[test]
fn pools_and_handles_are_used_across_a_caught_panic() {
    outlives_panics::<(Pool, Group, Results<u32>, JobHandle<u32>, Timer, ManualClock)>();
    let pool = Pool::new().unwrap();
    let caught = std::panic::catch_unwind(|| pool.scope(|_| panic!("on purpose")));
    assert!(caught.is_err());
    assert_eq!(pool.run(|| 1).unwrap(), 1);
}
