//! Draws what locks and semaphores cost by the number of threads: one chart for each kind of section.

use plotters::coord::Shift;
use plotters::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct Report {
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    rival: String,
    median: f64,
}

/// For each rival its time by the number of threads.
type Curves<'a> = BTreeMap<&'a str, Vec<(u32, f64)>>;

/// A chart's size in pixels.
const SIZE: (u32, u32) = (900, 320);
const THREADS: [u32; 4] = [1, 2, 4, 8];

/// fastthreadpool's lines, and everybody else's.
const OURS: [RGBColor; 3] = [RGBColor(0xd9, 0x5f, 0x02), RGBColor(0xe6, 0x9f, 0x00), RGBColor(0xa6, 0x36, 0x03)];
const OTHERS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x7f, 0x8c, 0x99),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x33, 0x33, 0x33),
    RGBColor(0x99, 0x99, 0x33),
];

/// Reads what `locks --json` has written.
pub fn draw(json: &Path, svg: &Path) -> Result<(), Box<dyn Error>> {
    let report: Report = serde_json::from_str(&fs::read_to_string(json)?)?;
    let charts = [
        ("lock", "short", "A lock around a count: nanoseconds per pair, less is better"),
        ("lock", "long", "A lock around half a microsecond: nanoseconds per pair, less is better"),
        ("semaphore", "short", "A semaphore with one permit around a count: nanoseconds per pair, less is better"),
        ("semaphore", "enough", "A semaphore with a permit for each: nanoseconds per pair, less is better"),
    ];
    let area = SVGBackend::new(svg, (SIZE.0, SIZE.1 * charts.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    for ((kind, section, caption), place) in charts.iter().zip(area.split_evenly((charts.len(), 1))) {
        draw_one(caption, &curves(&report.scenarios, kind, section), &place)?;
    }
    area.present()?;
    Ok(())
}

/// What one thread alone needs is a section without waiting: it belongs to the short ones.
fn curves<'a>(scenarios: &'a [Scenario], kind: &str, section: &str) -> Curves<'a> {
    let mut curves = Curves::new();
    for threads in THREADS {
        let wanted = match threads {
            1 if section == "long" => continue,
            1 => format!("{kind}, alone"),
            _ => format!("{kind}, {threads} threads, {section}"),
        };
        let Some(scenario) = scenarios.iter().find(|scenario| scenario.name == wanted) else { continue };
        for line in scenario.lines.iter().filter(|line| !line.rival.starts_with("Python")) {
            curves.entry(&line.rival).or_default().push((threads, line.median));
        }
    }
    curves
}

fn draw_one(
    caption: &str,
    curves: &Curves<'_>,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Result<(), Box<dyn Error>> {
    let times = || curves.values().flatten().map(|point| point.1);
    let (least, most) = (times().fold(f64::INFINITY, f64::min), times().fold(1.0, f64::max));
    let from = curves.values().flatten().map(|point| point.0).min().unwrap_or(1);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(10)
        .margin_right(230)
        .x_label_area_size(32)
        .y_label_area_size(55)
        .build_cartesian_2d(
            ((from as f32)..8.0).log_scale().base(2.0).with_key_points(THREADS.map(|threads| threads as f32).to_vec()),
            (least.min(most) * 0.8..most * 1.2).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("threads")
        .x_label_formatter(&|threads| format!("{threads:.0}"))
        .y_label_formatter(&|ns| format!("{ns:.0}"))
        .draw()?;
    let (mut ours, mut others) = (OURS.iter().cycle(), OTHERS.iter().cycle());
    for (name, points) in curves {
        let is_ours = name.starts_with("FastLock") || name.starts_with("Semaphore");
        let colour = *if is_ours { ours.next() } else { others.next() }.expect("it goes round");
        let style = colour.stroke_width(if is_ours { 3 } else { 1 });
        let points = || points.iter().map(|&(threads, ns)| (threads as f32, ns));
        chart
            .draw_series([PathElement::new(points().collect::<Vec<_>>(), style)])?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::Coordinate(655, 5))
        .label_font(("sans-serif", 12))
        .background_style(WHITE)
        .draw()?;
    Ok(())
}
