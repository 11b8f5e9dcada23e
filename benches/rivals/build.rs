//! Compiles the rivals that are written in C and C++.

#[path = "build/cxx20.rs"]
mod cxx20;
#[path = "build/native.rs"]
mod native;

fn main() {
    native::compile();
    cxx20::compile();
    println!("cargo:rerun-if-changed=../../include/fastthreadpool.h");
    println!("cargo:rerun-if-changed=src/waits/waits.c");
    cc::Build::new().opt_level(2).include("../../include").file("src/waits/waits.c").compile("waits");
}
