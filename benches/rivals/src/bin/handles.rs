//! A handle for each job: goal P4.

use clap::Parser;
use fastthreadpool::Pool;
use futures::executor::block_on;
use rivals::c_abi::CApi;
use rivals::c_jobs::CJobs;
use rivals::contest::{Contest, Lane, race};
use rivals::crates::{AsyncExecutor, futures_pool, tokio_runtime};
use rivals::native;
use rivals::options::{self, Common, Size, positive};
use rivals::report::Report;
use rivals::rival::{OURS_C, OURS_RUST};
use std::process::ExitCode;

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

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let (workers, pool) = (options.size.workers, options.size.pool()?);
    let runtime = tokio_runtime(workers);
    let rusty = rusty_pool::Builder::new().core_size(workers).max_size(workers).build();
    let futures = futures_pool(workers);
    let executor = AsyncExecutor::new(workers).0;
    let c_abi = CApi::load_or_explain(&options.common.files.library).map(|api| CJobs::new(api, workers));
    let natives = native::handles(workers);

    let jobs = options.common.scaled(options.jobs);
    let mut lanes = vec![Lane::summing(OURS_RUST, None, jobs, |jobs| with_ours(&pool, jobs))];
    if let Some(c_abi) = &c_abi {
        lanes.push(Lane::summing(OURS_C, None, jobs, |jobs| c_abi.sum_of_handles(jobs)));
    }
    lanes.push(Lane::summing("tokio::spawn + await", Some(0.1), jobs, |jobs| with_tokio(&runtime, jobs)));
    lanes.push(Lane::summing("rusty_pool::evaluate", Some(0.1), jobs, |jobs| {
        let all: Vec<_> = (0..jobs).map(|n| rusty.evaluate(move || n)).collect();
        all.into_iter().map(|job| job.await_complete()).sum()
    }));
    lanes.push(Lane::summing("futures ThreadPool, spawn_with_handle", Some(0.1), jobs, |jobs| {
        use futures::task::SpawnExt;
        let all = (0..jobs).map(|n| futures.spawn_with_handle(async move { n }).expect("the pool is open"));
        let all: Vec<_> = all.collect();
        block_on(sum_of(all))
    }));
    lanes.push(Lane::summing("async-executor, Task", Some(0.1), jobs, |jobs| {
        let all: Vec<_> = (0..jobs).map(|n| executor.spawn(async move { n })).collect();
        block_on(sum_of(all))
    }));
    for native in &natives {
        // A thread for each job takes much longer, so these get fewer jobs and no goal.
        let (goal, one_in) = if native.slow { (None, 100) } else { (Some(0.1), 1) };
        lanes.push(Lane::summing(native.name, goal, jobs / one_in, |jobs| native.sum(jobs)));
    }
    lanes.retain(|lane| options.common.wants(lane.rival));
    let name = format!("{jobs} handles submitted, all waited for");
    let question = "what a job with a handle costs (P4)";
    let mut contests = [Contest { name, question, unit: "ns/job", lanes }];
    report.scenarios(race(&mut contests, options.common.rounds())?);
    Ok(())
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
