#![doc = include_str!("../README.md")]

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, JobError, JobId, Outcome, Pool, RecvError, Results, Shutdown, SubmitError,
    WaitError, current_job, fail, worker_index,
};
pub use sync::Deadline;
