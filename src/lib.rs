#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, Emitter, Group, HookError, JobError, JobId, Outcome, Policy, Pool, Priority,
    RecvError, Refused, Request, Results, Shutdown, SubmitError, Times, WaitError, Water, current_job, fail,
    worker_index,
};
pub use sync::{
    AcquireError, Deadline, Event, FastLock, FastLockGuard, Parker, Permit, ReleaseError, Semaphore, WaitGroup,
};
