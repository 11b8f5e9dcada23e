//! A handle for each job: goal P4.

use clap::Parser;
use fastthreadpool::Pool;
use rivals::c_abi::CApi;
use rivals::c_jobs::CJobs;
use rivals::contest::{Contest, Lane, Outcome, race};
use rivals::crates::{AsyncExecutor, futures_pool};
use rivals::native;
use rivals::options::{self, Common, Size, positive};
use rivals::report::Report;
use rivals::rival::{OURS_C, OURS_RUST};
use std::process::ExitCode;
use std::time::Instant;

/// Measures jobs with handles: from the first submit until the last handle was waited for.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Jobs per round
    #[arg(long, default_value_t = 100_000, value_parser = positive)]
    jobs: usize,
    #[command(flatten)]
    size: Size,
}

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("handles", &options.common.files, |report| run(&options, report))
}

/// Submits a job for each number below the given one, waits for all, and adds up what they returned.
type Sum<'a> = Box<dyn FnMut(usize) -> usize + 'a>;

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let (workers, pool) = (options.size.workers, options.size.pool()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let rusty = rusty_pool::Builder::new().core_size(workers).max_size(workers).build();
    let futures = futures_pool(workers);
    let executor = AsyncExecutor::new(workers).0;
    let c_abi = CApi::load_or_explain(&options.common.files.library).map(|api| CJobs::new(api, workers));
    let natives = native::handles(workers);

    let mut lanes = vec![lane(options, OURS_RUST, None, Box::new(|jobs| with_ours(&pool, jobs)))];
    if let Some(c_abi) = &c_abi {
        lanes.push(lane(options, OURS_C, None, Box::new(|jobs| c_abi.sum_of_handles(jobs))));
    }
    lanes.push(lane(options, "tokio::spawn + await", Some(0.1), Box::new(|jobs| with_tokio(&runtime, jobs))));
    lanes.push(lane(
        options,
        "rusty_pool::evaluate",
        Some(0.1),
        Box::new(|jobs| {
            let all: Vec<_> = (0..jobs).map(|n| rusty.evaluate(move || n)).collect();
            all.into_iter().map(|job| job.await_complete()).sum()
        }),
    ));
    lanes.push(lane(
        options,
        "futures ThreadPool, spawn_with_handle",
        Some(0.1),
        Box::new(|jobs| {
            use futures::task::SpawnExt;
            let all = (0..jobs).map(|n| futures.spawn_with_handle(async move { n }).expect("the pool is open"));
            let all: Vec<_> = all.collect();
            futures::executor::block_on(async { sum_of(all).await })
        }),
    ));
    lanes.push(lane(
        options,
        "async-executor, Task",
        Some(0.1),
        Box::new(|jobs| {
            let all: Vec<_> = (0..jobs).map(|n| executor.spawn(async move { n })).collect();
            futures::executor::block_on(async { sum_of(all).await })
        }),
    ));
    for native in &natives {
        // A thread for each job is in another league, and gets fewer of them.
        let goal = (!native.slow).then_some(0.1);
        let one_in = if native.slow { 100 } else { 1 };
        let sum: Sum<'_> = Box::new(|jobs| native.sum(jobs));
        lanes.push(lane_with(options.common.scaled(options.jobs) / one_in, native.name, goal, sum));
    }
    lanes.retain(|lane| options.common.wants(lane.rival));
    let name = format!("{} handles submitted, all waited for", options.common.scaled(options.jobs));
    let question = "what a job with a handle costs (P4)";
    let mut contests = [Contest { name, question, unit: "ns/job", lanes }];
    race(&mut contests, options.common.rounds())?.into_iter().for_each(|scenario| report.scenario(scenario));
    Ok(())
}

fn lane<'a>(options: &Options, rival: &'static str, goal: Option<f64>, sum: Sum<'a>) -> Lane<'a> {
    lane_with(options.common.scaled(options.jobs), rival, goal, sum)
}

fn lane_with<'a>(jobs: usize, rival: &'static str, goal: Option<f64>, mut sum: Sum<'a>) -> Lane<'a> {
    let run = move || {
        let began = Instant::now();
        let answer = sum(jobs);
        let took = began.elapsed();
        let right = (0..jobs).sum::<usize>();
        if answer == right { Ok(Outcome::of(took, jobs)) } else { Err(format!("{answer} instead of {right}")) }
    };
    Lane { rival, goal, run: Box::new(run) }
}

fn with_ours(pool: &Pool, jobs: usize) -> usize {
    let all: Vec<_> = (0..jobs).map(|n| pool.submit(move || n).expect("the pool is open")).collect();
    all.into_iter().map(|job| job.join().expect("it does not fail")).sum()
}

fn with_tokio(runtime: &tokio::runtime::Runtime, jobs: usize) -> usize {
    let all: Vec<_> = (0..jobs).map(|n| runtime.spawn(async move { n })).collect();
    runtime.block_on(async {
        let mut sum = 0;
        for job in all {
            sum += job.await.expect("it does not fail");
        }
        sum
    })
}

async fn sum_of(all: Vec<impl Future<Output = usize>>) -> usize {
    let mut sum = 0;
    for one in all {
        sum += one.await;
    }
    sum
}
