#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, CallbackKey, Completed, Emitter, Group, HookError, JobError, JobHandle, JobId,
    JobState, Map, Outcome, Policy, Pool, Priority, Progress, RecvError, Refused, Request, Results, Scope, Shutdown,
    SubmitError, Times, Until, WaitError, Waited, Water, as_completed, cancel_requested, current_job, fail, wait,
    worker_index,
};
pub use sync::{
    AcquireError, Deadline, Event, FastLock, FastLockGuard, Parker, Permit, ReleaseError, Semaphore, WaitGroup,
};
