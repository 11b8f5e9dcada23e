//! Timers that differ from a simple model of their documentation, under random operations. The steps come from a seed,
//! which a failure names; `FTPOOL_TIMERS_SEED` runs it again, `FTPOOL_TIMERS_CASES` runs more.

mod common;
mod timer_model;

use common::{LIMIT, Random, eventually, lock};
use fastthreadpool::{
    Deadline, Due, JobError, JobId, ManualClock, MissedTicks, Pool, Results, Schedule, Shutdown, Timer, current_tick,
};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant, UNIX_EPOCH};
use timer_model::Model;
use timer_model::kinds::{Action, Code, End, First, Kind, Moment, Rhythm, Run, State};
use timer_model::steps::{Step, step};

/// If more timers were due at once, workers would queue them, some at a time.
const MOST_TICKS: u64 = 12;
const MOST_WAITING: usize = 16;
const STEPS: u32 = 80;

const PATIENCE: Duration = Duration::from_secs(60);

/// The pool, and the state that its jobs share with the test.
struct World {
    pool: Pool,
    clock: ManualClock,
    results: Results<()>,
    ids: Mutex<Vec<JobId>>,
    log: Mutex<Vec<Run>>,
    /// The time at which the clock starts.
    origin: Mutex<Option<Instant>>,
    stopped: mpsc::Sender<mpsc::Sender<()>>,
}

/// The test's side.
struct Driver {
    world: Arc<World>,
    model: Model,
    stopped: mpsc::Receiver<mpsc::Sender<()>>,
    /// By worker.
    go_on: Vec<mpsc::Sender<()>>,
    ended: Vec<(usize, End)>,
}

fn nanoseconds(time: u64) -> Duration {
    Duration::from_nanos(time)
}

impl World {
    fn run(self: &Arc<Self>, timer: usize, code: Code, runs: &AtomicU64) -> Result<(), &'static str> {
        let began = self.clock.elapsed();
        let tick = current_tick();
        let ticks = tick.map(|tick| (tick.number, tick.late_by.as_nanos() as u64));
        if let Some(origin) = tick.and_then(|tick| (tick.scheduled + tick.late_by).checked_sub(began)) {
            assert_eq!(*lock(&self.origin).get_or_insert(origin), origin);
        }
        let answer = self.act(code.action);
        lock(&self.log).push(Run { timer, tick: ticks, answer });
        if code.stops {
            let (go_on, going_on) = mpsc::channel();
            self.stopped.send(go_on).unwrap();
            going_on.recv_timeout(PATIENCE).unwrap();
        }
        if runs.fetch_add(1, SeqCst) + 1 == code.fails { Err("as it was told") } else { Ok(()) }
    }

    fn act(self: &Arc<Self>, action: Action) -> usize {
        let id = |number| lock(&self.ids).get(number).copied();
        match action {
            Action::Nothing => 0,
            Action::Advance(time) => {
                self.clock.advance(nanoseconds(time));
                0
            }
            Action::Cancel(number) => id(number).is_some_and(|id| self.pool.cancel(id)).into(),
            Action::Reset(number, delay) => {
                id(number).is_some_and(|id| self.pool.reschedule(id, nanoseconds(delay))).into()
            }
            Action::Submit(delay) => {
                let first = First { moment: Moment::After(delay), leeway: 0, back: false, or_now: false };
                let code = Code { action: Action::Nothing, stops: false, fails: 0 };
                self.submit(Kind::Once(first), code).into()
            }
            Action::CancelTimers => self.pool.cancel_timers(),
            Action::CancelAll => self.pool.cancel_all(),
        }
    }

    fn submit(self: &Arc<Self>, kind: Kind, code: Code) -> bool {
        let (world, number, runs) = (Arc::clone(self), lock(&self.ids).len(), AtomicU64::new(0));
        let job = move || world.run(number, code, &runs);
        let id = match kind {
            Kind::Now { start_within: None } => self.results.try_submit(job),
            Kind::Now { start_within: Some(time) } => {
                self.results.job(move || job().unwrap()).start_within(nanoseconds(time)).submit()
            }
            Kind::Once(first) => self.results.try_submit_at(due(first), job),
            Kind::Every { first, interval, rhythm, max_runs, stop_on_error } => {
                let plan = Schedule::every(nanoseconds(interval)).first(due(first)).max_runs(max_runs);
                let plan = if stop_on_error { plan.stop_on_error() } else { plan };
                let plan = match rhythm {
                    Rhythm::Skip => plan.missed(MissedTicks::Skip),
                    Rhythm::Coalesce => plan.missed(MissedTicks::Coalesce),
                    Rhythm::Queue => plan.missed(MissedTicks::Queue),
                    Rhythm::FixedDelay => plan.fixed_delay(),
                };
                self.results.try_schedule(plan, job)
            }
        };
        id.map(|id| lock(&self.ids).push(id)).is_ok()
    }
}

fn due(first: First) -> Due {
    let due = match first.moment {
        Moment::After(delay) => Due::after(nanoseconds(delay)),
        Moment::Wall(moment) => Due::at_wall_clock(UNIX_EPOCH + nanoseconds(moment)),
    };
    let due = due.leeway(nanoseconds(first.leeway));
    let due = if first.back { due.back() } else { due };
    if first.or_now { due.or_now() } else { due }
}

impl Driver {
    fn new(workers: usize) -> Self {
        let clock = ManualClock::new();
        let pool = Pool::builder().workers(workers as i32).ordered(true).clock(&clock).build().unwrap();
        let (stop, stopped) = mpsc::channel();
        let world = World {
            results: pool.results(),
            pool,
            clock,
            ids: Mutex::default(),
            log: Mutex::default(),
            origin: Mutex::default(),
            stopped: stop,
        };
        let (world, model) = (Arc::new(world), Model::default());
        let mut driver = Self { world, model, stopped, go_on: Vec::new(), ended: Vec::new() };
        driver.set_wall(1_000_000);
        (0..workers).for_each(|worker| driver.stop(worker));
        driver
    }

    /// Keeps an idle worker busy.
    fn stop(&mut self, worker: usize) {
        self.submit(Kind::Now { start_within: None }, Code { action: Action::Nothing, stops: true, fails: 0 });
        assert!(self.model.go(worker));
        self.expect_stop(worker);
    }

    fn expect_stop(&mut self, worker: usize) {
        let go_on = self.stopped.recv_timeout(PATIENCE).expect("a job that stops");
        if worker < self.go_on.len() { self.go_on[worker] = go_on } else { self.go_on.push(go_on) }
    }

    /// Lets a worker run queued jobs, up to one that stops. False if there is none.
    fn go_on(&mut self, worker: usize) -> bool {
        self.go_on[worker].send(()).unwrap();
        if self.model.go(worker) {
            self.expect_stop(worker);
            return true;
        }
        let others = self.model.pending() as u64;
        eventually("a worker has nothing to do", || self.world.pool.pending() == others);
        self.compare();
        false
    }

    fn submit(&mut self, kind: Kind, code: Code) {
        assert_eq!(self.world.submit(kind, code), self.model.submit(kind, code), "is it accepted");
    }

    fn set_wall(&mut self, wall: u64) {
        self.world.clock.set_wall_clock(UNIX_EPOCH + nanoseconds(wall));
        self.model.set_wall(wall);
    }

    /// A shutdown during which a job runs, and a reopen.
    fn reopen(&mut self, cancel: bool) {
        let (pool, mut lost) = (self.world.pool.clone(), Vec::new());
        if cancel {
            assert!(pool.shutdown_now(&mut lost, Deadline::NOW).is_err());
        } else {
            assert!(pool.shutdown(Shutdown::Drain, Deadline::NOW).is_err());
        }
        let expected = self.model.close(cancel);
        let number = |id| lock(&self.world.ids).iter().position(|known| known == id).unwrap();
        let mut lost: Vec<usize> = lost.iter().map(number).collect();
        lost.sort_unstable();
        assert_eq!(lost, if cancel { expected } else { Vec::new() });
        self.compare();
        let workers = self.go_on.len();
        (0..workers).for_each(|worker| while self.go_on(worker) {});
        pool.shutdown(Shutdown::Drain, LIMIT).unwrap();
        self.compare();
        pool.reopen(LIMIT).unwrap();
        self.model.reopen();
        (0..workers).for_each(|worker| self.stop(worker));
    }

    fn ticks_after(&self, time: u64) -> u64 {
        self.model.ticks_until(self.model.now.saturating_add(time), self.model.wall.saturating_add(time))
    }

    fn step(&mut self, random: &mut Random) {
        let wall = self.model.wall;
        let step = step(random, self.model.count(), wall);
        if std::env::var_os("FTPOOL_TIMERS_SEED").is_some() {
            eprintln!("now {} wall {wall}: {} {step:?}", self.model.now, self.model.count());
        }
        match step {
            Step::Submit(..) if self.model.waiting() >= MOST_WAITING => {}
            Step::Submit(kind, code) => self.submit(kind, code),
            Step::Advance(time) if self.ticks_after(time) > MOST_TICKS => {}
            Step::Advance(time) => {
                self.world.clock.advance(nanoseconds(time));
                self.model.advance(time);
            }
            Step::SetWall(wall) if self.model.ticks_until(self.model.now, wall) > MOST_TICKS => {}
            Step::SetWall(wall) => self.set_wall(wall),
            Step::GoOn => {
                let worker = random.below(self.go_on.len() as u64) as usize;
                if !self.go_on(worker) {
                    self.stop(worker);
                }
            }
            Step::Cancel(number) => {
                let id = lock(&self.world.ids)[number];
                assert_eq!(self.world.pool.cancel(id), self.model.cancel(number), "is it cancelled");
            }
            Step::Reset(number, delay) => {
                let id = lock(&self.world.ids)[number];
                let set = self.world.pool.reschedule(id, nanoseconds(delay));
                assert_eq!(set, self.model.reset(number, delay), "is it set anew");
            }
            Step::CancelTimers => assert_eq!(self.world.pool.cancel_timers(), self.model.cancel_timers()),
            Step::CancelAll => assert_eq!(self.world.pool.cancel_all(), self.model.cancel_all()),
            Step::Reopen { cancel } => self.reopen(cancel),
        }
        self.compare();
    }

    /// Compares everything that can be observed.
    fn compare(&mut self) {
        let (world, model) = (&self.world, &mut self.model);
        assert_eq!(*lock(&world.log), model.log);
        let ids = lock(&world.ids).clone();
        for (number, &id) in ids.iter().enumerate() {
            assert_eq!(world.pool.timer(id).map(|timer| seen(&timer)), model.state(number), "timer {number}");
        }
        let listed = |timers: Vec<Timer>| {
            let number = |timer: Timer| (ids.iter().position(|&id| id == timer.id).unwrap(), seen(&timer));
            let mut listed: Vec<_> = timers.into_iter().map(number).collect();
            listed.sort_by_key(|&(number, _)| number);
            listed
        };
        let all = |wanted: &dyn Fn(usize, State) -> bool| -> Vec<(usize, State)> {
            let known = (0..ids.len()).filter_map(|number| Some((number, model.state(number)?)));
            known.filter(|&(number, state)| wanted(number, state)).collect()
        };
        let delayed = all(&|number, state| !model.repeats(number) && state.due_in.is_some());
        let schedules = all(&|number, _| model.repeats(number));
        assert_eq!(world.pool.delayed_count(), delayed.len());
        assert_eq!(world.pool.scheduled_count(), schedules.len());
        assert_eq!((listed(world.pool.delayed()), listed(world.pool.scheduled())), (delayed, schedules));
        assert_eq!(world.pool.pending(), model.pending() as u64);
        let mut queued: Vec<JobId> = model.queued().into_iter().map(|number| ids[number]).collect();
        queued.sort_unstable();
        assert_eq!(world.pool.queued_ids(), queued);
        let outcomes = world.results.take(usize::MAX).into_iter().map(|outcome| {
            let end = match outcome.result {
                Ok(()) => End::Done,
                Err(JobError::Cancelled) => End::Cancelled,
                Err(JobError::Expired) => End::Expired,
                Err(JobError::Failed(_)) => End::Failed,
                Err(other) => panic!("{other}"),
            };
            (ids.iter().position(|&id| id == outcome.id).unwrap(), end)
        });
        self.ended.extend(outcomes);
        self.ended.sort_unstable();
        model.ends.sort_unstable();
        assert_eq!(self.ended, model.ends);
    }
}

fn seen(timer: &Timer) -> State {
    let due_in = timer.due_in.map(|time| time.as_nanos() as u64);
    State { due_in, queued: timer.queued, running: timer.running, ticks: timer.ticks }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn run_case(seed: u64) {
    let mut random = Random::new(seed);
    let mut driver = Driver::new(1 + random.below(3) as usize);
    for _ in 0..STEPS {
        driver.step(&mut random);
    }
    driver.reopen(seed.is_multiple_of(2));
    driver.go_on.iter().for_each(|go_on| go_on.send(()).unwrap());
}

/// Conformance 14, 15, 36, 38 to 46, 48, 49, 51, 53, 54.
#[test]
fn timers_do_what_the_model_does() {
    let only = setting("FTPOOL_TIMERS_SEED");
    let cases = setting("FTPOOL_TIMERS_CASES").unwrap_or(100);
    for seed in only.map_or(0..cases, |seed| seed..seed + 1) {
        let case = std::thread::spawn(move || run_case(seed));
        assert!(case.join().is_ok(), "FTPOOL_TIMERS_SEED={seed}");
    }
}
