#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, Due, Emitter, Group, HookError, JobError, JobId, ManualClock, Missed, Outcome,
    Policy, Pool, Priority, RecvError, Refused, Request, Results, Schedule, Shutdown, SubmitError, Tick, Timer, Times,
    WaitError, Water, current_job, current_tick, fail, worker_index,
};
pub use sync::{
    AcquireError, Deadline, Event, FastLock, FastLockGuard, Parker, Permit, ReleaseError, Semaphore, WaitGroup,
};
