//! Fire-and-forget throughput of fastthreadpool and its rivals: goals P1 and P2.

use clap::Parser;
use rivals::c_abi::CApi;
use rivals::machine::Machine;
use rivals::measure::{Plan, measure};
use rivals::options::{self, Common, positive};
use rivals::report::{Fact, Report, Scenario, is_ours_by_c, is_ours_by_rust};
use rivals::rival::{Entrant, entrants};
use rivals::{crates, native};
use std::env;
use std::process::{Command, ExitCode};

/// Measures fire-and-forget jobs: from the first submit until every job ran.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Jobs per round
    #[arg(long, default_value_t = 1_000_000, value_parser = positive)]
    jobs: usize,
    /// Producers × workers, as in 4x2; may be repeated
    #[arg(long, value_name = "PxW", value_parser = shape, default_values = ["1x2", "4x2", "1x8", "4x8", "1x1"])]
    scenario: Vec<Shape>,
    /// This process is one of those that the whole run consists of
    #[arg(long, hide = true)]
    part: bool,
}

/// How many producers submit to how many workers.
#[derive(Clone, Copy, Debug)]
struct Shape {
    producers: usize,
    workers: usize,
}

fn shape(text: &str) -> Result<Shape, String> {
    let (producers, workers) = text.split_once('x').ok_or("two numbers are needed, as in 4x2")?;
    Ok(Shape { producers: positive(producers)?, workers: positive(workers)? })
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.part {
        let report = Report::of("throughput", Machine::here());
        return options::fill(report, &options.common.files, |report| run_part(&options, report));
    }
    options::report("throughput", &options.common.files, |report| {
        report.missing(native::missing());
        run(&options, report)
    })
}

/// Each number of workers in a process of its own: some pools belong to the process and have one size.
fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let mut sizes: Vec<usize> = Vec::new();
    for &Shape { workers, .. } in &options.scenario {
        if !sizes.contains(&workers) {
            sizes.push(workers);
        }
    }
    let json = env::temp_dir().join(format!("throughput-{}.json", std::process::id()));
    for workers in sizes {
        let producers = options.scenario.iter().filter(|shape| shape.workers == workers).map(|shape| shape.producers);
        let mut part = Command::new(env::current_exe().map_err(|error| error.to_string())?);
        part.arg("--part").args(["--rounds", &options.common.rounds().to_string()]);
        part.args(["--jobs", &options.common.scaled(options.jobs).to_string()]);
        part.arg("--json").arg(&json).arg("--library").arg(&options.common.files.library);
        options.common.only.iter().for_each(|only| _ = part.args(["--only", only]));
        producers.for_each(|producers| _ = part.args(["--scenario", &format!("{producers}x{workers}")]));
        let size = workers.to_string();
        part.envs(crates::SIZED_BY_THE_ENVIRONMENT.iter().map(|variable| (variable, &size)));
        let status = part.status().map_err(|error| error.to_string())?;
        let measured = Report::read(&json);
        let _ = std::fs::remove_file(&json);
        if !status.success() {
            return Err(format!("{workers} workers: {status}"));
        }
        report.scenarios.extend(measured?.scenarios);
    }
    let facts = report.scenarios.iter().flat_map(never_slower).collect();
    report.facts(facts);
    Ok(())
}

fn run_part(options: &Options, report: &mut Report) -> Result<(), String> {
    let entrants: Vec<Entrant> = entrants(CApi::load_or_explain(&options.common.files.library))
        .into_iter()
        .filter(|entrant| options.common.wants(entrant.name))
        .collect();
    if entrants.is_empty() {
        return Err("no pool's name contains that".into());
    }
    let workers = options.scenario.first().map_or(2, |shape| shape.workers);
    let producers = options.scenario.iter().map(|shape| shape.producers).collect();
    let plan = Plan { workers, producers, jobs: options.jobs, rounds: options.common.rounds };
    report.scenarios(measure(&plan, &entrants)?);
    Ok(())
}

/// Of the goal P2: ours are never slower than with one producer.
fn never_slower(scenario: &Scenario) -> impl Iterator<Item = Fact> {
    let ours = scenario.lines.iter().filter(|line| is_ours_by_c(&line.rival) || is_ours_by_rust(&line.rival));
    ours.filter_map(|line| {
        Some(Fact {
            goal: "P2".into(),
            what: format!("{} against one producer", scenario.name).into(),
            who: line.rival.clone(),
            at_most: 1.0,
            reached: line.to_one_producer?,
            unit: "×".into(),
        })
    })
}
