//! Locks and semaphores against others: who waits how long, and what it costs not to wait.

pub mod c_abi;
pub mod locks;
pub mod posix;
pub mod race;
pub mod semaphores;

#[cfg(cxx20)]
pub mod cxx;
