#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, Emitter, HookError, JobError, JobId, Outcome, Pool, RecvError, Request, Results,
    Shutdown, SubmitError, Times, WaitError, current_job, fail, worker_index,
};
pub use sync::{
    AcquireError, Deadline, Event, FastLock, FastLockGuard, Parker, Permit, ReleaseError, Semaphore, WaitGroup,
};
