//! The calls that C programs inline, beside the library's own.
#![cfg(all(target_os = "linux", feature = "capi"))]

#[path = "c_common/cc.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod cc;
mod common;

use cc::{Compiler, c_compilers, cxx_compilers, folder, is_installed, root, run, text};
use common::{eventually, within_limit};
use fastthreadpool::ffi::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program as C and as C++, with the compilers for each.
fn sources(folder: &Path) -> [(PathBuf, Vec<Compiler>, &'static str); 2] {
    let source = root().join("tests/c_programs/inlined.c");
    let as_cxx = folder.join("inlined.cc");
    fs::copy(&source, &as_cxx).expect("the folder is writable");
    [(source, c_compilers(), "-std=c99"), (as_cxx, cxx_compilers(), "-std=c++11")]
}

fn expect_42(program: &Path) {
    let rounds = if cfg!(debug_assertions) { "1000" } else { "10000" };
    let status = Command::new(program).arg(rounds).status().expect("it was just compiled");
    assert_eq!(status.code(), Some(42), "{}", program.display());
}

/// Both sides of a lock in C, in the library, and mixed; the same for a permit.
#[test]
fn two_threads_are_inside_at_a_time() {
    within_limit(|| {
        let folder = folder("inlined");
        for (source, compilers, dialect) in sources(&folder) {
            for compiler in compilers {
                for optimised in ["-O0", "-O2"] {
                    let program = folder.join(format!("{}{optimised}", compiler.name()));
                    compiler.program(&source, &program, &[dialect, "-D_DEFAULT_SOURCE", optimised]);
                    expect_42(&program);
                }
                let program = folder.join(format!("{}-static", compiler.name()));
                compiler.static_program(&source, &program, &[dialect, "-D_DEFAULT_SOURCE", "-O2"]);
                expect_42(&program);
            }
        }
    });
}

const CALLS: &str = "#include <fastthreadpool.h>\n\
    void lock(ftpool_lock *it, int *count);\n\
    ftpool_status permit(ftpool_semaphore *it, int *count);\n\
    void lock(ftpool_lock *it, int *count) {\n\
    ftpool_lock_acquire(it); ++*count; ftpool_lock_release(it);\n\
    if (ftpool_lock_try_acquire(it)) ftpool_lock_release(it); }\n\
    ftpool_status permit(ftpool_semaphore *it, int *count) {\n\
    if (ftpool_semaphore_acquire(it) == FTPOOL_OK) ++*count;\n\
    return ftpool_semaphore_release(it, 1); }\n";

/// The functions of the library that an object file calls, by `nm`.
fn called(compiler: &Compiler, source: &Path, flags: &[&str]) -> BTreeSet<String> {
    let object = source.with_extension("o");
    run(&mut compiler.compile(source, &object, &[&["-c"], flags].concat()));
    let symbols = text(&run(Command::new("nm").arg("-u").arg(object)).stdout);
    symbols.lines().filter_map(|line| Some(line.trim().strip_prefix("U ftpool_")?.to_string())).collect()
}

/// A call that is not inlined is slow, and nothing tells; one that is inlined where it must not be would be wrong.
#[test]
fn calls_are_inlined_where_they_should_not_be_or_the_other_way_round() {
    within_limit(|| {
        if !is_installed("nm", &mut Command::new("nm")) {
            return;
        }
        let folder = folder("calls");
        let slow = ["lock_acquire_for", "lock_release_checked", "lock_wake_next", "semaphore_acquire_for"];
        let slow: BTreeSet<_> = slow.into_iter().chain(["semaphore_release_slow"]).map(String::from).collect();
        let plain = ["lock_acquire", "lock_release", "lock_try_acquire", "semaphore_acquire", "semaphore_release"];
        let plain: BTreeSet<_> = plain.map(String::from).into();
        for (suffix, compilers) in [("c", c_compilers()), ("cc", cxx_compilers())] {
            let source = folder.join("calls").with_extension(suffix);
            fs::write(&source, CALLS).expect("the folder is writable");
            for compiler in compilers {
                assert_eq!(called(&compiler, &source, &["-O2"]), slow, "{compiler:?}");
                for flags in [&["-O0"][..], &["-O2", "-DFTPOOL_NO_INLINE"], &["-O2", "-fsanitize=thread"]] {
                    assert_eq!(called(&compiler, &source, flags), plain, "{compiler:?} {flags:?}");
                }
            }
        }
    });
}

/// The places and values that programs were compiled with; the names' values are held in `src/ffi/inline.rs`.
#[test]
fn a_word_of_the_abi_has_moved() {
    let mut lock = ftpool_lock { opaque: [0; 2] };
    // SAFETY: zeroes are a free lock.
    unsafe { ftpool_lock_acquire(&mut lock) };
    assert_eq!(lock.opaque, [1, 0]);
    // SAFETY: it is initialised.
    unsafe { ftpool_lock_release(&mut lock) };
    assert_eq!(lock.opaque[0], 0);
    let mut semaphore = ftpool_semaphore { opaque: [3, 0, 0, 0] };
    // SAFETY: it is as FTPOOL_SEMAPHORE_INIT(3) says.
    assert_eq!(unsafe { ftpool_semaphore_acquire(&mut semaphore) } as i32, 0);
    assert_eq!(semaphore.opaque[0], 2);
    // SAFETY: it is initialised.
    assert_eq!(unsafe { ftpool_semaphore_close(&mut semaphore) } as i32, 0);
    assert_eq!(semaphore.opaque[0], 1 << 61 | 2);
}

/// A lock records that its releases are light; otherwise every release of a C program is a call.
#[test]
fn a_lock_in_use_does_not_become_light() {
    // SAFETY: membarrier's query takes no memory of ours.
    let known = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_QUERY, 0, 0) };
    if cfg!(ftpool_portable) || known < 0 || known & i64::from(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 {
        return;
    }
    let mut lock = ftpool_lock { opaque: [0; 2] };
    // The process registers once, which takes some milliseconds.
    eventually("the lock is light", || {
        // SAFETY: zeroes are a free lock.
        unsafe { ftpool_lock_acquire(&mut lock) };
        // SAFETY: it is initialised.
        unsafe { ftpool_lock_release(&mut lock) };
        lock.opaque == [0, 8]
    });
}
