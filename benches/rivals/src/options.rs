//! What every program can be asked for.

use crate::c_abi::CApi;
use crate::report::Report;
use clap::Args;
use fastthreadpool::Pool;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of programs whose rivals take turns.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 9, value_parser = positive)]
    pub rounds: usize,
    /// 3 rounds, with a fifth of the work where that still tells something
    #[arg(long)]
    pub quick: bool,
    /// Only what is called so, or partly so; may be repeated
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    #[command(flatten)]
    pub files: Files,
}

/// How large the pools of a program are.
#[derive(Clone, Copy, Debug, Args)]
pub struct Size {
    /// Workers of each pool
    #[arg(long, default_value_t = 2, value_parser = positive)]
    pub workers: usize,
}

impl Size {
    /// For what the caller does a worker's part in: as many threads as others have, two at least.
    pub fn beside_the_caller(self) -> Self {
        Self { workers: (self.workers - 1).max(1) }
    }

    /// Our own of this size.
    pub fn pool(self) -> Result<Pool, String> {
        let workers = i32::try_from(self.workers).map_err(|error| error.to_string())?;
        Pool::builder().workers(workers).build().map_err(|error| error.to_string())
    }
}

/// Files that programs read and write.
#[derive(Clone, Debug, Args)]
pub struct Files {
    /// Writes every figure, the machine and the versions to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The library whose C functions are called
    #[arg(long, value_name = "FILE", default_value_os_t = CApi::default_path())]
    pub library: PathBuf,
}

impl Common {
    pub fn rounds(&self) -> usize {
        if self.quick { self.rounds.min(3) } else { self.rounds }
    }

    /// So much work, or a fifth of it.
    pub fn scaled(&self, work: usize) -> usize {
        if self.quick { work.div_ceil(5) } else { work }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }
}

/// Parses a whole number above 0.
pub fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "a whole number above 0 is needed".into())
}

/// Runs a program that fills a report, and writes it.
pub fn report(program: &'static str, files: &Files, run: impl FnOnce(&mut Report) -> Result<(), String>) -> ExitCode {
    fill(Report::begin(program), files, run)
}

/// The same with a report that has begun.
pub fn fill(mut report: Report, files: &Files, run: impl FnOnce(&mut Report) -> Result<(), String>) -> ExitCode {
    match run(&mut report).and_then(|()| report.write(files.json.as_deref())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
