//! The pool, and a bare channel with threads behind it, for comparison.

use crate::tally::{Round, record};
use fastthreadpool::Pool;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Somebody whose producers submit jobs, each with an index.
pub(crate) trait Rival: Send + Sync {
    fn submit(&self, indices: Range<usize>);

    /// Waits until every job of the round ran.
    fn wait(&self, round: &Round) -> Result<(), String>;
}

pub(crate) const NAMES: [&str; 2] = ["fastthreadpool (Rust)", "crossbeam-channel, bare"];

pub(crate) fn make(workers: usize) -> Result<[Arc<dyn Rival>; 2], String> {
    let number = i32::try_from(workers).map_err(|error| error.to_string())?;
    let ours = Pool::builder().workers(number).build().map_err(|error| error.to_string())?;
    Ok([Arc::new(ours), Arc::new(Channel::new(workers))])
}

impl Rival for Pool {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.spawn(move || record(index)).expect("the pool is open");
        }
    }

    fn wait(&self, _round: &Round) -> Result<(), String> {
        self.wait_idle(Duration::from_secs(120)).map_err(|error| error.to_string())
    }
}

/// Its threads live to the end of the process.
struct Channel(crossbeam_channel::Sender<(fn(usize), usize)>);

impl Channel {
    fn new(workers: usize) -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded::<(fn(usize), usize)>();
        for _ in 0..workers {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.iter().for_each(|(job, index)| job(index)));
        }
        Self(sender)
    }
}

impl Rival for Channel {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.send((record, index)).expect("the workers live");
        }
    }

    fn wait(&self, round: &Round) -> Result<(), String> {
        round.wait()
    }
}
