//! Pools from crates.io, used as their documentation shows.

use crate::rival::Rival;
use crate::tally::record;
use std::ops::Range;
use std::time::Duration;

pub struct Threadpool(threadpool::ThreadPool);

impl Threadpool {
    pub fn new(workers: usize) -> Self {
        Self(threadpool::ThreadPool::new(workers))
    }
}

impl Rival for Threadpool {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.execute(move || record(index));
        }
    }
}

pub struct RustyPool(rusty_pool::ThreadPool);

impl RustyPool {
    pub fn new(workers: usize) -> Self {
        let pool = rusty_pool::ThreadPool::new(workers, workers, Duration::from_secs(3600));
        pool.start_core_threads();
        Self(pool)
    }
}

impl Rival for RustyPool {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.execute(move || record(index));
        }
    }
}

pub struct Rayon(rayon::ThreadPool);

impl Rayon {
    pub fn new(workers: usize) -> Self {
        Self(rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("rayon starts its threads"))
    }
}

impl Rival for Rayon {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.spawn(move || record(index));
        }
    }
}

pub struct Tokio(tokio::runtime::Runtime);

impl Tokio {
    pub fn new(workers: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build();
        Self(runtime.expect("tokio starts its threads"))
    }
}

impl Rival for Tokio {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            drop(self.0.spawn(async move { record(index) }));
        }
    }
}
