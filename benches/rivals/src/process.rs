//! What this process has used.

use std::time::Duration;
use std::{fs, mem};

/// Bytes of physical memory that it occupies.
pub fn resident() -> Result<f64, String> {
    let pages = fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages: f64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).ok_or("statm has another shape")?;
    // SAFETY: sysconf takes any number.
    Ok(pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as f64)
}

/// CPU time that it has taken.
pub fn cpu_time() -> Duration {
    // SAFETY: a timespec may be all zeros.
    let mut time: libc::timespec = unsafe { mem::zeroed() };
    // SAFETY: the clock exists, and there is room for the answer.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0, "clock_gettime");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
