//! Draws what was measured: `results/*.json` as SVG pictures.

use rivals::plots::{bars, latency, scaling};
use rivals::report::Report;
use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

type Draw = fn(&Report, &Path) -> Result<(), Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(results), Some(pictures)) = (arguments.next(), arguments.next()) else {
        return Err("two folders are needed: the results, and where the pictures go".into());
    };
    let draw = |program: &str, picture: &str, draw: Draw| {
        let json = results.join(program).with_extension("json");
        if json.exists() { draw(&Report::read(&json)?, &pictures.join(picture)) } else { Ok(()) }
    };
    draw("throughput", "throughput.svg", bars::throughput)?;
    draw("locks", "contention.svg", bars::contention)?;
    draw("timers", "lateness.svg", latency::draw)?;
    draw("roundtrip", "latency.svg", latency::draw)?;
    draw("scaling", "scaling.svg", scaling::draw)
}
