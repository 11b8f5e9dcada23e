//! The steps of a job's way through fastthreadpool, one at a time. Every measurement checks what ran.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastthreadpool::{Deadline, JobId, Pool};
use rivals::tally::{Round, record};
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// So many jobs are queued at most, whatever criterion asks for.
const MOST: usize = 100_000;

/// The size of a batch.
const BATCH: usize = 1000;

fn pool() -> Pool {
    Pool::builder().workers(1).build().expect("one worker is valid")
}

/// `iterations` in portions that fit into the queue; the sum of the times that `measure` returns.
fn in_portions(iterations: u64, most: usize, measure: impl Fn(usize) -> Duration) -> Duration {
    let (portions, rest) = (iterations / most as u64, (iterations % most as u64) as usize);
    let whole: Duration = (0..portions).map(|_| measure(most)).sum();
    if rest == 0 { whole } else { whole + measure(rest) }
}

/// Stops the only worker until the gate is passed.
fn close_gate(pool: &Pool) -> Arc<Barrier> {
    let gate = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&gate);
    let hold = move || {
        inside.wait();
        inside.wait();
    };
    pool.spawn(hold).expect("the pool is open");
    gate.wait();
    gate
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let answer = black_box(work());
    (began.elapsed(), answer)
}

fn wait_idle(pool: &Pool) {
    pool.wait_idle(Deadline::NEVER).expect("this is no job");
}

/// Spawns jobs with the indices from 0.
fn spawn(pool: &Pool, jobs: usize) {
    for index in 0..jobs {
        pool.spawn(move || record(index)).expect("the pool is open");
    }
}

/// The time that `submit` takes for `jobs` jobs while the worker is stopped. Then they run and are counted.
fn submit_only(pool: &Pool, jobs: usize, submit: impl Fn(&Pool)) -> Duration {
    let round = Round::begin(jobs);
    let gate = close_gate(pool);
    let (took, ()) = timed(|| submit(pool));
    gate.wait();
    wait_idle(pool);
    round.verify().expect("every job ran once");
    took
}

/// The time from the moment when a stopped worker goes on until `jobs` jobs ran.
fn run_only(pool: &Pool, jobs: usize) -> Duration {
    let round = Round::begin(jobs);
    let gate = close_gate(pool);
    spawn(pool, jobs);
    let (took, ()) = timed(|| {
        gate.wait();
        wait_idle(pool);
    });
    round.verify().expect("every job ran once");
    took
}

/// The time that it takes to cancel `jobs` queued jobs.
fn cancel(pool: &Pool, jobs: usize) -> Duration {
    let round = Round::begin(0);
    let gate = close_gate(pool);
    let ids: Vec<JobId> = (0..jobs).map(|index| pool.spawn(move || record(index)).expect("the pool is open")).collect();
    let (took, cancelled) = timed(|| ids.iter().filter(|&&id| pool.cancel(id)).count());
    assert_eq!(cancelled, jobs);
    gate.wait();
    wait_idle(pool);
    round.verify().expect("no job ran");
    took
}

fn submitting(c: &mut Criterion) {
    let pool = pool();
    c.bench_function("spawn, worker blocked", |b| {
        b.iter_custom(|n| in_portions(n, MOST, |jobs| submit_only(&pool, jobs, |pool| spawn(pool, jobs))));
    });
    c.bench_function("spawn_first, worker blocked", |b| {
        let submit = |pool: &Pool, jobs| {
            for index in 0..jobs {
                pool.spawn_first(move || record(index)).expect("the pool is open");
            }
        };
        b.iter_custom(|n| in_portions(n, MOST, |jobs| submit_only(&pool, jobs, |pool| submit(pool, jobs))));
    });
    c.bench_function("cancel a queued job", |b| {
        b.iter_custom(|n| in_portions(n, MOST, |jobs| cancel(&pool, jobs)));
    });
    let mut group = c.benchmark_group("batch");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("spawn_batch of 1000, worker blocked", |b| {
        let submit = |pool: &Pool, batches| {
            for first in (0..batches).map(|batch| batch * BATCH) {
                let jobs = (first..first + BATCH).map(|index| move || record(index));
                assert_eq!(pool.spawn_batch(jobs).expect("the pool is open").len(), BATCH);
            }
        };
        b.iter_custom(|n| {
            in_portions(n, MOST / BATCH, |batches| submit_only(&pool, batches * BATCH, |pool| submit(pool, batches)))
        });
    });
}

fn running(c: &mut Criterion) {
    let pool = pool();
    c.bench_function("run, submitted before", |b| {
        b.iter_custom(|n| in_portions(n, MOST, |jobs| run_only(&pool, jobs)));
    });
}

fn results(c: &mut Criterion) {
    let pool = pool();
    let results = pool.results::<usize>();
    c.bench_function("results, round trip from idle", |b| {
        let round_trip = |n: u64| {
            thread::sleep(Duration::from_micros(300));
            let (took, outcome) = timed(|| {
                results.submit(move || n as usize).expect("the pool is open");
                results.next(Deadline::NEVER).expect("one job is outstanding")
            });
            assert_eq!(outcome.result.expect("the job returned"), n as usize);
            took
        };
        b.iter_custom(|n| (0..n).map(round_trip).sum());
    });
    c.bench_function("results, submit and read all", |b| {
        let all = |jobs: usize| {
            let (took, sum) = timed(|| {
                for index in 0..jobs {
                    results.submit(move || index).expect("the pool is open");
                }
                results.as_completed().map(|outcome| outcome.result.expect("the job returned")).sum::<usize>()
            });
            assert_eq!(sum, jobs * (jobs - 1) / 2);
            took
        };
        b.iter_custom(|n| in_portions(n, MOST, all));
    });
}

criterion_group!(micro, submitting, running, results);
criterion_main!(micro);
