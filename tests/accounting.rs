//! Jobs that are lost or counted twice, after any sequence of operations.

mod common;

use common::{Count, LIMIT, Random, pool_of, within_limit};
use fastthreadpool::{Deadline, JobId, Outcome, Pool, Results, Shutdown, SubmitError, fail};
use std::thread;
use std::time::Duration;

/// What one thread has done, and the outcomes that must follow.
#[derive(Default)]
struct Books {
    submitted: u64,
    rejected: u64,
    ids: Vec<JobId>,
    /// How many of them emit a value in addition to their last outcome.
    emitting: Vec<JobId>,
    /// Accepted jobs that count their end.
    counted: usize,
}

impl Books {
    fn note(&mut self, verdict: Result<JobId, SubmitError>) {
        self.submitted += 1;
        match verdict {
            Ok(id) => self.ids.push(id),
            Err(_) => self.rejected += 1,
        }
    }

    fn note_counted(&mut self, verdict: Result<JobId, SubmitError>) {
        self.counted += usize::from(verdict.is_ok());
        self.note(verdict);
    }

    /// One random operation.
    fn act(&mut self, random: &mut Random, pool: &Pool, results: &Results<u64>, ended: &Count) {
        let failing = random.below(4) == 0;
        let code = move || if failing && fail(1, "on purpose") { 0 } else { 1 };
        let soon = Duration::from_micros(random.below(200));
        match random.below(10) {
            0 => self.note(results.submit(code)),
            1 => self.note(results.submit_first(code)),
            2 => self.note(results.try_submit(move || if failing { Err("on purpose") } else { Ok(1) })),
            3 => self.note_counted(results.job(code).finally(ended.job()).submit()),
            4 => self.note(results.job(move || if failing { panic!("on purpose") } else { 1 }).then(|_| ()).submit()),
            5 => {
                let verdict = results.submit_batch((0..5).map(|_| code));
                self.submitted += 5;
                match verdict {
                    Ok(ids) => self.ids.extend(ids),
                    Err(_) => self.rejected += 5,
                }
            }
            6 => {
                let emitting = results.emitting(move |out| {
                    out.emit(1);
                    if failing { Err("on purpose") } else { Ok(()) }
                });
                let verdict = emitting.finally(ended.job()).submit();
                self.emitting.extend(verdict.as_ref().ok());
                self.note_counted(verdict);
            }
            7 => self.note_counted(results.job(code).start_within(soon).finally(ended.job()).submit()),
            8 => {
                let emitting = results.emitting(move |out| {
                    out.emit(1);
                    Ok::<(), SubmitError>(())
                });
                self.note(emitting.start_within(soon).then(|_| ()).submit());
            }
            _ => {
                if let Some(&id) = self.ids.get(random.below(self.ids.len() as u64 + 1) as usize) {
                    pool.cancel(id);
                }
            }
        }
    }
}

/// One run: threads do random operations while the pool is shut down, and every job is accounted for.
fn run(seed: u64, workers: i32, bound: usize, mode: Shutdown) {
    let pool = pool_of(workers);
    let results = pool.results_bounded::<u64>(bound);
    let (ended, read) = (Count::new(), Count::new());
    let reader = {
        let (results, read) = (results.clone(), read.clone());
        move || {
            let count = |outcome: Outcome<u64>| {
                read.add();
                outcome
            };
            // The reader does not read to the end: the pool is not shut down yet.
            (0..300).filter_map(|_| results.next(Deadline::NOW).ok()).map(count).collect::<Vec<_>>()
        }
    };
    let (books, mut outcomes) = thread::scope(|scope| {
        let reader = scope.spawn(reader);
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let (pool, results, ended) = (&pool, &results, &ended);
                scope.spawn(move || {
                    let (mut random, mut books) = (Random::new(seed * 31 + thread), Books::default());
                    (0..300).for_each(|_| books.act(&mut random, pool, results, ended));
                    books
                })
            })
            .collect();
        pool.shutdown(mode, LIMIT).unwrap();
        let books: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        (books, reader.join().unwrap())
    });
    assert_eq!((pool.alive(), pool.busy(), pool.pending()), (0, 0, 0));
    assert_eq!(results.outstanding(), 0);
    outcomes.extend(results.as_completed());

    let sum = |of: fn(&Books) -> u64| books.iter().map(of).sum::<u64>();
    let (submitted, rejected) = (sum(|books| books.submitted), sum(|books| books.rejected));
    let mut accepted: Vec<JobId> = books.iter().flat_map(|books| books.ids.clone()).collect();
    accepted.sort_unstable();
    accepted.dedup();
    assert_eq!(accepted.len() as u64 + rejected, submitted, "an id was given twice");
    assert_eq!(ended.get(), books.iter().map(|books| books.counted).sum::<usize>());

    let mut ends: Vec<JobId> = outcomes.iter().map(|outcome| outcome.id).collect();
    ends.sort_unstable();
    let emitting: Vec<JobId> = books.iter().flat_map(|books| books.emitting.clone()).collect();
    let doubled = ends.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    assert!(doubled.into_iter().all(|id| emitting.contains(&id)), "a job has ended twice");
    ends.dedup();
    assert_eq!(ends, accepted, "every accepted job has an outcome, and nobody else has");
}

/// Conformance 16, 17, 20, 31, 51, 58, 62: done + failed + cancelled + expired = accepted, accepted + rejected =
/// submitted.
#[test]
fn every_accepted_job_is_accounted_for() {
    within_limit(|| {
        for seed in 0..60 {
            let (workers, bound) = ([1, 2, 4][seed as usize % 3], [0, 1, 16][seed as usize / 3 % 3]);
            run(seed, workers, bound, if seed % 2 == 0 { Shutdown::Drain } else { Shutdown::Cancel });
        }
    });
}
