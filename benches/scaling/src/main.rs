//! Producers × workers, in powers of two: how throughput grows with the cores, and goal P14. One file that needs nothing
//! else on the machine; `docs/scaling.md` says what to expect.

mod grid;
mod json;
mod pools;
#[path = "../../rivals/src/producers.rs"]
mod producers;
#[path = "../../rivals/src/tally.rs"]
mod tally;
mod verdict;

/// What `producers` asks for.
mod rival {
    pub(crate) use crate::pools::Rival;
}

use grid::{Cell, Grid};
use std::process::ExitCode;
use std::{env, fs, thread};

const USAGE: &str = "scaling [--most N] [--rounds N] [--jobs N] [--json FILE]

Measures 1, 2, 4 … N producers × 1, 2, 4 … N workers (N = 16), with jobs that do next to nothing: nanoseconds per job, from
the first submit until the last has run; medians. Every answer is checked.";

struct Options {
    most: usize,
    rounds: usize,
    jobs: usize,
    json: Option<String>,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { most: 16, rounds: 7, jobs: 1_000_000, json: None };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        let number = || value.parse().ok().filter(|&number: &usize| number > 0);
        match name.as_str() {
            "--most" => options.most = number()?,
            "--rounds" => options.rounds = number()?,
            "--jobs" => options.jobs = number()?,
            "--json" => options.json = Some(value),
            _ => return None,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = parse(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{}, {cores} cores, Linux {}, commit {}\n", json::cpu(), json::kernel(), json::COMMIT);
    let sizes: Vec<usize> = (0..).map(|power| 1 << power).take_while(|&size| size <= options.most).collect();
    let grids = grid::measure(&sizes, options.jobs, options.rounds)?;
    for Grid { name, cells } in &grids {
        println!("### {name}: ns/job, {} jobs, {} rounds (producers ↓ × workers →)\n", options.jobs, options.rounds);
        print_table(&sizes, cells);
    }
    let verdict = verdict::of(&grids[0].cells, cores);
    println!("{verdict}");
    let Some(path) = &options.json else { return Ok(()) };
    fs::write(path, json::report(&grids, &verdict, cores)).map_err(|error| format!("{path}: {error}"))
}

fn print_table(sizes: &[usize], cells: &[Cell]) {
    println!("| | {} |", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" | "));
    println!("|---{}|", "|--:".repeat(sizes.len()));
    for &producers in sizes {
        let row = cells.iter().filter(|cell| cell.producers == producers).map(|cell| format!("{:.1}", cell.median()));
        println!("| **{producers}** | {} |", row.collect::<Vec<_>>().join(" | "));
    }
    println!();
}
