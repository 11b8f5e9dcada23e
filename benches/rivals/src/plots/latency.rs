//! Which share of the jobs took at most how long: a curve for each rival, a chart for each question.

use super::OURS;
use crate::report::{Distribution, Report, is_ours_by_c, is_ours_by_rust};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const SIZE: (u32, u32) = (900, 380);

/// Everybody who is not ours has one of these.
const COLOURS: [RGBColor; 8] = [
    BLACK,
    RGBColor(0x1b, 0x9e, 0x77),
    RGBColor(0x75, 0x70, 0xb3),
    RGBColor(0xe7, 0x29, 0x8a),
    RGBColor(0x66, 0xa6, 0x1e),
    RGBColor(0x38, 0x6c, 0xb0),
    RGBColor(0xa6, 0x76, 0x1d),
    RGBColor(0x66, 0x66, 0x66),
];

pub fn draw(report: &Report, svg: &Path) -> Result<(), Box<dyn Error>> {
    let mut questions: Vec<&str> = Vec::new();
    for Distribution { question, .. } in &report.distributions {
        if !questions.contains(&question.as_ref()) {
            questions.push(question);
        }
    }
    let area = SVGBackend::new(svg, (SIZE.0, SIZE.1 * questions.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    for (question, chart) in questions.iter().zip(area.split_evenly((questions.len(), 1))) {
        let curves = report.distributions.iter().filter(|one| one.question == *question);
        draw_one(question, &curves.collect::<Vec<_>>(), &chart)?;
    }
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_one(question: &str, curves: &[&Distribution], area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    let all = || curves.iter().flat_map(|curve| &curve.us).copied().filter(|&us| us > 0.0);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(1.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .caption(question, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(40)
        .build_cartesian_2d((least..most).log_scale(), 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("microseconds, fewer are better")
        .y_desc("% of the jobs")
        .x_label_formatter(&|us| format!("{us}"))
        .light_line_style(WHITE)
        .draw()?;
    let mut colours = COLOURS.iter().cycle();
    for curve in curves {
        let style = match (is_ours_by_c(&curve.who), is_ours_by_rust(&curve.who)) {
            (true, _) => OURS.stroke_width(3),
            (_, true) => OURS.mix(0.6).stroke_width(2),
            _ => colours.next().unwrap_or(&BLACK).stroke_width(1),
        };
        let points = curve.us.iter().enumerate().map(|(step, &us)| (us.max(least), step as f64 / 2.0));
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(curve.who.as_ref())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 12))
        .draw()?;
    Ok(())
}
