//! A file descriptor that is readable while it is set.

#[cfg(all(target_os = "linux", not(loom)))]
pub(crate) use linux::EventFd;
#[cfg(loom)]
pub(crate) use modelled::EventFd;
#[cfg(not(any(target_os = "linux", loom)))]
pub(crate) use unsupported::EventFd;

#[cfg(all(target_os = "linux", not(loom)))]
mod linux {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

    /// An eventfd, close-on-exec and non-blocking.
    #[derive(Debug)]
    pub(crate) struct EventFd(OwnedFd);

    impl EventFd {
        pub(crate) fn new() -> io::Result<Self> {
            // SAFETY: the call takes no pointers.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor was opened above, and nothing else owns it.
            Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
        }

        pub(crate) fn set(&self) {
            let one = 1u64;
            // SAFETY: eight readable bytes. The call fails only if the counter is full, and so set.
            unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
        }

        pub(crate) fn clear(&self) {
            let mut count = 0u64;
            // SAFETY: eight writable bytes. The call fails if it was clear already.
            unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
        }

        pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(loom)]
mod modelled {
    use loom::sync::Mutex;
    use std::io;

    /// Whether it is readable.
    #[derive(Debug)]
    pub(crate) struct EventFd(Mutex<bool>);

    impl EventFd {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self(Mutex::new(false)))
        }

        pub(crate) fn set(&self) {
            *self.0.lock().expect("nobody panics here") = true;
        }

        pub(crate) fn clear(&self) {
            *self.0.lock().expect("nobody panics here") = false;
        }

        pub(crate) fn is_set(&self) -> bool {
            *self.0.lock().expect("nobody panics here")
        }

        #[cfg(unix)]
        pub(crate) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            unreachable!("models do not poll")
        }
    }
}

#[cfg(not(any(target_os = "linux", loom)))]
mod unsupported {
    use std::io;

    /// Cannot be made here.
    #[derive(Debug)]
    pub(crate) enum EventFd {}

    impl EventFd {
        #[cfg_attr(not(unix), allow(dead_code, reason = "there is nothing to poll"))]
        pub(crate) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn set(&self) {
            match *self {}
        }

        pub(crate) fn clear(&self) {
            match *self {}
        }

        #[cfg(unix)]
        pub(crate) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            match *self {}
        }
    }
}
