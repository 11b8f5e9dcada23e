//! In forte's place where the feature of that name is off.

use crate::Node;
use rivals::contest::Way;

pub fn start(_workers: usize) -> Result<(), String> {
    Ok(())
}

pub fn missing() -> Option<String> {
    Some("forte: not built (--features forte, with Rust 1.96 or --ignore-rust-version)".into())
}

pub fn fib_30() -> Option<Way<'static>> {
    None
}

pub fn sums_of(_tree: &'static Node, _repeat: u32) -> Option<Way<'static>> {
    None
}
