//! Where and with what was measured.

use crate::native;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::Command;

/// The machine, the day and the versions.
#[derive(Debug, Deserialize, Serialize)]
pub struct Machine {
    pub date: String,
    pub cpu: String,
    pub cores: usize,
    pub kernel: String,
    /// With "+ changes" if not everything is committed.
    pub commit: String,
    /// Of crates and of Debian's packages.
    pub versions: BTreeMap<String, String>,
}

const CRATES: &[&str] = &[
    "async-executor",
    "async-lock",
    "blocking",
    "chili",
    "crossbeam-channel",
    "fastthreadpool",
    #[cfg(feature = "forte")]
    "forte",
    "futures",
    "parking_lot",
    "rayon",
    "rusty_pool",
    "scheduled-thread-pool",
    "threadpool",
    "tokio",
    "tokio-util",
    "criterion",
];

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        let versions = locked(include_str!("../Cargo.lock")).into_iter().chain(native::versions());
        Self {
            date: said("date", &["-u", "+%F %T UTC"]).unwrap_or_else(unknown),
            cpu: cpu().unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(|_| unknown(), |s| s.trim().into()),
            commit: commit().unwrap_or_else(unknown),
            versions: versions.collect(),
        }
    }
}

fn unknown() -> String {
    "unknown".into()
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().into())
}

/// What a program prints, if it succeeds.
pub fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().into())
}

fn commit() -> Option<String> {
    let commit = said("git", &["rev-parse", "--short", "HEAD"])?;
    // What is measured is the library; results and documents are written meanwhile.
    let changed = said("git", &["status", "--porcelain", "../../src", "../../Cargo.toml", "src", "native"])?;
    Some(if changed.is_empty() { commit } else { commit + " + changes" })
}

/// The rivals' versions. In a Cargo.lock, a package's version is on the line after its name.
fn locked(lock: &str) -> Vec<(String, String)> {
    let value = |line: &str, key| Some(line.strip_prefix(key)?.strip_prefix(" = \"")?.trim_end_matches('"').to_owned());
    let pairs = lock.lines().zip(lock.lines().skip(1));
    pairs
        .filter_map(|(first, second)| Some((value(first, "name")?, value(second, "version")?)))
        .filter(|(name, _)| CRATES.contains(&name.as_str()))
        .collect()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} cores, Linux {}, {}, ", self.cpu, self.cores, self.kernel, self.date)?;
        write!(f, "commit {}", self.commit)?;
        self.versions.iter().try_for_each(|(name, version)| write!(f, ", {name} {version}"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rival_has_a_version() {
        let versions = super::Machine::here().versions;
        assert!(super::CRATES.iter().all(|&name| versions.contains_key(name)));
    }
}
