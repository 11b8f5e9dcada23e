//! Delayed and scheduled jobs of a pool as the documentation describes them, in one thread. One of the pool's workers
//! moves at a time.

pub(crate) mod kinds;
mod seen;
pub(crate) mod steps;

use kinds::{Action, Code, End, First, Kind, Moment, Rhythm, Run, State};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
struct Timer {
    kind: Kind,
    code: Code,
    by_wall: bool,
    back: bool,
    /// When it is due, and when that was set.
    waits: Option<(u64, u64)>,
    /// A tick that comes as soon as no job is queued or running.
    owed: Option<u64>,
    /// A job without a delay expires then.
    expires: Option<u64>,
    left: u64,
    runs: u64,
    state: State,
    over: bool,
    /// A shutdown has ended it, which is reported after its last run.
    cut_off: bool,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    timer: usize,
    /// Its number, and when it was due by the monotonic clock.
    tick: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) now: u64,
    pub(crate) wall: u64,
    timers: Vec<Timer>,
    front: VecDeque<Queued>,
    lane: VecDeque<Queued>,
    /// By worker.
    running: Vec<Option<Queued>>,
    closed: bool,
    set: u64,
    pub(crate) log: Vec<Run>,
    pub(crate) ends: Vec<(usize, End)>,
}

impl Model {
    /// False if it is refused.
    pub(crate) fn submit(&mut self, kind: Kind, code: Code) -> bool {
        let first = match kind {
            Kind::Now { .. } => None,
            Kind::Once(first) | Kind::Every { first, .. } => Some(first),
        };
        let (by_wall, due) = match first.map(|first| first.moment) {
            Some(Moment::Wall(moment)) => (true, moment),
            Some(Moment::After(delay)) => (false, self.now.saturating_add(delay)),
            None => (false, 0),
        };
        let left = match kind {
            Kind::Every { interval, max_runs, .. } if interval == 0 || max_runs == 0 => return false,
            Kind::Every { max_runs, .. } => max_runs,
            _ => 1,
        };
        if first.is_some() && self.closed {
            return false;
        }
        if by_wall && due < self.wall && !first.is_some_and(|first| first.or_now) {
            return false;
        }
        let state = State { due_in: None, queued: 0, running: 0, ticks: 0 };
        let back = first.is_none_or(|first| first.back);
        let fresh = Timer {
            kind,
            code,
            by_wall,
            back,
            waits: None,
            owed: None,
            expires: None,
            left,
            runs: 0,
            state,
            over: false,
            cut_off: false,
        };
        self.timers.push(fresh);
        let number = self.timers.len() - 1;
        match (kind, first) {
            (Kind::Now { start_within }, _) => {
                self.timers[number].expires = start_within.map(|time| self.now.saturating_add(time));
                self.timers[number].state.queued = 1;
                self.lane.push_back(Queued { timer: number, tick: None });
                self.expire();
            }
            (_, Some(first)) => {
                self.arm(number, late_by_at_most(due, first.leeway));
                self.fire();
            }
            (_, None) => unreachable!(),
        }
        true
    }

    pub(crate) fn advance(&mut self, time: u64) {
        self.now = self.now.saturating_add(time);
        self.wall = self.wall.saturating_add(time);
        self.expire();
        self.fire();
    }

    pub(crate) fn set_wall(&mut self, wall: u64) {
        self.wall = wall;
        self.fire();
    }

    pub(crate) fn cancel(&mut self, number: usize) -> bool {
        let timer = &self.timers[number];
        let none_will_begin =
            timer.waits.is_none() && timer.state.queued == 0 && (timer.left == 0 || !self.repeats(number));
        if timer.over || none_will_begin {
            return false;
        }
        self.unqueue(number);
        self.timers[number].cut_off = true;
        self.finish(number);
        true
    }

    pub(crate) fn cancel_timers(&mut self) -> usize {
        let active = |number: &usize| {
            let timer = &self.timers[*number];
            !timer.over && (self.repeats(*number) || timer.waits.is_some())
        };
        let numbers: Vec<usize> = (0..self.count()).filter(active).collect();
        numbers.into_iter().filter(|&number| self.cancel(number)).count()
    }

    /// Jobs that are queued now; schedules go on.
    pub(crate) fn cancel_all(&mut self) -> usize {
        let queued: Vec<Queued> = self.front.drain(..).chain(self.lane.drain(..)).collect();
        for &Queued { timer, .. } in &queued {
            self.timers[timer].state.queued -= 1;
            self.ends.push((timer, End::Cancelled));
        }
        for &Queued { timer, .. } in &queued {
            if self.repeats(timer) { self.go_on(timer) } else { self.timers[timer].over = true }
        }
        queued.len()
    }

    /// Shuts the pool down. Returns the timers, and if `cancel` the queued jobs, that will never run.
    pub(crate) fn close(&mut self, cancel: bool) -> Vec<usize> {
        self.closed = true;
        let mut lost = Vec::new();
        for number in 0..self.count() {
            let repeats = self.repeats(number);
            let timer = &mut self.timers[number];
            if timer.over || (repeats && timer.left == 0) || (!repeats && timer.waits.is_none()) {
                continue;
            }
            lost.push(number);
            (timer.waits, timer.owed, timer.left, timer.cut_off) = (None, None, 0, true);
            if timer.state.queued + timer.state.running == 0 {
                self.finish(number);
            }
        }
        if cancel {
            lost.extend(self.queued());
            self.cancel_all();
        }
        lost.sort_unstable();
        lost.dedup();
        lost
    }

    pub(crate) fn reopen(&mut self) {
        self.closed = false;
    }

    pub(crate) fn reset(&mut self, number: usize, delay: u64) -> bool {
        let repeats = self.repeats(number);
        let timer = &mut self.timers[number];
        let is_timer = !matches!(timer.kind, Kind::Now { .. });
        let is_set = timer.waits.is_some() || (!repeats && timer.state.queued > 0);
        if self.closed || timer.over || !is_timer || !is_set {
            return false;
        }
        if timer.waits.is_none() {
            self.unqueue(number);
        }
        let due = self.clock(number).saturating_add(delay);
        self.arm(number, due);
        self.fire();
        true
    }

    /// A worker's running job ends, and it runs others until one stops. False if none does.
    pub(crate) fn go(&mut self, worker: usize) -> bool {
        if worker == self.running.len() {
            self.running.push(None);
        }
        loop {
            if let Some(Queued { timer, .. }) = self.running[worker].take() {
                self.end_run(timer);
            }
            let Some(queued) = self.front.pop_front().or_else(|| self.lane.pop_front()) else { return false };
            self.running[worker] = Some(queued);
            let timer = &mut self.timers[queued.timer];
            timer.state.queued -= 1;
            timer.state.running += 1;
            timer.expires = None;
            let tick = queued.tick.map(|(tick, due)| (tick, self.now - due));
            let code = timer.code;
            let answer = self.act(code.action);
            self.log.push(Run { timer: queued.timer, tick, answer });
            if code.stops {
                return true;
            }
        }
    }

    fn act(&mut self, action: Action) -> usize {
        match action {
            Action::Nothing => 0,
            Action::Advance(time) => {
                self.advance(time);
                0
            }
            Action::Cancel(number) if number < self.count() => self.cancel(number).into(),
            Action::Reset(number, delay) if number < self.count() => self.reset(number, delay).into(),
            Action::Cancel(_) | Action::Reset(..) => 0,
            Action::Submit(delay) => {
                let moment = Moment::After(delay);
                let first = First { moment, leeway: 0, back: false, or_now: false };
                let code = Code { action: Action::Nothing, stops: false, fails: 0 };
                self.submit(Kind::Once(first), code).into()
            }
            Action::CancelTimers => self.cancel_timers(),
            Action::CancelAll => self.cancel_all(),
        }
    }

    fn clock(&self, number: usize) -> u64 {
        if self.timers[number].by_wall { self.wall } else { self.now }
    }

    fn arm(&mut self, number: usize, due: u64) {
        self.set += 1;
        self.timers[number].waits = Some((due, self.set));
    }

    /// Queues the timers that are due by either clock, in the order of due times.
    fn fire(&mut self) {
        for by_wall in [false, true] {
            let now = if by_wall { self.wall } else { self.now };
            let next = |model: &Self| {
                let waiting = model.timers.iter().enumerate().filter(|(_, timer)| timer.by_wall == by_wall);
                let first = waiting.filter_map(|(number, timer)| Some((timer.waits?, number))).min()?;
                (first.0.0 <= now).then_some((first.1, first.0.0))
            };
            while let Some((number, due)) = next(self) {
                self.timers[number].waits = None;
                self.tick(number, due, now);
            }
        }
    }

    fn tick(&mut self, number: usize, due: u64, now: u64) {
        let timer = &mut self.timers[number];
        let active = timer.state.queued + timer.state.running > 0;
        let Kind::Every { interval, rhythm, .. } = timer.kind else {
            return self.queue(number, 1, due, now);
        };
        let missed = (now - due) / interval;
        let latest = due + missed * interval;
        let (ticks, next, runs) = match rhythm {
            Rhythm::FixedDelay => (1, None, Some(due)),
            Rhythm::Queue => (1, due.checked_add(interval), Some(due)),
            Rhythm::Skip => (missed.wrapping_add(1), latest.checked_add(interval), (!active).then_some(latest)),
            Rhythm::Coalesce if active => {
                timer.owed = Some(due);
                return;
            }
            Rhythm::Coalesce => (missed.wrapping_add(1), latest.checked_add(interval), Some(latest)),
        };
        timer.state.ticks = timer.state.ticks.wrapping_add(ticks);
        let tick = timer.state.ticks;
        if let Some(due) = runs {
            timer.left -= 1;
            self.queue(number, tick, due, now);
        }
        if let Some(next) = next.filter(|_| self.timers[number].left > 0) {
            self.arm(number, next);
        }
    }

    fn queue(&mut self, number: usize, tick: u64, due: u64, now: u64) {
        let timer = &mut self.timers[number];
        timer.state.queued += 1;
        let queued = Queued { timer: number, tick: Some((tick, self.now.saturating_sub(now - due))) };
        if timer.back { &mut self.lane } else { &mut self.front }.push_back(queued);
    }

    fn unqueue(&mut self, number: usize) {
        self.front.retain(|queued| queued.timer != number);
        self.lane.retain(|queued| queued.timer != number);
        self.timers[number].state.queued = 0;
    }

    fn finish(&mut self, number: usize) {
        let timer = &mut self.timers[number];
        (timer.over, timer.waits, timer.owed) = (true, None, None);
        if std::mem::take(&mut timer.cut_off) {
            self.ends.push((number, End::Cancelled));
        }
    }

    fn end_run(&mut self, number: usize) {
        let timer = &mut self.timers[number];
        timer.state.running -= 1;
        timer.runs += 1;
        let failed = timer.runs == timer.code.fails;
        self.ends.push((number, if failed { End::Failed } else { End::Done }));
        if let Kind::Every { stop_on_error, .. } = timer.kind {
            if failed && stop_on_error && !timer.over {
                timer.left = 0;
                timer.waits = None;
                self.unqueue(number);
            }
            self.go_on(number);
        } else {
            timer.over = true;
        }
    }

    /// A schedule has one job less that is queued or running.
    fn go_on(&mut self, number: usize) {
        let now = self.clock(number);
        let timer = &mut self.timers[number];
        let Kind::Every { interval, rhythm, .. } = timer.kind else { unreachable!() };
        if timer.over || timer.state.queued + timer.state.running > 0 {
            return;
        }
        if timer.left == 0 {
            return self.finish(number);
        }
        let next = match rhythm {
            Rhythm::FixedDelay if timer.waits.is_none() => now.checked_add(interval),
            _ => timer.owed.take(),
        };
        if let Some(due) = next {
            self.arm(number, due);
            self.fire();
        }
    }

    fn expire(&mut self) {
        for number in 0..self.count() {
            if self.timers[number].expires.is_some_and(|moment| moment <= self.now)
                && self.timers[number].state.queued > 0
            {
                self.unqueue(number);
                self.finish(number);
                self.ends.push((number, End::Expired));
            }
        }
    }
}

/// A moment not before `due`, with few bits set.
fn late_by_at_most(due: u64, leeway: u64) -> u64 {
    let step = if leeway == 0 { 1 } else { 1 << leeway.ilog2() };
    due.checked_next_multiple_of(step).unwrap_or(u64::MAX)
}
