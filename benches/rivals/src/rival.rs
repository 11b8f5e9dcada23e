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
    /// Makes the pool.
    pub pool: Box<dyn Fn(usize) -> Arc<dyn Rival>>,
}

/// fastthreadpool by its Rust API.
pub const OURS_RUST: &str = "fastthreadpool (Rust)";
/// fastthreadpool by its C ABI.
pub const OURS_C: &str = "fastthreadpool (C ABI)";

/// Everybody, the C ABI only if its library is there.
pub fn entrants(c_api: Option<&'static CApi>) -> Vec<Entrant> {
    let mut all = vec![entrant(OURS_RUST, None, ours::RustPool::new)];
    if let Some(api) = c_api {
        all.push(entrant(OURS_C, None, |workers| ours::CPool::new(api, workers)));
    }
    all.extend([
        entrant("crossbeam-channel, bare", Some(0.35), bare::Crossbeam::new),
        entrant("std mpsc + Mutex, bare", None, bare::Mpsc::new),
        entrant("threadpool", Some(0.25), crates::Threadpool::new),
        entrant("rusty_pool", Some(0.25), crates::RustyPool::new),
        entrant("rayon::spawn", Some(0.10), crates::Rayon::new),
        entrant("tokio::spawn", Some(0.10), crates::Tokio::new),
    ]);
    all.extend(native::entrants());
    all
}

fn entrant<R: Rival + 'static>(name: &'static str, goal: Option<f64>, pool: impl Fn(usize) -> R + 'static) -> Entrant {
    Entrant { name, goal, pool: Box::new(move |workers| Arc::new(pool(workers))) }
}
