//! How the shared library is linked. Writes nothing.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/ffi/layout.ld");
    if var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        let major = var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libfastthreadpool.so.{major}");
        // Threads that have submitted run a destructor of ours when they exit: dlclose must not unmap it.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
