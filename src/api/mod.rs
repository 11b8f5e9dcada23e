//! Layer 4: what Rust programs use. Closures, values, handles and iterators; no atomics and no raw pointers.

mod backpressure;
mod builder;
mod context;
mod control;
mod dispatcher;
mod emitter;
mod error;
mod group;
mod hooks;
mod job_id;
mod manual_clock;
mod offer;
mod outcome;
mod patience;
mod pool;
mod reading;
mod request;
mod results;
mod task;
mod timers;
mod timing;

pub use crate::pool::HookError;
pub use backpressure::{Policy, Water};
pub use builder::Builder;
pub use context::{current_job, fail, worker_index};
pub use control::Shutdown;
pub use emitter::Emitter;
#[cfg(feature = "capi")]
pub(crate) use error::Declared;
pub use error::{BuildError, JobError, RecvError, SubmitError, WaitError};
pub use group::{Group, Priority};
pub use job_id::JobId;
pub use manual_clock::ManualClock;
pub use offer::Refused;
pub use outcome::{Outcome, Times};
pub use pool::Pool;
pub use reading::AsCompleted;
pub use request::Request;
#[cfg(feature = "capi")]
pub(crate) use results::Discard;
pub use results::Results;
pub use timers::Timer;
pub use timing::{Due, Missed, Schedule, Tick, current_tick};
