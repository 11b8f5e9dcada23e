//! Goal P14: what eight producers and eight workers get done beside one of each, and whether sixteen still do.

use crate::grid::{Cell, median};
use std::fmt;

/// How many times the throughput of 1 + 1 is wanted of 8 + 8.
pub(crate) const FASTER: f64 = 5.0;

/// What share of the throughput of 8 + 8 is left at 16 + 16, at least: less would be a collapse.
pub(crate) const LEFT: f64 = 0.8;

/// So many cores are needed to decide.
const CORES: usize = 16;

pub(crate) struct Verdict {
    pub(crate) cores: usize,
    /// The throughput of 8 + 8 by that of 1 + 1, if both were measured; the median over the rounds.
    pub(crate) eight: Option<f64>,
    /// The throughput of 16 + 16 by that of 8 + 8.
    pub(crate) sixteen: Option<f64>,
}

pub(crate) fn of(cells: &[Cell], cores: usize) -> Verdict {
    let diagonal = |size| cells.iter().find(|cell| (cell.producers, cell.workers) == (size, size));
    let faster = |than, size| {
        let (slow, fast): (&Cell, &Cell) = (diagonal(than)?, diagonal(size)?);
        Some(median(slow.rounds.iter().zip(&fast.rounds).map(|(slow, fast)| slow / fast).collect()))
    };
    Verdict { cores, eight: faster(1, 8), sixteen: faster(8, 16) }
}

impl Verdict {
    /// Whether this machine can tell.
    pub(crate) fn is_decidable(&self) -> bool {
        self.cores >= CORES
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, ratio: Option<f64>, goal: f64| {
            let Some(ratio) = ratio else { return writeln!(f, "{what}: not measured") };
            let verdict = match (self.is_decidable(), ratio >= goal) {
                (false, _) => format!("undecided: {} cores, {CORES} are needed", self.cores),
                (true, true) => "met".into(),
                (true, false) => "missed".into(),
            };
            writeln!(f, "{what}: {ratio:.2} × the throughput, goal ≥ {goal:.1} ({verdict})")
        };
        line("P14, 8 + 8 against 1 + 1", self.eight, FASTER)?;
        line("P14, 16 + 16 against 8 + 8", self.sixteen, LEFT)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, of};

    #[test]
    fn throughputs_are_compared_round_by_round() {
        let cell = |size, rounds: &[f64]| Cell { producers: size, workers: size, rounds: rounds.into() };
        let verdict = of(&[cell(1, &[60.0, 50.0, 10.0]), cell(8, &[10.0, 10.0, 10.0])], 16);
        assert_eq!((verdict.eight, verdict.sixteen), (Some(5.0), None));
    }
}
