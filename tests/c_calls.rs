//! Any sequence of C calls with any arguments: each answers with a status that the header names, nothing breaks, and
//! every argument that was to be freed is freed once. `FTPOOL_SOAK_SEQUENCES` says how many sequences (1000),
//! `FTPOOL_SOAK_SEED` repeats a run's choices.
#![cfg(feature = "capi")]

#[path = "c_common/asker.rs"]
mod asker;
mod c_common;
#[path = "c_common/caller.rs"]
mod caller;
mod common;
#[path = "c_common/inputs.rs"]
mod inputs;
#[path = "c_common/loose.rs"]
mod loose;

use caller::World;
use common::{LIMIT, Random};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::SystemTime;
use std::{env, io, process, thread};

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("the setting is a number"))
}

/// Reliability R6.
#[test]
fn any_sequence_of_calls() {
    let sequences = setting("FTPOOL_SOAK_SEQUENCES").unwrap_or(1000);
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |now| now.subsec_nanos().into());
    let seed = setting("FTPOOL_SOAK_SEED").unwrap_or_else(clock);
    println!("FTPOOL_SOAK_SEED={seed}");
    static DONE: AtomicU64 = AtomicU64::new(0);
    let (ended, end) = channel::<()>();
    let watchdog = thread::spawn(move || {
        let mut before = u64::MAX;
        while end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            let now = DONE.load(SeqCst);
            if std::mem::replace(&mut before, now) == now {
                // Past what catches a test's output, which an abort would lose.
                let _ = writeln!(io::stderr(), "sequence {now} hangs; FTPOOL_SOAK_SEED={seed}");
                process::abort();
            }
        }
    });
    for sequence in 0..sequences {
        let mut random = Random::new(seed.wrapping_add(sequence));
        let calls = 1 + random.below(60);
        let mut world = World::new(random);
        (0..calls).for_each(|_| world.call());
        world.end();
        DONE.fetch_add(1, SeqCst);
    }
    drop(ended);
    watchdog.join().unwrap();
}
