//! What fastthreadpool is measured against, and how. `benches/README.md` explains the method.

pub mod bare;
pub mod c_abi;
pub mod crates;
pub mod machine;
pub mod measure;
pub mod native;
pub mod native_timers;
pub mod ours;
pub mod producers;
pub mod report;
pub mod rival;
pub mod tally;
pub mod waits;
