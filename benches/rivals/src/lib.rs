//! What fastthreadpool is measured against, and how. `benches/README.md` explains the method.

pub mod bare;
pub mod c_abi;
pub mod c_jobs;
pub mod contest;
pub mod crates;
pub mod futex;
pub mod goals;
pub mod machine;
pub mod markdown;
pub mod measure;
pub mod native;
pub mod native_timers;
pub mod options;
pub mod ours;
pub mod plots;
pub mod process;
pub mod producers;
pub mod report;
pub mod rival;
pub mod tally;
pub mod waits;
