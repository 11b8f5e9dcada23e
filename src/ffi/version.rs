//! The version of the library.

use std::ffi::c_char;

/// Parses a part of the version in Cargo.toml.
const fn number(text: &str) -> u32 {
    let (mut number, mut rest) = (0, text.as_bytes());
    while let [digit, tail @ ..] = rest {
        (number, rest) = (number * 10 + (*digit - b'0') as u32, tail);
    }
    number
}

const VERSION: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + number(env!("CARGO_PKG_VERSION_MINOR")) * 1000
    + number(env!("CARGO_PKG_VERSION_PATCH"));

/// Returns the version of the library that is loaded, as major × 1 000 000 + minor × 1 000 + patch. Compare it with
/// FTPOOL_VERSION_NUMBER, the version of the header that the program was compiled with.
///
/// **Thread safety:** any thread. **Returns:** the number.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_version_number() -> u32 {
    VERSION
}

/// Returns the version of the library that is loaded, such as "0.1.0".
///
/// **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ftpool_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
