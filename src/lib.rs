#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, CallbackKey, Completed, Emitter, HookError, JobError, JobHandle, JobId, JobState,
    Map, Outcome, Pool, Progress, RecvError, Request, Results, Scope, Shutdown, SubmitError, Times, Until, WaitError,
    Waited, as_completed, cancel_requested, current_job, fail, wait, worker_index,
};
pub use sync::Deadline;
