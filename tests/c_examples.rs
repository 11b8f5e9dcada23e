//! C programs that do not compile, do not run, or see more of the library than its header says.
#![cfg(all(unix, feature = "capi"))]

#[path = "c_common/cc.rs"]
mod cc;
mod common;

use cc::{Compiler, c_compilers, cxx_compilers, example, folder, is_installed, output, run, text};
use common::{Random, within_limit};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const EXAMPLES: &[&str] = &[
    "hello",
    "results",
    "cancel",
    "futures",
    "mandelbrot",
    "backpressure",
    "groups",
    "pcksum",
    "callbacks",
    "emit",
    "semaphore",
    "lock",
    "timers",
    "deadlines",
];
/// Run by `c_server.rs`.
const SERVERS: [&str; 3] = ["epoll_server", "epoll_threads", "epoll_load"];
const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const SIGABRT: i32 = 6;

/// Compiles an example as C99 with many warnings, as errors.
fn build(compiler: &Compiler, name: &str, folder: &Path, flags: &[&str]) -> PathBuf {
    let program = folder.join(format!("{name}-{}", compiler.name()));
    compiler.program(&example(name), &program, &[&["-std=c99"], flags].concat());
    program
}

/// Runs an example, and checks its output.
fn run_example(name: &str, mut program: Command) {
    match name {
        "timers" => {
            let said = run(program.args(["-n", "3", "0.01", "exit 3", "0.02~0.01", "echo tick"]));
            assert_eq!(
                text(&said.stdout),
                "tick\n".repeat(3) + "exit 3: 3 runs, 3 failed\necho tick: 3 runs, 0 failed\n"
            );
            assert!(text(&said.stderr).starts_with(&"timers: exit 3: exit status 3\n".repeat(3)));
        }
        "pcksum" => drop(run(program.arg(cc::root().join("src")))),
        _ => assert_eq!(text(&run(&mut program).stdout), expected(name), "{name}"),
    }
}

fn expected(name: &str) -> &'static str {
    match name {
        "hello" => "hello, world\n",
        "results" => {
            "10: 6 steps\n11: 14 steps\n12: 9 steps\n13: 9 steps\n14: 17 steps\n15: 17 steps\n16: 4 steps\n\
             17: 12 steps\n18: takes too long (at 4)\n19: takes too long (at 4)\n20: 7 steps\n21: 7 steps\n\
             22: 15 steps\n23: 15 steps\n24: 10 steps\n25: takes too long (at 5)\n26: 10 steps\n\
             27: takes too long (at 182)\n28: 18 steps\n29: 18 steps\n4 failures, 16 values\n\
             188 steps in all, 0 values left\n8 jobs have failed\n"
        }
        "cancel" => {
            "6 jobs are queued or running\ncancel B: FTPOOL_OK\ncancel D: FTPOOL_OK\ncancel D again: FTPOOL_EMPTY\n\
             cancel the running job: FTPOOL_EMPTY\n4 jobs are queued or running\nshut down within 20 ms: FTPOOL_TIMEOUT\n\
             submit F: FTPOOL_E_SHUTDOWN (it was shut down or closed; reopen it or make a new one)\njob E runs\njob A runs\njob C runs\n\
             shut down: 0 threads, 0 jobs\n"
        }
        "futures" => {
            "some pieces have ended\n33860 primes below 400000\n9592 of them below 100000\n\
             the search runs, it was asked to stop\njob ended early: not found\n"
        }
        "mandelbrot" => "11070 of 65536 points belong to the set\na point leaves after exactly 100 steps: yes\n",
        "callbacks" => "4 prices, 100.00 in all\n2 negative, 2 not a price\n4 values unread\n",
        "emit" => {
            "1:\n2: 2\n12: 2 2 3\n97: 97\n360: 2 2 2 3 3 5\n1024: 2 2 2 2 2 2 2 2 2 2\n\
             2044234: 2 and a rest that took too long\n3030273: 3 3 23 14639\n30030: 2 3 5 7 11 13\n"
        }
        "semaphore" => {
            "one producer too many: FTPOOL_TIMEOUT\n0 items left\nsum 900030000, expected 900030000\n\
             one permit too many: FTPOOL_E_OVERFLOW\n"
        }
        "lock" => {
            "locked: 1\nonce more: 0\nfor a while: FTPOOL_TIMEOUT\nreleased twice: FTPOOL_E_INVALID\n\
             the 120003\nlock 80002\nvalue 40001\nwaiter 40001\n"
        }
        "backpressure" => {
            "reject: 4 queued, 2 refused\ncaller runs: 4 queued, 0 refused\ndiscard oldest: 4 queued, 0 refused\n\
             try: FTPOOL_FULL\ntry for 5 ms: FTPOOL_FULL\ntry for long: FTPOOL_OK\n\
             100000 records; marks in turn: yes\n"
        }
        "groups" => {
            "the sum of 1000 squares is 333833500\n40 jobs have read, 2 at a time\n\
             every report is done or cancelled: yes\n"
        }
        "deadlines" => {
            "5 requests answered, 3 expired: 8 arguments freed\nreport 1 has run too long, and is asked to stop\n\
             report 1 stopped early\n"
        }
        _ => unreachable!("{name} is not an example"),
    }
}

/// Under every compiler here, without a warning.
#[test]
fn every_example_compiles_and_does_what_it_says() {
    within_limit(|| {
        let folder = folder("examples");
        for compiler in c_compilers() {
            for name in EXAMPLES {
                let program = build(&compiler, name, &folder, &[]);
                run_example(name, Command::new(program));
            }
        }
    });
}

/// An example that is not in this file's list is not tested; one without a build line is not found out how to build.
#[test]
fn every_example_says_how_to_build_it_and_what_it_shows() {
    let files = fs::read_dir(cc::root().join("c-examples")).expect("there are examples");
    let paths = files.map(|file| file.expect("examples are readable").path());
    let programs: BTreeSet<_> = paths.filter(|path| path.extension() == Some(OsStr::new("c"))).collect();
    let names = EXAMPLES.iter().copied().chain(SERVERS);
    assert_eq!(programs, names.clone().map(example).collect());
    for name in names {
        let source = fs::read_to_string(example(name)).expect("examples are text");
        assert!(source.starts_with(&format!("/*\n * {name}: ")), "{name} does not say what it does");
        let uses = source.contains("#include <fastthreadpool.h>");
        let library = if uses { " $(pkg-config --cflags --libs fastthreadpool)" } else { "" };
        let line = format!("-o {name} {name}.c{library}\n");
        assert!(source.contains(&line), "{name} does not say how to build it");
        assert!(source.contains("\n * Introduces: "), "{name} does not say what it shows");
    }
}

/// The program at the top of the header is the one that is tested.
#[test]
fn the_header_shows_hello() {
    let header = cc::header();
    let from_include = header.lines().skip_while(|line| !line.starts_with(" *     #include"));
    let program = from_include.take_while(|line| !line.starts_with(" *     cc "));
    let shown: String = program.map(|line| line[2..].strip_prefix("     ").unwrap_or("").to_string() + "\n").collect();
    let hello = fs::read_to_string(example("hello")).expect("hello is there");
    let (_, body) = hello.split_once("*/\n").expect("hello begins with a comment");
    assert_eq!(body.trim_end(), shown.trim_end());
    assert_eq!(body.lines().filter(|line| !line.is_empty()).count(), 10);
}

/// The header alone, and twice; a C compiler lays the structs out as `c_abi.rs` says.
#[test]
fn the_header_compiles_in_every_dialect() {
    within_limit(|| {
        let folder = folder("header");
        let once = "#include <fastthreadpool.h>\n";
        let uses = "typedef char config_has_176_bytes[sizeof(void *) != 8 || sizeof(ftpool_config) == 176 ? 1 : -1];\n\
                    typedef char result_has_80_bytes[sizeof(void *) != 8 || sizeof(ftpool_result) == 80 ? 1 : -1];\n\
                    typedef char timer_options_have_72_bytes[sizeof(void *) != 8 || sizeof(ftpool_timer_options) == 72 ? 1 : -1];\n\
                    typedef char name_is_at_16[sizeof(void *) != 8 || offsetof(ftpool_config, name) == 16 ? 1 : -1];\n\
                    typedef char code_is_at_52[sizeof(void *) != 8 || offsetof(ftpool_result, error_code) == 52 ? 1 : -1];\n\
                    typedef char semaphore_has_32_bytes[sizeof(ftpool_semaphore) == 32 ? 1 : -1];\n\
                    typedef char lock_has_8_bytes[sizeof(ftpool_lock) == 8 && sizeof(ftpool_event) == 4 ? 1 : -1];\n\
                    typedef char status_has_4_bytes[sizeof(ftpool_status) == 4 && FTPOOL_E_BUSY == -13 ? 1 : -1];\n\
                    int main(void) { ftpool_config config = FTPOOL_CONFIG_INIT; ftpool_result result = FTPOOL_RESULT_INIT;\n\
                    ftpool_timer_options timer = FTPOOL_TIMER_OPTIONS_INIT;\n\
                    return config.size + result.size + timer.size > 0 ? FTPOOL_OK : FTPOOL_E_INVALID; }\n";
        let c = ["-Wconversion", "-Wshadow", "-Wcast-qual", "-Wundef"];
        let cxx = [&c[..], &["-Wold-style-cast", "-Wzero-as-null-pointer-constant"]].concat();
        for (suffix, compilers, dialects, flags) in [
            ("c", c_compilers(), ["-std=c99", "-std=c11"], &c[..]),
            ("cc", cxx_compilers(), ["-std=c++11", "-std=c++20"], &cxx[..]),
        ] {
            for (name, text) in [("alone", once.to_string()), ("twice", once.repeat(2) + uses)] {
                let source = folder.join(name).with_extension(suffix);
                fs::write(&source, text).expect("the folder is writable");
                for compiler in &compilers {
                    dialects.iter().for_each(|dialect| compiler.check(&source, &[&[*dialect], flags].concat()));
                }
            }
        }
    });
}

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let header = cc::header();
    let declarations = header.split("\nFTPOOL_API").skip(1);
    let name =
        |text: &str| text.split('(').next().and_then(|text| text.rsplit([' ', '*', '\n']).next()).map(String::from);
    declarations.filter_map(name).collect()
}

/// A host program's own symbols never collide with ours.
#[test]
fn the_shared_library_exports_the_functions_of_the_header_and_nothing_else() {
    if is_installed("nm", &mut Command::new("nm")) {
        let library = cc::built_library("libfastthreadpool.so");
        let symbols = text(&run(Command::new("nm").args(["-D", "--defined-only"]).arg(&library)).stdout);
        let exported: BTreeSet<_> =
            symbols.lines().filter_map(|line| line.rsplit(' ').next()).map(String::from).collect();
        assert!(declared().len() > 30, "the header's declarations are found");
        assert_eq!(exported, declared(), "in {}", library.display());
    }
}

/// What pkg-config says about the static library is enough, also where all libraries are static.
#[test]
fn the_static_library_links() {
    within_limit(|| {
        let folder = folder("static");
        for compiler in c_compilers() {
            let modes: &[&[_]] = if compiler.has_static_libc() { &[&[], &["-static"]] } else { &[&[]] };
            for mode in modes {
                let program = folder.join(compiler.name());
                compiler.static_program(&example("hello"), &program, mode);
                run_example("hello", Command::new(program));
            }
        }
    });
}

/// Reliability R3.
#[test]
fn the_examples_are_clean_under_address_and_undefined_behaviour_sanitizer() {
    within_limit(|| {
        let folder = folder("sanitizers");
        let probe = folder.join("probe.c");
        fs::write(&probe, "int main(void) { return 0; }\n").expect("the folder is writable");
        for compiler in c_compilers() {
            let mut works = compiler.command();
            works.args(SANITIZERS).arg("-o").arg(folder.join("probe")).arg(&probe);
            if !output(&mut works).status.success() {
                println!("skipped: {} has no sanitizers", compiler.name());
                continue;
            }
            for name in EXAMPLES {
                let program = build(&compiler, name, &folder, &SANITIZERS);
                run_example(name, Command::new(program));
            }
        }
    });
}

/// Reliability R3.
#[test]
fn the_examples_are_clean_under_valgrind() {
    within_limit(|| {
        if !is_installed("valgrind", &mut Command::new("valgrind")) {
            return;
        }
        let folder = folder("valgrind");
        let Some(compiler) = c_compilers().into_iter().next() else { return };
        for name in ["hello", "results", "cancel", "callbacks", "emit", "semaphore", "lock", "timers"] {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
            valgrind.arg(build(&compiler, name, &folder, &[]));
            run_example(name, valgrind);
        }
    });
}

/// Files and folders with difficult names and sizes; returns the files in the order of their paths.
fn make_tree(root: &Path) -> Vec<PathBuf> {
    let text =
        ["empty", "plain", "with space", "new\nline", "tab\t", "-j", "back\\slash", "a.c", "a/b", "a/deep/er", "a-b"];
    let names = text.map(str::as_bytes).into_iter().chain([&b"not utf-8 \xff"[..]]);
    let mut random = Random::new(1);
    let mut write = |path: &Path, size: usize| {
        fs::create_dir_all(path.parent().expect("below the root")).expect("the folder is writable");
        let bytes: Vec<u8> = (0..size).map(|_| random.number() as u8).collect();
        fs::write(path, bytes).expect("the folder is writable");
    };
    let mut files: Vec<PathBuf> = names.map(|name| root.join(OsStr::from_bytes(name))).collect();
    files.iter().enumerate().for_each(|(index, path)| write(path, index * 7));
    for size in [1, 15, 16, 17, 63, 64, 127, 128, 129, 191, 192, 193, 65535, 65536, 65537, 300_000] {
        files.push(root.join(format!("sizes/{size}")));
        write(&files[files.len() - 1], size);
    }
    fs::create_dir(root.join("nothing inside")).expect("the folder is writable");
    files.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    files
}

fn coreutils(files: &[PathBuf]) -> Output {
    output(Command::new("cksum").env("LC_ALL", "C").args(files))
}

/// A program of size: one job for each file, read as they complete.
#[test]
fn pcksum_says_what_cksum_says() {
    within_limit(|| {
        if !is_installed("coreutils' cksum", &mut Command::new("cksum")) {
            return;
        }
        let folder = folder("pcksum");
        let tree = folder.join("tree");
        let files = make_tree(&tree);
        for compiler in c_compilers() {
            let program = build(&compiler, "pcksum", &folder, &["-O2"]);
            for workers in [&[][..], &["-j1"], &["-j", "3"], &["-j", "17", "--"]] {
                let said = run(Command::new(&program).args(workers).arg(&tree));
                assert_eq!(text(&said.stdout), text(&coreutils(&files).stdout), "{workers:?}");
                assert!(said.stdout == coreutils(&files).stdout && said.stderr.is_empty());
            }
            let backwards: Vec<_> = files.iter().rev().cloned().collect();
            assert!(run(Command::new(&program).args(&backwards)).stdout == coreutils(&backwards).stdout);
        }
    });
}

/// Files that cannot be found, one that cannot be read, and wrong options.
#[test]
fn pcksum_goes_on_after_a_failure_and_says_so_at_the_end() {
    within_limit(|| {
        if !is_installed("coreutils' cksum", &mut Command::new("cksum")) {
            return;
        }
        let folder = folder("pcksum-failures");
        let mut files = make_tree(&folder.join("tree"));
        let readable = coreutils(&files);
        for (at, path) in [(3, "/missing"), (9, "/proc/self/mem"), (20, "/missing too")] {
            files.insert(at, path.into());
        }
        for compiler in c_compilers() {
            let program = build(&compiler, "pcksum", &folder, &["-O2"]);
            let said = output(Command::new(&program).env("LC_ALL", "C").args(&files));
            assert_eq!(said.status.code(), Some(1));
            assert!(said.stdout == readable.stdout, "{}", text(&said.stdout));
            let mut complaints: Vec<_> = text(&said.stderr).lines().map(String::from).collect();
            complaints.sort();
            let unknown = "No such file or directory";
            let expected = ["/missing too: ", "/missing: ", "/proc/self/mem: "].into_iter();
            let expected = expected.zip([unknown, unknown, "Input/output error"]);
            assert_eq!(complaints, expected.map(|(name, why)| format!("pcksum: {name}{why}")).collect::<Vec<_>>());
            for wrong in [&[][..], &["-j"], &["-j", "0"], &["-jx", "."], &["-x", "."], &["-j", "99999999999", "."]] {
                assert_eq!(output(Command::new(&program).args(wrong)).status.code(), Some(2), "{wrong:?}");
            }
        }
    });
}

/// c-examples/timers.c, interrupted while commands run: they end, and are counted.
#[test]
fn the_cron_stops_at_a_signal() {
    within_limit(|| {
        let folder = folder("timers-signal");
        for compiler in c_compilers() {
            let program = folder.join(compiler.name());
            compiler.program(&example("timers"), &program, &["-std=c99"]);
            let mut cron = Command::new(&program);
            let command = ["0.001~0.005", "echo tick", "3600", "echo never"];
            let mut cron = cron.args(command).stdout(Stdio::piped()).spawn().expect("it was just built");
            let mut lines = BufReader::new(cron.stdout.take().expect("piped")).lines().map(Result::unwrap);
            assert_eq!(lines.next().as_deref(), Some("tick"));
            let mut kill = Command::new("kill");
            run(kill.args(["-INT", &cron.id().to_string()]));
            let rest: Vec<String> = lines.collect();
            assert!(cron.wait().expect("it ends").success());
            let ticks = 1 + rest.iter().filter(|line| *line == "tick").count();
            assert!(rest.contains(&format!("echo tick: {ticks} runs, 0 failed")), "{rest:?}");
            assert!(rest.contains(&"echo never: 0 runs, 0 failed".to_string()), "{rest:?}");
        }
    });
}

/// Reliability R5: what the header says of unwinding.
#[test]
fn an_unwind_out_of_a_job_aborts_the_process() {
    within_limit(|| {
        let folder = folder("unwind");
        let main = "int main(void) { ftpool *pool;\n\
                    if (ftpool_new(NULL, &pool) != FTPOOL_OK || ftpool_submit(pool, job, NULL, NULL) != FTPOOL_OK) return 1;\n\
                    ftpool_free(pool); return 0; }\n";
        let exits = "#include <fastthreadpool.h>\n#include <pthread.h>\n\
                     static void *job(void *arg) { pthread_exit(arg); }\n";
        let throws = "#include <fastthreadpool.h>\n#include <stdexcept>\n\
                      extern \"C\" { static void *job(void *) { throw std::runtime_error(\"thrown\"); } }\n";
        for (suffix, start, compilers) in [("c", exits, c_compilers()), ("cc", throws, cxx_compilers())] {
            let source = folder.join("unwind").with_extension(suffix);
            fs::write(&source, start.to_string() + main).expect("the folder is writable");
            for compiler in compilers {
                let program = folder.join(compiler.name());
                compiler.program(&source, &program, &[]);
                let end = output(&mut Command::new(&program));
                assert_eq!(end.status.signal(), Some(SIGABRT), "{suffix}: {}", text(&end.stderr));
            }
        }
    });
}
