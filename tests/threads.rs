//! Workers with wrong names, signal masks or stack sizes.

mod common;

use common::{Gate, LIMIT, lock, within_limit};
use fastthreadpool::{BuildError, Pool};
use std::sync::{Arc, Mutex};
use std::thread;

/// The names of all workers of a pool called `prefix`, sorted.
fn names(prefix: Option<&str>, workers: i32) -> Vec<String> {
    let builder = Pool::builder().workers(workers);
    let pool = prefix.map_or(builder.clone(), |prefix| builder.name(prefix)).build().unwrap();
    let gate = Gate::new();
    let names = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..workers {
        let (names, wait) = (Arc::clone(&names), gate.job());
        let job = move || {
            lock(&names).push(thread::current().name().expect("workers have names").to_string());
            #[cfg(target_os = "linux")]
            assert_eq!(
                std::fs::read_to_string("/proc/thread-self/comm").unwrap().trim_end(),
                thread::current().name().unwrap(),
                "the system knows the same name"
            );
            wait();
        };
        pool.spawn(job).unwrap();
    }
    gate.wait_started(workers as usize);
    gate.open();
    pool.wait_idle(LIMIT).unwrap();
    assert_eq!(pool.failed(), 0);
    let mut names = std::mem::take(&mut *lock(&names));
    names.sort();
    names
}

/// Conformance 9.
#[test]
fn workers_are_called_prefix_and_number() {
    within_limit(|| {
        assert_eq!(names(None, 3), ["ThreadPool-0", "ThreadPool-1", "ThreadPool-2"]);
        assert_eq!(names(Some("io"), 2), ["io-0", "io-1"]);
        assert_eq!(names(Some(""), 1), ["-0"]);
    });
}

/// Conformance 9.
#[test]
fn a_long_prefix_is_cut_and_the_number_stays() {
    within_limit(|| {
        let cut = names(Some("a very long prefix indeed"), 12);
        assert!(cut.contains(&"a very long p-0".to_string()), "{cut:?}");
        assert!(cut.contains(&"a very long -11".to_string()), "{cut:?}");
        let mut distinct = cut.clone();
        distinct.dedup();
        assert_eq!(distinct.len(), 12, "{cut:?}");
        assert!(cut.iter().all(|name| name.len() <= 15), "{cut:?}");
    });
}

/// Conformance 9: no character is cut in half.
#[test]
fn a_prefix_of_wide_characters_is_cut_between_them() {
    within_limit(|| {
        assert_eq!(names(Some("ééééééééééé"), 2), ["éééééé-0", "éééééé-1"]);
        assert_eq!(names(Some("🦀🦀🦀🦀🦀"), 1), ["🦀🦀🦀-0"]);
        assert_eq!(names(Some("abc🦀🦀🦀🦀"), 1), ["abc🦀🦀-0"]);
    });
}

/// Conformance 9.
#[test]
fn a_prefix_that_no_thread_can_have_is_refused() {
    assert!(matches!(Pool::builder().name("a\0b").build(), Err(BuildError::InvalidName)));
}

/// A bit for each signal from 1, as in a status file.
#[cfg(target_os = "linux")]
fn blocked_signals() -> u64 {
    let task = common::linux::this_thread();
    u64::from_str_radix(&common::linux::status(&task, "SigBlk"), 16).expect("a mask is a number")
}

/// Reliability, "workers receiving the host's signals".
#[cfg(target_os = "linux")]
#[test]
fn signals_of_the_host_are_not_delivered_to_workers() {
    const ASYNCHRONOUS: [u64; 9] = [1, 2, 3, 10, 12, 13, 14, 15, 17];
    const SYNCHRONOUS: [u64; 5] = [4, 5, 7, 8, 11];
    within_limit(|| {
        let before = blocked_signals();
        let pool = common::pool_of(2);
        let masks = pool.results();
        let gate = Gate::new();
        for _ in 0..2 {
            let wait = gate.job();
            let job = move || {
                wait();
                blocked_signals()
            };
            masks.submit(job).unwrap();
        }
        gate.wait_started(2);
        gate.open();
        for outcome in masks.as_completed() {
            let mask = outcome.result.unwrap();
            for signal in ASYNCHRONOUS {
                assert!(mask & 1 << (signal - 1) != 0, "signal {signal} reaches a worker");
            }
            for signal in SYNCHRONOUS {
                assert!(mask & 1 << (signal - 1) == 0, "a crash by signal {signal} would hang");
            }
        }
        assert_eq!(blocked_signals(), before, "the submitter's mask is its own");
    });
}

/// Recurses until `bytes` of stack are in use since `top`; returns how many are.
#[inline(never)]
fn dig(top: usize, bytes: usize) -> usize {
    let hole = std::hint::black_box([0_u8; 1024]);
    let used = top.abs_diff((&raw const hole).addr());
    if used >= bytes { used } else { dig(top, bytes) + usize::from(std::hint::black_box(&hole)[0]) }
}

/// Conformance 2, for the stack size: it is at least the requested one.
#[test]
fn a_job_has_the_stack_that_was_ordered() {
    within_limit(|| {
        let pool = Pool::builder().workers(1).stack_size(16 << 20).build().unwrap();
        let depths = pool.results();
        let job = || {
            let top = 0_u8;
            dig((&raw const top).addr(), 8 << 20)
        };
        depths.submit(job).unwrap();
        assert!(depths.next(LIMIT).unwrap().result.unwrap() >= 8 << 20);
    });
}
