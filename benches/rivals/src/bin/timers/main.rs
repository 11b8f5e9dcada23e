//! Timers: a crowd of them, how late they are, and what a far one costs: goal P11.

mod crowd;
mod late;

use clap::Parser;
use rivals::machine::Machine;
use rivals::measure::{median, median_ratio};
use rivals::native_timers;
use std::thread;
use std::time::Duration;

/// Measures inserting, cancelling, setting anew and firing many timers, and the lateness of a few.
#[derive(Debug, Parser)]
struct Options {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Timers that are outstanding at once
    #[arg(long, default_value_t = 1_000_000)]
    timers: usize,
    /// Timers whose lateness is measured, for each number outstanding
    #[arg(long, default_value_t = 500)]
    samples: usize,
    /// Seconds of doing nothing while one far timer waits
    #[arg(long, default_value_t = 10)]
    idle: u64,
}

fn main() {
    let options = Options::parse();
    println!("{}\n", Machine::here());
    crowds(&options);
    lateness(&options);
    idle(options.idle);
}

/// One timer outstanding after another, up to all of them, and down again.
fn crowds(options: &Options) {
    let mut makers: Vec<(&str, crowd::Make)> = vec![
        ("fastthreadpool", Box::new(|| Box::new(crowd::Ours::new()))),
        ("tokio-util DelayQueue (one thread only)", Box::new(|| Box::new(crowd::Tokio::new()))),
        ("Mutex + BinaryHeap + Condvar", Box::new(|| Box::new(crowd::Heap::new()))),
    ];
    for entrant in native_timers::installed() {
        makers.push((entrant.name, Box::new(move || Box::new(crowd::Native(entrant.make())))));
    }
    println!(
        "### {} timers outstanding, {} rounds, ns of CPU time (all threads) per timer\n",
        options.timers, options.rounds
    );
    let mut times = vec![vec![Vec::new(); makers.len()]; crowd::STEPS.len()];
    for round in 0..=options.rounds {
        for turn in 0..makers.len() {
            let number = (turn + round) % makers.len();
            let measured = crowd::measure(&makers[number].1, options.timers);
            for (step, ns) in measured.into_iter().enumerate().filter(|_| round > 0) {
                times[step][number].extend(ns);
            }
        }
    }
    println!("| step | {} |", makers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "--:|".repeat(makers.len()));
    for (step, times) in crowd::STEPS.iter().zip(&times) {
        let cell = |own: &Vec<f64>| match own.is_empty() {
            true => "–".to_string(),
            false if own.len() == times[0].len() => {
                format!("{:.1} ({:.2}×)", median(own), median_ratio(own, &times[0]))
            }
            false => format!("{:.1}", median(own)),
        };
        println!("| {step} | {} |", times.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    println!();
}

/// How long after they are due jobs begin, while others wait, beside a bare timed sleep on a futex.
fn lateness(options: &Options) {
    println!("### lateness of {} timers of 1 ms, µs\n", options.samples);
    println!("| outstanding | who | p50 | p99 | max |\n|--:|---|--:|--:|--:|");
    for outstanding in [0, 1_000, options.timers] {
        for (who, late) in late::measure(outstanding, options.samples) {
            let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize] as f64 / 1e3;
            println!("| {outstanding} | {who} | {:.1} | {:.1} | {:.1} |", at(0.5), at(0.99), at(1.0));
        }
    }
    let ticks = late::hundred_ticks();
    println!("\n100 ticks of 20 ms ended after {ticks:.4?}\n");
}

/// CPU time of a process whose pool has one timer an hour ahead.
fn idle(seconds: u64) {
    let pool = fastthreadpool::Pool::new().expect("a pool");
    pool.spawn_later(Duration::from_secs(3600), || {}).expect("the pool is open");
    thread::sleep(Duration::from_millis(300));
    let before = late::cpu_time();
    thread::sleep(Duration::from_secs(seconds));
    let taken = late::cpu_time() - before;
    println!("CPU time in {seconds} s with one timer an hour ahead: {:.3} ms", taken.as_secs_f64() * 1e3);
}
