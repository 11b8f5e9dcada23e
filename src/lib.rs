#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, CallbackKey, Completed, Due, Emitter, Group, HookError, JobError, JobHandle,
    JobId, JobState, ManualClock, Map, Missed, Outcome, Overrun, Panic, Policy, Pool, Priority, Progress, RecvError,
    Refused, Request, Results, Schedule, Scope, Shutdown, SubmitError, Tick, Timer, Times, Until, WaitError, Waited,
    WaterMark, as_completed, blocking, cancel_requested, current_job, current_tick, fail, wait, worker_index,
};
pub use sync::{
    AcquireError, Deadline, Event, FastLock, FastLockGuard, Parker, Permit, ReleaseError, Semaphore, WaitGroup,
};
