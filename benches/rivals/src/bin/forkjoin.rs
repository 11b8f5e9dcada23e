//! Fork-join, loops and handles against their rivals: goals P4 to P7.

use chili::Scope;
use clap::Parser;
use fastthreadpool::Pool;
use rayon::prelude::*;
use rivals::machine::Machine;
use std::hint::black_box;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Measures fork-join, loops, handles and wake-ups; every answer is checked.
#[derive(Debug, Parser)]
struct Options {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Workers of each pool
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Only scenarios whose name contains this; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// One way to do a scenario's work: runs it once and returns its answer.
type Way<'a> = (&'static str, Box<dyn FnMut() -> u64 + 'a>);

struct Rivals {
    pool: Pool,
    rayon: rayon::ThreadPool,
    chili: chili::ThreadPool,
}

impl Rivals {
    fn new(workers: usize) -> Result<Self, String> {
        let ours = Pool::builder().workers(i32::try_from(workers).map_err(|error| error.to_string())?).build();
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
        let chili = chili::Config { thread_count: NonZero::new(workers), ..chili::Config::default() };
        Ok(Self {
            pool: ours.map_err(|error| error.to_string())?,
            rayon: rayon.map_err(|error| error.to_string())?,
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

/// Interleaved: each round measures every way once, in rotating order. Prints the medians, and ours by each.
fn race(name: &str, answer: u64, repeat: u32, rounds: usize, mut ways: Vec<Way<'_>>) -> Result<(), String> {
    let mut times = vec![Vec::with_capacity(rounds); ways.len()];
    for round in 0..=rounds {
        for turn in 0..ways.len() {
            let index = (turn + round) % ways.len();
            std::thread::sleep(Duration::from_millis(2));
            let began = Instant::now();
            let mut wrong = 0;
            for _ in 0..repeat {
                wrong += u32::from(black_box((ways[index].1)()) != answer);
            }
            let took = began.elapsed().as_secs_f64() * 1e6 / f64::from(repeat);
            if wrong > 0 {
                return Err(format!("{name}: {} gave a wrong answer {wrong} times", ways[index].0));
            }
            if round > 0 {
                times[index].push(took);
            }
        }
    }
    println!("\n{name}\n\n| | µs | min | max | ours ÷ it |\n|---|---:|---:|---:|---:|");
    for ((way, _), own) in ways.iter().zip(&times) {
        let ratios = times[0].iter().zip(own).map(|(ours, it)| ours / it).collect();
        let (min, max) = own.iter().fold((f64::INFINITY, 0.0_f64), |(min, max), &t| (min.min(t), max.max(t)));
        println!("| {way} | {:.2} | {min:.2} | {max:.2} | {:.2} |", median(own.clone()), median(ratios));
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs `work` as a job of the pool, as `rayon::ThreadPool::install` does.
fn in_job<R: Send + 'static>(pool: &Pool, work: impl FnOnce(&Pool) -> R + Send + 'static) -> R {
    let own = pool.clone();
    pool.submit(move || work(&own)).expect("the pool is open").join().expect("the job does not fail")
}

fn run_fib(rivals: &Rivals, rounds: usize) -> Result<(), String> {
    let Rivals { pool, rayon, chili } = rivals;
    let ways: Vec<Way<'_>> = vec![
        ("fastthreadpool", Box::new(|| in_job(pool, |pool| fib_ours(pool, black_box(30))))),
        ("fastthreadpool, from outside", Box::new(|| fib_ours(pool, black_box(30)))),
        ("serial", Box::new(|| fib_serial(black_box(30)))),
        ("rayon", Box::new(|| rayon.install(|| fib_rayon(black_box(30))))),
        ("chili", Box::new(|| fib_chili(&mut chili.scope(), black_box(30)))),
    ];
    race("fib(30): 1.3 million forks (P5)", 832_040, 1, rounds, ways)
}

fn run_tree(rivals: &Rivals, levels: u32, repeat: u32, rounds: usize) -> Result<(), String> {
    let Rivals { pool, rayon, chili } = rivals;
    let tree: &'static Node = Box::leak(Box::new(Node::grow(levels)));
    let nodes = (1 << levels) - 1;
    let scope = std::cell::RefCell::new(chili.scope());
    let many = |one: &dyn Fn() -> u64| (0..repeat).map(|_| black_box(one())).sum::<u64>() / u64::from(repeat);
    // Handing the work over to a worker takes longer than this tree: each way stays in its pool for all repetitions.
    let ways: Vec<Way<'_>> = vec![
        (
            "fastthreadpool",
            Box::new(|| {
                in_job(pool, move |pool| {
                    (0..repeat).map(|_| black_box(tree.sum_ours(pool))).sum::<u64>() / u64::from(repeat)
                })
            }),
        ),
        ("fastthreadpool, from outside", Box::new(|| many(&|| tree.sum_ours(pool)))),
        ("serial", Box::new(|| many(&|| black_box(tree).sum_serial()))),
        ("rayon", Box::new(|| rayon.install(|| many(&|| tree.sum_rayon())))),
        ("chili", Box::new(|| many(&|| tree.sum_chili(&mut scope.borrow_mut())))),
        (
            "fastthreadpool, right first",
            Box::new(|| {
                in_job(pool, move |pool| {
                    (0..repeat).map(|_| black_box(tree.sum_ours_right_first(pool))).sum::<u64>() / u64::from(repeat)
                })
            }),
        ),
        ("chili, right first", Box::new(|| many(&|| tree.sum_chili_right_first(&mut scope.borrow_mut())))),
    ];
    race(&format!("sum of a tree of {nodes} nodes, {repeat} times (P5)"), nodes, 1, rounds, ways)
}

fn run_sum(rivals: &Rivals, length: usize, repeat: u32, rounds: usize) -> Result<(), String> {
    let Rivals { pool, rayon, .. } = rivals;
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
    ];
    race(&format!("sum of {length} numbers, {repeat} times (P6)"), answer, 1, rounds, ways)
}

fn run_handles(rivals: &Rivals, workers: usize, rounds: usize) -> Result<(), String> {
    const JOBS: u64 = 100_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let rusty = rusty_pool::Builder::new().core_size(workers).max_size(workers).build();
    let pool = &rivals.pool;
    let ways: Vec<Way<'_>> = vec![
        (
            "fastthreadpool",
            Box::new(|| {
                let jobs: Vec<_> = (0..JOBS).map(|n| pool.submit(move || n).expect("the pool is open")).collect();
                jobs.into_iter().map(|job| job.join().expect("it does not fail")).sum()
            }),
        ),
        (
            "tokio::spawn + await",
            Box::new(|| {
                let jobs: Vec<_> = (0..JOBS).map(|n| runtime.spawn(async move { n })).collect();
                runtime.block_on(async {
                    let mut sum = 0;
                    for job in jobs {
                        sum += job.await.expect("it does not fail");
                    }
                    sum
                })
            }),
        ),
        (
            "rusty_pool::evaluate",
            Box::new(|| {
                let jobs: Vec<_> = (0..JOBS).map(|n| rusty.evaluate(move || n)).collect();
                jobs.into_iter().map(|job| job.await_complete()).sum()
            }),
        ),
    ];
    race("100 000 handles submitted, all waited for (P4)", JOBS * (JOBS - 1) / 2, 1, rounds, ways)
}

/// From a sleeping pool to a job and back; every way sleeps in between.
fn run_wake(rivals: &Rivals, rounds: usize) -> Result<(), String> {
    const TRIPS: usize = 1000;
    let Rivals { pool, rayon, .. } = rivals;
    let (to, receive) = std::sync::mpsc::sync_channel::<u64>(1);
    let (answer, from) = std::sync::mpsc::sync_channel::<u64>(1);
    let echo = std::thread::spawn(move || receive.iter().for_each(|n| _ = answer.send(n)));
    let mut ways: Vec<Way<'_>> = vec![
        ("fastthreadpool", Box::new(|| pool.submit(|| 7).expect("the pool is open").join().expect("it does not fail"))),
        (
            "two threads, std channels",
            Box::new(|| {
                to.send(7).expect("the other thread listens");
                from.recv().expect("the other thread answers")
            }),
        ),
        ("rayon::install", Box::new(|| rayon.install(|| 7))),
    ];
    println!("\nround trip from idle, µs (P7)\n\n| | p50 | p99 |\n|---|---:|---:|");
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..rounds * TRIPS / 10 {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            std::thread::sleep(Duration::from_micros(200));
            let began = Instant::now();
            if (way.1)() != 7 {
                return Err(format!("{} gave a wrong answer", way.0));
            }
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    for (way, times) in ways.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("| {} | {:.1} | {:.1} |", way.0, times[times.len() / 2], times[times.len() * 99 / 100]);
    }
    drop(ways);
    drop(to);
    echo.join().map_err(|_| "the other thread panicked".to_string())
}

fn run(options: &Options) -> Result<(), String> {
    println!("{}", Machine::here());
    let rivals = Rivals::new(options.workers)?;
    let rounds = options.rounds;
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|part| name.contains(part));
    if wanted("fib") {
        run_fib(&rivals, rounds)?;
    }
    if wanted("tree") {
        run_tree(&rivals, 10, 1000, rounds)?;
        run_tree(&rivals, 20, 1, rounds)?;
    }
    if wanted("sum") {
        run_sum(&rivals, 10_000_000, 1, rounds)?;
        run_sum(&rivals, 1000, 1000, rounds)?;
    }
    if wanted("handles") {
        run_handles(&rivals, options.workers, rounds)?;
    }
    if wanted("wake") {
        run_wake(&rivals, rounds)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    run(&Options::parse())
        .inspect_err(|error| eprintln!("error: {error}"))
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
