//! Random calls of C functions on several objects, valid and invalid, with every job recorded: each accepted job ran
//! once or was cancelled, and left one outcome if it was to.

use crate::c_common::{CONFIG, LIMIT_NS, RESULT, RESULTS_OPTIONS, SUBMIT_OPTIONS, Seen, c};
use crate::common::Random;
use crate::work::{Job, Kind, note_free, note_outcome, work};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::{from_ref, null, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

const MOST_POOLS: usize = 4;
const MOST_RESULTS: usize = 6;

/// The state of a pool that its results objects need to know.
#[derive(Default)]
struct Fate {
    closed: Cell<bool>,
    cancelling: Cell<bool>,
}

struct Accepted {
    id: u64,
    job: Box<Job>,
    cancelled: Cell<bool>,
    /// The number of the results object that the outcome goes to.
    results: Option<u64>,
}

struct Pool {
    handle: *mut ftpool,
    limit: usize,
    accepted: Vec<Accepted>,
    fate: Rc<Fate>,
    number: u64,
}

struct Results {
    handle: *mut ftpool_results,
    number: u64,
    pool: u64,
    fate: Rc<Fate>,
    /// Outcomes that were not read yet, by id: the job's number, kind, and whether it was cancelled.
    unread: HashMap<u64, (usize, Kind, bool)>,
}

struct Driver {
    random: Random,
    pools: Vec<Pool>,
    results: Vec<Results>,
    numbers: u64,
    ids: u64,
}

/// Makes about this many calls.
pub(crate) fn drive(seed: u64, calls: u64) {
    let random = Random::new(seed);
    let mut driver = Driver { random, pools: Vec::new(), results: Vec::new(), numbers: 0, ids: 0 };
    (0..calls).for_each(|_| driver.step());
    while let Some(pool) = driver.pools.pop() {
        driver.end_pool(pool);
    }
    while let Some(results) = driver.results.pop() {
        driver.end_results(results);
    }
    println!("{} jobs were accepted", driver.ids);
}

impl Driver {
    fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound as u64) as usize
    }

    fn step(&mut self) {
        if self.pools.is_empty() {
            self.new_pool();
        }
        match self.below(1000) {
            0..8 => self.new_pool(),
            8..16 => self.new_results(),
            16..20 => {
                let at = self.below(self.pools.len());
                let pool = self.pools.swap_remove(at);
                self.end_pool(pool);
            }
            20..27 if !self.results.is_empty() => {
                let at = self.below(self.results.len());
                let results = self.results.swap_remove(at);
                self.end_results(results);
            }
            27..29 => self.shut_down(),
            29..100 => self.wait_or_count(),
            100..200 => self.misuse(),
            200..400 => self.cancel(),
            400..600 if !self.results.is_empty() => self.read(),
            _ => self.submit(),
        }
    }

    fn new_pool(&mut self) {
        if self.pools.len() < MOST_POOLS {
            let (workers, ordered) = (1 + self.below(3) as i32, self.below(2) as u32);
            let (config, mut handle) = (ftpool_config { workers, ordered, ..CONFIG }, null_mut());
            assert_eq!(c!(ftpool_new(&config, &mut handle)), FTPOOL_OK);
            self.numbers += 1;
            let (limit, number) = (workers as usize, self.numbers);
            self.pools.push(Pool { handle, limit, accepted: Vec::new(), fate: Rc::default(), number });
        }
    }

    fn new_results(&mut self) {
        if self.results.len() < MOST_RESULTS {
            let at = self.below(self.pools.len());
            let (pool, mut handle) = (&self.pools[at], null_mut());
            assert_eq!(c!(ftpool_results_new(pool.handle, &mut handle)), FTPOOL_OK);
            self.numbers += 1;
            let (fate, unread) = (Rc::clone(&pool.fate), HashMap::new());
            self.results.push(Results { handle, number: self.numbers, pool: pool.number, fate, unread });
        }
    }

    /// Submits one job or some, to a pool or to a results object, whose pool may be gone.
    fn submit(&mut self) {
        let to_results = !self.results.is_empty() && self.below(2) == 0;
        let how = self.below(4);
        let count = if how == 2 { self.below(8) } else { 1 };
        let jobs: Vec<_> = (0..count).map(|_| self.new_job()).collect();
        let arguments: Vec<_> = jobs.iter().map(|job| from_ref(&**job).cast_mut().cast()).collect();
        let mut ids = vec![0; count];
        let (out, many, first) =
            (ids.as_mut_ptr(), arguments.as_ptr(), arguments.first().copied().unwrap_or(null_mut()));
        let chosen = to_results.then(|| self.below(self.results.len()));
        let (status, fate, pool) = if how == 3 {
            jobs[0].full.store(1, SeqCst);
            match self.submit_with(chosen, first, out) {
                Some(accepted) => accepted,
                None => return assert_eq!(ids[0], 0, "outputs are written on success only"),
            }
        } else if let Some(at) = chosen {
            let to = &self.results[at];
            let status = match how {
                0 => c!(ftpool_results_submit(to.handle, Some(work), first, out)),
                1 => c!(ftpool_results_submit_first(to.handle, Some(work), first, out)),
                _ => c!(ftpool_results_submit_batch(to.handle, Some(work), many, count, out)),
            };
            (status, Rc::clone(&to.fate), to.pool)
        } else {
            let at = self.below(self.pools.len());
            let to = &self.pools[at];
            let status = match how {
                0 => c!(ftpool_submit(to.handle, Some(work), first, out)),
                1 => c!(ftpool_submit_first(to.handle, Some(work), first, out)),
                _ => c!(ftpool_submit_batch(to.handle, Some(work), many, count, out)),
            };
            (status, Rc::clone(&to.fate), to.number)
        };
        assert_eq!(status, if fate.closed.get() { FTPOOL_E_SHUTDOWN } else { FTPOOL_OK });
        if status != FTPOOL_OK {
            return assert!(ids.iter().all(|&id| id == 0), "outputs are written on success only");
        }
        self.ids += count as u64;
        let results = chosen.map(|at| {
            let results = &mut self.results[at];
            let unread = ids.iter().zip(&jobs).map(|(&id, job)| (id, (job.number, job.kind, false)));
            unread.for_each(|(id, job)| assert!(results.unread.insert(id, job).is_none(), "{id} comes twice"));
            results.number
        });
        let pool = self.pools.iter_mut().find(|known| known.number == pool).expect("an open pool is known");
        let new = ids.into_iter().zip(jobs).map(|(id, job)| Accepted { id, job, cancelled: Cell::new(false), results });
        pool.accepted.extend(new);
    }

    /// With random options; `None` if the results object is not the pool's.
    fn submit_with(
        &mut self,
        results: Option<usize>,
        argument: *mut c_void,
        out: *mut u64,
    ) -> Option<(ftpool_status, Rc<Fate>, u64)> {
        let [at, first] = [self.pools.len(), 2].map(|bound| self.below(bound));
        let results = results.map(|results| &self.results[results]);
        let own = results.map(|results| self.pools.iter().find(|pool| pool.number == results.pool));
        let pool = own.unwrap_or(Some(&self.pools[at]));
        let options = ftpool_submit_options {
            results: results.map_or(null_mut(), |results| results.handle),
            callback: Some(note_outcome),
            callback_context: argument,
            arg_free: Some(note_free),
            flags: if first == 1 { FTPOOL_SUBMIT_FIRST } else { 0 },
            ..SUBMIT_OPTIONS
        };
        let to = pool.unwrap_or(&self.pools[at]);
        let status = c!(ftpool_submit_with(to.handle, Some(work), argument, &options, out));
        if pool.is_none() {
            assert_eq!(status, FTPOOL_E_INVALID);
        }
        pool.map(|pool| (status, Rc::clone(&pool.fate), pool.number))
    }

    fn new_job(&mut self) -> Box<Job> {
        self.numbers += 1;
        let kind = [Kind::Plain, Kind::Plain, Kind::Slow, Kind::Failing, Kind::Parent, Kind::Improper][self.below(6)];
        let [runs, children, children_runs, full, shown, freed] = [const { AtomicU32::new(0) }; 6];
        Box::new(Job { number: self.numbers as usize, kind, runs, children, children_runs, full, shown, freed })
    }

    /// Mostly one of the latest jobs, maybe in another pool than its own.
    fn cancel(&mut self) {
        let [at, other, back] = [self.pools.len(), self.pools.len(), 30].map(|bound| self.below(bound));
        let pool = &self.pools[at];
        let Some(job) = pool.accepted.iter().rev().nth(back) else { return };
        if at != other {
            return assert_eq!(c!(ftpool_cancel(self.pools[other].handle, job.id)), FTPOOL_EMPTY);
        }
        match c!(ftpool_cancel(pool.handle, job.id)) {
            FTPOOL_OK => {
                assert!(!job.cancelled.replace(true), "a job is cancelled once");
                let results = self.results.iter_mut().find(|results| Some(results.number) == job.results);
                if let Some(unread) = results.and_then(|results| results.unread.get_mut(&job.id)) {
                    unread.2 = true;
                }
            }
            status => assert_eq!(status, FTPOOL_EMPTY),
        }
    }

    fn read(&mut self) {
        let [at, how, timeout] = [self.results.len(), 4, 3].map(|bound| self.below(bound));
        let timeout = [FTPOOL_NOW, 20_000, LIMIT_NS][timeout];
        let results = &mut self.results[at];
        let (handle, mut seen, mut count) = (results.handle, [RESULT; 4], 1);
        let status = match how {
            0 => c!(ftpool_results_next(handle, timeout, &mut seen[0])),
            1 => c!(ftpool_results_next_done(handle, timeout, &mut seen[0])),
            2 => c!(ftpool_results_next_failed(handle, timeout, &mut seen[0])),
            _ => c!(ftpool_results_take(handle, 4, seen.as_mut_ptr(), &mut count)),
        };
        match status {
            FTPOOL_OK => seen[..count].iter().for_each(|seen| results.note(&Seen::of(seen))),
            FTPOOL_EMPTY if how == 0 => assert!(results.unread.is_empty(), "unread outcomes are lost"),
            FTPOOL_EMPTY => {}
            status => assert_eq!((status, timeout < LIMIT_NS), (FTPOOL_TIMEOUT, true)),
        }
    }

    fn shut_down(&mut self) {
        let [at, mode, timeout] = [self.pools.len(), 2, 2].map(|bound| self.below(bound));
        self.pools[at].shut_down(mode as u32, [FTPOOL_NOW, LIMIT_NS][timeout]);
        assert_eq!(c!(ftpool_wait_idle(self.pools[at].handle, LIMIT_NS)), FTPOOL_OK);
    }

    fn wait_or_count(&mut self) {
        let [at, choice] = [self.pools.len(), 8].map(|bound| self.below(bound));
        let Pool { handle, limit, .. } = self.pools[at];
        match choice {
            0 => assert_eq!(c!(ftpool_wait_idle(handle, LIMIT_NS)), FTPOOL_OK),
            1 => assert!([FTPOOL_OK, FTPOOL_TIMEOUT].contains(&c!(ftpool_wait_idle(handle, 50_000)))),
            _ => assert!(c!(ftpool_busy(handle)) <= limit && c!(ftpool_alive(handle)) <= limit),
        }
    }

    /// An invalid call changes nothing.
    fn misuse(&mut self) {
        let at = self.below(self.pools.len());
        let (pool, number) = (self.pools[at].handle, self.random.number());
        let results = self.results.first().map_or(null_mut(), |results| results.handle);
        let mut result = ftpool_result { size: (number % 64) as usize, ..RESULT };
        let negative = (number | 1 << 63) as i64;
        let timeout = if negative == FTPOOL_FOREVER { -2 } else { negative };
        let config = ftpool_config { size: (number % 8) as usize, ..CONFIG };
        let options = ftpool_submit_options { flags: number as u32 | 32, ..SUBMIT_OPTIONS };
        let shapes = ftpool_results_options { size: (number % 8) as usize, ..RESULTS_OPTIONS };
        let status: ftpool_status = match self.below(19) {
            0 => c!(ftpool_submit(null_mut(), Some(work), null_mut(), null_mut())),
            1 => c!(ftpool_submit(pool, None, null_mut(), null_mut())),
            2 => c!(ftpool_submit_first(pool, None, null_mut(), null_mut())),
            3 => c!(ftpool_submit_batch(pool, Some(work), null(), number.max(1) as usize, null_mut())),
            4 => c!(ftpool_results_submit(results, None, null_mut(), null_mut())),
            5 => c!(ftpool_results_submit_batch(results, None, null(), 0, null_mut())),
            6 => c!(ftpool_results_next(results, FTPOOL_FOREVER, &mut result)),
            7 => c!(ftpool_results_take(results, 1, &mut result, &mut 0)),
            8 => c!(ftpool_results_next_done(results, timeout, &mut { RESULT })),
            9 => c!(ftpool_wait_idle(pool, timeout)),
            10 => c!(ftpool_shutdown(pool, 2 + (number % 1000) as u32, FTPOOL_NOW)),
            11 => c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_CANCEL, timeout)),
            12 => c!(ftpool_new(&config, &mut null_mut())),
            13 => c!(ftpool_submit_with(pool, None, null_mut(), null(), null_mut())),
            14 => c!(ftpool_submit_with(pool, Some(work), null_mut(), &options, null_mut())),
            15 => c!(ftpool_results_new_with(pool, &shapes, &mut null_mut())),
            16 => c!(ftpool_results_fd(results, null_mut())),
            17 => ftpool_emit(null_mut()),
            _ => c!(ftpool_fail(1, null())),
        };
        assert_eq!(status, FTPOOL_E_INVALID);
        assert_eq!(c!(ftpool_cancel(pool, number)), FTPOOL_EMPTY);
    }

    /// With or without a shutdown before it.
    fn end_pool(&mut self, pool: Pool) {
        if self.below(2) == 0 {
            pool.shut_down(self.below(2) as u32, LIMIT_NS);
            let failures = pool.accepted.iter().filter(|entry| entry.job.kind == Kind::Failing);
            let failed: u32 = failures.map(|entry| entry.job.runs.load(SeqCst)).sum();
            assert_eq!(c!(ftpool_failed(pool.handle)), u64::from(failed));
            assert_eq!((c!(ftpool_pending(pool.handle)), c!(ftpool_alive(pool.handle))), (0, 0));
        }
        pool.fate.closed.set(true);
        c!(ftpool_free(pool.handle));
        for Accepted { job, cancelled, .. } in &pool.accepted {
            let [runs, children, children_runs] =
                [&job.runs, &job.children, &job.children_runs].map(|count| count.load(SeqCst));
            let [full, shown, freed] = [&job.full, &job.shown, &job.freed].map(|count| count.load(SeqCst));
            assert_eq!([shown, freed], [full; 2], "shown and freed once if asked, else never");
            let spared = pool.fate.cancelling.get();
            assert!(if cancelled.get() { runs == 0 } else { runs == 1 || spared && runs == 0 }, "{runs} runs");
            assert!(children_runs == children || spared && children_runs < children);
        }
    }

    /// With the rest read or not. While the pool lives there may be more to come.
    fn end_results(&mut self, mut results: Results) {
        if self.below(2) == 0 {
            let mut seen = RESULT;
            while c!(ftpool_results_next(results.handle, LIMIT_NS, &mut seen)) == FTPOOL_OK {
                results.note(&Seen::of(&seen));
            }
            assert!(results.unread.is_empty(), "outcomes are missing");
        }
        c!(ftpool_results_free(results.handle));
    }
}

impl Pool {
    fn shut_down(&self, mode: u32, timeout_ns: i64) {
        self.fate.closed.set(true);
        if mode == FTPOOL_SHUTDOWN_CANCEL {
            self.fate.cancelling.set(true);
        }
        let status = c!(ftpool_shutdown(self.handle, mode, timeout_ns));
        assert!(status == FTPOOL_OK || status == FTPOOL_TIMEOUT && timeout_ns < LIMIT_NS, "{status:?}");
    }
}

impl Results {
    /// Compares an outcome with the records.
    fn note(&mut self, seen: &Seen) {
        let (number, kind, cancelled) = self.unread.remove(&seen.id).expect("each job has one outcome");
        let expected = match seen.outcome {
            FTPOOL_OUTCOME_DONE if kind != Kind::Failing => Seen::done(seen.id, number),
            FTPOOL_OUTCOME_FAILED if kind == Kind::Failing => Seen::failed(seen.id, number as i32, "failed"),
            _ => Seen::cancelled(seen.id),
        };
        assert_eq!(*seen, expected);
        let ran = seen.outcome != FTPOOL_OUTCOME_CANCELLED;
        assert!(if ran { !cancelled } else { cancelled || self.fate.cancelling.get() }, "{seen:?}");
    }
}
