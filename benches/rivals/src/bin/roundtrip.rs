//! From an idle pool to a job and back, beside two threads and a bare futex: goal P7.

use clap::Parser;
use rivals::c_abi::CApi;
use rivals::c_jobs::CJobs;
use rivals::crates::{AsyncExecutor, rayon_pool, tokio_runtime};
use rivals::futex::Echo;
use rivals::measure::median;
use rivals::native;
use rivals::options::{self, Common, Size, positive};
use rivals::report::{Distribution, Fact, Report, is_ours_by_c, is_ours_by_rust};
use rivals::rival::{OURS_C, OURS_RUST};
use std::ffi::c_void;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use std::{ptr, thread};

/// Measures one job at a time: from its submit until it begins, and until its value is there.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: Common,
    /// Jobs per round, of each way
    #[arg(long, default_value_t = 500, value_parser = positive)]
    trips: usize,
    #[command(flatten)]
    size: Size,
    /// Microseconds for everybody to fall asleep before each job
    #[arg(long, default_value_t = 300)]
    pause: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    options::report("roundtrip", &options.common.files, |report| run(&options, report))
}

/// A way to have something done elsewhere. Returns when it began, if it can tell.
struct Way<'a> {
    name: &'static str,
    trip: Box<dyn FnMut() -> Option<Instant> + 'a>,
}

const BARE: &str = "bare futex, two threads";
const STARTS: &str = "from the submit to the start of the job, the pool being idle (P7)";
const TRIPS: &str = "round trip: from the submit until the value is there, the pool being idle (P7)";

fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let (workers, pool) = (options.size.workers, options.size.pool()?);
    let (rayon, runtime) = (rayon_pool(workers), tokio_runtime(workers));
    let threadpool = threadpool::ThreadPool::new(workers);
    let executor = AsyncExecutor::new(workers).0;
    let c_abi = CApi::load_or_explain(&options.common.files.library).map(|api| CJobs::new(api, workers));
    let echo = Echo::start();
    let channels = Channels::start();
    let natives = native::handles(workers);

    let way = |name, trip| Way { name, trip };
    let mut ways = vec![
        way(BARE, Box::new(|| Some(echo.trip()))),
        way("two threads, std channels", Box::new(|| Some(channels.trip()))),
    ];
    ways.push(way(
        OURS_RUST,
        Box::new(|| {
            let job = pool.submit(Instant::now).expect("the pool is open");
            Some(job.join().expect("it does not fail"))
        }),
    ));
    if let Some(c_abi) = &c_abi {
        ways.push(way(OURS_C, Box::new(|| Some(start_of(c_abi.value_of(now))))));
    }
    ways.push(way("rayon::install", Box::new(|| Some(rayon.install(Instant::now)))));
    ways.push(way(
        "tokio::spawn, block_on",
        Box::new(|| {
            let job = runtime.spawn(async { Instant::now() });
            Some(runtime.block_on(job).expect("it does not fail"))
        }),
    ));
    ways.push(way(
        "async-executor, block_on",
        Box::new(|| Some(futures::executor::block_on(executor.spawn(async { Instant::now() })))),
    ));
    ways.push(way(
        "threadpool, channel",
        Box::new(|| {
            let (answer, answered) = sync_channel(1);
            threadpool.execute(move || answer.send(Instant::now()).expect("somebody waits"));
            Some(answered.recv().expect("an answer comes"))
        }),
    ));
    for native in &natives {
        ways.push(way(
            native.name,
            Box::new(|| {
                assert_eq!(native.sum(1), 0, "the only job returns its number");
                None
            }),
        ));
    }
    ways.retain(|way| way.name == BARE || options.common.wants(way.name));
    let samples = take_samples(&mut ways, options);
    let names: Vec<_> = ways.iter().map(|way| way.name).collect();
    report_all(report, &names, &samples);
    Ok(())
}

/// Microseconds to the start and of the round trip, for each round.
#[derive(Default)]
struct Samples {
    starts: Vec<Vec<f64>>,
    trips: Vec<Vec<f64>>,
}

/// In each round, after a warm-up round, the ways take turns, one trip each.
fn take_samples(ways: &mut [Way<'_>], options: &Options) -> Vec<Samples> {
    let mut all: Vec<Samples> = ways.iter().map(|_| Samples::default()).collect();
    let us = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e6;
    for round in 0..=options.common.rounds() {
        if round > 0 {
            for samples in &mut all {
                samples.starts.push(Vec::new());
                samples.trips.push(Vec::new());
            }
        }
        for _ in 0..options.trips {
            for (way, samples) in ways.iter_mut().zip(&mut all) {
                thread::sleep(Duration::from_micros(options.pause));
                let began = Instant::now();
                let start = (way.trip)();
                let end = Instant::now();
                if let (Some(starts), Some(trips)) = (samples.starts.last_mut(), samples.trips.last_mut()) {
                    starts.extend(start.map(|start| us(began, start)));
                    trips.push(us(began, end));
                }
            }
        }
    }
    all
}

fn report_all(report: &mut Report, names: &[&'static str], samples: &[Samples]) {
    for (question, of) in
        [(STARTS, (|samples| &samples.starts) as fn(&Samples) -> &Vec<Vec<f64>>), (TRIPS, |samples| &samples.trips)]
    {
        let all = names.iter().zip(samples).map(|(&name, samples)| (name, of(samples).concat()));
        let all = all.filter(|(_, us)| !us.is_empty());
        report.distributions(all.map(|(name, us)| Distribution::of(question.into(), name.into(), us)).collect());
    }
    let mut facts = Vec::new();
    for (name, own) in names.iter().zip(samples).filter(|(name, _)| is_ours_by_c(name) || is_ours_by_rust(name)) {
        for (what, ours, bare) in
            [("start", &own.starts, &samples[0].starts), ("round trip", &own.trips, &samples[0].trips)]
        {
            for (share, at_most) in [(50, 1.25), (99, 1.5)] {
                facts.push(Fact {
                    goal: "P7".into(),
                    what: format!("{what} from idle, p{share}, by that of a bare futex").into(),
                    who: (*name).into(),
                    at_most,
                    reached: ratio(ours, bare, share),
                    unit: "×".into(),
                });
            }
        }
    }
    report.facts(facts);
}

/// The median over the rounds of a quantile by the same one of the others.
fn ratio(ours: &[Vec<f64>], bare: &[Vec<f64>], percent: usize) -> f64 {
    let at = |us: &Vec<f64>| {
        let mut sorted = us.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) * percent / 100]
    };
    median(&ours.iter().zip(bare).map(|(ours, bare)| at(ours) / at(bare)).collect::<Vec<_>>())
}

/// A thread that answers through std's channels.
struct Channels {
    ask: SyncSender<()>,
    answer: Receiver<Instant>,
}

impl Channels {
    fn start() -> Self {
        let (ask, asked) = sync_channel(1);
        let (reply, answer) = sync_channel(1);
        thread::spawn(move || asked.iter().for_each(|()| _ = reply.send(Instant::now())));
        Self { ask, answer }
    }

    fn trip(&self) -> Instant {
        self.ask.send(()).expect("the other thread listens");
        self.answer.recv().expect("the other thread answers")
    }
}

/// What C jobs count from: a value is a pointer's width.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

extern "C" fn now(_: *mut c_void) -> *mut c_void {
    ptr::without_provenance_mut(EPOCH.elapsed().as_nanos() as usize)
}

fn start_of(value: *mut c_void) -> Instant {
    *EPOCH + Duration::from_nanos(value.addr() as u64)
}
