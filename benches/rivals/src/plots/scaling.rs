//! Jobs per second over the number of workers: a curve for each number of producers.

use super::OURS;
use crate::report::{Report, Scenario};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const SIZE: (u32, u32) = (900, 380);

/// Millions of jobs per second of the line that is ours.
fn throughput(scenario: &Scenario) -> f64 {
    scenario.lines.first().map_or(0.0, |line| 1e3 / line.median)
}

pub fn draw(report: &Report, svg: &Path) -> Result<(), Box<dyn Error>> {
    let cells: Vec<(usize, usize, f64)> = report
        .scenarios
        .iter()
        .filter_map(|scenario| Some((scenario.producers?, scenario.workers?, throughput(scenario))))
        .collect();
    let most = cells.iter().map(|cell| cell.1).max().unwrap_or(1) as f64;
    let highest = cells.iter().map(|cell| cell.2).fold(1.0, f64::max) * 1.1;
    let area = SVGBackend::new(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let caption =
        format!("fastthreadpool on {} cores: millions of jobs per second, more is better", report.machine.cores);
    let mut chart = ChartBuilder::on(&area)
        .caption(caption, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(40)
        .build_cartesian_2d((1.0..most.max(2.0)).log_scale().base(2.0), 0.0..highest)?;
    chart
        .configure_mesh()
        .x_desc("workers")
        .y_desc("10⁶ jobs/s")
        .x_label_formatter(&|workers| format!("{workers:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    let mut producers: Vec<usize> = cells.iter().map(|cell| cell.0).collect();
    producers.dedup();
    let steps = producers.len().max(2) as f64 - 1.0;
    for (step, count) in producers.into_iter().enumerate() {
        let style = OURS.mix(1.0 - 0.8 * step as f64 / steps).stroke_width(2);
        let points = cells.iter().filter(|cell| cell.0 == count).map(|cell| (cell.1 as f64, cell.2));
        chart
            .draw_series(LineSeries::new(points, style).point_size(3))?
            .label(format!("{count} producer{}", if count == 1 { "" } else { "s" }))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 12))
        .draw()?;
    Ok(())
}
