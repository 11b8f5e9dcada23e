//! C jobs with all options, combined at random by several threads: outcomes, failures and arguments that are lost or
//! counted twice.
//!
//! `FTPOOL_SOAK_SEED` sets the seed, `FTPOOL_ROUNDS` the number of rounds.
#![cfg(feature = "capi")]

mod c_common;
mod common;
#[path = "c_common/optioned.rs"]
mod optioned;

use c_common::{CONFIG, LIMIT_NS, RESULT, RESULTS_OPTIONS, c};
use common::{OnDrop, Random, for_each_seed, lock};
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use optioned::{Job, MOMENT_NS, To, address, free_value, work};
use std::collections::{BTreeSet, HashMap};
use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::thread;

const THREADS: usize = 3;
const STEPS: usize = 150;

/// A pool, and the books of everything that happens in it.
#[derive(Debug, Default)]
struct Round {
    objects: OnceLock<Objects>,
    #[expect(clippy::vec_box, reason = "the jobs' addresses are their arguments")]
    jobs: Mutex<Vec<Box<Job>>>,
    /// Of accepted jobs, in their order.
    ids: Mutex<Vec<u64>>,
    /// Ids and outcomes that were read.
    read: Mutex<Vec<(u64, u32)>>,
    /// Ids that the failed hook was called with.
    failures: Mutex<Vec<u64>>,
    /// Ids that `ftpool_shutdown_now` has reported.
    cut_off: Mutex<Vec<u64>>,
}

#[derive(Debug)]
struct Objects {
    pool: *mut ftpool,
    reader: *mut ftpool_results,
    dispatcher: *mut ftpool_results,
    group: *mut ftpool_group,
}

// SAFETY: the header says so: any thread may call.
unsafe impl Send for Objects {}
// SAFETY: as above.
unsafe impl Sync for Objects {}

fn round_of<'a>(address: *mut c_void) -> &'a Round {
    // SAFETY: it is a round's, which outlives the pool.
    unsafe { &*address.cast() }
}

extern "C" fn note_outcome(round: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: it is valid during the call.
    round_of(round).note(unsafe { &*result });
    0
}

extern "C" fn note_failure(round: *mut c_void, id: u64, _code: i32, _message: *const c_char) {
    lock(&round_of(round).failures).push(id);
}

extern "C" fn note_cut_off(round: *mut c_void, id: u64) {
    lock(&round_of(round).cut_off).push(id);
}

impl Round {
    fn objects(&self) -> &Objects {
        self.objects.get().expect("made first")
    }

    fn note(&self, result: &ftpool_result) {
        lock(&self.read).push((result.id, result.outcome));
    }

    fn make(&self, random: &mut Random) {
        let config = ftpool_config {
            workers: 1 + random.below(2) as i32,
            ordered: random.below(2) as u32,
            policy: random.below(6) as u32,
            policy_timeout_ns: MOMENT_NS,
            max_queued: [0, 1, 4][random.below(3) as usize],
            failed: Some(note_failure),
            context: address(self),
            ..CONFIG
        };
        let bounded = ftpool_results_options { done_max: 2, value_free: Some(free_value), ..RESULTS_OPTIONS };
        let (callback, callback_context) = (Some(note_outcome as _), address(self));
        let called = ftpool_results_options { callback, callback_context, ..RESULTS_OPTIONS };
        let (mut pool, mut reader, mut dispatcher, mut group) = (null_mut(), null_mut(), null_mut(), null_mut());
        assert_eq!(c!(ftpool_new(&config, &mut pool)), FTPOOL_OK);
        assert_eq!(c!(ftpool_results_new_with(pool, &bounded, &mut reader)), FTPOOL_OK);
        assert_eq!(c!(ftpool_results_new_with(pool, &called, &mut dispatcher)), FTPOOL_OK);
        assert_eq!(c!(ftpool_group_new(pool, 1, FTPOOL_PRIORITY_NORMAL, &mut group)), FTPOOL_OK);
        self.objects.set(Objects { pool, reader, dispatcher, group }).expect("made once");
    }

    /// The results object that outcomes go to, and a group.
    fn places(&self, to: To) -> (*mut ftpool_results, *mut ftpool_group) {
        let Objects { reader, dispatcher, group, .. } = *self.objects();
        let results = match to {
            To::Reader => reader,
            To::Dispatcher => dispatcher,
            To::Nowhere | To::Handle => null_mut(),
        };
        (results, group)
    }

    fn draw(&self, random: &mut Random, outside: bool, to: To) -> (&Job, ftpool_submit_options) {
        let job = Job::draw(self, random, outside, to);
        let (options, place) = (job.options(random, outside), &raw const *job);
        lock(&self.jobs).push(job);
        // SAFETY: the box is kept.
        (unsafe { &*place }, options)
    }

    fn enter(&self, job: &Job, status: ftpool_status, id: u64) {
        assert!([FTPOOL_OK, FTPOOL_FULL, FTPOOL_E_SHUTDOWN].contains(&status), "{status:?}");
        assert_eq!(status == FTPOOL_OK, id != 0);
        if id != 0 {
            job.id.store(id, SeqCst);
            lock(&self.ids).push(id);
        }
    }

    fn submit(&self, random: &mut Random, outside: bool) {
        let to = [To::Nowhere, To::Reader, To::Dispatcher][random.below(3) as usize];
        let ((job, options), mut id) = (self.draw(random, outside, to), 0);
        let status = c!(ftpool_submit_with(self.objects().pool, Some(work), address(job), &options, &mut id));
        self.enter(job, status, id);
    }

    fn submit_and_wait(&self, random: &mut Random, outside: bool) {
        let ((job, options), mut handle) = (self.draw(random, outside, To::Handle), null_mut());
        let pool = self.objects().pool;
        let status = c!(ftpool_submit_job_with(pool, Some(work), address(job), &options, &mut handle));
        self.enter(job, status, c!(ftpool_job_get_id(handle)));
        if handle.is_null() {
            return;
        }
        if random.below(3) == 0 {
            assert!([FTPOOL_OK, FTPOOL_EMPTY].contains(&c!(ftpool_job_cancel(handle))));
        }
        let mut result = RESULT;
        assert_eq!(c!(ftpool_job_join(handle, FTPOOL_FOREVER, &mut result)), FTPOOL_OK);
        self.note(&result);
    }

    /// Cancels one of the latest jobs.
    fn cancel(&self, random: &mut Random) {
        let back = random.below(8) as usize;
        let id = lock(&self.ids).iter().rev().nth(back).copied().unwrap_or(0);
        assert!([FTPOOL_OK, FTPOOL_EMPTY].contains(&c!(ftpool_cancel(self.objects().pool, id))));
    }

    fn step(&self, random: &mut Random) {
        let Objects { pool, group, .. } = *self.objects();
        let timeout = [FTPOOL_NOW, MOMENT_NS, LIMIT_NS][random.below(3) as usize];
        let choice = random.below(64);
        let status = match choice {
            0 => c!(ftpool_cancel_all(pool, FTPOOL_CANCEL_QUEUED | FTPOOL_CANCEL_TIMERS, null_mut())),
            1 => c!(ftpool_group_cancel_all(group, null_mut())),
            2 => c!(ftpool_wait_idle(pool, MOMENT_NS)),
            3 => c!(ftpool_shutdown(pool, random.below(2) as u32, timeout)),
            4 => c!(ftpool_shutdown_now(pool, Some(note_cut_off), address(self), timeout)),
            5..12 => return self.cancel(random),
            12..30 => return self.submit_and_wait(random, true),
            _ => return self.submit(random, true),
        };
        assert!([FTPOOL_OK, FTPOOL_TIMEOUT].contains(&status), "{status:?}");
        assert_eq!(c!(ftpool_reopen(pool, LIMIT_NS)), FTPOOL_OK);
    }

    /// Reads to the end.
    fn read(&self, over: &AtomicBool) {
        let mut result = RESULT;
        loop {
            let is_over = over.load(SeqCst);
            match c!(ftpool_results_next(self.objects().reader, MOMENT_NS, &mut result)) {
                FTPOOL_OK => self.note(&result),
                FTPOOL_EMPTY if is_over => return,
                status => assert!([FTPOOL_EMPTY, FTPOOL_TIMEOUT].contains(&status), "{status:?}"),
            }
        }
    }

    /// Ends the pool; returns how many jobs it has counted as failed and as expired.
    fn end(&self) -> [u64; 2] {
        let pool = self.objects().pool;
        assert_eq!(c!(ftpool_wait_idle(pool, LIMIT_NS)), FTPOOL_OK);
        assert_eq!(c!(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS)), FTPOOL_OK);
        [c!(ftpool_failed(pool)), c!(ftpool_expired(pool))]
    }

    fn free(&self) {
        let Objects { pool, reader, dispatcher, group } = *self.objects();
        c!(ftpool_results_free(reader));
        c!(ftpool_results_free(dispatcher));
        c!(ftpool_group_free(group));
        c!(ftpool_free(pool));
    }

    /// Compares the books, when nothing more can happen.
    fn check(&self, counted: [u64; 2]) {
        let (jobs, mut read) = (lock(&self.jobs), HashMap::<u64, Vec<u32>>::new());
        lock(&self.read).iter().for_each(|&(id, outcome)| read.entry(id).or_default().push(outcome));
        jobs.iter().for_each(|job| job.check(&mut read.remove(&job.id.load(SeqCst)).unwrap_or_default()));
        assert!(read.is_empty(), "outcomes of no job: {read:?}");

        let ids = |such: &dyn Fn(&Job) -> bool| -> Vec<u64> {
            let ids = jobs.iter().filter(|job| such(job)).map(|job| job.id.load(SeqCst)).filter(|&id| id != 0);
            ids.collect::<BTreeSet<_>>().into_iter().collect()
        };
        let [failed, expired] =
            [FTPOOL_OUTCOME_FAILED, FTPOOL_OUTCOME_EXPIRED].map(|outcome| ids(&|job| job.outcome() == outcome));
        assert_eq!(counted, [&failed, &expired].map(|ids| ids.len() as u64));
        let (mut reported, mut cut_off) = (lock(&self.failures), lock(&self.cut_off));
        reported.sort_unstable();
        assert_eq!(*reported, failed, "each failure is reported once");
        cut_off.sort_unstable();
        assert!(cut_off.windows(2).all(|two| two[0] != two[1]), "reported twice: {cut_off:?}");
        let unrun = ids(&|job| !job.has_run());
        assert!(cut_off.iter().all(|id| unrun.binary_search(id).is_ok()), "reported, but has run: {cut_off:?}");
    }
}

fn round(seed: u64) {
    let (mut random, round, over) = (Random::new(seed), Round::default(), AtomicBool::new(false));
    round.make(&mut random);
    let submit = |mut random: Random| (0..STEPS).for_each(|_| round.step(&mut random));
    let counted = thread::scope(|scope| {
        scope.spawn(|| round.read(&over));
        let _over = OnDrop(|| over.store(true, SeqCst));
        let submitters = [(); THREADS].map(|()| {
            let (submit, random) = (&submit, Random::new(random.number()));
            scope.spawn(|| submit(random))
        });
        submitters.into_iter().for_each(|submitter| submitter.join().expect("no step fails"));
        round.end()
    });
    round.free();
    round.check(counted);
}

/// Conformance 20, 25, 27, 31, 33, 51, 55, 58: every accepted job ends once and its argument is freed once, and what its
/// callback says counts, however it was submitted, cancelled or cut off.
#[test]
fn each_job_ends_once_whatever_its_options() {
    for_each_seed(round);
}
