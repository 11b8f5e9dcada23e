//! A reader that is faster than the jobs for its records: a limit on queued jobs blocks it, water marks tell it when to
//! slow down, and a thread that must not wait runs the job itself.
//!
//! Run it with `cargo run --example backpressure`.

use fastthreadpool::{Deadline, Policy, Pool, SubmitError, WaterMark};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const RECORDS: u64 = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (sum, crossings) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&crossings);
    let marks = move |mark, _queued| match mark {
        WaterMark::High => {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        WaterMark::Low => {}
    };
    let pool = Pool::builder().workers(2).max_queued(1000, Policy::Block).water_marks(250, 750, marks).build()?;

    // Waits while 1000 records are queued: memory stays small however many there are.
    for record in 1..=RECORDS {
        let sum = Arc::clone(&sum);
        pool.spawn(move || {
            sum.fetch_add(record, Ordering::Relaxed);
        })?;
    }
    pool.wait_idle(Deadline::NEVER)?;
    println!("{RECORDS} records: {}", sum.load(Ordering::Relaxed));
    assert!(crossings.load(Ordering::Relaxed) <= RECORDS);

    // A thread that must not wait gets its job back, and runs it here.
    let (busy, gate) =
        (Pool::builder().workers(1).max_queued(1, Policy::Reject).build()?, fastthreadpool::Event::new());
    let gate = Arc::new(gate);
    let (opened, (begun, begins)) = (Arc::clone(&gate), std::sync::mpsc::channel());
    busy.spawn(move || {
        begun.send(()).expect("somebody waits for it");
        opened.wait();
    })?;
    begins.recv()?;
    busy.spawn(|| ())?;
    assert!(matches!(busy.spawn(|| unreachable!("there is no room")), Err(SubmitError::Full)));
    match busy.offer(|| println!("done where it was submitted"), Deadline::NOW) {
        Ok(id) => println!("{id} has found room"),
        Err(refused) => (refused.job)(),
    }
    gate.set();
    Ok(())
}
