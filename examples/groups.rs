//! Groups: at most two jobs at a time use the disk, sums run beside them, and reports when there is nothing else to do.
//!
//! Run it with `cargo run --example groups`.

use fastthreadpool::{Deadline, JobError, Pool, Priority};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder().workers(4).build()?;
    let (disk, reports) = (pool.group(2, Priority::High), pool.group(1, Priority::Low));
    let (users, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));

    // At most two workers use the disk; the others run the sums.
    for _ in 0..40 {
        let (users, most) = (Arc::clone(&users), Arc::clone(&most));
        disk.spawn(move || {
            most.fetch_max(users.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
            users.fetch_sub(1, Ordering::SeqCst);
        })?;
    }
    let squares = pool.results();
    for n in 1..=1000_u64 {
        squares.submit(move || n * n)?;
    }
    let sum: u64 = squares.as_completed().filter_map(|outcome| outcome.result.ok()).sum();
    println!("the sum of 1000 squares is {sum}");
    disk.wait_idle(Deadline::NEVER)?;
    println!("40 jobs have read, {} at a time", most.load(Ordering::SeqCst));

    // A group is cancelled as one. Its jobs are jobs like all others: they have outcomes, and deadlines.
    for n in 0..10 {
        squares.job(move || n).group(&reports).start_within(Duration::from_secs(60)).submit()?;
    }
    let cancelled = reports.cancel_all();
    let dropped = squares.as_completed().filter(|outcome| matches!(outcome.result, Err(JobError::Cancelled))).count();
    println!("every report is done or cancelled: {}", cancelled == dropped);
    Ok(())
}
