//! Calls in any order on some objects, any of which may be missing, shut down, abandoned or of another pool.

use crate::c_common::{CONFIG, LIMIT_NS, RESULTS_OPTIONS, c, value};
use crate::common::{Random, eventually};
use crate::inputs::*;
use crate::loose::Loose;
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::mem::replace;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering::SeqCst;

const SUBMIT: [ftpool_status; 6] =
    [FTPOOL_OK, FTPOOL_FULL, FTPOOL_E_SHUTDOWN, FTPOOL_E_THREAD, FTPOOL_E_BROKEN, FTPOOL_E_NOMEM];

/// Objects; NULL is one that is missing.
pub(crate) struct World {
    pub(crate) inputs: Inputs,
    pools: [*mut ftpool; 3],
    pub(crate) results: [*mut ftpool_results; 3],
    pub(crate) groups: [*mut ftpool_group; 2],
    pub(crate) jobs: [*mut ftpool_job; 4],
    pub(crate) clocks: [*mut ftpool_clock; 2],
    ids: [ftpool_job_id; 8],
    loose: Loose,
    /// Either results objects or pools have a limit. With both, a submit may wait for a reader forever.
    bounded_results: bool,
}

impl World {
    pub(crate) fn new(mut random: Random) -> Self {
        let bounded_results = random.below(2) == 0;
        Self {
            inputs: Inputs(random),
            pools: [null_mut(); 3],
            results: [null_mut(); 3],
            groups: [null_mut(); 2],
            jobs: [null_mut(); 4],
            clocks: [null_mut(); 2],
            ids: [0; 8],
            loose: Loose::new(),
            bounded_results,
        }
    }

    pub(crate) fn call(&mut self) {
        match self.inputs.below(40) {
            0..4 => self.make(),
            4..6 => self.unmake(),
            6..16 => self.submit(),
            16..20 => self.submit_with(),
            20..23 => self.submit_timed(),
            23..25 => self.timers(),
            25..28 => self.read(),
            28..31 => self.handle(),
            31..33 => self.parallel(),
            33..36 => self.control(),
            _ => self.loose.call(&mut self.inputs),
        }
    }

    /// Frees everything, and checks that all arguments were freed and all callbacks called.
    pub(crate) fn end(mut self) {
        self.results.iter().for_each(|&results| c!(ftpool_results_free(results)));
        self.pools.iter().for_each(|&pool| c!(ftpool_free(pool)));
        self.groups.iter().for_each(|&group| c!(ftpool_group_free(group)));
        self.jobs.iter().for_each(|&job| c!(ftpool_job_release(job)));
        self.clocks.iter().for_each(|&clock| c!(ftpool_clock_free(clock)));
        if self.inputs.one_in(64) {
            answer(ftpool_shutdown_all(FTPOOL_SHUTDOWN_DRAIN, LIMIT_NS), false, &[FTPOOL_OK]);
        }
        eventually("every argument is freed", || FREED.load(SeqCst) == OWED.load(SeqCst));
        eventually("every callback is called", || TOLD.load(SeqCst) == PROMISED.load(SeqCst));
    }

    pub(crate) fn pool(&mut self) -> *mut ftpool {
        self.inputs.any(&self.pools)
    }

    pub(crate) fn id(&mut self) -> ftpool_job_id {
        let number = self.inputs.0.number();
        if self.inputs.one_in(8) { number } else { self.inputs.any(&self.ids) }
    }

    fn note(&mut self, id: ftpool_job_id) {
        self.ids[self.inputs.below(8)] = id;
    }

    fn make(&mut self) {
        let (pool, at) = (self.pool(), self.inputs.below(6));
        match at {
            0 | 1 => self.make_pool(),
            2 | 3 => self.make_results(pool),
            4 => {
                let (limit, at) = (self.inputs.any(&[0, 1, 2, usize::MAX]), self.inputs.below(2));
                let (priority, mut group) = (self.inputs.any(&[0, 0, 1, 2, 3, u32::MAX]), null_mut());
                let place = self.inputs.place(&mut group);
                let status = c!(ftpool_group_new(pool, limit, priority, place));
                answer(status, pool.is_null() || place.is_null() || priority > 2, &SUBMIT);
                assert_eq!(status == FTPOOL_OK, !group.is_null());
                c!(ftpool_group_free(replace(&mut self.groups[at], group)));
            }
            _ => {
                let (at, mut clock) = (self.inputs.below(2), null_mut());
                let place = self.inputs.place(&mut clock);
                answer(c!(ftpool_clock_new(place)), place.is_null(), &[FTPOOL_OK]);
                c!(ftpool_clock_free(replace(&mut self.clocks[at], clock)));
            }
        }
    }

    fn make_pool(&mut self) {
        let inputs = &mut self.inputs;
        let config = ftpool_config {
            size: inputs.size(size_of::<ftpool_config>()),
            workers: inputs.any(&[1, 1, 2, 2, 3, 0, -1, -5000, 32_769, i32::MIN]),
            ordered: inputs.any(&[0, 0, 0, 1, 2]),
            name: inputs.text(),
            stack_size: inputs.any(&[0, 0, 0, 1 << 20, usize::MAX]),
            timing: inputs.any(&[0, 0, 1, 1, 9]),
            start: inputs.any(&[None, None, Some(hook)]),
            stop: inputs.any(&[None, None, Some(hook)]),
            failed: inputs.any(&[None, Some(failed_hook)]),
            log: inputs.any(&[None, Some(log_hook)]),
            context: value(inputs.any(&[0, 0, 0, 1])),
            policy: if self.bounded_results { 0 } else { inputs.any(&[0, 1, 2, 3, 4, 5, 6]) },
            max_queued: if self.bounded_results { 0 } else { inputs.any(&[0, 1, 3, usize::MAX]) },
            policy_timeout_ns: inputs.timeout(),
            clock: inputs.any(&self.clocks),
            ..CONFIG
        };
        let (config, mut pool, at) = (inputs.pad(config), null_mut(), inputs.below(3));
        let (given, place) = (if inputs.one_in(8) { null() } else { &raw const config.known }, inputs.place(&mut pool));
        let status = answer(c!(ftpool_new(given, place)), place.is_null(), &[FTPOOL_OK, FTPOOL_E_VERSION]);
        assert_eq!(status == FTPOOL_OK, !pool.is_null());
        c!(ftpool_free(replace(&mut self.pools[at], pool)));
    }

    fn make_results(&mut self, pool: *mut ftpool) {
        let inputs = &mut self.inputs;
        let options = ftpool_results_options {
            size: inputs.size(size_of::<ftpool_results_options>()),
            done_max: if self.bounded_results { inputs.any(&[0, 1, 2, usize::MAX]) } else { 0 },
            value_free: inputs.any(&[None, Some(forget)]),
            callback: inputs.any(&[None, None, None, Some(hear)]),
            ..RESULTS_OPTIONS
        };
        let (options, mut results, at) = (inputs.pad(options), null_mut(), inputs.below(3));
        let place = inputs.place(&mut results);
        let status = match inputs.below(3) {
            0 => c!(ftpool_results_new(pool, place)),
            1 => c!(ftpool_results_new_with(pool, null(), place)),
            _ => c!(ftpool_results_new_with(pool, &options.known, place)),
        };
        answer(status, pool.is_null() || place.is_null(), &[FTPOOL_OK, FTPOOL_E_VERSION, FTPOOL_E_THREAD]);
        assert_eq!(status == FTPOOL_OK, !results.is_null());
        c!(ftpool_results_free(replace(&mut self.results[at], results)));
    }

    fn unmake(&mut self) {
        let [pool, results, group, job, clock] = [3, 3, 2, 4, 2].map(|bound| self.inputs.below(bound));
        match self.inputs.below(8) {
            0 => c!(ftpool_free(replace(&mut self.pools[pool], null_mut()))),
            1 => c!(ftpool_abandon(replace(&mut self.pools[pool], null_mut()))),
            2 | 3 => c!(ftpool_results_free(replace(&mut self.results[results], null_mut()))),
            4 => c!(ftpool_group_free(replace(&mut self.groups[group], null_mut()))),
            5 | 6 => c!(ftpool_job_release(replace(&mut self.jobs[job], null_mut()))),
            _ => c!(ftpool_clock_free(replace(&mut self.clocks[clock], null_mut()))),
        }
    }

    fn submit(&mut self) {
        let (pool, (function, argument)) = (self.pool(), self.inputs.job());
        let (results, group) = (self.inputs.any(&self.results), self.inputs.any(&self.groups));
        let (count, timeout, delay) = (self.inputs.below(6), self.inputs.timeout(), self.inputs.delay());
        let (arguments, mut ids) = ([argument; 6], [0; 6]);
        let many = if self.inputs.one_in(8) { null() } else { arguments.as_ptr() };
        let out = if self.inputs.one_in(8) { null_mut() } else { ids.as_mut_ptr() };
        let interval = self.inputs.any(&[100_000, 3_600_000_000_000, i64::MAX, 0, -1]);
        let (to, status) = match self.inputs.below(13) {
            0 => (pool.is_null(), c!(ftpool_submit(pool, function, argument, out))),
            1 => (pool.is_null(), c!(ftpool_submit_first(pool, function, argument, out))),
            2 => (pool.is_null(), c!(ftpool_submit_batch(pool, function, many, count, out))),
            3 => (pool.is_null(), c!(ftpool_try_submit(pool, function, argument, timeout, out))),
            4 => (pool.is_null(), c!(ftpool_submit_later(pool, delay, function, argument, out))),
            5 => (pool.is_null(), c!(ftpool_submit_at(pool, delay, function, argument, out))),
            6 => (pool.is_null(), c!(ftpool_schedule(pool, interval, function, argument, out))),
            7 => (results.is_null(), c!(ftpool_results_submit(results, function, argument, out))),
            8 => (results.is_null(), c!(ftpool_results_submit_first(results, function, argument, out))),
            9 => (results.is_null(), c!(ftpool_results_submit_batch(results, function, many, count, out))),
            10 => (group.is_null(), c!(ftpool_group_submit(group, function, argument, out))),
            11 => (group.is_null(), c!(ftpool_group_submit_first(group, function, argument, out))),
            _ => return self.submit_job(),
        };
        answer(status, to || function.is_none(), &SUBMIT);
        assert!(status == FTPOOL_OK || ids == [0; 6], "outputs are written on success only");
        self.note(ids[0]);
    }

    fn submit_job(&mut self) {
        let (pool, (function, argument), mut job) = (self.pool(), self.inputs.job(), null_mut());
        let (place, at) = (self.inputs.place(&mut job), self.inputs.below(4));
        let status = match self.inputs.below(2) {
            0 => c!(ftpool_submit_job(pool, function, argument, place)),
            _ => c!(ftpool_submit_job_first(pool, function, argument, place)),
        };
        answer(status, pool.is_null() || function.is_none() || place.is_null(), &SUBMIT);
        assert_eq!(status == FTPOOL_OK, !job.is_null());
        c!(ftpool_job_release(replace(&mut self.jobs[at], job)));
    }

    fn submit_with(&mut self) {
        let (pool, inputs, mut id) = (self.inputs.any(&self.pools), &mut self.inputs, 0);
        let right = size_of::<ftpool_submit_options>();
        let (size, flags, frees) = (inputs.size(right), inputs.flags(31), inputs.one_in(2));
        let (function, choice) = (inputs.job().0, inputs.below(14));
        // With a size that leaves out fields, it is not known what is called.
        let whole = (right..=4096).contains(&size);
        let (function, argument) = match function {
            Some(_) if frees && whole => (Some(owned_work as _), owned(choice)),
            function => (function, value(choice)),
        };
        let once = flags & FTPOOL_SUBMIT_EMITS == 0 && whole;
        let callback: ftpool_callback = if once { Some(tell) } else { Some(hear) };
        let options = ftpool_submit_options {
            size,
            results: inputs.any(&self.results),
            callback: if inputs.one_in(2) { callback } else { None },
            callback_context: value(inputs.any(&[0, 0, 5])),
            arg_free: if frees && whole && function.is_some() { Some(free) } else { None },
            flags,
            group: inputs.any(&self.groups),
            start_within_ns: if inputs.one_in(2) { inputs.delay() } else { 0 },
            run_limit_ns: if inputs.one_in(2) { inputs.delay() } else { 0 },
            name: inputs.any(&[null(), c"a job".as_ptr()]),
            delay_ns: if inputs.one_in(4) { inputs.delay() } else { 0 },
            wall_ns: if inputs.one_in(4) { inputs.any(&[1, i64::MAX, -1]) } else { 0 },
            leeway_ns: inputs.any(&[0, 0, 0, 1000, i64::MAX, -1]),
            settle: if inputs.one_in(4) { Some(settle) } else { None },
        };
        let (told, options) = (once && options.callback.is_some(), inputs.pad(options));
        // Before the call: the job may end during it.
        PROMISED.fetch_add(told.into(), SeqCst);
        let status = c!(ftpool_submit_with(pool, function, argument, &options.known, &mut id));
        answer(status, pool.is_null() || function.is_none(), &[&SUBMIT[..], &[FTPOOL_E_VERSION]].concat());
        if status != FTPOOL_OK {
            PROMISED.fetch_sub(told.into(), SeqCst);
            if options.known.arg_free.is_some() {
                free(argument);
            }
        }
        self.note(id);
    }

    fn submit_timed(&mut self) {
        let (pool, inputs, mut id) = (self.inputs.any(&self.pools), &mut self.inputs, 0);
        let right = size_of::<ftpool_timer_options>();
        let (size, frees, choice) = (inputs.size(right), inputs.one_in(2), inputs.below(14));
        let whole = (right..=4096).contains(&size);
        let frees = frees && whole;
        let argument = if frees { owned(choice) } else { value(choice) };
        let options = ftpool_timer_options {
            size,
            results: if inputs.one_in(3) { inputs.any(&self.results) } else { null_mut() },
            arg_free: if frees { Some(free) } else { None },
            delay_ns: inputs.delay(),
            wall_ns: inputs.any(&[0, 0, 0, 1, i64::MAX, -1]),
            interval_ns: inputs.any(&[0, 0, 100_000, 3_600_000_000_000, i64::MAX, -1]),
            leeway_ns: inputs.any(&[0, 0, 0, 1000, i64::MAX, -1]),
            max_runs: inputs.any(&[0, 1, 2, u64::MAX]),
            missed: inputs.any(&[0, 0, 1, 2, 3]),
            flags: inputs.flags(31),
        };
        let (options, job): (_, ftpool_fn) = (inputs.pad(options), Some(if frees { owned_work } else { work }));
        let status = c!(ftpool_submit_timed(pool, job, argument, &options.known, &mut id));
        answer(status, pool.is_null(), &[&SUBMIT[..], &[FTPOOL_E_VERSION]].concat());
        if status != FTPOOL_OK && frees {
            free(argument);
        }
        self.note(id);
    }
}
