//! Locks and semaphores: goals P9, P10 and the semaphore part of P12.

use clap::Parser;
use rivals::contest::{Contest, Lane, Outcome, race};
use rivals::options::{self, Common};
use rivals::report::Report;
use rivals::waits::c_abi::{self, CLock, CSemaphore};
use rivals::waits::locks::{self, Lock};
use rivals::waits::posix::{AdaptiveMutex, NormalMutex, PosixSemaphore};
use rivals::waits::semaphores::{self, Fair, ParkingPermits, Permits, StdPermits};
use std::process::ExitCode;

/// Measures locks and semaphores, uncontended and contended.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let options = Options::parse().common;
    options::report("locks", &options.files.clone(), |report| run(&options, report))
}

/// What `--quick` looks at.
const COARSE: [&str; 3] = ["alone", "4 threads, short", "ping-pong, two cores"];

fn run(options: &Common, report: &mut Report) -> Result<(), String> {
    let with_c = c_abi::load(&options.files.library)
        .inspect_err(|error| eprintln!("the C ABI is not built: run make build ({error})"))
        .is_ok();
    let mut contests = lock_contests(with_c);
    contests.extend(semaphore_contests(with_c));
    let coarse = |name: &str| COARSE.iter().any(|part| name.contains(part));
    contests.retain(|contest| options.wants(&contest.name) && (!options.quick || coarse(&contest.name)));
    report.scenarios(race(&mut contests, options.rounds())?);
    Ok(())
}

fn lock_contests(with_c: bool) -> Vec<Contest<'static>> {
    fn lane<L: Lock + 'static>(contest: locks::Contest) -> Lane<'static> {
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
        crowd("semaphore, alone", "200 000 pairs of one thread (P9)", 1, 8, 0, 0, 200_000),
        crowd("semaphore, 2 threads, enough", "as many permits as threads: nobody waits", 2, 2, 0, 20, 2_000_000),
        crowd("semaphore, 8 threads, enough", "as many permits as threads: nobody waits (P9)", 8, 8, 0, 20, 2_000_000),
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

fn semaphore_contests(with_c: bool) -> Vec<Contest<'static>> {
    fn lane<P: Permits + 'static>(name: &str, scene: Scene) -> Lane<'static> {
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
        Contest { name: name.into(), question, unit, lanes }
    };
    plays().into_iter().map(contest).collect()
}
