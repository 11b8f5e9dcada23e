//! Python's `threading.Semaphore`, which fastthreadpool 1.x for Python measured itself against.

use super::race::Outcome;
use std::process::Command;
use std::time::Duration;

pub const NAME: &str = "Python threading.Semaphore";

/// Takes and gives back a permit so often, and prints the nanoseconds for one pair and what is left.
const PROGRAM: &str = "
import sys, threading, time
pairs = int(sys.argv[1]); s = threading.Semaphore(8)
began = time.perf_counter_ns()
for _ in range(pairs):
    s.acquire(); s.release()
print((time.perf_counter_ns() - began) / pairs, s._value)
";

/// Whether there is a Python.
pub fn is_installed() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// One round of uncontended pairs.
pub fn pairs(pairs: usize) -> Result<Outcome, String> {
    let output = Command::new("python3").args(["-c", PROGRAM, &pairs.to_string()]).output();
    let output = output.map_err(|error| format!("python3: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().split_once(' ') {
        Some((ns, "8")) => {
            let ns = ns.parse().map_err(|_| format!("python3 says {text}"))?;
            Ok(Outcome { ns, longest: Duration::ZERO })
        }
        _ => Err(format!("python3 says {text}{}", String::from_utf8_lossy(&output.stderr))),
    }
}
