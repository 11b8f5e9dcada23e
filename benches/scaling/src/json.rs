//! The grid as JSON, in the form of the other programs' results (`rivals/src/report.rs`). By hand: one file, few needs.

use crate::grid::Grid;
use crate::verdict::{FASTER, LEFT, Verdict};
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// Where this program comes from.
pub(crate) const COMMIT: &str = match option_env!("SCALING_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

pub(crate) fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    model.map_or("unknown".into(), |(_, model)| model.trim().into())
}

pub(crate) fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").map_or("unknown".into(), |release| release.trim().into())
}

fn date() -> String {
    let output = Command::new("date").args(["-u", "+%F %T UTC"]).output();
    output.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Rust writes quotes and backslashes of such texts as JSON does.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

pub(crate) fn report(grids: &[Grid], verdict: &Verdict, cores: usize) -> String {
    let (date, cpu, kernel, commit) = (quoted(&date()), quoted(&cpu()), quoted(&kernel()), quoted(COMMIT));
    let mut text = format!(
        "{{\n  \"program\": \"scaling\",\n  \"machine\": {{ \"date\": {date}, \"cpu\": {cpu}, \"cores\": {cores}, \
         \"kernel\": {kernel}, \"commit\": {commit}, \"versions\": {{}} }},\n"
    );
    let undecided = quoted(&format!("P14: {cores} cores; make scaling builds a program for a larger machine"));
    let (missing, facts) =
        if verdict.is_decidable() { (String::new(), facts(verdict)) } else { (undecided, String::new()) };
    let _ = write!(text, "  \"missing\": [{missing}],\n  \"facts\": [{facts}],\n  \"distributions\": [],\n");
    let shapes = grids[0].cells.iter().enumerate();
    let scenarios: Vec<String> = shapes.map(|(at, _)| scenario(grids, at)).collect();
    let _ = write!(text, "  \"scenarios\": [\n    {}\n  ]\n}}\n", scenarios.join(",\n    "));
    text
}

fn facts(verdict: &Verdict) -> String {
    let fact = |what: &str, faster: Option<f64>, goal: f64| {
        let (at_most, reached) = (1.0 / goal, 1.0 / faster?);
        Some(format!(
            "{{ \"goal\": \"P14\", \"what\": \"time of {what}\", \"who\": \"fastthreadpool (Rust)\", \
             \"at_most\": {at_most}, \"reached\": {reached}, \"unit\": \"×\" }}"
        ))
    };
    let both = [fact("8 + 8 by 1 + 1", verdict.eight, FASTER), fact("16 + 16 by 8 + 8", verdict.sixteen, LEFT)];
    both.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn scenario(grids: &[Grid], at: usize) -> String {
    let (producers, workers) = (grids[0].cells[at].producers, grids[0].cells[at].workers);
    let lines: Vec<String> = grids.iter().map(|grid| line(grid, &grids[0], at)).collect();
    format!(
        "{{ \"name\": \"{producers} × {workers}\", \"question\": \"producers × workers\", \"unit\": \"ns/job\", \
         \"producers\": {producers}, \"workers\": {workers}, \"lines\": [\n      {}] }}",
        lines.join(",\n      ")
    )
}

fn line(grid: &Grid, ours: &Grid, at: usize) -> String {
    let (name, cell) = (quoted(grid.name), &grid.cells[at]);
    let (least, most) = cell.rounds.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &ns| (a.min(ns), b.max(ns)));
    let ratios = ours.cells[at].rounds.iter().zip(&cell.rounds).map(|(ours, own)| ours / own).collect();
    format!(
        "{{ \"rival\": {name}, \"goal\": null, \"rounds\": {:?}, \"median\": {}, \"min\": {least}, \"max\": {most}, \
         \"rust_ratio\": {}, \"c_ratio\": null, \"to_one_producer\": null, \"longest_us\": 0 }}",
        cell.rounds,
        cell.median(),
        crate::grid::median(ratios)
    )
}
