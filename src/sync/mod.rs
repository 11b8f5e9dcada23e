//! Layer 1: waiting and waking. Knows threads, permits and deadlines; knows nothing about items or jobs.
//!
//! The protocols are in `README.md` beside this file.

pub(crate) mod awake;
mod bell;
mod deadline;
mod event;
mod event_count;
mod fast_lock;
mod line;
mod parker;
pub(crate) mod permits;
pub(crate) mod raw_lock;
mod raw_semaphore;
mod semaphore;
mod spin;
mod wait_group;

pub(crate) use bell::Bell;
pub use deadline::Deadline;
pub use event::Event;
pub(crate) use event_count::EventCount;
pub use fast_lock::{FastLock, FastLockGuard};
pub use parker::Parker;
pub(crate) use parker::Roused;
#[cfg(feature = "capi")]
pub(crate) use raw_lock::RawLock;
#[cfg(feature = "capi")]
pub(crate) use raw_semaphore::RawSemaphore;
pub use raw_semaphore::{AcquireError, ReleaseError};
pub use semaphore::{Permit, Semaphore};
pub use wait_group::WaitGroup;

#[cfg(all(loom, test))]
mod models;
