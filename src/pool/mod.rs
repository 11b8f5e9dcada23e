//! Layer 3: workers that run type-erased jobs; sleep and wake, shutdown, panics.
//!
//! The protocols are in `README.md`, `BOUND.md`, `GROUPS.md` and `timers/TIMERS.md`.

mod admission;
mod asking;
pub(crate) mod blocking;
mod bound;
mod branch;
pub(crate) mod broadcast;
pub(crate) mod call_sites;
mod cancel;
mod census;
mod closing;
mod core;
mod crew;
pub(crate) mod current;
mod departing;
pub(crate) mod fork;
pub(crate) mod frame;
mod grouped;
mod groups;
mod guest;
mod hire;
mod hooks;
mod job;
mod joint_outcome;
mod lanes;
pub(crate) mod loops;
mod nested;
mod offered;
mod orphans;
mod panics;
pub(crate) mod parts;
mod process_pools;
mod producer;
mod quiescence;
mod quotas;
mod resting;
mod round;
mod running;
mod scope;
mod station;
mod submit;
mod threads;
mod timers;
pub(crate) mod trial;
mod unrun;
pub(crate) mod unwind;
pub(crate) mod values;
mod waits;
mod water_marks;
mod worker;

pub(crate) use self::core::{Core, Settings};
pub(crate) use bound::{Full, Limits};
pub(crate) use census::MOST_WORKERS;
pub use closing::WaitError;
pub(crate) use groups::Group;
pub use groups::Priority;
pub use hooks::HookError;
pub(crate) use hooks::{Hooks, WorkerHook};
pub(crate) use job::{Job, Task, Unrun};
pub(crate) use panics::{PanicDetail, Trace};
pub(crate) use process_pools::{clock_was_set, drain_all};
pub(crate) use running::Failure;
pub(crate) use scope::Scope;
pub(crate) use submit::{Refusal, Rejected, Route};
pub use timers::MissedTicks;
pub(crate) use timers::{ClockKind, Overrun, Placement, Plan, Rhythm, TickInfo, Ticking, TimerState, When};
pub(crate) use water_marks::Marks;
pub use water_marks::WaterMark;
pub(crate) use worker::Worker;

#[cfg(all(loom, test))]
mod models;
