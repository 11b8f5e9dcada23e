//! What a run of one program came to: scenarios, facts and distributions, as JSON for programs and Markdown for people.

use crate::machine::Machine;
use crate::measure::{median, median_ratio};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs;
use std::path::Path;

type Text = Cow<'static, str>;

/// A run of one program.
#[derive(Debug, Deserialize, Serialize)]
pub struct Report {
    pub program: Text,
    pub machine: Machine,
    /// Who does not take part, and how that could be changed.
    pub missing: Vec<String>,
    pub scenarios: Vec<Scenario>,
    pub facts: Vec<Fact>,
    pub distributions: Vec<Distribution>,
}

/// Rivals that did the same, in turns.
#[derive(Debug, Deserialize, Serialize)]
pub struct Scenario {
    pub name: Text,
    /// In a line; the goals that it belongs to are named in it, as in "(P1)".
    pub question: Text,
    /// As in "ns/job". Figures are always nanoseconds.
    pub unit: Text,
    pub producers: Option<usize>,
    pub workers: Option<usize>,
    pub lines: Vec<Line>,
}

/// What came out for one rival.
#[derive(Debug, Deserialize, Serialize)]
pub struct Line {
    pub rival: Text,
    /// What our time divided by this rival's shall be at most.
    pub goal: Option<f64>,
    /// One per round.
    pub rounds: Vec<f64>,
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// The median over the rounds of our time (Rust API) by this rival's.
    pub rust_ratio: Option<f64>,
    /// The same for the C ABI.
    pub c_ratio: Option<f64>,
    /// The median over the rounds of this time by that of the same rival with one producer.
    pub to_one_producer: Option<f64>,
    /// The longest wait of all rounds, where waits were timed.
    pub longest_us: f64,
}

/// A single figure, and what it shall be at most.
#[derive(Debug, Deserialize, Serialize)]
pub struct Fact {
    /// As in "P8".
    pub goal: Text,
    pub what: Text,
    pub who: Text,
    pub at_most: f64,
    pub reached: f64,
    pub unit: Text,
}

/// How long somebody took, from the shortest to the longest.
#[derive(Debug, Deserialize, Serialize)]
pub struct Distribution {
    pub question: Text,
    pub who: Text,
    pub samples: usize,
    /// Microseconds at 0 %, 0.5 %, … 100 %.
    pub us: Vec<f64>,
}

impl Report {
    /// Of a run that begins here and now; prints the machine's line.
    pub fn begin(program: &'static str) -> Self {
        let machine = Machine::here();
        println!("{machine}\n");
        Self::of(program, machine)
    }

    /// Without printing anything.
    pub fn of(program: &'static str, machine: Machine) -> Self {
        let (missing, scenarios, facts, distributions) = Default::default();
        Self { program: program.into(), machine, missing, scenarios, facts, distributions }
    }

    /// Says who is left out.
    pub fn missing(&mut self, who: impl IntoIterator<Item = String>) {
        for line in who {
            println!("{line}\n");
            self.missing.push(line);
        }
    }

    /// Prints scenarios and keeps them.
    pub fn scenarios(&mut self, all: Vec<Scenario>) {
        all.iter().for_each(|scenario| println!("{scenario}"));
        self.scenarios.extend(all);
    }

    /// Prints some facts as one table, and keeps them.
    pub fn facts(&mut self, facts: Vec<Fact>) {
        println!("| what | who | goal | reached | |\n|---|---|--:|--:|---|");
        facts.iter().for_each(|fact| println!("{fact}"));
        println!();
        self.facts.extend(facts);
    }

    /// Prints distributions that answer one question, and keeps them.
    pub fn distributions(&mut self, all: Vec<Distribution>) {
        let Some(question) = all.first().map(|first| first.question.clone()) else { return };
        println!("### {question}, µs\n\n| | p50 | p90 | p99 | max |\n|---|--:|--:|--:|--:|");
        for one in &all {
            let [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1.0].map(|share| one.at(share));
            println!("| {} | {p50:.1} | {p90:.1} | {p99:.1} | {max:.1} |", one.who);
        }
        println!();
        self.distributions.extend(all);
    }

    /// Writes all of it, if it is wanted.
    pub fn write(&self, path: Option<&Path>) -> Result<(), String> {
        let Some(path) = path else { return Ok(()) };
        let json = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(path, json + "\n").map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads what was written.
    pub fn read(path: &Path) -> Result<Self, String> {
        let json = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&json).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Scenario {
    /// The lines, from each rival's rounds. Ours are the first by the Rust API and the first by the C ABI.
    pub fn evaluate(name: Text, question: Text, unit: Text, rivals: Vec<(Text, Option<f64>, Vec<f64>)>) -> Self {
        let ours = |is: &dyn Fn(&str) -> bool| rivals.iter().find(|rival| is(&rival.0)).map(|rival| rival.2.clone());
        let (rust, c) = (ours(&is_ours_by_rust), ours(&is_ours_by_c));
        let line = |(rival, goal, rounds): (Text, Option<f64>, Vec<f64>)| Line {
            rival,
            goal,
            median: median(&rounds),
            min: rounds.iter().copied().fold(f64::INFINITY, f64::min),
            max: rounds.iter().copied().fold(0.0, f64::max),
            rust_ratio: rust.as_ref().map(|rust| median_ratio(rust, &rounds)),
            c_ratio: c.as_ref().map(|c| median_ratio(c, &rounds)),
            to_one_producer: None,
            longest_us: 0.0,
            rounds,
        };
        let lines = rivals.into_iter().map(line).collect();
        Self { name, question, unit, producers: None, workers: None, lines }
    }

    /// Whether it belongs to a goal, as in "P1".
    pub fn belongs_to(&self, goal: &str) -> bool {
        let named = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == goal);
        named(&self.question) || named(&self.name)
    }
}

/// Whether a line is ours, by the Rust API.
pub fn is_ours_by_rust(rival: &str) -> bool {
    rival == "fastthreadpool" || rival.ends_with("(Rust)")
}

/// Whether a line is ours, by the C ABI.
pub fn is_ours_by_c(rival: &str) -> bool {
    rival.ends_with("(C ABI)")
}

impl Line {
    /// What the goal is about: the C ABI or, where it does not take part, the Rust API.
    pub fn ratio(&self) -> Option<f64> {
        self.c_ratio.or(self.rust_ratio)
    }
}

impl Fact {
    pub fn is_met(&self) -> bool {
        self.reached <= self.at_most
    }
}

impl Distribution {
    /// Of any number of microseconds.
    pub fn of(question: Text, who: Text, mut us: Vec<f64>) -> Self {
        us.sort_by(f64::total_cmp);
        let at = |step: usize| us.get((us.len().saturating_sub(1) * step).div_ceil(200)).copied().unwrap_or_default();
        Self { question, who, samples: us.len(), us: (0..=200).map(at).collect() }
    }

    /// 0.5 is the median.
    pub fn at(&self, share: f64) -> f64 {
        self.us.get((share * 200.0).round() as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Distribution, Scenario};

    #[test]
    fn a_scenario_belongs_to_the_goals_that_its_question_names() {
        let scenario = Scenario::evaluate("1 × 2".into(), "one producer (P1, P12)".into(), "ns/job".into(), Vec::new());
        assert!(scenario.belongs_to("P1") && scenario.belongs_to("P12") && !scenario.belongs_to("P2"));
    }

    #[test]
    fn ours_is_the_first_line_of_its_face() {
        let line = |name: &'static str, ns: f64| (name.into(), None, vec![ns, ns]);
        let all = vec![line("fastthreadpool (Rust)", 1.0), line("fair (Rust)", 4.0), line("it", 2.0)];
        let scenario = Scenario::evaluate("".into(), "".into(), "ns/job".into(), all);
        assert_eq!(scenario.lines[2].ratio(), Some(0.5));
    }

    #[test]
    fn quantiles_are_those_of_the_samples() {
        let all = Distribution::of("".into(), "".into(), (0..=1000).rev().map(f64::from).collect());
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| all.at(share)), [0.0, 500.0, 990.0, 1000.0]);
    }
}
