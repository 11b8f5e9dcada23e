//! Arguments that a careless program might pass, and functions that count their calls.

use crate::c_common::{Value, c, value};
use crate::common::Random;
use fastthreadpool::ffi::ftpool_status::{self, *};
use fastthreadpool::ffi::*;
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The number of arguments that were passed to be freed, and of those that were freed.
pub(crate) static OWED: AtomicU64 = AtomicU64::new(0);
pub(crate) static FREED: AtomicU64 = AtomicU64::new(0);
/// The number of callbacks that must be called once, and of their calls.
pub(crate) static PROMISED: AtomicU64 = AtomicU64::new(0);
pub(crate) static TOLD: AtomicU64 = AtomicU64::new(0);

/// A struct with room for a larger size than the library knows.
#[repr(C)]
pub(crate) struct Padded<T> {
    pub(crate) known: T,
    pub(crate) tail: [u64; 512],
}

/// Draws arguments.
pub(crate) struct Inputs(pub(crate) Random);

impl Inputs {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn any<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A time to wait: none, short, or not a time.
    pub(crate) fn timeout(&mut self) -> i64 {
        let negative = (self.0.number() | 1 << 63) as i64;
        let negative = if negative == FTPOOL_FOREVER { i64::MIN } else { negative };
        self.any(&[FTPOOL_NOW, FTPOOL_NOW, FTPOOL_NOW, 1, 700, 20_000, negative])
    }

    /// A delay: none, short, long, or invalid.
    pub(crate) fn delay(&mut self) -> i64 {
        let number = self.0.number();
        self.any(&[0, 1, 1000, 100_000, 3_600_000_000_000, i64::MAX, i64::MIN, -1, (number >> 1) as i64, number as i64])
    }

    /// The size of a struct, or one that no version has.
    pub(crate) fn size(&mut self, right: usize) -> usize {
        if !self.one_in(6) {
            return right;
        }
        let short = self.below(right + 8);
        self.any(&[0, 1, 7, 8, 12, short, right + 8, right + 64, 4096, 4097, usize::MAX])
    }

    /// A known or an unknown one of some flags.
    pub(crate) fn flags(&mut self, known: u32) -> u32 {
        let number = self.0.number() as u32;
        if self.one_in(8) { number } else { number & known & (number >> 8) }
    }

    pub(crate) fn pad<T>(&mut self, known: T) -> Padded<T> {
        let mut tail = [0; 512];
        if self.one_in(16) {
            tail[self.below(8)] = 7;
        }
        Padded { known, tail }
    }

    pub(crate) fn text(&mut self) -> *const std::ffi::c_char {
        const TEXTS: [&CStr; 5] = [c"", c"w", c"\xff\xfe", c"a name that is far too long for a thread's", c"%s%n"];
        if self.one_in(3) { std::ptr::null() } else { self.any(&TEXTS).as_ptr() }
    }

    /// A job that does something, and its argument.
    pub(crate) fn job(&mut self) -> (ftpool_fn, Value) {
        let function: ftpool_fn = if self.one_in(16) { None } else { Some(work) };
        (function, value(self.below(CHOICES)))
    }

    pub(crate) fn place<'a, T>(&mut self, place: &'a mut T) -> *mut T
    where
        T: 'a,
    {
        if self.one_in(8) { null_mut() } else { place }
    }
}

const CHOICES: usize = 16;

/// A job that does what its argument says.
pub(crate) extern "C" fn work(argument: *mut c_void) -> *mut c_void {
    let (own, choice) = (ftpool_current(), argument.addr());
    let status = match choice {
        0 => c!(ftpool_fail(7, c"on purpose".as_ptr())),
        1 => c!(ftpool_fail(i32::MIN, c"\xff".as_ptr())),
        2 => ftpool_emit(value(2)),
        3 => c!(ftpool_submit(own, Some(work), value(CHOICES), null_mut())),
        4 => c!(ftpool_submit_first(own, Some(work), value(CHOICES), null_mut())),
        5 => c!(ftpool_wait_idle(own, FTPOOL_FOREVER)),
        6 => c!(ftpool_shutdown(own, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER)),
        7 => c!(ftpool_clear(own, FTPOOL_NOW, null_mut())),
        8 => c!(ftpool_self_tick(null_mut(), null_mut())),
        9 => c!(ftpool_for(own, 0, 9, 1, Some(step), null_mut())),
        10 => c!(ftpool_cancel(own, ftpool_self_id())),
        11 => c!(ftpool_cancel_all(own, FTPOOL_CANCEL_QUEUED, null_mut())),
        12 => c!(ftpool_check(own, null_mut())),
        _ => FTPOOL_OK,
    };
    assert!(choice > 1 || own.is_null() || status == FTPOOL_OK, "a job may fail");
    assert!(![5, 6].contains(&choice) || [FTPOOL_E_INVALID, FTPOOL_E_DEADLOCK].contains(&status), "{status:?}");
    let is_tick = c!(ftpool_self_tick(null_mut(), null_mut())) == FTPOOL_OK;
    assert!(choice != 10 || is_tick || status != FTPOOL_OK, "a running job is not cancelled");
    argument
}

/// The same for an argument that is freed by [`free`].
pub(crate) extern "C" fn owned_work(argument: *mut c_void) -> *mut c_void {
    // SAFETY: it was made by `owned`, and is freed after the job's end.
    work(value(unsafe { *argument.cast::<usize>() }));
    null_mut()
}

pub(crate) fn owned(choice: usize) -> Value {
    OWED.fetch_add(1, SeqCst);
    Box::into_raw(Box::new(choice)).cast()
}

pub(crate) extern "C" fn free(argument: *mut c_void) {
    // SAFETY: it was made by `owned`, and the library frees it once.
    let choice = unsafe { Box::from_raw(argument.cast::<usize>()) };
    assert!(*choice < CHOICES, "an argument is freed twice");
    FREED.fetch_add(1, SeqCst);
}

/// For values, which are numbers here.
pub(crate) extern "C" fn forget(_value: *mut c_void) {}

pub(crate) extern "C" fn tell(context: *mut c_void, result: *const ftpool_result) -> i32 {
    // SAFETY: the library shows a result that lives during the call.
    let outcome = unsafe { (*result).outcome };
    assert!(outcome <= FTPOOL_OUTCOME_EXPIRED);
    TOLD.fetch_add(1, SeqCst);
    context.addr() as i32
}

/// Where values or failures are emitted it is called any number of times.
pub(crate) extern "C" fn hear(context: *mut c_void, _result: *const ftpool_result) -> i32 {
    context.addr() as i32
}

pub(crate) extern "C" fn settle(context: *mut c_void, _result: *const ftpool_result, place: *mut *mut c_void) -> i32 {
    // SAFETY: the library's place for the value, during the call.
    unsafe { *place = value(3) };
    context.addr() as i32
}

pub(crate) extern "C" fn hook(context: *mut c_void, _worker: u32) {
    if context.addr() == 1 {
        assert_eq!(c!(ftpool_fail(3, c"a hook".as_ptr())), FTPOOL_OK);
    }
}

pub(crate) extern "C" fn failed_hook(_: *mut c_void, _: ftpool_job_id, _: i32, _: *const std::ffi::c_char) {}

pub(crate) extern "C" fn log_hook(_: *mut c_void, _: u32, _: *const std::ffi::c_char) {}

pub(crate) extern "C" fn step(_context: *mut c_void, _index: usize) {}

pub(crate) extern "C" fn range(_context: *mut c_void, begin: usize, end: usize) {
    assert!(begin < end);
}

pub(crate) extern "C" fn add(_context: *mut c_void, begin: usize, end: usize, sum: *mut c_void) {
    // SAFETY: the library passes a copy of the value, which is a `u64`.
    unsafe { *sum.cast::<u64>() += (begin..end).map(|item| item as u64).sum::<u64>() };
}

pub(crate) extern "C" fn combine(_context: *mut c_void, into: *mut c_void, from: *const c_void) {
    // SAFETY: as in `add`.
    let more = unsafe { *from.cast::<u64>() };
    // SAFETY: as in `add`.
    unsafe { *into.cast::<u64>() += more };
}

/// Checks a status: it must be one of these, or E_INVALID, which it must be if an object is NULL.
pub(crate) fn answer(status: ftpool_status, null: bool, allowed: &[ftpool_status]) -> ftpool_status {
    if null {
        assert_eq!(status, FTPOOL_E_INVALID);
    }
    assert!(status == FTPOOL_E_INVALID || allowed.contains(&status), "{status:?}, not one of {allowed:?}");
    status
}
