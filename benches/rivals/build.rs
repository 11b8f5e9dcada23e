//! Compiles the rivals that are written in C and C++.

#[path = "build/cxx20.rs"]
mod cxx20;
#[path = "build/native.rs"]
mod native;

fn main() {
    native::compile();
    cxx20::compile();
}
