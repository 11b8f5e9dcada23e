//! What a limit on queued jobs costs a producer that is faster than the pool, and what a group costs.

use clap::Parser;
use fastthreadpool::Policy;
use rivals::bare;
use rivals::measure::{Plan, measure};
use rivals::options::{self, Common, positive};
use rivals::ours::RustPool;
use rivals::report::Report;
use rivals::rival::{Entrant, OURS_RUST};
use std::process::ExitCode;

/// Measures fire-and-forget jobs through queues with and without a limit.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Jobs per round
    #[arg(long, default_value_t = 1_000_000, value_parser = positive)]
    jobs: usize,
}

/// The limit that the goal is set for.
const MOST: usize = 1024;

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("bound", &options.common.files, |report| run(&options, report))
}

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let Options { common, jobs } = options;
    let entrants: Vec<Entrant> = entrants().into_iter().filter(|entrant| common.wants(entrant.name)).collect();
    for workers in [1, 2, 8] {
        let plan = Plan { workers, producers: vec![1, 4], jobs: common.scaled(*jobs), rounds: common.rounds() };
        let mut scenarios = measure(&plan, &entrants)?;
        for scenario in &mut scenarios {
            scenario.question = "what a limit on queued jobs, or a group, costs".into();
        }
        report.scenarios(scenarios);
    }
    Ok(())
}

fn entrants() -> Vec<Entrant> {
    let bounded = |policy| move |workers| RustPool::bounded(workers, MOST, policy);
    vec![
        Entrant::new(OURS_RUST, None, RustPool::new),
        Entrant::new("max_queued 1024, Block", None, bounded(Policy::Block)),
        Entrant::new("max_queued 1024, CallerRuns", None, bounded(Policy::CallerRuns)),
        Entrant::new("a group", None, RustPool::grouped),
        Entrant::new("crossbeam-channel, bare", None, bare::crossbeam),
        Entrant::new("crossbeam-channel of 1024, bare", None, |workers| bare::crossbeam_bounded(workers, MOST)),
    ]
}
