//! What every program can be asked for.

use crate::c_abi::CApi;
use crate::report::Report;
use clap::Args;
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
    let mut report = Report::begin(program);
    match run(&mut report).and_then(|()| report.write(files.json.as_deref())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
