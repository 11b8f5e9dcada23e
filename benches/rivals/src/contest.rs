//! Scenarios whose rivals take turns.

use crate::report::Scenario;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

/// What one round came to.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Per operation, all threads together.
    pub ns: f64,
    /// The longest wait of one thread that was seen.
    pub longest: Duration,
}

impl Outcome {
    /// Where no wait was timed.
    pub fn of(took: Duration, operations: usize) -> Self {
        Self { ns: took.as_nanos() as f64 / operations as f64, longest: Duration::ZERO }
    }
}

/// One rival in one scenario.
pub struct Lane<'a> {
    pub rival: &'static str,
    /// What the ratio of our time by this rival's shall be at most.
    pub goal: Option<f64>,
    /// One round. It checks its answer.
    pub run: Box<dyn FnMut() -> Result<Outcome, String> + 'a>,
}

/// One way to do a scenario's work: runs it once and returns its answer.
pub type Way<'a> = (&'static str, Box<dyn FnMut() -> u64 + 'a>);

impl<'a> Lane<'a> {
    /// Times a way that does so many operations, and whose answer must be this.
    pub fn checked((rival, mut way): Way<'a>, goal: Option<f64>, answer: u64, operations: usize) -> Self {
        let run = move || {
            let began = Instant::now();
            let got = black_box(way());
            let took = began.elapsed();
            if got == answer { Ok(Outcome::of(took, operations)) } else { Err(format!("{got} instead of {answer}")) }
        };
        Self { rival, goal, run: Box::new(run) }
    }

    /// Times `sum`, which does a job for each number below `jobs`, and adds up what they return: these numbers.
    pub fn summing(
        rival: &'static str,
        goal: Option<f64>,
        jobs: usize,
        mut sum: impl FnMut(usize) -> usize + 'a,
    ) -> Self {
        Self::checked((rival, Box::new(move || sum(jobs) as u64)), goal, (0..jobs as u64).sum(), jobs)
    }
}

/// A scenario and its rivals.
pub struct Contest<'a> {
    pub name: String,
    /// In a line; it names the goals that it belongs to, as in "(P1)".
    pub question: &'static str,
    pub unit: &'static str,
    pub lanes: Vec<Lane<'a>>,
}

/// How long everybody is left alone before a measurement, so that the one before has gone to sleep.
const PAUSE: Duration = Duration::from_millis(5);

/// One warm-up round, then those that count; in each every rival runs once in every scenario, in rotating order.
pub fn race(contests: &mut [Contest<'_>], rounds: usize) -> Result<Vec<Scenario>, String> {
    let mut outcomes: Vec<Vec<Vec<Outcome>>> = contests.iter().map(|c| vec![Vec::new(); c.lanes.len()]).collect();
    for round in 0..=rounds {
        for (contest, outcomes) in contests.iter_mut().zip(&mut outcomes) {
            let lanes = contest.lanes.len();
            for at in (0..lanes).map(|turn| (turn + round) % lanes) {
                thread::sleep(PAUSE);
                let lane = &mut contest.lanes[at];
                let outcome = (lane.run)().map_err(|error| format!("{}, {}: {error}", contest.name, lane.rival))?;
                if round > 0 {
                    outcomes[at].push(outcome);
                }
            }
        }
    }
    Ok(contests.iter().zip(outcomes).map(|(contest, outcomes)| evaluate(contest, &outcomes)).collect())
}

fn evaluate(contest: &Contest<'_>, outcomes: &[Vec<Outcome>]) -> Scenario {
    let times = |rounds: &Vec<Outcome>| rounds.iter().map(|outcome| outcome.ns).collect();
    let rivals = contest.lanes.iter().zip(outcomes).map(|(lane, rounds)| (lane.rival.into(), lane.goal, times(rounds)));
    let name = contest.name.clone().into();
    let mut scenario = Scenario::evaluate(name, contest.question.into(), contest.unit.into(), rivals.collect());
    for (line, rounds) in scenario.lines.iter_mut().zip(outcomes) {
        line.longest_us = rounds.iter().map(|outcome| outcome.longest.as_secs_f64() * 1e6).fold(0.0, f64::max);
    }
    scenario
}
