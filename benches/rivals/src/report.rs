//! What was measured, for people.

use crate::measure::{Line, Scenario};
use std::fmt;

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { producers, workers, jobs, lines } = self;
        let rounds = lines.first().map_or(0, |line| line.ns_per_job.len());
        writeln!(f, "### {producers} × {workers} (producers × workers), {jobs} jobs, {rounds} rounds\n")?;
        writeln!(f, "| pool | ns/job | min | max | Rust ÷ it | C ÷ it | goal | to 1 producer |")?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {:.1} | {:.1} | {:.1} ", self.rival, self.median, self.min, self.max)?;
        write!(f, "| {} | {} ", ratio(self.rust_ratio), ratio(self.c_ratio))?;
        write!(f, "| {} | {} |", self.judgement(), ratio(self.to_one_producer))
    }
}

impl Line {
    /// The goals are for the C ABI; where it is left out, the Rust API stands in.
    fn judgement(&self) -> String {
        match (self.goal, self.c_ratio.or(self.rust_ratio)) {
            (None, _) => "–".into(),
            (Some(goal), None) => format!("≤ {goal:.2}"),
            (Some(goal), Some(reached)) => {
                format!("≤ {goal:.2} {}", if reached <= goal { "met" } else { "missed" })
            }
        }
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or("–".into(), |ratio| format!("{ratio:.3}"))
}
