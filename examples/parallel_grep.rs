//! Looks for a text in every file below a directory: `cargo run --release --example parallel_grep -- TEXT [DIRECTORY]`.
//!
//! Introduces: a map over a source that is read as values are asked for (`Pool::map`), in order, with errors that
//! concern one item only; a progress bar; cancelling the rest when the reader has closed the pipe.

use fastthreadpool::Pool;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fs};

/// A line that contains the text.
struct Hit {
    number: usize,
    line: String,
}

/// Files below a directory, sorted within each directory, found on demand.
struct Walk(Vec<PathBuf>);

impl Iterator for Walk {
    type Item = PathBuf;

    fn next(&mut self) -> Option<PathBuf> {
        while let Some(path) = self.0.pop() {
            if !path.is_dir() || path.is_symlink() {
                return Some(path);
            }
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            let mut below: Vec<_> = entries.map(|entry| entry.path()).collect();
            below.sort_by(|a, b| b.cmp(a));
            self.0.extend(below);
        }
        None
    }
}

fn search(path: &Path, text: &[u8]) -> io::Result<Vec<Hit>> {
    let content = fs::read(path)?;
    if content.iter().take(1000).any(|&byte| byte == 0) {
        return Ok(Vec::new()); // Not a text.
    }
    let lines = content.split(|&byte| byte == b'\n').enumerate();
    let hits = lines.filter(|(_, line)| line.windows(text.len()).any(|part| part == text));
    Ok(hits.map(|(at, line)| Hit { number: at + 1, line: String::from_utf8_lossy(line).into_owned() }).collect())
}

fn run(text: String, directory: PathBuf) -> Result<usize, Box<dyn std::error::Error>> {
    let bar = if io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} files {per_sec} {msg}")?);
    let text: Arc<[u8]> = text.into_bytes().into();
    let pool = Pool::new()?;
    let found = pool.map(Walk(vec![directory]), move |path| {
        let hits = search(&path, &text);
        (path, hits)
    });
    let mut out = BufWriter::new(io::stdout().lock());
    let mut count = 0;
    for searched in found.look_ahead(256) {
        bar.inc(1);
        match searched? {
            (path, Ok(hits)) => {
                for hit in &hits {
                    writeln!(out, "{}:{}:{}", path.display(), hit.number, hit.line)?;
                }
                count += hits.len();
                bar.set_message(format!("{count} hits"));
            }
            (path, Err(error)) => bar.suspend(|| eprintln!("{}: {error}", path.display())),
        }
    }
    out.flush()?;
    bar.finish_and_clear();
    Ok(count)
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(text) = arguments.next().filter(|text| !text.is_empty()) else {
        eprintln!("usage: parallel_grep TEXT [DIRECTORY]");
        return ExitCode::from(2);
    };
    match run(text, arguments.next().unwrap_or_else(|| ".".into()).into()) {
        Ok(0) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        // The reader has closed the pipe, as in `parallel_grep … | head`.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("parallel_grep: {error}");
            ExitCode::from(2)
        }
    }
}
