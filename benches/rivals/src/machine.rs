//! Where and with what was measured.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::Command;

/// The machine, the day and the versions.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub date: String,
    pub cpu: String,
    pub cores: usize,
    pub kernel: String,
    pub crates: BTreeMap<&'static str, &'static str>,
}

const RIVALS: [&str; 8] =
    ["async-lock", "crossbeam-channel", "fastthreadpool", "parking_lot", "rayon", "rusty_pool", "threadpool", "tokio"];

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        let date = Command::new("date").args(["-u", "+%F %T UTC"]).output();
        Self {
            date: date.map_or_else(|_| unknown(), |out| String::from_utf8_lossy(&out.stdout).trim().into()),
            cpu: cpu().unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(|_| unknown(), |s| s.trim().into()),
            crates: locked(include_str!("../Cargo.lock")),
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

/// The rivals' versions. In a Cargo.lock, a package's version is on the line after its name.
fn locked(lock: &'static str) -> BTreeMap<&'static str, &'static str> {
    let value = |line: &'static str, key| Some(line.strip_prefix(key)?.strip_prefix(" = \"")?.trim_end_matches('"'));
    let pairs = lock.lines().zip(lock.lines().skip(1));
    pairs
        .filter_map(|(first, second)| Some((value(first, "name")?, value(second, "version")?)))
        .filter(|(name, _)| RIVALS.contains(name))
        .collect()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} cores, Linux {}, {}", self.cpu, self.cores, self.kernel, self.date)?;
        self.crates.iter().try_for_each(|(name, version)| write!(f, ", {name} {version}"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rival_has_a_version() {
        assert_eq!(super::Machine::here().crates.len(), super::RIVALS.len());
    }
}
