//! Draws what was measured: one bar chart for each scenario of `results/throughput.json`, in one SVG. With `--locks`, what
//! locks and semaphores cost by the number of threads, from `results/locks.json`.

use plotters::prelude::*;
use rivals::measure::Scenario;
use rivals::waits::plot;
use serde::Deserialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[derive(Deserialize)]
struct Report {
    scenarios: Vec<Scenario>,
}

/// A chart's size and the heights of its parts, in pixels.
const WIDTH: u32 = 900;
const BAR: u32 = 18;
const MARGIN: u32 = 60;

/// fastthreadpool's bars, and everybody else's.
const OURS: RGBColor = RGBColor(0xd9, 0x5f, 0x02);
const OTHERS: RGBColor = RGBColor(0x7f, 0x8c, 0x99);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from).peekable();
    let locks = arguments.next_if(|argument| argument == Path::new("--locks")).is_some();
    let (Some(json), Some(svg)) = (arguments.next(), arguments.next()) else {
        return Err("two arguments are needed: the JSON that throughput (with --locks: locks) has written, and the SVG to write".into());
    };
    if locks {
        return plot::draw(&json, &svg);
    }
    let report: Report = serde_json::from_str(&fs::read_to_string(json)?)?;
    draw(&report.scenarios, &svg)
}

fn draw(scenarios: &[Scenario], svg: &Path) -> Result<(), Box<dyn Error>> {
    let heights: Vec<u32> = scenarios.iter().map(|scenario| scenario.lines.len() as u32 * BAR + MARGIN).collect();
    let area = SVGBackend::new(svg, (WIDTH, heights.iter().sum())).into_drawing_area();
    area.fill(&WHITE)?;
    let mut rest = area;
    for (scenario, height) in scenarios.iter().zip(heights) {
        let (chart, below) = rest.split_vertically(height);
        draw_one(scenario, &chart)?;
        rest = below;
    }
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Bars from the fastest to the slowest on a logarithmic axis: a tenth of the time is a step to the left.
fn draw_one(scenario: &Scenario, area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    let mut bars: Vec<(&str, f64)> = scenario.lines.iter().map(|line| (line.rival.as_ref(), line.median)).collect();
    bars.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let caption = format!(
        "{} submitting thread{}, {} workers: nanoseconds per job, less is better",
        scenario.producers,
        if scenario.producers == 1 { "" } else { "s" },
        scenario.workers
    );
    let longest = bars.first().map_or(1.0, |bar| bar.1) * 2.0;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin_left(10)
        .margin_right(10)
        .x_label_area_size(20)
        .y_label_area_size(190)
        .build_cartesian_2d((5.0..longest).log_scale(), 0..bars.len())?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().x_label_formatter(&|ns| format!("{ns:.0}")).draw()?;
    for (number, &(name, ns)) in bars.iter().enumerate() {
        let colour = if name.starts_with("fastthreadpool") { OURS } else { OTHERS };
        let mut bar = Rectangle::new([(5.0, number), (ns, number + 1)], colour.filled());
        bar.set_margin(2, 2, 0, 0);
        chart.draw_series([bar])?;
        let (x, y) = chart.backend_coord(&(ns, number));
        let (left, middle) = (chart.backend_coord(&(5.0, number)).0, y - BAR as i32 / 2 - 5);
        let origin = area.get_base_pixel();
        let at = |x: i32| (x - origin.0, middle - origin.1);
        area.draw(&Text::new(format!("{ns:.1}"), at(x + 4), ("sans-serif", 12)))?;
        area.draw(&Text::new(name.to_string(), at(left - 185), ("sans-serif", 12)))?;
    }
    Ok(())
}
