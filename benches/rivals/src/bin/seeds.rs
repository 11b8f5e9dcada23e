//! The workloads by which fastthreadpool for Python measures itself: goal P12.

use clap::Parser;
use fastthreadpool::Pool;
use rivals::c_abi::CApi;
use rivals::c_jobs::CJobs;
use rivals::contest::{Contest, Lane, Outcome, race};
use rivals::options::{self, Common, positive};
use rivals::report::Report;
use rivals::rival::{OURS_C, OURS_RUST};
use rivals::waits::c_abi::CSemaphore;
use rivals::waits::semaphores::Permits;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Measures the workloads of fastthreadpool for Python beside it and beside Python's own library.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Jobs, or pairs of acquire and release, per round
    #[arg(long, default_value_t = 200_000, value_parser = positive)]
    items: usize,
}

const WORKERS: usize = 2;

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("seeds", &options.common.files, |report| run(&options, report))
}

/// Does so many items, and returns the sum of their numbers.
type Work<'a> = Box<dyn Fn(usize) -> usize + 'a>;

/// Name, question, by the Rust API, by the C ABI, by Python.
type Workload<'a> = (&'static str, &'static str, Work<'a>, Option<Work<'a>>, &'static [Python]);

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let with_python = is_installed(report);
    let pool = Pool::builder().workers(WORKERS as i32).build().map_err(|error| error.to_string())?;
    let c_abi = CApi::load_or_explain(&options.common.files.library);
    let c_pool = c_abi.map(|api| CJobs::new(api, WORKERS));
    let c_semaphore = c_abi.and_then(|_| rivals::waits::c_abi::load(&options.common.files.library).ok());
    let c_semaphore = c_semaphore.map(|()| CSemaphore::new(8));
    let semaphore = fastthreadpool::Semaphore::new(8);

    let submit_by_c = c_pool.as_ref().map(|pool| -> Work<'_> { Box::new(|items| pool.submit_and_sum(items)) });
    let map_by_c = c_pool.as_ref().map(|pool| -> Work<'_> { Box::new(|items| pool.map_and_sum(items)) });
    let pairs_by_c = c_semaphore.as_ref().map(|semaphore| -> Work<'_> { Box::new(|items| pairs(semaphore, items)) });
    let workloads: [Workload<'_>; 3] = [
        (
            "submit",
            "jobs that return their argument, every result read and added up (P12)",
            Box::new(|items| submit(&pool, items)),
            submit_by_c,
            &[("fastthreadpool 1.7 submit", "submit", 60.0), ("concurrent.futures submit", "futures-submit", 60.0)],
        ),
        (
            "map",
            "the same by map (P12)",
            Box::new(|items| pool.map(0..items, |n| n).map(|n| n.expect("it does not fail")).sum()),
            map_by_c,
            &[("fastthreadpool 1.7 map", "map", 10.0), ("concurrent.futures map", "futures-map", 10.0)],
        ),
        (
            "semaphore",
            "pairs of acquire and release of one thread (P12)",
            Box::new(|items| pairs(&semaphore, items)),
            pairs_by_c,
            &[
                ("threading.Semaphore", "threading-semaphore", 100.0),
                ("fastthreadpool 1.7 Semaphore", "semaphore", 1.0),
            ],
        ),
    ];
    let mut contests = Vec::new();
    for (name, question, rust, c, pythons) in workloads.into_iter().filter(|workload| options.common.wants(workload.0))
    {
        let items = options.common.scaled(options.items);
        let mut lanes = vec![Lane::summing(OURS_RUST, None, items, rust)];
        lanes.extend(c.map(|c| Lane::summing(OURS_C, None, items, c)));
        lanes.extend(pythons.iter().filter(|_| with_python).map(|&python| by_python(python, items)));
        contests.push(Contest { name: format!("{name}, {items} times"), question, unit: "ns", lanes });
    }
    report.scenarios(race(&mut contests, options.common.rounds())?);
    Ok(())
}

fn submit(pool: &Pool, items: usize) -> usize {
    let results = pool.results();
    (0..items).for_each(|n| _ = results.submit(move || n).expect("the pool is open"));
    results.as_completed().map(|outcome| outcome.result.expect("it does not fail")).sum()
}

/// The sum of all numbers below `items`, so that it can be checked as the others are.
fn pairs(semaphore: &impl Permits, items: usize) -> usize {
    let mut sum = 0;
    for n in 0..items {
        semaphore.acquire();
        sum += n;
        semaphore.release();
    }
    sum
}

/// Its name in tables, its name in `workloads.py`, and how many times faster ours shall be.
type Python = (&'static str, &'static str, f64);

fn by_python((rival, workload, faster): Python, items: usize) -> Lane<'static> {
    let run = move || {
        let output = python(&[workload, &items.to_string()])?;
        let ns = output.trim().parse().map_err(|_| format!("{workload} says {output}"))?;
        Ok(Outcome { ns, longest: Duration::ZERO })
    };
    Lane { rival, goal: Some(1.0 / faster), run: Box::new(run) }
}

fn is_installed(report: &mut Report) -> bool {
    python(&[]).map_err(|missing| report.missing([missing])).is_ok()
}

fn python(arguments: &[&str]) -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/run.sh");
    let output = Command::new("bash").arg(script).args(arguments).output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
