//! How a C program asks for a pool.

use super::check::{self, Checked};
use super::ftpool_status::*;
use crate::{Builder, Pool};
use std::ffi::{CStr, c_char};

/// How a pool shall be. Begin with FTPOOL_CONFIG_INIT, which means all defaults, and set what shall differ: a field that
/// is 0 means its default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ftpool_config {
    /// sizeof(ftpool_config), set by FTPOOL_CONFIG_INIT: tells the library which header the program was compiled with.
    pub size: usize,
    /// At most how many workers, up to 32 768. Above 0: that many. 0, or −9999 and below: one for each usable processor,
    /// counted by affinity and cgroup quota. −1 to −9998: the usable processors plus this number.
    pub workers: i32,
    /// 1: jobs begin in the order of submission across all threads. 0: only the jobs of one thread are in order.
    pub ordered: u32,
    /// Worker n is called `<name>-<n>`; NULL means "ThreadPool". Copied.
    pub name: *const c_char,
    /// Bytes of each worker's stack; 0 means 2 MiB.
    pub stack_size: usize,
}

/// The builder that a config asks for.
///
/// # Safety
///
/// 1. `config` is NULL or points to as many bytes as its first field says. 2. Its name is NULL or a C string.
pub(super) unsafe fn builder(config: *const ftpool_config) -> Checked<Builder> {
    if config.is_null() {
        return Ok(Pool::builder());
    }
    // SAFETY: the caller's 1.
    let config = unsafe { known_part(config) }?;
    let mut builder = Pool::builder().workers(if config.workers == 0 { i32::MIN } else { config.workers });
    builder = match config.ordered {
        0 => builder,
        1 => builder.ordered(true),
        _ => return Err(FTPOOL_E_INVALID),
    };
    if config.stack_size > 0 {
        builder = builder.stack_size(config.stack_size);
    }
    if !config.name.is_null() {
        // SAFETY: the caller's 2.
        let name = unsafe { CStr::from_ptr(config.name) };
        builder = builder.name(name.to_string_lossy());
    }
    Ok(builder)
}

/// The fields this version knows; those that an older program does not have are 0.
///
/// # Safety
///
/// 1. `config` points to as many bytes as its first field says.
unsafe fn known_part(config: *const ftpool_config) -> Checked<ftpool_config> {
    const KNOWN: usize = size_of::<ftpool_config>();
    // SAFETY: the caller's 1: every config begins with its size.
    let size = unsafe { config.cast::<usize>().read() };
    if !(size_of::<usize>()..=check::LARGEST_STRUCT).contains(&size) {
        return Err(FTPOOL_E_INVALID);
    }
    // SAFETY: the caller's 1.
    let bytes = unsafe { std::slice::from_raw_parts(config.cast::<u8>(), size) };
    if bytes.iter().skip(KNOWN).any(|&byte| byte != 0) {
        return Err(FTPOOL_E_VERSION);
    }
    let mut known = ftpool_config { size: KNOWN, workers: 0, ordered: 0, name: std::ptr::null(), stack_size: 0 };
    // SAFETY: 1. the source has `size` bytes and the copy `KNOWN`; 2. any bytes are a valid config; 3. they are apart.
    unsafe { bytes.as_ptr().copy_to_nonoverlapping((&raw mut known).cast(), size.min(KNOWN)) };
    Ok(known)
}
