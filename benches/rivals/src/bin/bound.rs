//! What a limit on queued jobs costs a producer that is faster than the pool, and what a group costs.

use clap::Parser;
use fastthreadpool::Policy;
use rivals::bare::Crossbeam;
use rivals::machine::Machine;
use rivals::measure::{Plan, measure};
use rivals::ours::RustPool;
use rivals::rival::{Entrant, OURS_RUST, Rival};
use std::process::ExitCode;
use std::sync::Arc;

/// Measures fire-and-forget jobs through queues with and without a limit.
#[derive(Debug, Parser)]
struct Options {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Jobs per round
    #[arg(long, default_value_t = 1_000_000)]
    jobs: usize,
}

/// The limit that the goal is set for.
const MOST: usize = 1024;

fn main() -> ExitCode {
    run(&Options::parse())
        .inspect_err(|error| eprintln!("error: {error}"))
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn run(options: &Options) -> Result<(), String> {
    println!("{}\n", Machine::here());
    for workers in [1, 2, 8] {
        let plan = Plan { workers, producers: vec![1, 4], jobs: options.jobs, rounds: options.rounds };
        for scenario in measure(&plan, &entrants())? {
            println!("{scenario}");
        }
    }
    Ok(())
}

fn entrants() -> Vec<Entrant> {
    let bounded = |policy| move |workers| RustPool::bounded(workers, MOST, policy);
    vec![
        entrant(OURS_RUST, RustPool::new),
        entrant("max_queued 1024, Block", bounded(Policy::Block)),
        entrant("max_queued 1024, CallerRuns", bounded(Policy::CallerRuns)),
        entrant("a group", RustPool::grouped),
        entrant("crossbeam-channel, bare", Crossbeam::new),
        entrant("crossbeam-channel of 1024, bare", |workers| Crossbeam::bounded(workers, MOST)),
    ]
}

fn entrant<R: Rival + 'static>(name: &'static str, pool: impl Fn(usize) -> R + 'static) -> Entrant {
    Entrant { name, goal: None, pool: Box::new(move |workers| Arc::new(pool(workers))) }
}
