//! Jobs that submit jobs and wait for them, and loops in loops, beside rayon.

use clap::Parser;
use fastthreadpool::Pool;
use rayon::prelude::*;
use rivals::contest::{self, Contest, Lane, Way};
use rivals::options::{self, Common, Size};
use rivals::report::Report;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Measures what jobs do with their own pool; every answer is checked.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    size: Size,
}

const OURS: &str = "fastthreadpool";
const RAYON: &str = "rayon";
const SERIAL: &str = "serial";

/// Jobs that have come to their end, by way of a channel: the last end is what a measurement waits for.
type Ends = Sender<()>;

fn chain(pool: &'static Pool, left: u64, ends: Ends) {
    match left {
        0 => ends.send(()).expect("somebody waits"),
        _ => _ = pool.spawn(move || chain(pool, left - 1, ends)).expect("the pool is open"),
    }
}

fn chain_rayon(left: u64, ends: Ends) {
    match left {
        0 => ends.send(()).expect("somebody waits"),
        _ => rayon::spawn(move || chain_rayon(left - 1, ends)),
    }
}

fn grow(pool: &'static Pool, depth: u32, leaves: &'static AtomicU64, ends: &Ends) {
    match depth {
        0 => count(leaves, ends),
        _ => (0..2).for_each(|_| {
            let ends = ends.clone();
            pool.spawn(move || grow(pool, depth - 1, leaves, &ends)).expect("the pool is open");
        }),
    }
}

fn grow_rayon(depth: u32, leaves: &'static AtomicU64, ends: &Ends) {
    match depth {
        0 => count(leaves, ends),
        _ => (0..2).for_each(|_| {
            let ends = ends.clone();
            rayon::spawn(move || grow_rayon(depth - 1, leaves, &ends));
        }),
    }
}

const DEPTH: u32 = 16;

fn count(leaves: &AtomicU64, ends: &Ends) {
    if leaves.fetch_add(1, SeqCst) + 1 == 1 << DEPTH {
        ends.send(()).expect("somebody waits");
    }
}

fn fib_by_handles(pool: &'static Pool, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let first = pool.submit(move || fib_by_handles(pool, n - 1)).expect("the pool is open");
    let second = fib_by_handles(pool, n - 2);
    first.join().expect("it does not fail") + second
}

fn fib_by_scopes(pool: &Pool, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (mut first, mut second) = (0, 0);
    pool.scope(|scope| {
        scope.spawn(|| first = fib_by_scopes(pool, n - 1));
        second = fib_by_scopes(pool, n - 2);
    });
    first + second
}

fn fib_by_rayons_scopes(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (mut first, mut second) = (0, 0);
    rayon::scope(|scope| {
        scope.spawn(|_| first = fib_by_rayons_scopes(n - 1));
        second = fib_by_rayons_scopes(n - 2);
    });
    first + second
}

/// Some 20 ns.
fn step(i: usize) -> u64 {
    (0..50).fold(i as u64, |x, _| black_box(x) + 1)
}

/// Begins some work and waits for so many ends; the answer.
fn until(ends: usize, begin: impl FnOnce(Ends)) -> u64 {
    let (sender, receiver) = channel();
    begin(sender);
    receiver.iter().take(ends).count() as u64
}

fn contest<'a>(name: &str, question: &'static str, operations: usize, answer: u64, ways: Vec<Way<'a>>) -> Contest<'a> {
    let lanes = ways.into_iter().map(|way| Lane::checked(way, None, answer, operations)).collect();
    Contest { name: name.into(), question, unit: "ns", lanes }
}

fn chains(pool: &'static Pool, many: usize) -> Contest<'static> {
    let length = 200_000 / many as u64;
    let ways: Vec<Way<'_>> = vec![
        (OURS, Box::new(move || until(many, |ends| (0..many).for_each(|_| chain(pool, length, ends.clone()))))),
        (RAYON, Box::new(move || until(many, |ends| (0..many).for_each(|_| chain_rayon(length, ends.clone()))))),
    ];
    let name = format!("{many} × {length} jobs, each of which submits the next");
    contest(&name, "chains of jobs", many * length as usize, many as u64, ways)
}

fn tree(pool: &'static Pool) -> Contest<'static> {
    static LEAVES: AtomicU64 = AtomicU64::new(0);
    let ways: Vec<Way<'_>> = vec![
        (
            OURS,
            Box::new(move || {
                LEAVES.store(0, SeqCst);
                until(1, |ends| grow(pool, DEPTH, &LEAVES, &ends))
            }),
        ),
        (
            RAYON,
            Box::new(|| {
                LEAVES.store(0, SeqCst);
                until(1, |ends| grow_rayon(DEPTH, &LEAVES, &ends))
            }),
        ),
    ];
    contest("131 072 jobs, each of which submits two", "a tree of jobs", 2 << DEPTH, 1, ways)
}

fn scopes(pool: &'static Pool) -> Contest<'static> {
    const JOBS: u64 = 32;
    fn job(ran: &AtomicU64) {
        ran.fetch_add(1, SeqCst);
    }
    let ways: Vec<Way<'_>> = vec![
        (
            OURS,
            Box::new(move || {
                let ran = AtomicU64::new(0);
                (0..1000).for_each(|_| pool.scope(|scope| (0..JOBS).for_each(|_| scope.spawn(|| job(&ran)))));
                ran.into_inner()
            }),
        ),
        (
            RAYON,
            Box::new(|| {
                let ran = AtomicU64::new(0);
                (0..1000).for_each(|_| rayon::scope(|scope| (0..JOBS).for_each(|_| scope.spawn(|_| job(&ran)))));
                ran.into_inner()
            }),
        ),
    ];
    let mut contest = contest("1000 scopes of 32 jobs, from outside", "scopes, time for each", 1000, 1000 * JOBS, ways);
    // A thread for each job is in another league, and gets fewer of them.
    let std: Way<'_> = (
        "std::thread::scope (1 scope in 100)",
        Box::new(|| {
            let ran = AtomicU64::new(0);
            (0..10).for_each(|_| thread::scope(|scope| (0..JOBS).for_each(|_| _ = scope.spawn(|| job(&ran)))));
            ran.into_inner()
        }),
    );
    contest.lanes.push(Lane::checked(std, None, 10 * JOBS, 10));
    contest
}

fn fib(pool: &'static Pool) -> Contest<'static> {
    const CALLS: usize = 4180;
    let in_job = move |work: fn(&'static Pool) -> u64| {
        pool.submit(move || work(pool)).expect("the pool is open").join().expect("it does not fail")
    };
    let ways: Vec<Way<'_>> = vec![
        ("fastthreadpool, handles", Box::new(move || in_job(|pool| fib_by_handles(pool, black_box(18))))),
        (OURS, Box::new(move || in_job(|pool| fib_by_scopes(pool, black_box(18))))),
        (RAYON, Box::new(|| rayon::scope(|_| fib_by_rayons_scopes(black_box(18))))),
    ];
    contest("fib(18), a job for each call, in a job", "jobs that wait for their jobs", CALLS, 2584, ways)
}

fn loops(pool: &'static Pool) -> Contest<'static> {
    let answer = (0..1000).map(step).sum::<u64>() * 100;
    let ways: Vec<Way<'_>> = vec![
        (
            OURS,
            Box::new(move || {
                let inner = || pool.reduce(0..1000, 0, step, |a, b| a + b);
                pool.reduce(0..100, 0, |_| inner(), |a, b| a + b)
            }),
        ),
        (
            RAYON,
            Box::new(|| {
                let inner = || (0..1000).into_par_iter().map(step).sum::<u64>();
                (0..100).into_par_iter().map(|_| inner()).sum()
            }),
        ),
        (SERIAL, Box::new(|| (0..100).map(|_| (0..1000).map(step).sum::<u64>()).sum())),
    ];
    contest("100 loops of 1000 steps in a loop", "nested loops, time for each", 100, answer, ways)
}

fn tiny_loops(pool: &'static Pool) -> Contest<'static> {
    let answer = (0..10).map(step).sum::<u64>() * 1000;
    let ways: Vec<Way<'_>> = vec![
        (OURS, Box::new(move || (0..1000).map(|_| pool.reduce(0..10, 0, step, |a, b| a + b)).sum())),
        (RAYON, Box::new(|| (0..1000).map(|_| (0..10).into_par_iter().map(step).sum::<u64>()).sum())),
        (SERIAL, Box::new(|| (0..1000).map(|_| (0..10).map(step).sum::<u64>()).sum())),
    ];
    contest("1000 loops of 10 steps, from outside", "tiny loops, time for each", 1000, answer, ways)
}

fn maps(pool: &'static Pool) -> Contest<'static> {
    let numbers: &[u64] = (0..1 << 20).collect::<Vec<u64>>().leak();
    let last = 3 * (numbers.len() as u64 - 1);
    let answer = |values: Vec<u64>| if values.len() == numbers.len() { values[values.len() - 1] } else { 0 };
    let ways: Vec<Way<'_>> = vec![
        (OURS, Box::new(move || answer(pool.map_slice(numbers, |n| 3 * n)))),
        (RAYON, Box::new(move || answer(numbers.par_iter().map(|n| 3 * n).collect()))),
        (SERIAL, Box::new(move || answer(numbers.iter().map(|n| 3 * n).collect()))),
    ];
    contest("a million numbers to a vector of as many", "a map, time for each number", numbers.len(), last, ways)
}

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let pool: &'static Pool = Box::leak(Box::new(options.size.pool()?));
    // The caller does a worker's part in loops.
    let beside: &'static Pool = Box::leak(Box::new(options.size.beside_the_caller().pool()?));
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(options.size.workers).build_global();
    rayon.map_err(|error| error.to_string())?;
    let mut contests = [
        chains(pool, 1),
        chains(pool, 4),
        tree(pool),
        scopes(pool),
        fib(pool),
        loops(beside),
        tiny_loops(beside),
        maps(beside),
    ];
    report.scenarios(contest::race(&mut contests, options.common.rounds())?);
    Ok(())
}

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("nested", &options.common.files, |report| run(&options, report))
}
