//! Layer 4: what Rust programs use. Closures, values, handles and iterators; no atomics and no raw pointers.

mod builder;
mod context;
mod error;
mod job_id;
mod pool;
mod results;
mod task;

pub use builder::Builder;
pub use context::{current_job, fail, worker_index};
#[cfg(feature = "capi")]
pub(crate) use error::Declared;
pub use error::{BuildError, JobError, RecvError, SubmitError, WaitError};
pub use job_id::JobId;
pub use pool::{Pool, Shutdown};
pub use results::{AsCompleted, Outcome, Results};
