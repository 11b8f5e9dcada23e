//! Times as bars: one chart for each scenario.

use super::{OTHERS, OURS};
use crate::report::{Report, Scenario, is_ours_by_c, is_ours_by_rust};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

/// A chart's size and the heights of its parts, in pixels.
const WIDTH: u32 = 900;
const BAR: u32 = 18;
const MARGIN: u32 = 60;

/// All scenarios.
pub fn throughput(report: &Report, svg: &Path) -> Result<(), Box<dyn Error>> {
    draw(&report.scenarios.iter().collect::<Vec<_>>(), svg)
}

/// Semaphores and locks that several threads want.
pub fn contention(report: &Report, svg: &Path) -> Result<(), Box<dyn Error>> {
    let contended = |scenario: &&Scenario| scenario.name.contains("threads") || scenario.name.contains("ping-pong");
    draw(&report.scenarios.iter().filter(contended).collect::<Vec<_>>(), svg)
}

fn draw(scenarios: &[&Scenario], svg: &Path) -> Result<(), Box<dyn Error>> {
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
    let caption = format!("{}: {}, less is better", scenario.name, scenario.unit);
    // A scale that leaves the shortest bar something to show.
    let first = bars.last().map_or(1.0, |bar| bar.1) / 2.0;
    let longest = bars.first().map_or(1.0, |bar| bar.1) * 2.0;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin_left(10)
        .margin_right(10)
        .x_label_area_size(20)
        .y_label_area_size(210)
        .build_cartesian_2d((first..longest).log_scale(), 0..bars.len())?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().x_label_formatter(&|ns| format!("{ns:.0}")).draw()?;
    for (number, &(name, ns)) in bars.iter().enumerate() {
        let colour = if is_ours_by_c(name) || is_ours_by_rust(name) { OURS } else { OTHERS };
        let mut bar = Rectangle::new([(first, number), (ns, number + 1)], colour.filled());
        bar.set_margin(2, 2, 0, 0);
        chart.draw_series([bar])?;
        let (x, y) = chart.backend_coord(&(ns, number));
        let (left, middle) = (chart.backend_coord(&(first, number)).0, y - BAR as i32 / 2 - 5);
        let origin = area.get_base_pixel();
        let at = |x: i32| (x - origin.0, middle - origin.1);
        area.draw(&Text::new(format!("{ns:.1}"), at(x + 4), ("sans-serif", 12)))?;
        area.draw(&Text::new(name.to_string(), at(left - 205), ("sans-serif", 12)))?;
    }
    Ok(())
}
