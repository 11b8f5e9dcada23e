//! Pools of C and C++ that take part if their library is installed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of them.
struct Native {
    name: &'static str,
    /// A header that only comes with the library; "" if it comes with the compiler.
    header: &'static str,
    /// What pkg-config calls it; "" if it is all in its header.
    package: &'static str,
    /// A C source that is installed instead of a library.
    source: &'static str,
    standard: &'static str,
}

const fn native(name: &'static str, header: &'static str, package: &'static str) -> Native {
    Native { name, header, package, source: "", standard: "c++17" }
}

const NATIVE: [Native; 13] = [
    native("tbb", "tbb/task_arena.h", "tbb"),
    native("uv", "uv.h", "libuv"),
    native("uv_timers", "uv.h", "libuv"),
    native("asio_timers", "boost/asio/basic_waitable_timer.hpp", ""),
    native("glib", "glib-2.0/glib.h", "glib-2.0"),
    native("asio", "boost/asio/thread_pool.hpp", ""),
    Native { source: "/usr/share/cthreadpool/thpool.c", ..native("thpool", "cthreadpool/thpool.h", "") },
    native("thread_pool", "thread_pool/thread_pool.hpp", ""),
    Native { standard: "c++20", ..native("taskflow", "taskflow/taskflow.hpp", "") },
    native("bs", "BS_thread_pool.hpp", ""),
    native("async", "", ""),
    native("pthread", "", ""),
    native("omp", "", ""),
];

/// Compiles those that are there; says `cfg(native_<name>)` for each.
pub fn compile() {
    println!("cargo:rerun-if-changed=native");
    println!("cargo:rerun-if-env-changed=RIVALS_INCLUDE");
    let mut roots: Vec<PathBuf> = vec!["/usr/include".into(), "/usr/local/include".into()];
    roots.extend(env::var_os("RIVALS_INCLUDE").map(PathBuf::from));
    for Native { name, header, package, source, standard } in NATIVE {
        println!("cargo:rustc-check-cfg=cfg(native_{name})");
        let there = header.is_empty() || roots.iter().any(|root| root.join(header).exists());
        let Some(flags) = there.then(|| pkg_config(package)).flatten() else { continue };
        if let Some(folder) = Path::new(header).parent().filter(|_| !source.is_empty()) {
            let folder = Path::new("/usr/include").join(folder);
            cc::Build::new()
                .opt_level(2)
                .warnings(false)
                .include(folder)
                .file(source)
                .compile(&format!("source_{name}"));
        }
        let mut build = cc::Build::new();
        build.cpp(true).std(standard).opt_level(2).file(format!("native/{name}.cc"));
        build.includes(flags.iter().filter_map(|flag| flag.strip_prefix("-I"))).includes(roots.get(2));
        let runtime = (name == "omp").then(|| if is_clang(&build) { "omp" } else { "gomp" });
        if runtime.is_some() {
            build.flag("-fopenmp");
        }
        if build.try_compile(&format!("rival_{name}")).is_ok() {
            println!("cargo:rustc-cfg=native_{name}");
            let libraries = flags.iter().filter_map(|flag| flag.strip_prefix("-l"));
            libraries.chain(runtime).for_each(|library| println!("cargo:rustc-link-lib={library}"));
        }
    }
}

fn is_clang(build: &cc::Build) -> bool {
    build.try_get_compiler().is_ok_and(|compiler| compiler.is_like_clang())
}

fn pkg_config(package: &str) -> Option<Vec<String>> {
    if package.is_empty() {
        return Some(Vec::new());
    }
    let output = Command::new("pkg-config").args(["--cflags", "--libs", package]).output().ok()?;
    let flags = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| flags.split_whitespace().map(String::from).collect())
}
