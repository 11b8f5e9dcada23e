//! Fork-join and loops against their rivals: goals P5 and P6.

#[cfg_attr(not(feature = "forte"), path = "without_forte.rs")]
mod forte;

use chili::Scope;
use clap::Parser;
use fastthreadpool::Pool;
use rayon::prelude::*;
use rivals::contest::{self, Contest, Lane, Way};
use rivals::crates::rayon_pool;
use rivals::options::{self, Common, Size};
use rivals::report::{Report, Scenario};
use std::cell::RefCell;
use std::hint::black_box;
use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

/// Measures fork-join and loops; every answer is checked.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    size: Size,
}

/// As many threads work for everybody. Of ours, chili's, forte's and a scope's the caller is one; in a job it only
/// waits, and so it does with rayon.
struct Rivals {
    threads: usize,
    pool: Pool,
    pool_for_jobs: Pool,
    rayon: rayon::ThreadPool,
    chili: chili::ThreadPool,
}

impl Rivals {
    fn new(size: Size) -> Result<Self, String> {
        let chili = chili::Config { thread_count: NonZero::new(size.workers), ..chili::Config::default() };
        let beside = size.beside_the_caller();
        forte::start(beside.workers)?;
        Ok(Self {
            threads: beside.workers + 1,
            pool: beside.pool()?,
            pool_for_jobs: size.pool()?,
            rayon: rayon_pool(size.workers),
            chili: chili::ThreadPool::with_config(chili),
        })
    }
}

fn fib_serial(n: u32) -> u64 {
    if n < 2 { u64::from(n) } else { fib_serial(n - 1) + fib_serial(n - 2) }
}

fn fib_ours(pool: &Pool, n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = pool.join(|| fib_ours(pool, n - 1), || fib_ours(pool, n - 2));
    a + b
}

fn fib_rayon(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = rayon::join(|| fib_rayon(n - 1), || fib_rayon(n - 2));
    a + b
}

fn fib_chili(scope: &mut Scope<'_>, n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = scope.join(|scope| fib_chili(scope, n - 1), |scope| fib_chili(scope, n - 2));
    a + b
}

/// A node of a binary tree.
struct Node {
    value: u64,
    children: Option<(Box<Node>, Box<Node>)>,
}

impl Node {
    /// A full tree with this many levels.
    fn grow(levels: u32) -> Self {
        let child = || Box::new(Self::grow(levels - 1));
        Self { value: 1, children: (levels > 1).then(|| (child(), child())) }
    }

    fn sum_serial(&self) -> u64 {
        let below = self.children.as_ref().map_or(0, |(left, right)| left.sum_serial() + right.sum_serial());
        self.value + below
    }

    fn sum_ours(&self, pool: &Pool) -> u64 {
        let below = self.children.as_ref().map_or(0, |(left, right)| {
            let (left, right) = pool.join(|| left.sum_ours(pool), || right.sum_ours(pool));
            left + right
        });
        self.value + below
    }

    /// A thread alone walks backwards through memory: children lie before their parents.
    fn sum_ours_right_first(&self, pool: &Pool) -> u64 {
        let below = self.children.as_ref().map_or(0, |(left, right)| {
            let (right, left) = pool.join(|| right.sum_ours_right_first(pool), || left.sum_ours_right_first(pool));
            left + right
        });
        self.value + below
    }

    fn sum_rayon(&self) -> u64 {
        let below = self.children.as_ref().map_or(0, |(left, right)| {
            let (left, right) = rayon::join(|| left.sum_rayon(), || right.sum_rayon());
            left + right
        });
        self.value + below
    }

    /// Of two pieces chili runs the second first.
    fn sum_chili(&self, scope: &mut Scope<'_>) -> u64 {
        let below = self.children.as_ref().map_or(0, |(left, right)| {
            let (right, left) = scope.join(|scope| right.sum_chili(scope), |scope| left.sum_chili(scope));
            left + right
        });
        self.value + below
    }

    fn sum_chili_right_first(&self, scope: &mut Scope<'_>) -> u64 {
        let below = self.children.as_ref().map_or(0, |(left, right)| {
            let (left, right) =
                scope.join(|scope| left.sum_chili_right_first(scope), |scope| right.sum_chili_right_first(scope));
            left + right
        });
        self.value + below
    }
}

/// What our time by this way's shall be at most.
fn goal(name: &str, way: &str) -> Option<f64> {
    match way {
        "chili" => Some(1.0),
        "rayon" if name.contains("P5") => Some(1.0 / 3.0),
        "rayon" => Some(1.0),
        "serial" if name.contains("1023 nodes") => Some(2.0),
        "serial" if name.contains("1000 numbers") => Some(1.4),
        _ => None,
    }
}

/// Interleaved: each round measures every way once, in rotating order.
fn race(
    name: &str,
    question: &'static str,
    answer: u64,
    rounds: usize,
    ways: Vec<Way<'_>>,
) -> Result<Vec<Scenario>, String> {
    let scenario = format!("{name} {question}");
    let lanes = ways.into_iter().map(|way| {
        let goal = goal(&scenario, way.0);
        Lane::checked(way, goal, answer, 1)
    });
    let mut contest = [Contest { name: name.into(), question, unit: "ns", lanes: lanes.collect() }];
    contest::race(&mut contest, rounds)
}

/// Runs `work` as a job of the pool, as `rayon::ThreadPool::install` does.
fn in_job<R: Send + 'static>(pool: &Pool, work: impl FnOnce(&Pool) -> R + Send + 'static) -> R {
    let own = pool.clone();
    pool.submit(move || work(&own)).expect("the pool is open").join().expect("the job does not fail")
}

fn run_fib(rivals: &Rivals, rounds: usize) -> Result<Vec<Scenario>, String> {
    let Rivals { pool, pool_for_jobs, rayon, chili, .. } = rivals;
    let mut ways: Vec<Way<'_>> = vec![
        ("fastthreadpool", Box::new(|| fib_ours(pool, black_box(30)))),
        ("fastthreadpool, in a job", Box::new(|| in_job(pool_for_jobs, |pool| fib_ours(pool, black_box(30))))),
        ("serial", Box::new(|| fib_serial(black_box(30)))),
        ("rayon", Box::new(|| rayon.install(|| fib_rayon(black_box(30))))),
        ("chili", Box::new(|| fib_chili(&mut chili.scope(), black_box(30)))),
    ];
    ways.extend(forte::fib_30());
    race("fib(30)", "1.3 million forks (P5)", 832_040, rounds, ways)
}

fn run_tree(rivals: &Rivals, levels: u32, repeat: u32, rounds: usize) -> Result<Vec<Scenario>, String> {
    let Rivals { pool, pool_for_jobs, rayon, chili, .. } = rivals;
    let tree: &'static Node = Box::leak(Box::new(Node::grow(levels)));
    let nodes = (1 << levels) - 1;
    let many = |one: &dyn Fn() -> u64| (0..repeat).map(|_| black_box(one())).sum::<u64>() / u64::from(repeat);
    // Handing the work over to a worker takes longer than this tree: each way stays in its pool for all repetitions. No longer:
    // while there is a scope of chili's, a thread of its ticks.
    let mut ways: Vec<Way<'_>> = vec![
        ("fastthreadpool", Box::new(|| many(&|| tree.sum_ours(pool)))),
        (
            "fastthreadpool, in a job",
            Box::new(|| {
                in_job(pool_for_jobs, move |pool| {
                    (0..repeat).map(|_| black_box(tree.sum_ours(pool))).sum::<u64>() / u64::from(repeat)
                })
            }),
        ),
        ("serial", Box::new(|| many(&|| black_box(tree).sum_serial()))),
        ("rayon", Box::new(|| rayon.install(|| many(&|| tree.sum_rayon())))),
        (
            "chili",
            Box::new(|| {
                let scope = RefCell::new(chili.scope());
                many(&|| tree.sum_chili(&mut scope.borrow_mut()))
            }),
        ),
        ("fastthreadpool, right first", Box::new(|| many(&|| tree.sum_ours_right_first(pool)))),
        (
            "chili, right first",
            Box::new(|| {
                let scope = RefCell::new(chili.scope());
                many(&|| tree.sum_chili_right_first(&mut scope.borrow_mut()))
            }),
        ),
    ];
    ways.extend(forte::sums_of(tree, repeat));
    race(&format!("sum of a tree of {nodes} nodes, {repeat} times"), "a fork for each node (P5)", nodes, rounds, ways)
}

/// A thread for each chunk but the last, which the caller adds up.
fn sum_scoped(numbers: &[u64], threads: usize) -> u64 {
    let sum = |numbers: &[u64]| numbers.iter().map(|&n| black_box(n)).sum::<u64>();
    let mut chunks = numbers.chunks(numbers.len().div_ceil(threads));
    thread::scope(|scope| {
        let own = chunks.next_back().unwrap_or_default();
        let others: Vec<_> = chunks.map(|chunk| scope.spawn(move || sum(chunk))).collect();
        sum(own) + others.into_iter().map(|other| other.join().expect("it does not fail")).sum::<u64>()
    })
}

fn run_sum(rivals: &Rivals, length: usize, repeat: u32, rounds: usize) -> Result<Vec<Scenario>, String> {
    let Rivals { threads, pool, rayon, .. } = rivals;
    let numbers: Vec<u64> = (0..length as u64).collect();
    let numbers: &[u64] = numbers.leak();
    let answer = numbers.iter().sum::<u64>();
    let many =
        |one: &dyn Fn(&[u64]) -> u64| (0..repeat).map(|_| one(black_box(numbers))).sum::<u64>() / u64::from(repeat);
    let serial = |numbers: &[u64]| numbers.iter().map(|&n| black_box(n)).sum::<u64>();
    let ours = |pool: &Pool, numbers: &[u64]| pool.reduce(0..numbers.len(), 0, |i| black_box(numbers[i]), |a, b| a + b);
    let ways: Vec<Way<'_>> = vec![
        ("fastthreadpool", Box::new(|| many(&|numbers| ours(pool, numbers)))),
        ("serial", Box::new(|| many(&serial))),
        (
            "rayon",
            Box::new(|| {
                rayon.install(|| {
                    (0..repeat).map(|_| black_box(numbers).par_iter().map(|&n| black_box(n)).sum::<u64>()).sum::<u64>()
                        / u64::from(repeat)
                })
            }),
        ),
        ("std::thread::scope", Box::new(|| many(&|numbers| sum_scoped(numbers, *threads)))),
    ];
    race(&format!("sum of {length} numbers, {repeat} times"), "a loop (P6)", answer, rounds, ways)
}

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let rivals = Rivals::new(options.size)?;
    report.missing(forte::missing());
    let rounds = options.common.rounds();
    if options.common.wants("fib") {
        report.scenarios(run_fib(&rivals, rounds)?);
    }
    if options.common.wants("tree") {
        report.scenarios(run_tree(&rivals, 10, 1000, rounds)?);
        report.scenarios(run_tree(&rivals, 20, 1, rounds)?);
    }
    if options.common.wants("sum") {
        report.scenarios(run_sum(&rivals, 10_000_000, 1, rounds)?);
        report.scenarios(run_sum(&rivals, 1000, 1000, rounds)?);
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("forkjoin", &options.common.files, |report| run(&options, report))
}
