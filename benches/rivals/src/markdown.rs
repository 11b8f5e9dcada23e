//! What was measured, for people.

use crate::report::{Fact, Line, Scenario};
use std::fmt;

/// A table is in microseconds if every figure has so many nanoseconds.
const LONG: f64 = 10_000.0;

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, question, unit, lines, .. } = self;
        let rounds = lines.first().map_or(0, |line| line.rounds.len());
        let long = unit.starts_with("ns") && lines.iter().all(|line| line.median >= LONG);
        let (scale, unit) = if long { (1e3, unit.replace("ns", "µs")) } else { (1.0, unit.to_string()) };
        let (producers, waits) =
            (lines.iter().any(|line| line.to_one_producer.is_some()), lines.iter().any(|line| line.longest_us > 0.0));
        writeln!(f, "### {name}: {question} ({rounds} rounds)\n")?;
        write!(f, "| | {unit} | min | max | Rust ÷ it | C ÷ it | goal |")?;
        let more = |show: bool, title| if show { title } else { "" };
        writeln!(f, "{}{}", more(producers, " to 1 producer |"), more(waits, " longest wait, µs |"))?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|{}{}", more(producers, "--:|"), more(waits, "--:|"))?;
        for line in lines {
            let [median, min, max] = [line.median, line.min, line.max].map(|ns| ns / scale);
            write!(f, "| {} | {median:.1} | {min:.1} | {max:.1} ", line.rival)?;
            write!(f, "| {} | {} | {} |", ratio(line.rust_ratio), ratio(line.c_ratio), line.judgement())?;
            if producers {
                write!(f, " {} |", ratio(line.to_one_producer))?;
            }
            if waits {
                write!(f, " {:.0} |", line.longest_us)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Line {
    /// The goal, and whether it is reached.
    pub fn judgement(&self) -> String {
        match (self.goal, self.ratio()) {
            (None, _) => "–".into(),
            (Some(goal), None) => format!("≤ {goal:.3}"),
            (Some(goal), Some(reached)) => format!("≤ {goal:.3} {}", verdict(reached <= goal)),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, who, at_most, reached, unit, .. } = self;
        let verdict = verdict(self.is_met());
        write!(f, "| {what} | {who} | ≤ {at_most:.2} {unit} | {reached:.2} {unit} | {verdict} |")
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or("–".into(), |ratio| format!("{ratio:.3}"))
}
