//! The C library's error number.

/// Sets the calling thread's `errno`, where there is one.
pub(crate) fn set(number: i32) {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the C library gives every thread its own number to write to.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: the address is valid for as long as the thread lives.
        unsafe { errno.write(number) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}
