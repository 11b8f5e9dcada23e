//! Layer 5: the C API, `include/fastthreadpool.h`. A function checks its arguments, converts them, makes one call, and
//! converts the result.
//!
//! The conventions are in the header's introduction (`cbindgen.toml`).
#![allow(non_camel_case_types)]

mod backpressure;
mod callback;
mod check;
mod clock;
mod completed;
mod config;
mod control;
mod emit;
mod event;
mod group;
mod handle;
mod hooks;
#[cfg(test)]
mod inline;
mod job;
mod lock;
mod options;
mod owned;
mod parallel;
mod pool;
mod reading;
mod result;
mod results;
mod semaphore;
mod shared;
mod status;
mod submit;
mod time;
mod timed;
mod timer;
mod version;
mod workers;

pub use backpressure::*;
pub use callback::{ftpool_callback, ftpool_free_fn, ftpool_settle_fn};
pub use clock::*;
pub use completed::*;
pub use config::*;
pub use control::*;
pub use emit::ftpool_emit;
pub use event::*;
pub use group::*;
pub use handle::*;
pub use hooks::*;
pub use job::*;
pub use lock::*;
pub use options::*;
pub use parallel::*;
pub use pool::*;
pub use reading::*;
pub use result::*;
pub use results::*;
pub use semaphore::*;
pub use status::*;
pub use submit::*;
pub use time::*;
pub use timed::*;
pub use timer::*;
pub use version::*;
pub use workers::*;
