//! What a pool costs that has nothing to do, and what a queued job weighs: goal P8.

use clap::Parser;
use rivals::c_abi::CApi;
use rivals::options::{self, Files};
use rivals::ours::{CPool, Ours, RustPool};
use rivals::process::{cpu_time, resident};
use rivals::report::{Fact, Report};
use rivals::rival::{OURS_C, OURS_RUST};
use rivals::tally::Round;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Measures CPU time when idle and memory per queued job.
#[derive(Debug, Parser)]
struct Options {
    /// Jobs that are queued at once
    #[arg(long, default_value_t = 10_000_000)]
    burst: usize,
    /// Jobs that end before the pool is idle
    #[arg(long, default_value_t = 1_000_000)]
    jobs: usize,
    /// 10⁶ jobs queued at once
    #[arg(long, conflicts_with = "burst")]
    quick: bool,
    #[command(flatten)]
    files: Files,
}

type MakePool = Box<dyn Fn(usize) -> Box<dyn Ours>>;

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("footprint", &options.files, |report| run(&options, report))
}

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let mut faces: Vec<(&'static str, MakePool)> =
        vec![(OURS_RUST, Box::new(|workers| Box::new(RustPool::new(workers)) as Box<dyn Ours>))];
    if let Some(api) = CApi::load_or_explain(&options.files.library) {
        faces.push((OURS_C, Box::new(|workers| Box::new(CPool::new(api, workers)) as Box<dyn Ours>)));
    }
    let jobs = if options.quick { options.burst.min(1_000_000) } else { options.burst };
    let mut facts = Vec::new();
    for (name, make) in faces {
        let context = |error| format!("{name}: {error}");
        facts.push(idle(name, &make, options.jobs).map_err(context)?);
        facts.extend(burst(name, &make, jobs).map_err(context)?);
    }
    report.facts(facts);
    Ok(())
}

fn fact(what: &'static str, who: &'static str, at_most: f64, reached: f64, unit: &'static str) -> Fact {
    Fact { goal: "P8".into(), what: what.into(), who: who.into(), at_most, reached, unit: unit.into() }
}

/// CPU time that the process takes while its pool has nothing to do. Giving back what the burst has occupied is a part of
/// the burst: the two seconds begin when nothing more of it comes back.
fn idle(name: &'static str, make: &MakePool, jobs: usize) -> Result<Fact, String> {
    let cpus = thread::available_parallelism().map_or(2, usize::from);
    let pool = make(cpus);
    let round = Round::begin(jobs);
    run_to_the_end(&*pool, &round, jobs)?;
    let settled = wait_for_memory()?;
    let before = cpu_time();
    thread::sleep(Duration::from_secs(2));
    let taken = cpu_time() - before;
    println!("{name}: the memory of {jobs} jobs was back after {settled:.0?}\n");
    Ok(fact("CPU time, idle for 2 s, the burst's memory being back", name, 1.0, taken.as_secs_f64() * 1e3, "ms"))
}

/// How long it takes until no memory has come back for half a second.
fn wait_for_memory() -> Result<Duration, String> {
    let began = Instant::now();
    let (mut least, mut since) = (resident()?, began);
    while since.elapsed() < Duration::from_millis(500) && began.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(10));
        let now = resident()?;
        if now < least {
            (least, since) = (now, Instant::now());
        }
    }
    Ok(since - began)
}

fn run_to_the_end(pool: &dyn Ours, round: &Round, jobs: usize) -> Result<(), String> {
    pool.submit(0..jobs);
    pool.wait(round)?;
    round.verify()
}

static GATE: Barrier = Barrier::new(2);

/// Begins, and ends when the gate is passed once more.
fn wait_at_the_gate() {
    GATE.wait();
    GATE.wait();
}

const MIB: f64 = 1024.0 * 1024.0;

/// Memory of jobs that are queued behind a blocked worker, and what is left of it when they have run.
fn burst(name: &'static str, make: &MakePool, jobs: usize) -> Result<[Fact; 2], String> {
    let pool = make(1);
    let round = Round::begin(1);
    run_to_the_end(&*pool, &round, 1)?;
    pool.run(wait_at_the_gate);
    GATE.wait();

    let round = Round::begin(jobs);
    let before = resident()?;
    pool.submit(0..jobs);
    let peak = resident()?;
    GATE.wait();
    pool.wait(&round)?;
    let idle = Instant::now();
    round.verify()?;

    let goal = before + 8.0 * MIB;
    let mut after = resident()?;
    while after > goal && idle.elapsed() < Duration::from_secs(1) {
        thread::sleep(Duration::from_millis(5));
        after = resident()?;
    }
    let took = idle.elapsed();
    let [start, peak_mib, end] = [before, peak, after].map(|bytes| bytes / MIB);
    println!("{name}: {start:.1} MiB before {jobs} jobs, {peak_mib:.1} with them, {end:.1} after {took:.0?}\n");
    Ok([
        fact("memory per queued job", name, 48.0, (peak - before) / jobs as f64, "B"),
        fact("memory kept within 1 s of the burst", name, 8.0, (after - before) / MIB, "MiB"),
    ])
}
