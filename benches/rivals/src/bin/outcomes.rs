//! Jobs whose every outcome is read: fastthreadpool's results object against a job channel and a result channel.

use clap::Parser;
use crossbeam_channel::{Receiver, Sender, unbounded};
use fastthreadpool::{Pool, Results};
use rivals::c_abi::{self, CApi};
use rivals::machine::Machine;
use rivals::measure::{median, median_ratio};
use std::cell::RefCell;
use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Measures jobs with results: from the first submit until the last result is read.
#[derive(Debug, Parser)]
struct Options {
    /// Measured rounds; a warm-up round comes first
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Jobs per round
    #[arg(long, default_value_t = 1_000_000)]
    jobs: usize,
    /// The library whose C functions are called
    #[arg(long, value_name = "FILE", default_value_os_t = CApi::default_path())]
    library: PathBuf,
}

const WORKERS: usize = 2;

/// Somebody who squares numbers. Every number that is submitted comes back once, squared, with the number.
trait Squarer {
    fn submit(&self, number: usize);

    /// Waits for one result at least, and hands on all that it gets.
    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize;
}

#[inline(never)]
fn square(number: usize) -> usize {
    number.wrapping_mul(number)
}

/// fastthreadpool, Rust API: outcomes are read one by one.
struct Rust(Results<(usize, usize)>);

impl Squarer for Rust {
    fn submit(&self, number: usize) {
        self.0.submit(move || (number, square(number))).expect("the pool is open");
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        let outcome = self.0.next(Duration::from_secs(60)).expect("an outcome comes");
        let (number, square) = outcome.result.expect("the job does not fail");
        keep(number, square);
        1
    }
}

/// fastthreadpool, C ABI: outcomes are harvested, as many as there are, after one was waited for.
struct C {
    api: &'static CApi,
    results: *mut c_void,
    read: RefCell<[c_abi::Outcome; 256]>,
}

/// The value carries both numbers: the square's lower half tells the rest.
extern "C" fn square_c(number: *mut c_void) -> *mut c_void {
    let number = number.addr();
    ptr::without_provenance_mut(number << 32 | square(number) & 0xffff_ffff)
}

impl Squarer for C {
    fn submit(&self, number: usize) {
        let argument = ptr::without_provenance_mut(number);
        // SAFETY: the results object lives, the job takes a number for its argument, and no id is wanted.
        let status = unsafe { (self.api.results_submit)(self.results, square_c, argument, ptr::null_mut()) };
        assert_eq!(status, c_abi::OK, "ftpool_results_submit");
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        let all = &mut *self.read.borrow_mut();
        let wait = Duration::from_secs(60).as_nanos() as i64;
        // SAFETY: the results object lives, and the first outcome says its size.
        let status = unsafe { (self.api.results_next)(self.results, wait, &mut all[0]) };
        assert_eq!(status, c_abi::OK, "ftpool_results_next");
        let mut count = 0;
        // SAFETY: as above; there is room for the rest.
        let status = unsafe { (self.api.results_take)(self.results, all.len() - 1, &mut all[1], &mut count) };
        assert_eq!(status, c_abi::OK, "ftpool_results_take");
        for outcome in &all[..=count] {
            let number = outcome.value.addr() >> 32;
            assert_eq!(outcome.value.addr() & 0xffff_ffff, square(number) & 0xffff_ffff);
            keep(number, square(number));
        }
        count + 1
    }
}

/// A job, as it travels through a channel.
type Message = (fn(usize) -> usize, usize);

/// A channel of jobs and a channel of results.
struct Channels {
    jobs: Option<Sender<Message>>,
    results: Receiver<(usize, usize)>,
    threads: Vec<JoinHandle<()>>,
}

impl Channels {
    fn new() -> Self {
        let (jobs, todo) = unbounded::<Message>();
        let (done, results) = unbounded();
        let work = move || {
            todo.iter().for_each(|(job, number)| done.send((number, job(number))).expect("somebody reads"));
        };
        let threads = (0..WORKERS).map(|_| thread::spawn(work.clone())).collect();
        Self { jobs: Some(jobs), results, threads }
    }
}

impl Squarer for Channels {
    fn submit(&self, number: usize) {
        self.jobs.as_ref().expect("there until the drop").send((square, number)).expect("the workers live");
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        let (number, square) = self.results.recv_timeout(Duration::from_secs(60)).expect("a result comes");
        keep(number, square);
        1
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        self.jobs = None;
        self.threads.drain(..).for_each(|thread| thread.join().expect("a worker panicked"));
    }
}

/// Submits `jobs` numbers, at most `window` ahead of what was read; ns per job.
fn run(squarer: &dyn Squarer, jobs: usize, window: usize) -> f64 {
    thread::sleep(Duration::from_millis(5));
    let (mut submitted, mut read, mut numbers, mut squares) = (0, 0, 0usize, 0usize);
    let began = Instant::now();
    while read < jobs {
        let until = jobs.min(read + window);
        (submitted..until).for_each(|number| squarer.submit(number));
        submitted = until;
        read += squarer.read(&mut |number, square| {
            numbers = numbers.wrapping_add(number);
            squares = squares.wrapping_add(square);
        });
    }
    let took = began.elapsed();
    assert_eq!(numbers, (0..jobs).fold(0, usize::wrapping_add), "every number comes back once");
    assert_eq!(squares, (0..jobs).fold(0usize, |sum, number| sum.wrapping_add(square(number))));
    took.as_nanos() as f64 / jobs as f64
}

fn main() {
    let options = Options::parse();
    println!("{}\n", Machine::here());
    let pool = Pool::builder().workers(WORKERS as i32).build().expect("a pool");
    let mut squarers: Vec<(&str, Box<dyn Squarer>)> = vec![
        ("crossbeam job + result channel", Box::new(Channels::new())),
        ("fastthreadpool (Rust)", Box::new(Rust(pool.results()))),
    ];
    if let Some(api) = CApi::load_or_explain(&options.library) {
        squarers.push((
            "fastthreadpool (C ABI)",
            Box::new(C {
                api,
                results: api.results_of_a_new_pool(WORKERS),
                read: RefCell::new([c_abi::Outcome::new(); 256]),
            }),
        ));
    }
    for (scenario, window) in
        [("all submitted, then all read", usize::MAX / 2), ("at most 1024 ahead of the reader", 1024)]
    {
        println!("### {scenario}: {} jobs, {} rounds\n", options.jobs, options.rounds);
        let mut times = vec![Vec::new(); squarers.len()];
        for round in 0..=options.rounds {
            for turn in 0..squarers.len() {
                let number = (turn + round) % squarers.len();
                let ns = run(&*squarers[number].1, options.jobs, window);
                if round > 0 {
                    times[number].push(ns);
                }
            }
        }
        println!("| way | ns/job | times faster than channels |\n|---|--:|--:|");
        for ((name, _), ns) in squarers.iter().zip(&times) {
            println!("| {name} | {:.1} | {:.2} |", median(ns), median_ratio(&times[0], ns));
        }
        println!();
    }
}
