//! Checks that `inline.h` and the library agree on the words of locks and semaphores.

use crate::sync::{permits, raw_lock};

/// The numbers of `inline.h` are part of the ABI: compiled programs contain them.
#[test]
fn c_programs_know_other_words_than_the_library() {
    let words = [
        ("FTPOOL_LOCK_FREE", raw_lock::FREE.into(), 0),
        ("FTPOOL_LOCK_HELD", raw_lock::HELD.into(), 1),
        ("FTPOOL_LOCK_WAITING", raw_lock::WAITING.into(), 1),
        ("FTPOOL_LOCK_STARVING", raw_lock::STARVING.into(), 2),
        ("FTPOOL_LOCK_LIGHT", raw_lock::LIGHT.into(), 8),
        ("FTPOOL_SEMAPHORE_VALUE", permits::VALUE, 0x7fff_ffff),
        ("FTPOOL_SEMAPHORE_WAITING", permits::WAITING, 1 << 60),
        ("FTPOOL_SEMAPHORE_CLOSED", permits::CLOSED, 1 << 61),
        ("FTPOOL_SEMAPHORE_QUEUED", permits::QUEUED, 1 << 63),
    ];
    assert!(words.iter().all(|&(_, library, abi)| library == abi));
    assert_eq!(defined(include_str!("inline.h")), words.map(|(name, number, _)| (name, number)));
}

/// The macros that a header defines as numbers.
fn defined(header: &str) -> Vec<(&str, u64)> {
    let defines = header.lines().filter_map(|line| line.strip_prefix("#define "));
    defines.filter_map(|define| define.split_once(' ')).filter_map(|(name, is)| Some((name, number(is)?))).collect()
}

/// Parses `8u`, `UINT64_C(0x7fffffff)`, or `(UINT64_C(1) << 60)`.
fn number(text: &str) -> Option<u64> {
    if let Some((one, shift)) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')?.split_once(" << ")) {
        return Some(number(one)? << shift.parse::<u32>().ok()?);
    }
    let digits = text.strip_prefix("UINT64_C(").and_then(|text| text.strip_suffix(')'));
    match digits.or_else(|| text.strip_suffix('u'))? {
        hex if hex.starts_with("0x") => u64::from_str_radix(&hex[2..], 16).ok(),
        decimal => decimal.parse().ok(),
    }
}
