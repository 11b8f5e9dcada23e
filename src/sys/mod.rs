//! Layer 0: what the machine and the operating system provide. Knows nothing about waiting, items or jobs.
//!
//! The only place where `cfg(loom)` and `cfg(target_os)` may appear: above it, one code runs on real threads and in
//! the model checker, on Linux and through the portable fallback.

pub(crate) mod atomic;
pub(crate) mod cell;
pub(crate) mod clock;
pub(crate) mod constant;
#[cfg(all(target_os = "linux", not(any(loom, ftpool_portable))))]
mod cpus;
#[cfg(feature = "capi")]
pub(crate) mod errno;
pub(crate) mod eventfd;
pub(crate) mod fence;
pub(crate) mod futex;
pub(crate) mod hint;
pub(crate) mod join;
pub(crate) mod lock;
#[cfg(all(loom, test))]
pub(crate) mod model;
pub(crate) mod pages;
pub(crate) mod process;
pub(crate) mod reserve;
pub(crate) mod size;
pub(crate) mod thread;
pub(crate) mod token;
pub(crate) mod unique;
pub(crate) mod wake_cpu;

pub(crate) use crossbeam_utils::CachePadded;
