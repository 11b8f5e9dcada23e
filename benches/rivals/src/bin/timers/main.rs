//! Timers: a crowd of them, how late they are, and what a far one costs: goal P11.

mod crowd;
mod late;

use clap::Parser;
use rivals::native_timers;
use rivals::options::{self, Common, positive};
use rivals::process::cpu_time;
use rivals::report::{Distribution, Fact, Report, Scenario};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// Measures inserting, cancelling, setting anew and firing many timers, and the lateness of a few.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Timers that are outstanding at once
    #[arg(long, default_value_t = 1_000_000, value_parser = positive)]
    timers: usize,
    /// Timers whose lateness is measured, for each number outstanding
    #[arg(long, default_value_t = 500, value_parser = positive)]
    samples: usize,
    /// Seconds of doing nothing while one far timer waits
    #[arg(long, default_value_t = 5)]
    idle: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("timers", &options.common.files, |report| {
        crowds(&options, report);
        lateness(&options, report);
        report.facts(vec![idle(if options.common.quick { 2 } else { options.idle })]);
        Ok(())
    })
}

const OURS: &str = "fastthreadpool";

/// The warm-up round has one timer of so many.
const WARM_UP: usize = 10;

/// Rivals that no goal names are four times as slow, and take part in the first rounds only.
const ROUNDS_OF_OTHERS: usize = 2;

/// One timer outstanding after another, up to all of them, and down again. CPU time of all threads.
fn crowds(options: &Options, report: &mut Report) {
    let mut makers: Vec<(&str, crowd::Make)> = vec![
        (OURS, Box::new(|| Box::new(crowd::Ours::new()))),
        ("tokio-util DelayQueue (one thread only)", Box::new(|| Box::new(crowd::Tokio::new()))),
        ("Mutex + BinaryHeap + Condvar", Box::new(|| Box::new(crowd::Heap::new()))),
    ];
    for entrant in native_timers::installed() {
        makers.push((entrant.name, Box::new(move || Box::new(crowd::Native(entrant.make())))));
    }
    makers.retain(|(name, _)| options.common.wants(name));
    let timers = options.common.scaled(options.timers);
    let mut figures = vec![vec![Vec::new(); makers.len()]; crowd::STEPS.len()];
    for round in 0..=options.common.rounds() {
        let timers = if round == 0 { timers.div_ceil(WARM_UP) } else { timers };
        let takes_part = |name| name == OURS || round <= ROUNDS_OF_OTHERS || goal("insert + fire", name).is_some();
        let racers: Vec<usize> = (0..makers.len()).filter(|&number| takes_part(makers[number].0)).collect();
        for turn in 0..racers.len() {
            let number = racers[(turn + round) % racers.len()];
            let measured = crowd::measure(&makers[number].1, timers);
            for (step, figure) in measured.into_iter().enumerate().filter(|_| round > 0) {
                figures[step][number].extend(figure);
            }
        }
    }
    for (step, figures) in crowd::STEPS.into_iter().zip(figures) {
        let names = makers.iter().map(|(name, _)| *name);
        let able = names.zip(figures).filter(|(_, own)| !own.is_empty());
        let rivals = able.map(|(name, own)| (name.into(), goal(step, name), own)).collect();
        let question = "CPU time of all threads, for each timer (P11)";
        let (question, unit) = if step == "bytes each" { ("memory (P11)", "B") } else { (question, "ns") };
        let name = format!("{step}, {timers} outstanding");
        report.scenarios(vec![Scenario::evaluate(name.into(), question.into(), unit.into(), rivals)]);
    }
    let bytes = report.scenarios.last().and_then(|scenario| scenario.lines.first()).map(|line| line.median);
    report.facts(bytes.map(|bytes| fact("memory of a timer", 64.0, bytes, "B")).into_iter().collect());
}

/// What our time by this rival's shall be at most.
fn goal(step: &str, rival: &str) -> Option<f64> {
    let named = matches!(step, "insert + cancel at once" | "insert + fire");
    match rival {
        OURS => None,
        _ if !named => None,
        _ if rival.contains("BinaryHeap") => Some(1.0 / 3.0),
        _ if rival.contains("DelayQueue") => Some(0.5),
        _ => None,
    }
}

fn fact(what: &str, at_most: f64, reached: f64, unit: &'static str) -> Fact {
    Fact { goal: "P11".into(), what: what.to_owned().into(), who: OURS.into(), at_most, reached, unit: unit.into() }
}

/// How long after they are due jobs begin, while others wait, beside a bare timed sleep on a futex.
fn lateness(options: &Options, report: &mut Report) {
    let mut facts = Vec::new();
    for outstanding in [0, 1_000, options.common.scaled(options.timers)] {
        let question = format!("lateness of timers of 1 ms, {outstanding} others outstanding (P11)");
        let samples = options.common.scaled(options.samples);
        let us = |late: Vec<u64>| late.into_iter().map(|ns| ns as f64 / 1e3).collect();
        let all: Vec<Distribution> = late::measure(outstanding, samples)
            .into_iter()
            .map(|(who, late)| Distribution::of(question.clone().into(), who.into(), us(late)))
            .collect();
        let [_, bare, ours, ..] = &all[..] else { unreachable!("three are always measured") };
        facts.extend([0.5, 0.99].map(|share| {
            let what =
                format!("lateness p{:.0}, {outstanding} others, by that of a futex with the same slack", share * 100.0);
            fact(&what, 1.0, ours.at(share) / bare.at(share), "×")
        }));
        report.distributions(all);
    }
    facts.push(fact("100 ticks of 20 ms", 2.001, late::hundred_ticks().as_secs_f64(), "s"));
    report.facts(facts);
}

/// CPU time of a process whose pool has one timer an hour ahead.
fn idle(seconds: u64) -> Fact {
    let pool = fastthreadpool::Pool::new().expect("a pool");
    pool.spawn_later(Duration::from_secs(3600), || {}).expect("the pool is open");
    thread::sleep(Duration::from_millis(300));
    let before = cpu_time();
    thread::sleep(Duration::from_secs(seconds));
    let taken = cpu_time() - before;
    fact(&format!("CPU time in {seconds} s with one timer an hour ahead"), 1.0, taken.as_secs_f64() * 1e3, "ms")
}
