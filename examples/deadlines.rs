//! A request that no worker has started in time is dropped, and a report that takes too long is stopped.
//!
//! Run it with `cargo run --example deadlines`.

use fastthreadpool::{Event, JobError, Pool, cancel_requested};
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder()
        .workers(1)
        .on_overrun(|overrun| {
            println!("{} has run too long, and is asked to stop", overrun.name());
            overrun.request_cancel();
        })
        .build()?;
    let free = Arc::new(Event::new());
    let busy = Arc::clone(&free);
    pool.spawn_first(move || busy.wait())?;

    let answers = pool.results();
    for request in 0..8 {
        let time = if request < 5 { Duration::from_secs(3600) } else { Duration::from_millis(1) };
        answers.job(move || request).start_within(time).submit()?;
    }
    // The expired ones are reported although the only worker is still busy.
    let (mut answered, mut expired) = (0, 0);
    for answer in answers.as_completed() {
        match answer.result {
            Ok(_) => answered += 1,
            Err(JobError::Expired) => expired += 1,
            Err(other) => return Err(other.into()),
        }
        if expired == 3 {
            free.set();
        }
    }
    println!("{answered} requests answered, {expired} expired");

    let pages = || {
        let mut pages = 0;
        while !cancel_requested() {
            std::thread::sleep(Duration::from_millis(1));
            pages += 1;
        }
        pages > 0
    };
    let report = pool.job(pages).run_limit("report 1", Duration::from_millis(10)).submit_handle()?;
    println!("report 1 stopped early, with pages: {}", report.join()?);
    Ok(())
}
