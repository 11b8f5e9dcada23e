//! Adds up prices: a callback checks each on the worker that parsed it, and may refuse it; another callback, on one
//! thread, adds up the others; and each line is returned when its job has ended in any way.
//!
//! Run it with `cargo run --example callbacks`.

use fastthreadpool::{Deadline, JobError, Outcome, Pool};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const LINES: [&str; 8] = ["12.50", "7.25", "-3", "cheap", "30.25", "50", "-1.5", "?"];

#[derive(Default)]
struct Sums {
    total: f64,
    prices: u32,
    refused: u32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (sums, given_back) = (Arc::new(Mutex::new(Sums::default())), Arc::new(AtomicU32::new(0)));
    let pool = Pool::builder().on_log(|line| assert!(line.contains("job"), "{line}")).build()?;
    let prices = pool.results();
    let adding = Arc::clone(&sums);
    // Called on one thread, with one outcome after another, so it needs no lock.
    prices.on_outcome(move |outcome: Outcome<f64>| {
        let mut sums = adding.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome.result {
            Ok(price) => (sums.total, sums.prices) = (sums.total + price, sums.prices + 1),
            Err(JobError::Failed(_) | JobError::Panicked(_)) => sums.refused += 1,
            Err(other) => println!("{}: {other}", outcome.id),
        }
    })?;
    for line in LINES {
        let count = Arc::clone(&given_back);
        prices
            .job(move || line.parse().unwrap_or(f64::NAN))
            .try_then(|outcome| match outcome.result {
                Ok(price) if price.is_nan() => Err("not a price"),
                Ok(price) if price < 0.0 => Err("less than nothing"),
                _ => Ok(()),
            })
            .finally(move || {
                count.fetch_add(1, Ordering::Relaxed);
            })
            .submit()?;
    }
    pool.wait_idle(Deadline::NEVER)?;
    drop(prices); // Waits until the callback was called with every outcome.
    let sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{} prices, {:.2} in all", sums.prices, sums.total);
    println!("{} refused, {} lines given back", sums.refused, given_back.load(Ordering::Relaxed));
    Ok(())
}
