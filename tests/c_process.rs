//! C and C++ programs that exit, are unloaded or fork while their pools live.
#![cfg(all(unix, feature = "capi"))]

#[path = "c_common/cc.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod cc;
mod common;

use cc::{Compiler, built_library, c_compilers, cxx_compilers, folder, root, text};
use common::within_limit;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The exit code of success. Each program kills itself if it hangs.
const WELL: i32 = 42;

fn build(compiler: &Compiler, file: &str, folder: &Path, flags: &[&str]) -> PathBuf {
    let program = folder.join(file).with_extension("");
    compiler.program(&root().join("tests/c_programs").join(file), &program, flags);
    program
}

fn must_go_well(command: &mut Command) {
    let end = cc::output(command);
    assert_eq!(end.status.code(), Some(WELL), "{command:?}: {}\n{}", end.status, text(&end.stderr));
}

/// Reliability R11: timers of the monotonic clock do not wait for the wall clock, however it is set.
#[cfg(target_os = "linux")]
#[test]
fn a_wall_clock_that_is_set_back_holds_no_other_timer_up() {
    within_limit(|| {
        let program = build(&c_compilers()[0], "clock_set_back.c", &folder("clock-set-back"), &["-std=c11"]);
        must_go_well(&mut Command::new(&program));
    });
}

/// Reliability R9; decision "process exit".
#[test]
fn no_exit_hangs_or_crashes_because_of_a_pool() {
    within_limit(|| {
        let folder = folder("process-end");
        let program = build(&c_compilers()[0], "process_end.c", &folder, &["-std=c11"]);
        for scenario in ["main", "job", "job-and-free", "late-handler", "early-handler"] {
            (0..100).for_each(|_| must_go_well(Command::new(&program).arg(scenario)));
        }
    });
}

/// Reliability R9: the library is not unmapped while its threads run.
#[test]
fn the_library_is_unloaded_while_its_pool_works() {
    within_limit(|| {
        let folder = folder("dlclose");
        let program = build(&c_compilers()[0], "process_end.c", &folder, &["-std=c11"]);
        // A copy, because the library that the program is linked with stays loaded anyway.
        let library = folder.join("another.so");
        std::fs::copy(built_library("libfastthreadpool.so"), &library).unwrap();
        (0..50).for_each(|_| must_go_well(Command::new(&program).arg("dlclose").arg(&library)));
    });
}

/// Reliability R9.
#[test]
fn a_static_object_owns_a_pool() {
    within_limit(|| {
        let folder = folder("static-pool");
        for compiler in cxx_compilers() {
            let program = build(&compiler, "static_pool.cc", &folder, &["-std=c++11"]);
            (0..50).for_each(|_| must_go_well(&mut Command::new(&program)));
        }
    });
}

/// Reliability R8.
#[test]
fn a_child_of_a_fork_is_told_that_the_pool_is_not_its_own() {
    within_limit(|| {
        let folder = folder("forks");
        let program = build(&c_compilers()[0], "forks.c", &folder, &["-std=c11"]);
        must_go_well(Command::new(program).arg("300"));
    });
}

/// Reliability R8: no child waits for what another thread of its parent was doing for the first time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_fork_while_the_first_pool_is_used_does_not_keep_the_child_from_using_one() {
    within_limit(|| {
        let program = build(&c_compilers()[0], "first_pool.c", &folder("first-pool"), &["-std=c11"]);
        (0..20).for_each(|place| must_go_well(Command::new(&program).arg(place.to_string())));
    });
}

/// Reliability R7.
#[test]
#[cfg(target_os = "linux")]
fn a_scarce_system_means_an_error_or_progress() {
    within_limit(|| {
        let folder = folder("scarce");
        let program = build(&c_compilers()[0], "scarce.c", &folder, &["-std=c11"]);
        let scenarios = [
            ("few-threads", 10),
            ("no-thread", 10),
            ("worker-gone", 10),
            ("worker-blocked", 3),
            ("worker-blocked-before-timers", 3),
            ("no-memory", 1),
            ("no-memory-for-tick", 3),
            ("no-memory-for-delayed-job", 3),
            ("one-processor", 10),
        ];
        for (scenario, times) in scenarios {
            (0..times).for_each(|_| must_go_well(Command::new(&program).arg(scenario)));
        }
    });
}
