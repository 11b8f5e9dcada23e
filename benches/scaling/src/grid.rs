//! The grid: in each round every cell once, in rotating order.

use crate::pools::{NAMES, Rival, make};
use crate::producers::Producers;
use crate::tally::Round;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What one pool came to.
pub(crate) struct Grid {
    pub(crate) name: &'static str,
    pub(crate) cells: Vec<Cell>,
}

/// So many producers and workers.
pub(crate) struct Cell {
    pub(crate) producers: usize,
    pub(crate) workers: usize,
    /// Nanoseconds per job, for each round.
    pub(crate) rounds: Vec<f64>,
}

impl Cell {
    pub(crate) fn median(&self) -> f64 {
        median(self.rounds.clone())
    }
}

/// The middle one, or the upper one of both.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How long all pools are left alone before a measurement, so that the one before has gone to sleep.
const PAUSE: Duration = Duration::from_millis(5);

/// One warm-up round, then those that count.
pub(crate) fn measure(sizes: &[usize], jobs: usize, rounds: usize) -> Result<Vec<Grid>, String> {
    let pools = sizes.iter().map(|&workers| make(workers)).collect::<Result<Vec<_>, _>>()?;
    let producers = Producers::new(sizes.iter().copied().max().unwrap_or(1));
    let shapes = sizes.iter().flat_map(|&producers| sizes.iter().map(move |&workers| (producers, workers)));
    let cells = || shapes.clone().map(|(producers, workers)| Cell { producers, workers, rounds: Vec::new() });
    let mut grids = NAMES.map(|name| Grid { name, cells: cells().collect() });
    for round in 0..=rounds {
        for turn in 0..sizes.len() * sizes.len() {
            let at = (turn + round) % (sizes.len() * sizes.len());
            for (grid, pool) in grids.iter_mut().zip(&pools[at % sizes.len()]) {
                let cell = &mut grid.cells[at];
                let ns = run(pool, &producers, cell.producers, jobs)
                    .map_err(|error| format!("{}, {} × {}: {error}", grid.name, cell.producers, cell.workers))?;
                if round > 0 {
                    cell.rounds.push(ns);
                }
            }
        }
    }
    Ok(grids.into())
}

fn run(pool: &Arc<dyn Rival>, producers: &Producers, count: usize, jobs: usize) -> Result<f64, String> {
    thread::sleep(PAUSE);
    let round = Round::begin(jobs);
    let began = producers.submit(pool, count, jobs);
    pool.wait(&round)?;
    let took = began.elapsed();
    round.verify()?;
    Ok(took.as_nanos() as f64 / jobs as f64)
}
