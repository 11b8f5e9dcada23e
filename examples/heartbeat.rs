//! Heartbeats from several services, and an alarm for the one that falls silent: a schedule for each sender, and one
//! delayed job for each watchdog, rescheduled with every beat. No thread waits for any of them.
//!
//! Run it with `cargo run --example heartbeat`.

use fastthreadpool::{Deadline, JobId, Pool, Schedule, current_tick};
use std::time::Duration;

const BEAT: Duration = Duration::from_millis(20);
const SILENCE: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder().name("monitor").build()?;
    let alarms = pool.results();
    for (service, beats) in [("database", 10), ("mail", 5), ("web", 15)] {
        // Due when no beat has arrived for too long. Each beat reschedules it.
        let watchdog = alarms.submit_later(SILENCE, move || service)?;
        let beats = Schedule::every(BEAT).first(Duration::ZERO).max_runs(beats);
        pool.schedule(beats, move || put_off(service, watchdog))?;
    }
    for alarm in alarms.as_completed() {
        println!("{} has fallen silent", alarm.result?);
    }
    pool.wait_idle(Deadline::NEVER)?;
    Ok(())
}

fn put_off(service: &str, watchdog: JobId) {
    let tick = current_tick().expect("this is a scheduled job");
    if Pool::current().is_some_and(|pool| pool.reschedule(watchdog, SILENCE)) {
        println!("{service}: beat {}, {:?} late", tick.number, tick.late_by);
    }
}
