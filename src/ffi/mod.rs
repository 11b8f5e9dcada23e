//! Layer 5: the C face of the pool, `include/fastthreadpool.h`. Check, convert, one call, convert.
//!
//! The conventions are written once, in the header's introduction (`cbindgen.toml`).
#![allow(non_camel_case_types)]

mod callback;
mod check;
mod config;
mod control;
mod emit;
mod handle;
mod hooks;
mod job;
mod options;
mod parallel;
mod pool;
mod reading;
mod result;
mod results;
mod shared;
mod status;
mod submit;
mod time;
mod version;

pub use callback::{ftpool_callback, ftpool_free_fn};
pub use config::*;
pub use control::*;
pub use emit::ftpool_emit;
pub use handle::*;
pub use hooks::*;
pub use job::*;
pub use options::*;
pub use parallel::*;
pub use pool::*;
pub use reading::*;
pub use result::*;
pub use results::*;
pub use status::*;
pub use submit::*;
pub use time::*;
pub use version::*;
