//! Layer 4: the Rust API. Closures, values, handles and iterators; no atomics and no raw pointers.

// First, because the documentation of `Pool` lists its methods in the order of their modules.
mod pool;

mod handled;

mod backpressure;
mod broadcast;
mod builder;
mod context;
mod control;
mod counts;
mod dispatcher;
mod emitter;
mod error;
mod flight;
mod fork;
mod group;
mod handle;
mod hooks;
mod job_id;
mod loops;
mod manual_clock;
mod map;
mod offer;
mod ordered_slab;
mod outcome;
mod panic;
mod reading;
mod request;
mod results;
mod scope;
mod task;
mod timers;
mod timing;
mod unwind_safe;
mod wait;

pub use crate::pool::{HookError, MissedTicks, Priority, WaitError, WaterMark};
pub use backpressure::Policy;
pub use builder::Builder;
pub use context::{blocking, cancel_requested, current_job, fail, worker_index};
pub use control::Shutdown;
pub use emitter::Emitter;
pub use error::{BuildError, JobError, RecvError, SubmitError};
pub use group::Group;
pub use handle::{CallbackKey, JobHandle, JobState};
#[cfg(feature = "capi")]
pub(crate) use handle::{Completion, SlotReader};
pub use hooks::Overrun;
pub use job_id::JobId;
pub use manual_clock::ManualClock;
pub use map::{Map, Progress};
pub use offer::Refused;
#[cfg(feature = "capi")]
pub(crate) use outcome::Extra;
pub use outcome::{Outcome, Times};
pub use panic::Panic;
pub use pool::Pool;
pub use reading::AsCompleted;
pub use request::Request;
#[cfg(feature = "capi")]
pub(crate) use results::Discard;
pub use results::Results;
pub use scope::Scope;
pub use timers::Timer;
pub use timing::{Due, Schedule, Tick, current_tick};
#[cfg(feature = "capi")]
pub(crate) use wait::wait_for;
pub use wait::{Completed, Until, Waited, as_completed, wait};
