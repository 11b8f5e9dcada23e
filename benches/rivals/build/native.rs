//! Pools of C and C++ that take part if their library is installed.

use std::path::Path;
use std::process::Command;

/// One of them.
struct Native {
    name: &'static str,
    /// A header that only comes with the library.
    header: &'static str,
    /// What pkg-config calls it; "" if it is all in its header.
    package: &'static str,
    /// A C source that is installed instead of a library.
    source: &'static str,
}

const NATIVE: [Native; 8] = [
    Native { name: "tbb", header: "tbb/task_arena.h", package: "tbb", source: "" },
    Native { name: "uv", header: "uv.h", package: "libuv", source: "" },
    Native { name: "glib", header: "glib-2.0/glib.h", package: "glib-2.0", source: "" },
    Native { name: "asio", header: "boost/asio/thread_pool.hpp", package: "", source: "" },
    Native { name: "thpool", header: "cthreadpool/thpool.h", package: "", source: "/usr/share/cthreadpool/thpool.c" },
    Native { name: "thread_pool", header: "thread_pool/thread_pool.hpp", package: "", source: "" },
    Native { name: "uv_timers", header: "uv.h", package: "libuv", source: "" },
    Native { name: "asio_timers", header: "boost/asio/basic_waitable_timer.hpp", package: "", source: "" },
];

/// Compiles those that are there; says `cfg(native_<name>)` for each.
pub fn compile() {
    println!("cargo:rerun-if-changed=native");
    for Native { name, header, package, source } in NATIVE {
        println!("cargo:rustc-check-cfg=cfg(native_{name})");
        let there = ["/usr/include", "/usr/local/include"].iter().any(|root| Path::new(root).join(header).exists());
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
        build.cpp(true).std("c++17").opt_level(2).file(format!("native/{name}.cc"));
        build.includes(flags.iter().filter_map(|flag| flag.strip_prefix("-I")));
        if build.try_compile(&format!("rival_{name}")).is_ok() {
            println!("cargo:rustc-cfg=native_{name}");
            flags.iter().filter_map(|f| f.strip_prefix("-l")).for_each(|lib| println!("cargo:rustc-link-lib={lib}"));
        }
    }
}

fn pkg_config(package: &str) -> Option<Vec<String>> {
    if package.is_empty() {
        return Some(Vec::new());
    }
    let output = Command::new("pkg-config").args(["--cflags", "--libs", package]).output().ok()?;
    let flags = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| flags.split_whitespace().map(String::from).collect())
}
