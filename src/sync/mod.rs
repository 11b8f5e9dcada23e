//! Layer 1: waiting and waking. Knows threads, permits and deadlines; knows nothing of items or jobs.
//!
//! The protocols are in `README.md` beside this file.

mod bell;
mod deadline;
mod event_count;
mod parker;

pub(crate) use bell::Bell;
pub use deadline::Deadline;
pub(crate) use event_count::EventCount;
pub(crate) use parker::Parker;

#[cfg(all(loom, test))]
mod models;
