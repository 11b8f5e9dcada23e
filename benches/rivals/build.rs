//! Compiles the rivals that are written in C and C++.

#[path = "build/native.rs"]
mod native;

fn main() {
    native::compile();
}
