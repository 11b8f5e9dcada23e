//! C jobs with options, which count what happens to them.

use crate::Round;
use crate::c_common::{SUBMIT_OPTIONS, c};
use crate::common::Random;
use fastthreadpool::ffi::ftpool_status::*;
use fastthreadpool::ffi::*;
use std::ffi::c_void;
use std::ptr::{from_ref, null_mut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

pub(crate) const MOMENT_NS: i64 = 200_000;
/// How many values an emitting job emits.
const VALUES: u32 = 2;

/// What a job's code does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Return,
    Fail,
    Cancel,
    Submit,
    /// It submits a job to its own pool and waits for it.
    Wait,
}

/// What a job's callback does with what it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Opinion {
    /// There is no callback.
    None,
    Agree,
    Refuse,
    /// It puts a value in its place.
    Mend,
}

/// Where a job's outcome goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum To {
    Nowhere,
    /// A results object that a thread reads.
    Reader,
    /// A results object with a callback.
    Dispatcher,
    Handle,
}

/// A job. Its address is the C job's argument and value, and the context of its callbacks.
#[derive(Debug)]
pub(crate) struct Job {
    round: *const Round,
    seed: u64,
    work: Work,
    opinion: Opinion,
    to: To,
    emits: bool,
    /// 0 if it was not accepted.
    pub(crate) id: AtomicU64,
    runs: AtomicU32,
    /// How often its callback was called, and with which outcome the last time.
    shown: AtomicU32,
    last: AtomicU32,
    frees: AtomicU32,
    value_frees: AtomicU32,
}

// SAFETY: its round outlives it, and any thread may use both.
unsafe impl Send for Job {}
// SAFETY: as above.
unsafe impl Sync for Job {}

pub(crate) fn address<T>(of: &T) -> *mut c_void {
    from_ref(of).cast_mut().cast()
}

fn job_of<'a>(address: *mut c_void) -> &'a Job {
    // SAFETY: it is a job's, and jobs are kept until the pool was freed.
    unsafe { &*address.cast() }
}

impl Job {
    /// One in a job submits no further ones, and is not delayed: its submitter may wait for it.
    pub(crate) fn draw(round: &Round, random: &mut Random, outside: bool, to: To) -> Box<Self> {
        let mut below = |bound| random.below(bound) as usize;
        let emits = (to == To::Reader || to == To::Dispatcher) && below(4) == 0;
        let work =
            [Work::Return, Work::Fail, Work::Cancel, Work::Submit, Work::Wait][below(if outside { 5 } else { 3 })];
        let opinions = [Opinion::None, Opinion::Agree, Opinion::Refuse, Opinion::Mend];
        let opinion = opinions[below(if emits { 3 } else { 4 })];
        let [runs, shown, last, frees, value_frees] = [const { AtomicU32::new(0) }; 5];
        let (round, seed, id) = (from_ref(round), random.number(), AtomicU64::new(0));
        Box::new(Self { round, seed, work, opinion, to, emits, id, runs, shown, last, frees, value_frees })
    }

    pub(crate) fn options(&self, random: &mut Random, outside: bool) -> ftpool_submit_options {
        let mut one_in = |bound| random.below(bound) == 0;
        let (first, grouped, delayed) = (one_in(2), one_in(3), outside && one_in(6));
        // So that what has expired is known.
        let expires = self.opinion != Opinion::None && !delayed && one_in(3);
        let (results, group) = self.round().places(self.to);
        ftpool_submit_options {
            results,
            callback: if [Opinion::Agree, Opinion::Refuse].contains(&self.opinion) { Some(judge) } else { None },
            settle: if self.opinion == Opinion::Mend { Some(mend) } else { None },
            callback_context: address(self),
            arg_free: Some(free_arg),
            flags: if first { FTPOOL_SUBMIT_FIRST } else { 0 } | if self.emits { FTPOOL_SUBMIT_EMITS } else { 0 },
            group: if grouped && !delayed { group } else { null_mut() },
            start_within_ns: if expires { MOMENT_NS } else { 0 },
            delay_ns: if delayed { MOMENT_NS } else { 0 },
            ..SUBMIT_OPTIONS
        }
    }

    fn round(&self) -> &Round {
        // SAFETY: the round outlives it.
        unsafe { &*self.round }
    }

    fn show(&self, outcome: u32) {
        self.shown.fetch_add(1, SeqCst);
        self.last.store(outcome, SeqCst);
        assert_eq!(c!(ftpool_fail(9, c"said by a callback".as_ptr())), FTPOOL_E_INVALID);
        if self.seed.is_multiple_of(8) {
            self.round().cancel(&mut Random::new(self.seed));
        }
    }

    pub(crate) fn has_run(&self) -> bool {
        self.runs.load(SeqCst) > 0
    }

    /// How an accepted job ends.
    pub(crate) fn outcome(&self) -> u32 {
        match self.opinion {
            Opinion::Mend => FTPOOL_OUTCOME_DONE,
            Opinion::Refuse => FTPOOL_OUTCOME_FAILED,
            _ if self.has_run() && self.work == Work::Fail => FTPOOL_OUTCOME_FAILED,
            _ if self.has_run() => FTPOOL_OUTCOME_DONE,
            Opinion::None => FTPOOL_OUTCOME_CANCELLED,
            Opinion::Agree => self.last.load(SeqCst),
        }
    }

    /// Compares what has happened, and the outcomes that were read, with what must have.
    pub(crate) fn check(&self, read: &mut [u32]) {
        let [runs, shown, frees, value_frees] =
            [&self.runs, &self.shown, &self.frees, &self.value_frees].map(|count| count.load(SeqCst));
        if self.id.load(SeqCst) == 0 {
            return assert_eq!((runs, shown, frees, value_frees, read), (0, 0, 0, 0, &mut [][..]), "refused: {self:?}");
        }
        let (fails, refuses) = (self.work == Work::Fail, self.opinion == Opinion::Refuse);
        let emitted = if self.emits { runs * VALUES } else { 0 };
        let last = u32::from(emitted == 0 || fails); // Shown after the values.
        let returned = u32::from(runs == 1 && !fails && emitted == 0);
        assert!(runs <= 1 && frees == 1, "{self:?}");
        assert_eq!(shown, if self.opinion == Opinion::None { 0 } else { emitted + last }, "{self:?}");
        let value_free = refuses && self.to == To::Reader;
        assert_eq!(value_frees, if value_free { emitted + returned } else { 0 }, "{self:?}");

        let mut expected = vec![FTPOOL_OUTCOME_DONE; if refuses { 0 } else { emitted as usize }];
        if emitted == 0 || self.outcome() == FTPOOL_OUTCOME_FAILED {
            expected.push(self.outcome());
        }
        expected.retain(|_| self.to != To::Nowhere);
        read.sort_unstable();
        assert_eq!(read, expected, "{self:?}");
    }
}

pub(crate) extern "C" fn work(argument: *mut c_void) -> *mut c_void {
    let job = job_of(argument);
    let mut random = Random::new(job.seed);
    job.runs.fetch_add(1, SeqCst);
    if job.emits {
        (0..VALUES).for_each(|_| assert_eq!(ftpool_emit(argument), FTPOOL_OK));
    }
    match job.work {
        Work::Return => {}
        Work::Fail => assert_eq!(c!(ftpool_fail(7, c"on purpose".as_ptr())), FTPOOL_OK),
        Work::Cancel => job.round().cancel(&mut random),
        Work::Submit => job.round().submit(&mut random, false),
        Work::Wait => job.round().submit_and_wait(&mut random, false),
    }
    argument
}

extern "C" fn judge(context: *mut c_void, result: *const ftpool_result) -> i32 {
    let job = job_of(context);
    // SAFETY: it is valid during the call.
    let result = unsafe { &*result };
    job.show(result.outcome);
    match job.opinion {
        Opinion::Refuse => -5,
        _ if job.seed.is_multiple_of(2) => result.error_code, // It changes nothing.
        _ => 0,
    }
}

extern "C" fn mend(context: *mut c_void, result: *const ftpool_result, value: *mut *mut c_void) -> i32 {
    // SAFETY: it is valid during the call.
    job_of(context).show(unsafe { &*result }.outcome);
    // SAFETY: so is the place for the value.
    unsafe { *value = context };
    0
}

extern "C" fn free_arg(argument: *mut c_void) {
    job_of(argument).frees.fetch_add(1, SeqCst);
}

/// Of the results object that is read.
pub(crate) extern "C" fn free_value(value: *mut c_void) {
    job_of(value).value_frees.fetch_add(1, SeqCst);
}
