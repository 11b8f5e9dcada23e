//! What a pool costs that has nothing to do, and what a queued job weighs: goal P8.

use clap::Parser;
use rivals::c_abi::CApi;
use rivals::machine::Machine;
use rivals::ours::{CPool, Ours, RustPool};
use rivals::rival::{OURS_C, OURS_RUST};
use rivals::tally::Round;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{fs, mem, thread};

/// Measures CPU time when idle and memory per queued job.
#[derive(Debug, Parser)]
struct Options {
    /// Jobs that are queued at once
    #[arg(long, default_value_t = 10_000_000)]
    burst: usize,
    /// Jobs that end before the pool is idle
    #[arg(long, default_value_t = 1_000_000)]
    jobs: usize,
    /// The library whose C functions are called
    #[arg(long, value_name = "FILE", default_value_os_t = CApi::default_path())]
    library: PathBuf,
}

type MakePool = Box<dyn Fn(usize) -> Box<dyn Ours>>;

fn main() -> ExitCode {
    let options = Options::parse();
    let mut faces: Vec<(&str, MakePool)> =
        vec![(OURS_RUST, Box::new(|workers| Box::new(RustPool::new(workers)) as Box<dyn Ours>))];
    if let Some(api) = CApi::load_or_explain(&options.library) {
        faces.push((OURS_C, Box::new(|workers| Box::new(CPool::new(api, workers)) as Box<dyn Ours>)));
    }
    println!("{}\n\n| what | pool | goal | reached | |\n|---|---|--:|--:|---|", Machine::here());
    for (name, make) in faces {
        if let Err(error) = idle(name, &make, options.jobs).and_then(|()| burst(name, &make, options.burst)) {
            eprintln!("error: {name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// One row of the table.
fn row(what: &str, pool: &str, goal: f64, reached: f64, unit: &str) {
    let verdict = if reached <= goal { "met" } else { "missed" };
    println!("| {what} | {pool} | ≤ {goal:.1} {unit} | {reached:.1} {unit} | {verdict} |");
}

/// CPU time that the process takes while its pool has nothing to do.
fn idle(name: &str, make: &MakePool, jobs: usize) -> Result<(), String> {
    let cpus = thread::available_parallelism().map_or(2, usize::from);
    let pool = make(cpus);
    let round = Round::begin(jobs);
    run_to_the_end(&*pool, &round, jobs)?;
    let before = cpu_time();
    thread::sleep(Duration::from_secs(2));
    let taken = cpu_time() - before;
    row("CPU time, idle for 2 s", name, 1.0, taken.as_secs_f64() * 1e3, "ms");
    Ok(())
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
fn burst(name: &str, make: &MakePool, jobs: usize) -> Result<(), String> {
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
    row("memory per queued job", name, 48.0, (peak - before) / jobs as f64, "B");
    row("memory kept within 1 s of the burst", name, 8.0, (after - before) / MIB, "MiB");
    let [before, peak, after] = [before, peak, after].map(|bytes| format!("{:.1} MiB", bytes / MIB));
    println!("| … start, peak, and {took:.0?} after it | {name} | | {before}, {peak}, {after} | |");
    Ok(())
}

/// Bytes of physical memory that this process occupies.
fn resident() -> Result<f64, String> {
    let pages = fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages: f64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).ok_or("statm has another shape")?;
    // SAFETY: sysconf takes any number.
    Ok(pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as f64)
}

/// CPU time that this process has taken.
fn cpu_time() -> Duration {
    // SAFETY: a timespec may be all zeros.
    let mut time: libc::timespec = unsafe { mem::zeroed() };
    // SAFETY: the clock exists, and there is room for the answer.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0, "clock_gettime");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
