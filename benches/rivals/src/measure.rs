//! Fire-and-forget jobs: every rival once per round, in rotating order.

use crate::contest::{Contest, Lane, Outcome, race};
use crate::producers::Producers;
use crate::report::Scenario;
use crate::rival::{Entrant, Rival};
use crate::tally::Round;
use std::mem;
use std::sync::Arc;

/// Scenarios that share their pools, so that their rounds can be interleaved.
#[derive(Debug)]
pub struct Plan {
    pub workers: usize,
    pub producers: Vec<usize>,
    pub jobs: usize,
    pub rounds: usize,
}

/// Makes the pools and runs the race.
pub fn measure(plan: &Plan, entrants: &[Entrant]) -> Result<Vec<Scenario>, String> {
    let pools: Vec<_> = entrants.iter().map(|entrant| (entrant.pool)(plan.workers)).collect();
    let producers = Producers::new(plan.producers.iter().copied().max().unwrap_or(1));
    let lane = |(entrant, pool): (&Entrant, &Arc<dyn Rival>), count: usize| {
        let (pool, producers, jobs) = (Arc::clone(pool), &producers, plan.jobs / entrant.one_in);
        let run = move || run_round(&pool, producers, count, jobs);
        Lane { rival: entrant.name, goal: entrant.goal, run: Box::new(run) }
    };
    let contest = |&count: &usize| Contest {
        name: format!("{count} × {} (producers × workers)", plan.workers),
        question: question(count, plan.workers),
        unit: "ns/job",
        lanes: entrants.iter().zip(&pools).map(|racer| lane(racer, count)).collect(),
    };
    let mut contests: Vec<Contest<'_>> = plan.producers.iter().map(contest).collect();
    match race(&mut contests, plan.rounds) {
        Ok(scenarios) => Ok(compare_producers(plan, scenarios)),
        Err(error) => {
            // The drop of a pool that lost jobs could wait for them.
            mem::forget(contests);
            mem::forget(pools);
            Err(error)
        }
    }
}

fn question(producers: usize, workers: usize) -> &'static str {
    match (producers, workers) {
        (1, 1) => "the least that handing over a job costs",
        (1, 2) => "what one submitting thread can get done (P1)",
        (1, _) => "the same with other numbers of workers (P2)",
        _ => "whether submitting threads get in each other's way (P2)",
    }
}

/// The time from the first submit until every job ran.
fn run_round(rival: &Arc<dyn Rival>, producers: &Producers, count: usize, jobs: usize) -> Result<Outcome, String> {
    let round = Round::begin(jobs);
    let began = producers.submit(rival, count, jobs);
    rival.wait(&round)?;
    let took = began.elapsed();
    round.verify()?;
    Ok(Outcome::of(took, jobs))
}

fn compare_producers(plan: &Plan, mut scenarios: Vec<Scenario>) -> Vec<Scenario> {
    let alone = plan.producers.iter().position(|&count| count == 1);
    let rounds = |scenario: &Scenario| scenario.lines.iter().map(|line| line.rounds.clone()).collect::<Vec<_>>();
    let alone = alone.map(|alone| rounds(&scenarios[alone]));
    for (scenario, &count) in scenarios.iter_mut().zip(&plan.producers) {
        (scenario.producers, scenario.workers) = (Some(count), Some(plan.workers));
        for (line, alone) in scenario.lines.iter_mut().zip(alone.iter().flatten()).filter(|_| count > 1) {
            line.to_one_producer = Some(median_ratio(&line.rounds, alone));
        }
    }
    scenarios
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
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[half],
        _ => (sorted[half - 1] + sorted[half]) / 2.0,
    }
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
