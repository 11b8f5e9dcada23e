//! What one feature does to another.

mod common;

use common::{Gate, LIMIT, within_limit};
use fastthreadpool::{Deadline, Pool, Shutdown};

/// Conformance 58, 107: a worker that may run no more jobs has expected one that was cancelled, and leaves as the last.
#[test]
fn a_worn_out_worker_leaves_after_what_it_expected_was_cancelled() {
    within_limit(|| {
        for how in [Shutdown::Cancel, Shutdown::Drain] {
            let (pool, gate) = (Pool::builder().workers(1).jobs_per_worker(1).build().unwrap(), Gate::new());
            pool.spawn(gate.job()).unwrap();
            gate.wait_started(1);
            let expected = pool.spawn(|| ()).unwrap();
            assert!(pool.cancel(expected));
            assert!(pool.shutdown(how, Deadline::NOW).is_err());
            gate.open();
            pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
            assert_eq!(pool.alive(), 0);
            pool.reopen(LIMIT).unwrap();
            assert_eq!(pool.run(|| 3).unwrap(), 3);
        }
    });
}
