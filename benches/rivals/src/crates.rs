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
        Self(rayon_pool(workers))
    }
}

/// A pool of rayon.
pub fn rayon_pool(workers: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("rayon starts its threads")
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
        Self(tokio_runtime(workers))
    }
}

/// A runtime of tokio.
pub fn tokio_runtime(workers: usize) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build();
    runtime.expect("tokio starts its threads")
}

impl Rival for Tokio {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            drop(self.0.spawn(async move { record(index) }));
        }
    }
}

pub struct Scheduled(scheduled_thread_pool::ScheduledThreadPool);

impl Scheduled {
    pub fn new(workers: usize) -> Self {
        Self(scheduled_thread_pool::ScheduledThreadPool::new(workers))
    }
}

impl Rival for Scheduled {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.execute(move || record(index));
        }
    }
}

pub struct Futures(futures::executor::ThreadPool);

impl Futures {
    pub fn new(workers: usize) -> Self {
        Self(futures_pool(workers))
    }
}

/// A pool of the crate futures.
pub fn futures_pool(workers: usize) -> futures::executor::ThreadPool {
    futures::executor::ThreadPoolBuilder::new().pool_size(workers).create().expect("futures starts its threads")
}

impl Rival for Futures {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.spawn_ok(async move { record(index) });
        }
    }
}

/// An executor that threads run to the end of the process.
#[derive(Clone, Copy)]
pub struct AsyncExecutor(pub &'static async_executor::Executor<'static>);

impl AsyncExecutor {
    pub fn new(workers: usize) -> Self {
        let executor: &'static async_executor::Executor<'static> = Box::leak(Box::default());
        for _ in 0..workers {
            std::thread::spawn(|| futures::executor::block_on(executor.run(std::future::pending::<()>())));
        }
        Self(executor)
    }
}

impl Rival for AsyncExecutor {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            self.0.spawn(async move { record(index) }).detach();
        }
    }
}

/// The process's pool, as large as the environment says.
pub struct Blocking;

/// Pools of the process take their number of workers from these.
pub const SIZED_BY_THE_ENVIRONMENT: [&str; 2] = ["BLOCKING_MAX_THREADS", "UV_THREADPOOL_SIZE"];

impl Rival for Blocking {
    fn submit(&self, indices: Range<usize>) {
        for index in indices {
            blocking::unblock(move || record(index)).detach();
        }
    }
}
