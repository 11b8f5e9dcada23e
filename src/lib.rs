#![doc = include_str!("../README.md")]
//!
//! ## Coming from another library
//!
//! | there | here |
//! |---|---|
//! | `rayon::spawn`, `ThreadPool::execute` of `threadpool` | [`Pool::spawn`] |
//! | `rayon::join`, `rayon::scope` | [`Pool::join`], [`Pool::scope`] |
//! | `par_iter()` with `for_each`, or `map` and `collect` | [`Pool::for_each`], [`Pool::map_slice`] |
//! | `par_iter()` with `map` and `reduce` | [`Pool::reduce`] |
//! | rayon's `ThreadPool::install` | [`Pool::run`]; loops and joins are methods of the pool and need no `install` |
//! | `num_threads` | [`Builder::workers`] |
//! | `start_handler`, `exit_handler` of rayon | [`Builder::on_start`], [`Builder::on_stop`] |
//! | `ThreadPool::broadcast`, `current_thread_index` of rayon | [`Pool::broadcast`], [`worker_index`] |
//! | `ThreadPool::join` of `threadpool`, `panic_count` | [`Pool::wait_idle`], [`Pool::failed`] |
//! | tokio's `spawn_blocking(f).await` | [`Pool::submit`], whose [`JobHandle`] is a future |
//! | tokio's `JoinHandle::abort` | [`JobHandle::cancel`] |
//! | tokio's `sleep`, `interval` | [`Pool::spawn_later`], [`Pool::schedule`] |
//! | a bounded channel of jobs | [`Builder::max_queued`] |
//! | `executor.submit(f)` of Python's `concurrent.futures` | [`Pool::submit`], which returns a [`JobHandle`] |
//! | `future.result(timeout)` | [`JobHandle::join`], [`JobHandle::join_until`] |
//! | `future.exception()` | a [`JobError`] in place of the value |
//! | `future.cancel()`, `future.add_done_callback` | [`JobHandle::cancel`], [`JobHandle::on_done`] |
//! | `executor.map`, `wait`, `as_completed` | [`Pool::map`], [`wait()`], [`as_completed()`] |
//! | `executor.shutdown(wait, cancel_futures)` | [`Pool::shutdown`] with [`Shutdown::Drain`] or [`Shutdown::Cancel`] |

mod api;
#[cfg(feature = "capi")]
pub mod ffi;
mod pool;
mod queue;
mod sync;
mod sys;

pub use api::{
    AsCompleted, BuildError, Builder, CallbackKey, Completed, Due, Emitter, Group, HookError, JobError, JobHandle,
    JobId, JobState, ManualClock, Map, MissedTicks, Outcome, Overrun, Panic, Policy, Pool, Priority, Progress,
    RecvError, Refused, Request, Results, Schedule, Scope, Shutdown, SubmitError, Tick, Timer, Times, Until, WaitError,
    Waited, WaterMark, as_completed, blocking, cancel_requested, current_job, current_tick, fail, wait, worker_index,
};
pub use sync::{
    AcquireError, Deadline, Event, FastLock, FastLockGuard, Parker, Permit, ReleaseError, Semaphore, WaitGroup,
};
