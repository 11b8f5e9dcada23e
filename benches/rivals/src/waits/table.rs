//! The race of all rivals in all scenarios, and its table.

use super::race::Outcome;
use crate::measure::{median, median_ratio};
use serde::Serialize;
use std::fmt;
use std::thread;
use std::time::Duration;

/// One rival in one scenario.
pub struct Lane {
    pub rival: &'static str,
    /// What the ratio of our time by this rival's shall be at most.
    pub goal: Option<f64>,
    pub run: Box<dyn Fn() -> Result<Outcome, String>>,
}

/// A scenario and its rivals.
pub struct Contest {
    pub name: String,
    pub question: &'static str,
    pub unit: &'static str,
    pub lanes: Vec<Lane>,
}

/// What came out of a scenario.
#[derive(Debug, Serialize)]
pub struct Scenario {
    pub name: String,
    pub question: &'static str,
    pub unit: &'static str,
    pub lines: Vec<Line>,
}

/// What came out for one rival.
#[derive(Debug, Serialize)]
pub struct Line {
    pub rival: &'static str,
    pub goal: Option<f64>,
    /// One per round.
    pub ns: Vec<f64>,
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// The median over the rounds of our time (Rust API) by this rival's.
    pub rust_ratio: Option<f64>,
    /// The same for the C ABI.
    pub c_ratio: Option<f64>,
    /// The longest wait of all rounds.
    pub longest_us: f64,
}

/// How long the machine is left alone between two measurements.
const PAUSE: Duration = Duration::from_millis(2);

/// One warm-up round, then those that count; in each every rival runs once in every scenario, in rotating order.
pub fn race(contests: &[Contest], rounds: usize) -> Result<Vec<Scenario>, String> {
    let mut outcomes: Vec<Vec<Vec<Outcome>>> = contests.iter().map(|c| vec![Vec::new(); c.lanes.len()]).collect();
    for round in 0..=rounds {
        for (contest, outcomes) in contests.iter().zip(&mut outcomes) {
            for turn in 0..contest.lanes.len() {
                let at = (turn + round) % contest.lanes.len();
                thread::sleep(PAUSE);
                let lane = &contest.lanes[at];
                let outcome = (lane.run)().map_err(|error| format!("{}, {}: {error}", contest.name, lane.rival))?;
                if round > 0 {
                    outcomes[at].push(outcome);
                }
            }
        }
    }
    Ok(contests.iter().zip(outcomes).map(|(contest, outcomes)| evaluate(contest, &outcomes)).collect())
}

fn evaluate(contest: &Contest, outcomes: &[Vec<Outcome>]) -> Scenario {
    let times: Vec<Vec<f64>> =
        outcomes.iter().map(|rounds| rounds.iter().map(|outcome| outcome.ns).collect()).collect();
    let ours = |face: &str| contest.lanes.iter().position(|lane| lane.rival.ends_with(face)).map(|at| &times[at]);
    let (rust, c) = (ours("Lock (Rust)").or(ours("Semaphore (Rust)")), ours("(C ABI)"));
    let lines = contest.lanes.iter().zip(&times).zip(outcomes).map(|((lane, ns), outcomes)| Line {
        rival: lane.rival,
        goal: lane.goal,
        median: median(ns),
        min: ns.iter().copied().fold(f64::INFINITY, f64::min),
        max: ns.iter().copied().fold(0.0, f64::max),
        rust_ratio: rust.map(|rust| median_ratio(rust, ns)),
        c_ratio: c.map(|c| median_ratio(c, ns)),
        longest_us: outcomes.iter().map(|outcome| outcome.longest.as_secs_f64() * 1e6).fold(0.0, f64::max),
        ns: ns.clone(),
    });
    Scenario { name: contest.name.clone(), question: contest.question, unit: contest.unit, lines: lines.collect() }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = self.lines.first().map_or(0, |line| line.ns.len());
        writeln!(f, "### {}: {} ({rounds} rounds)\n", self.name, self.question)?;
        writeln!(f, "| | {} | min | max | Rust ÷ it | C ÷ it | goal | longest wait, µs |", self.unit)?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = |ratio: Option<f64>| ratio.map_or("–".into(), |ratio| format!("{ratio:.3}"));
        let goal = match (self.goal, self.c_ratio.or(self.rust_ratio)) {
            (Some(goal), Some(reached)) => {
                format!("≤ {goal:.3} {}", if reached <= goal { "met" } else { "missed" })
            }
            _ => "–".into(),
        };
        write!(f, "| {} | {:.1} | {:.1} | {:.1} ", self.rival, self.median, self.min, self.max)?;
        write!(f, "| {} | {} | {goal} ", ratio(self.rust_ratio), ratio(self.c_ratio))?;
        write!(f, "| {:.0} |", self.longest_us)
    }
}
