//! Fire-and-forget throughput of fastthreadpool and its rivals, as Markdown tables.

use clap::Parser;
use rivals::c_abi::CApi;
use rivals::machine::Machine;
use rivals::measure::{Plan, Scenario, measure};
use rivals::native;
use rivals::rival::{Entrant, entrants};
use serde::Serialize;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures fire-and-forget jobs: from the first submit until every job ran.
#[derive(Debug, Parser)]
struct Options {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 9, value_parser = positive)]
    rounds: usize,
    /// 3 rounds
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Jobs per round
    #[arg(long, default_value_t = 1_000_000, value_parser = positive)]
    jobs: usize,
    /// Only pools whose name contains this; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Producers × workers, as in 4x2; may be repeated
    #[arg(long, value_name = "PxW", value_parser = shape, default_values = ["1x2", "4x2", "1x8", "4x8", "1x1"])]
    scenario: Vec<Shape>,
    /// Writes every round's figure, the machine and the versions to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The library whose C functions are called
    #[arg(long, value_name = "FILE", default_value_os_t = CApi::default_path())]
    library: PathBuf,
}

/// How many producers submit to how many workers.
#[derive(Clone, Copy, Debug)]
struct Shape {
    producers: usize,
    workers: usize,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "a whole number above 0 is needed".into())
}

fn shape(text: &str) -> Result<Shape, String> {
    let (producers, workers) = text.split_once('x').ok_or("two numbers are needed, as in 4x2")?;
    Ok(Shape { producers: positive(producers)?, workers: positive(workers)? })
}

#[derive(Serialize)]
struct Report {
    machine: Machine,
    rounds: usize,
    scenarios: Vec<Scenario>,
}

fn main() -> ExitCode {
    run(&Options::parse())
        .inspect_err(|error| eprintln!("error: {error}"))
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn run(options: &Options) -> Result<(), String> {
    let entrants: Vec<Entrant> = entrants(CApi::load_or_explain(&options.library))
        .into_iter()
        .filter(|entrant| options.only.is_empty() || options.only.iter().any(|part| entrant.name.contains(part)))
        .collect();
    if entrants.is_empty() {
        return Err("no pool's name contains that".into());
    }
    let machine = Machine::here();
    println!("{machine}\n");
    native::missing().for_each(|line| println!("{line}\n"));
    let rounds = if options.quick { 3 } else { options.rounds };
    let mut scenarios = Vec::new();
    for plan in plans(&options.scenario, options.jobs, rounds) {
        for scenario in measure(&plan, &entrants)? {
            println!("{scenario}");
            scenarios.push(scenario);
        }
    }
    let Some(path) = &options.json else { return Ok(()) };
    let json =
        serde_json::to_string_pretty(&Report { machine, rounds, scenarios }).map_err(|error| error.to_string())?;
    fs::write(path, json + "\n").map_err(|error| format!("{}: {error}", path.display()))
}

/// The scenarios, together where they can share their pools.
fn plans(shapes: &[Shape], jobs: usize, rounds: usize) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for &Shape { producers, workers } in shapes {
        match plans.iter_mut().find(|plan| plan.workers == workers) {
            Some(plan) if plan.producers.contains(&producers) => {}
            Some(plan) => plan.producers.push(producers),
            None => plans.push(Plan { workers, producers: vec![producers], jobs, rounds }),
        }
    }
    plans
}
