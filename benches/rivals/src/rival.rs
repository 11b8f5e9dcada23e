//! What a pool must be able to do to take part, and who does.

use crate::c_abi::CApi;
use crate::tally::Round;
use crate::{bare, crates, native, ours};
use std::ops::Range;
use std::sync::Arc;

/// A pool in the race.
pub trait Rival: Send + Sync {
    /// Submits one job per index, each of which does [`record`](crate::tally::record). Called by several producers at
    /// once, each with indices of its own.
    fn submit(&self, indices: Range<usize>);

    /// Waits until every job ran.
    fn wait(&self, round: &Round) -> Result<(), String> {
        round.wait()
    }
}

/// A rival before the race.
pub struct Entrant {
    /// Its name in tables.
    pub name: &'static str,
    /// The goal: fastthreadpool takes at most this share of its time.
    pub goal: Option<f64>,
    /// It gets one of so many jobs, because each takes so long; the name says so.
    pub one_in: usize,
    /// Makes the pool.
    pub pool: Box<dyn Fn(usize) -> Arc<dyn Rival>>,
}

/// fastthreadpool by its Rust API.
pub const OURS_RUST: &str = "fastthreadpool (Rust)";
/// fastthreadpool by its C ABI.
pub const OURS_C: &str = "fastthreadpool (C ABI)";

/// Everybody, the C ABI only if its library is there.
pub fn entrants(c_api: Option<&'static CApi>) -> Vec<Entrant> {
    let mut all = vec![Entrant::new(OURS_RUST, None, ours::RustPool::new)];
    if let Some(api) = c_api {
        all.push(Entrant::new(OURS_C, None, |workers| ours::CPool::new(api, workers)));
    }
    all.extend([
        Entrant::new("crossbeam-channel, bare", Some(0.35), bare::crossbeam),
        Entrant::new("std mpsc + Mutex, bare", None, bare::std_mpsc),
        Entrant::new("threadpool", Some(0.25), crates::Threadpool::new),
        Entrant::new("rusty_pool", Some(0.25), crates::RustyPool::new),
        Entrant::new("scheduled-thread-pool", Some(0.25), crates::Scheduled::new),
        Entrant::new("futures ThreadPool", Some(0.25), crates::Futures::new),
        Entrant::new("rayon::spawn", Some(0.10), crates::Rayon::new),
        Entrant::new("tokio::spawn", Some(0.10), crates::Tokio::new),
        Entrant::new("async-executor", Some(0.10), crates::AsyncExecutor::new),
        Entrant::new("blocking::unblock", Some(0.10), |_| crates::Blocking),
    ]);
    all.extend(native::entrants());
    all
}

impl Entrant {
    pub fn new<R: Rival + 'static>(name: &'static str, goal: Option<f64>, pool: impl Fn(usize) -> R + 'static) -> Self {
        Self { name, goal, one_in: 1, pool: Box::new(move |workers| Arc::new(pool(workers))) }
    }
}
