//! Locks and semaphores: goals P9, P10 and the semaphore part of P12.

use clap::Parser;
use rivals::c_abi::CApi;
use rivals::machine::Machine;
use rivals::waits::c_abi::{self, CLock, CSemaphore};
use rivals::waits::locks::{self, Lock};
use rivals::waits::posix::{AdaptiveMutex, NormalMutex, PosixSemaphore};
use rivals::waits::python;
use rivals::waits::race::Outcome;
use rivals::waits::semaphores::{self, Fair, ParkingPermits, Permits, StdPermits};
use rivals::waits::table::{Contest, Lane, Scenario, race};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures locks and semaphores, uncontended and contended.
#[derive(Debug, Parser)]
struct Options {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// 3 rounds
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Only scenarios whose name contains this; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Writes every round's figure, the machine and the versions to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The library whose C functions are called
    #[arg(long, value_name = "FILE", default_value_os_t = CApi::default_path())]
    library: PathBuf,
}

#[derive(Serialize)]
struct Report {
    machine: Machine,
    scenarios: Vec<Scenario>,
}

fn main() -> ExitCode {
    run(&Options::parse())
        .inspect_err(|error| eprintln!("error: {error}"))
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn run(options: &Options) -> Result<(), String> {
    let with_c = c_abi::load(&options.library)
        .inspect_err(|error| eprintln!("the C ABI is not built: run make build ({error})"))
        .is_ok();
    let mut contests = lock_contests(with_c);
    contests.extend(semaphore_contests(with_c));
    contests.retain(|contest| options.only.is_empty() || options.only.iter().any(|part| contest.name.contains(part)));
    let machine = Machine::here();
    println!("{machine}\n");
    let scenarios = race(&contests, if options.quick { 3 } else { options.rounds })?;
    scenarios.iter().for_each(|scenario| println!("{scenario}"));
    let Some(path) = &options.json else { return Ok(()) };
    let json = serde_json::to_string_pretty(&Report { machine, scenarios }).map_err(|error| error.to_string())?;
    std::fs::write(path, json + "\n").map_err(|error| format!("{}: {error}", path.display()))
}

fn lock_contests(with_c: bool) -> Vec<Contest> {
    fn lane<L: Lock + 'static>(contest: locks::Contest) -> Lane {
        let goal = match (L::NAME, contest.threads) {
            ("std Mutex" | "parking_lot Mutex", 1) => Some(0.55),
            ("std Mutex" | "parking_lot Mutex", _) => Some(1.1),
            _ => None,
        };
        Lane { rival: L::NAME, goal, run: Box::new(move || locks::contest::<L>(contest)) }
    }
    let mut contests = Vec::new();
    for (threads, inside, outside, operations) in [
        (1, 0, 0, 2_000_000),
        (2, 0, 20, 2_000_000),
        (4, 0, 20, 2_000_000),
        (8, 0, 20, 2_000_000),
        (2, 500, 500, 100_000),
        (4, 500, 500, 100_000),
        (8, 500, 500, 100_000),
    ] {
        let contest = locks::Contest { threads, inside, outside, operations };
        let mut lanes = vec![
            lane::<fastthreadpool::FastLock<u64>>(contest),
            lane::<std::sync::Mutex<u64>>(contest),
            lane::<parking_lot::Mutex<u64>>(contest),
            lane::<NormalMutex>(contest),
            lane::<AdaptiveMutex>(contest),
        ];
        if with_c {
            lanes.insert(1, lane::<CLock>(contest));
        }
        let (name, question) = match (threads, inside) {
            (1, _) => ("lock, alone".into(), "what an uncontended lock costs (P10)"),
            (_, 0) => (format!("lock, {threads} threads, short"), "a count inside, some 20 ns outside (P10)"),
            _ => (format!("lock, {threads} threads, long"), "some 0.5 µs inside and outside (P10)"),
        };
        contests.push(Contest { name, question, unit: "ns/pair", lanes });
    }
    contests
}

/// A scenario, made for every semaphore alike.
struct Play {
    name: &'static str,
    question: &'static str,
    unit: &'static str,
    scene: Scene,
}

#[derive(Clone, Copy)]
enum Scene {
    Crowd(semaphores::Contest),
    PingPong { turns: usize, pinned: bool },
    Ring { items: usize, pinned: bool },
}

fn play<P: Permits>(scene: Scene) -> Result<Outcome, String> {
    match scene {
        Scene::Crowd(contest) => semaphores::contest::<P>(contest),
        Scene::PingPong { turns, pinned } => semaphores::ping_pong::<P>(turns, pinned),
        Scene::Ring { items, pinned } => semaphores::ring::<P>(items, pinned),
    }
}

fn plays() -> Vec<Play> {
    let crowd = |name, question, threads, permits, inside, outside, operations| Play {
        name,
        question,
        unit: "ns/pair",
        scene: Scene::Crowd(semaphores::Contest { threads, permits, inside, outside, operations }),
    };
    let turns = |name, question, pinned| Play {
        name,
        question,
        unit: "ns/round trip",
        scene: Scene::PingPong { turns: if pinned { 4_000 } else { 20_000 }, pinned },
    };
    let ring = |name, question, pinned| Play {
        name,
        question,
        unit: "ns/item",
        scene: Scene::Ring { items: 100_000, pinned },
    };
    vec![
        crowd("semaphore, alone", "200 000 pairs of one thread (P9, P12)", 1, 8, 0, 0, 200_000),
        crowd("semaphore, 2 threads, enough", "as many permits as threads: nobody waits", 2, 2, 0, 20, 2_000_000),
        crowd("semaphore, 8 threads, enough", "as many permits as threads: nobody waits", 8, 8, 0, 20, 2_000_000),
        crowd("semaphore, 2 threads, short", "one permit, a count inside", 2, 1, 0, 20, 200_000),
        crowd("semaphore, 4 threads, short", "one permit, a count inside (P9)", 4, 1, 0, 20, 200_000),
        crowd("semaphore, 8 threads, short", "one permit, a count inside (P9)", 8, 1, 0, 20, 200_000),
        crowd(
            "semaphore, 4 threads, long",
            "two permits, some 0.5 µs inside and outside (P9)",
            4,
            2,
            500,
            500,
            100_000,
        ),
        crowd(
            "semaphore, 8 threads, long",
            "two permits, some 0.5 µs inside and outside (P9)",
            8,
            2,
            500,
            500,
            100_000,
        ),
        turns("semaphore, ping-pong", "two threads take turns (P9)", false),
        turns("semaphore, ping-pong, two cores", "the same, each on a core of its own (P9)", true),
        ring("semaphore, ring", "a producer, a consumer, 64 places", false),
        ring("semaphore, ring, two cores", "the same, each on a core of its own", true),
    ]
}

fn semaphore_contests(with_c: bool) -> Vec<Contest> {
    fn lane<P: Permits + 'static>(name: &str, scene: Scene) -> Lane {
        let goal = match (P::NAME, name) {
            ("POSIX sem_t", "semaphore, alone") => Some(1.0),
            ("std Mutex + Condvar" | "C++20 counting_semaphore", "semaphore, alone") => Some(1.0 / 18.0),
            ("POSIX sem_t", _) if name.contains("4 threads") || name.contains("8 threads") => Some(1.0 / 1.5),
            (rival, _) if name.contains("ping-pong") && !rival.starts_with("Semaphore") => Some(1.0),
            _ => None,
        };
        Lane { rival: P::NAME, goal, run: Box::new(move || play::<P>(scene)) }
    }
    let contest = |Play { name, question, unit, scene }| {
        let mut lanes = vec![
            lane::<fastthreadpool::Semaphore>(name, scene),
            lane::<Fair>(name, scene),
            lane::<PosixSemaphore>(name, scene),
            lane::<StdPermits>(name, scene),
            lane::<ParkingPermits>(name, scene),
            #[cfg(cxx20)]
            lane::<rivals::waits::cxx::CxxSemaphore>(name, scene),
            lane::<tokio::sync::Semaphore>(name, scene),
            lane::<async_lock::Semaphore>(name, scene),
        ];
        if with_c {
            lanes.insert(1, lane::<CSemaphore>(name, scene));
        }
        if name == "semaphore, alone" && python::is_installed() {
            lanes.push(Lane { rival: python::NAME, goal: Some(0.01), run: Box::new(|| python::pairs(200_000)) });
        }
        Contest { name: name.into(), question, unit, lanes }
    };
    plays().into_iter().map(contest).collect()
}
