//! Counts the words of the files named on the command line (default: this crate's README), one job a file.

use fastthreadpool::{Deadline, Pool, Shutdown};
use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        files.push(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md").into());
    }
    let pool = Pool::builder().name("words").build()?;
    let counts = pool.results();
    for file in files {
        counts.try_submit(move || fs::read_to_string(&file).map(|text| (text.split_whitespace().count(), file)))?;
    }
    let mut total = 0;
    for outcome in counts.as_completed() {
        match outcome.result {
            Ok((words, file)) => {
                println!("{words:8} {file}");
                total += words;
            }
            Err(error) => eprintln!("{error}"),
        }
    }
    println!("{total:8} in all");
    pool.shutdown(Shutdown::Drain, Deadline::in_secs(2))?;
    Ok(())
}
