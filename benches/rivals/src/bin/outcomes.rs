//! Jobs whose every outcome is read, against job and result channels and others: goal P3.

use clap::Parser;
use crossbeam_channel::{Receiver, Sender, unbounded};
use fastthreadpool::{Pool, Results};
use rivals::c_abi::{self, CApi};
use rivals::contest::{Contest, Lane, Outcome, race};
use rivals::crates::{SIZED_BY_THE_ENVIRONMENT, rayon_pool};
use rivals::native;
use rivals::options::{self, Common, Size, positive};
use rivals::report::Report;
use rivals::rival::{OURS_C, OURS_RUST};
use std::cell::RefCell;
use std::ffi::c_void;
use std::process::ExitCode;
use std::ptr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Measures jobs with results: from the first submit until the last result is read.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Jobs per round
    #[arg(long, default_value_t = 1_000_000, value_parser = positive)]
    jobs: usize,
    #[command(flatten)]
    size: Size,
}

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
struct Rust {
    results: Results<(usize, usize)>,
    /// Its drop would close it.
    _pool: Pool,
}

impl Squarer for Rust {
    fn submit(&self, number: usize) {
        self.results.submit(move || (number, square(number))).expect("the pool is open");
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        let outcome = self.results.next(Duration::from_secs(60)).expect("an outcome comes");
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
    fn new(workers: usize) -> Self {
        let (jobs, todo) = unbounded::<Message>();
        let (done, results) = unbounded();
        let work = move || {
            todo.iter().for_each(|(job, number)| done.send((number, job(number))).expect("somebody reads"));
        };
        let threads = (0..workers).map(|_| thread::spawn(work.clone())).collect();
        Self { jobs: Some(jobs), results, threads }
    }
}

impl Squarer for Channels {
    fn submit(&self, number: usize) {
        self.jobs.as_ref().expect("there until the drop").send((square, number)).expect("the workers live");
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        let (number, square) = self.results.recv().expect("a result comes");
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

/// A pool whose jobs send to a channel, as its documentation shows.
struct Spawned<S: Fn(usize, mpsc::Sender<(usize, usize)>)> {
    spawn: S,
    sender: mpsc::Sender<(usize, usize)>,
    results: mpsc::Receiver<(usize, usize)>,
}

impl<S: Fn(usize, mpsc::Sender<(usize, usize)>)> Spawned<S> {
    fn new(spawn: S) -> Self {
        let (sender, results) = mpsc::channel();
        Self { spawn, sender, results }
    }
}

impl<S: Fn(usize, mpsc::Sender<(usize, usize)>)> Squarer for Spawned<S> {
    fn submit(&self, number: usize) {
        (self.spawn)(number, self.sender.clone());
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        let (number, square) = self.results.recv().expect("a result comes");
        keep(number, square);
        1
    }
}

impl Squarer for native::Outcomes {
    fn submit(&self, number: usize) {
        extern "C" fn square_native(number: usize) -> usize {
            square(number)
        }
        native::Outcomes::submit(self, number, square_native);
    }

    fn read(&self, keep: &mut dyn FnMut(usize, usize)) -> usize {
        native::Outcomes::read(self, keep)
    }
}

/// Submits `jobs` numbers, at most `window` ahead of what was read.
fn run(squarer: &dyn Squarer, jobs: usize, window: usize) -> Result<Outcome, String> {
    let (mut submitted, mut read, mut numbers, mut squares) = (0, 0, 0usize, 0usize);
    let began = Instant::now();
    while read < jobs {
        let until = jobs.min(read.saturating_add(window));
        (submitted..until).for_each(|number| squarer.submit(number));
        submitted = until;
        read += squarer.read(&mut |number, square| {
            numbers = numbers.wrapping_add(number);
            squares = squares.wrapping_add(square);
        });
    }
    let took = began.elapsed();
    let right = (0..jobs).fold((0usize, 0usize), |(numbers, squares), number| {
        (numbers.wrapping_add(number), squares.wrapping_add(square(number)))
    });
    if (numbers, squares) == right {
        Ok(Outcome::of(took, jobs))
    } else {
        Err("some results were not read once".into())
    }
}

/// Its name, and what our time by its shall be at most.
type Entrant = (&'static str, Option<f64>, Box<dyn Squarer>);

/// Everybody, ours first.
fn squarers(options: &Options) -> Result<Vec<Entrant>, String> {
    let (workers, pool) = (options.size.workers, options.size.pool()?);
    let threadpool = threadpool::ThreadPool::new(workers);
    let rayon = rayon_pool(workers);
    let mut all: Vec<Entrant> = vec![(OURS_RUST, None, Box::new(Rust { results: pool.results(), _pool: pool }))];
    if let Some(api) = CApi::load_or_explain(&options.common.files.library) {
        let read = RefCell::new([c_abi::Outcome::new(); 256]);
        all.push((OURS_C, None, Box::new(C { api, results: api.results_of_a_new_pool(workers), read })));
    }
    all.push(("crossbeam, job + result channel", Some(0.2), Box::new(Channels::new(workers))));
    all.push((
        "threadpool + std channel",
        None,
        Box::new(Spawned::new(move |n, sender| {
            threadpool.execute(move || sender.send((n, square(n))).expect("somebody reads"));
        })),
    ));
    all.push((
        "rayon::spawn + std channel",
        None,
        Box::new(Spawned::new(move |n, sender| {
            rayon.spawn(move || sender.send((n, square(n))).expect("somebody reads"));
        })),
    ));
    for native in native::outcomes(workers) {
        all.push((native.name, None, Box::new(native)));
    }
    all.retain(|(name, ..)| options.common.wants(name));
    Ok(all)
}

fn main() -> ExitCode {
    let options = Options::parse();
    for variable in SIZED_BY_THE_ENVIRONMENT {
        // SAFETY: there is no other thread yet.
        unsafe { std::env::set_var(variable, options.size.workers.to_string()) };
    }
    options::report("outcomes", &options.common.files, |report| measure(&options, report))
}

fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let squarers = squarers(options)?;
    let jobs = options.common.scaled(options.jobs);
    let contest = |(name, question, window, part, goes_for_p3): (&str, _, usize, usize, bool)| {
        let jobs = jobs.div_ceil(part);
        Contest {
            name: format!("{jobs} outcomes, {name}"),
            question,
            unit: "ns/job",
            lanes: squarers
                .iter()
                .map(|(rival, goal, squarer)| Lane {
                    rival,
                    goal: goal.filter(|_| goes_for_p3),
                    run: Box::new(move || run(&**squarer, jobs, window)),
                })
                .collect(),
        }
    };
    let mut contests = [
        ("all submitted, then all read", "what a job costs whose outcome is read (P3)", usize::MAX, 1, true),
        ("at most 1024 ahead", "the same when the reader keeps up (P3)", 1024, 1, true),
        ("at most 16 ahead", "the same when the reader mostly waits", 16, 10, false),
        ("one at a time", "what a job costs that is waited for at once, again and again", 1, 50, false),
    ]
    .map(contest);
    report.scenarios(race(&mut contests, options.common.rounds())?);
    Ok(())
}
