//! Random operations on timers.

use super::kinds::{Action, Code, First, Kind, Moment, Rhythm};
use crate::common::Random;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Submit(Kind, Code),
    Advance(u64),
    SetWall(u64),
    GoOn,
    Cancel(usize),
    Reset(usize, u64),
    CancelTimers,
    CancelAll,
    Reopen { cancel: bool },
}

pub(crate) fn step(random: &mut Random, submitted: usize, wall: u64) -> Step {
    let any = |random: &mut Random, extra: usize| random.below((submitted + extra) as u64) as usize;
    match random.below(100) {
        0..40 => {
            let kind = kind(random, wall);
            let mut code = code(random, submitted);
            if matches!(kind, Kind::Now { .. }) {
                code.fails = 0;
            }
            Step::Submit(kind, code)
        }
        40..60 => Step::Advance(time(random)),
        60..65 => Step::SetWall(if random.below(2) == 0 {
            wall.saturating_add(time(random))
        } else {
            wall.saturating_sub(time(random))
        }),
        65..85 => Step::GoOn,
        85..90 => Step::Cancel(any(random, 0)),
        90..97 => Step::Reset(any(random, 0), time(random)),
        97 => Step::CancelTimers,
        98 => Step::Reopen { cancel: random.below(2) == 0 },
        _ => Step::CancelAll,
    }
}

fn kind(random: &mut Random, wall: u64) -> Kind {
    let first = |random: &mut Random| First {
        moment: match random.below(3) {
            0 => Moment::Wall(wall.saturating_add(time(random)).saturating_sub(random.below(4))),
            _ => Moment::After(time(random)),
        },
        leeway: if random.below(3) == 0 { time(random) } else { 0 },
        back: random.below(3) == 0,
        or_now: random.below(2) == 0,
    };
    match random.below(8) {
        0 => Kind::Now { start_within: None },
        1 => Kind::Now { start_within: Some(time(random)) },
        2..4 => Kind::Once(first(random)),
        _ => Kind::Every {
            first: first(random),
            interval: time(random),
            rhythm: [Rhythm::Skip, Rhythm::Coalesce, Rhythm::Queue, Rhythm::FixedDelay][random.below(4) as usize],
            max_runs: [u64::MAX, 0, 1, 2, 3, 5][random.below(6) as usize],
            stop_on_error: random.below(2) == 0,
        },
    }
}

fn code(random: &mut Random, submitted: usize) -> Code {
    let number = random.below(submitted as u64 + 3) as usize;
    let action = match random.below(20) {
        0 => Action::Advance(random.below(4)),
        1..3 => Action::Cancel(number),
        3..5 => Action::Reset(number, time(random)),
        5 => Action::Submit(time(random)),
        6 => Action::CancelTimers,
        7 => Action::CancelAll,
        _ => Action::Nothing,
    };
    Code { action, stops: random.below(4) == 0, fails: random.below(4) }
}

/// Mostly short, sometimes centuries.
fn time(random: &mut Random) -> u64 {
    match random.below(100) {
        0..20 => 0,
        20..70 => 1 + random.below(6),
        70..85 => [63, 64, 65, 127, 128][random.below(5) as usize],
        85..95 => 1 << random.below(40),
        95..99 => 1 << random.below(62),
        _ => u64::MAX,
    }
}
