//! The race: every rival once per round, in rotating order.

use crate::producers::Producers;
use crate::rival::{Entrant, OURS_C, OURS_RUST, Rival};
use crate::tally::Round;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Scenarios that share their pools, so that their rounds can be interleaved.
#[derive(Debug)]
pub struct Plan {
    pub workers: usize,
    pub producers: Vec<usize>,
    pub jobs: usize,
    pub rounds: usize,
}

/// What came out of one scenario.
#[derive(Debug, Deserialize, Serialize)]
pub struct Scenario {
    pub producers: usize,
    pub workers: usize,
    pub jobs: usize,
    pub lines: Vec<Line>,
}

/// What came out for one rival.
#[derive(Debug, Deserialize, Serialize)]
pub struct Line {
    pub rival: Cow<'static, str>,
    pub goal: Option<f64>,
    /// One per round.
    pub ns_per_job: Vec<f64>,
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// The median over the rounds of fastthreadpool's time (Rust API) by this rival's.
    pub rust_ratio: Option<f64>,
    /// The same for the C ABI.
    pub c_ratio: Option<f64>,
    /// The median over the rounds of this time by that of the same rival with one producer.
    pub to_one_producer: Option<f64>,
}

/// How long all pools are left alone before a measurement, so that the one before has gone to sleep.
const PAUSE: Duration = Duration::from_millis(5);

/// Makes the pools and runs the race.
pub fn measure(plan: &Plan, entrants: &[Entrant]) -> Result<Vec<Scenario>, String> {
    let pools: Vec<_> = entrants.iter().map(|entrant| (entrant.pool)(plan.workers)).collect();
    match race(plan, entrants, &pools) {
        Ok(times) => Ok((0..plan.producers.len()).map(|index| evaluate(plan, index, &times, entrants)).collect()),
        Err(error) => {
            // The drop of a pool that lost jobs could wait for them.
            mem::forget(pools);
            Err(error)
        }
    }
}

/// For each number of producers, for each rival: one time per round.
type Times = Vec<Vec<Vec<f64>>>;

/// One warm-up round, then those that count.
fn race(plan: &Plan, entrants: &[Entrant], pools: &[Arc<dyn Rival>]) -> Result<Times, String> {
    let producers = Producers::new(plan.producers.iter().copied().max().unwrap_or(1));
    let mut times = vec![vec![Vec::with_capacity(plan.rounds); pools.len()]; plan.producers.len()];
    for round in 0..=plan.rounds {
        for (scenario, &count) in plan.producers.iter().enumerate() {
            for turn in 0..pools.len() {
                let rival = (turn + round) % pools.len();
                let ns = run_round(&pools[rival], &producers, count, plan.jobs).map_err(|error| {
                    format!("{}, {count} producers × {} workers: {error}", entrants[rival].name, plan.workers)
                })?;
                if round > 0 {
                    times[scenario][rival].push(ns);
                }
            }
        }
    }
    Ok(times)
}

/// The time from the first submit until every job ran, in ns per job.
fn run_round(rival: &Arc<dyn Rival>, producers: &Producers, count: usize, jobs: usize) -> Result<f64, String> {
    thread::sleep(PAUSE);
    let round = Round::begin(jobs);
    let began = producers.submit(rival, count, jobs);
    rival.wait(&round)?;
    let took = began.elapsed();
    round.verify()?;
    Ok(took.as_nanos() as f64 / jobs as f64)
}

fn evaluate(plan: &Plan, scenario: usize, times: &[Vec<Vec<f64>>], entrants: &[Entrant]) -> Scenario {
    let here = &times[scenario];
    let of = |name: &str| entrants.iter().position(|entrant| entrant.name == name).map(|index| &here[index]);
    let alone = plan.producers.iter().position(|&count| count == 1).filter(|&alone| alone != scenario);
    let lines = entrants.iter().zip(here).enumerate().map(|(rival, (entrant, own))| Line {
        rival: entrant.name.into(),
        goal: entrant.goal,
        median: median(own),
        min: own.iter().copied().fold(f64::INFINITY, f64::min),
        max: own.iter().copied().fold(0.0, f64::max),
        rust_ratio: of(OURS_RUST).map(|ours| median_ratio(ours, own)),
        c_ratio: of(OURS_C).map(|ours| median_ratio(ours, own)),
        to_one_producer: alone.map(|alone| median_ratio(own, &times[alone][rival])),
        ns_per_job: own.clone(),
    });
    Scenario { producers: plan.producers[scenario], workers: plan.workers, jobs: plan.jobs, lines: lines.collect() }
}

/// The median over the rounds of `of` by `to`.
pub fn median_ratio(of: &[f64], to: &[f64]) -> f64 {
    median(&of.iter().zip(to).map(|(of, to)| of / to).collect::<Vec<_>>())
}

/// The middle one, or the mean of the middle two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::{median, median_ratio};

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        assert_eq!(median_ratio(&[1.0, 8.0, 3.0], &[2.0, 2.0, 3.0]), 1.0);
    }
}
