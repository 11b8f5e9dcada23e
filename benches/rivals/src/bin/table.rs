//! Writes the document of all goals from `results/*.json`: what was reached, and who still wins.

use rivals::goals::{GOALS, Goal};
use rivals::report::{Distribution, Report, Scenario, is_ours_by_c, is_ours_by_rust};
use std::env;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let written = match &arguments[..] {
        [results] => read(results).map(|reports| print!("{}", goals(&reports))),
        [results, document] => read(results).and_then(|reports| write(document, results, &reports)),
        _ => Err("the folder of results is needed; then a document to write, or the table is printed".into()),
    };
    written.inspect_err(|error| eprintln!("error: {error}")).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// All reports of a folder, in the order of their names.
fn read(folder: &Path) -> Result<Vec<Report>, String> {
    names(folder)?.iter().filter(|name| name.ends_with(".json")).map(|name| Report::read(&folder.join(name))).collect()
}

fn write(document: &Path, results: &Path, reports: &[Report]) -> Result<(), String> {
    let folder = document.parent().unwrap_or(Path::new("."));
    let results = way(folder, results).map_err(|error| format!("{}: {error}", results.display()))?;
    let benches = results.iter().take_while(|part| *part != "results").collect::<PathBuf>();
    let mut text = format!(
        "# What was measured\n\n`make bench` measures and writes this file; nothing here is copied by hand. How it is measured, \
         what the names mean, and why goals are missed: [benches/README.md]({}).\n\n",
        benches.join("README.md").display()
    );
    text += &goals(reports);
    text += &other_machines(folder)?;
    text += "\n## Pictures\n\n";
    text += &pictures(folder)?;
    text += "\n## Runs\n\n| figures | rounds | when | commit | machine |\n|---|--:|---|---|---|\n";
    for Report { program, machine, scenarios, .. } in reports {
        let rounds = scenarios.iter().flat_map(|scenario| &scenario.lines).map(|line| line.rounds.len()).max();
        let rounds = rounds.map_or("–".into(), |rounds| rounds.to_string());
        let place = format!("{}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
        let (date, commit) = (&machine.date, &machine.commit);
        let link = format!("[{program}]({}/{program}.md)", results.display());
        let _ = writeln!(text, "| {link} | {rounds} | {date} | {commit} | {place} |");
    }
    for missing in reports.iter().flat_map(|report| &report.missing) {
        let _ = writeln!(text, "\nNot measured: {missing}");
    }
    fs::write(document, text).map_err(|error| format!("{}: {error}", document.display()))
}

fn pictures(folder: &Path) -> Result<String, String> {
    let names = names(folder)?;
    let pictures = names.iter().filter_map(|name| Some((name, name.strip_suffix(".svg")?)));
    Ok(pictures.map(|(name, title)| format!("![{title}]({name})\n\n")).collect())
}

/// Figures of other machines lie in folders below.
fn other_machines(folder: &Path) -> Result<String, String> {
    let mut names = names(folder)?;
    names.retain(|name| folder.join(name).join("README.md").exists());
    let links = names.iter().map(|name| format!("[{name}]({name}/README.md)")).collect::<Vec<_>>().join(", ");
    Ok(if links.is_empty() { links } else { format!("\nThe same on other machines: {links}.\n") })
}

/// What is in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The relative path from one folder to another.
fn way(from: &Path, to: &Path) -> io::Result<PathBuf> {
    let (from, to) = (path::absolute(from)?, path::absolute(to)?);
    let common = from.iter().zip(to.iter()).take_while(|(one, other)| one == other).count();
    Ok(from.iter().skip(common).map(|_| OsStr::new("..")).chain(to.iter().skip(common)).collect())
}

fn goals(reports: &[Report]) -> String {
    let mut text = String::from("| goal | what | goal value | reached | who still wins |\n|---|---|---|---|---|\n");
    for goal in &GOALS {
        let Goal { id, what, value } = goal;
        let _ = writeln!(text, "| {id} | {what} | {value} | {} | {} |", reached(id, reports), winners(id, reports));
    }
    text
}

fn scenarios<'a>(id: &'a str, reports: &'a [Report]) -> impl Iterator<Item = &'a Scenario> {
    reports.iter().flat_map(|report| &report.scenarios).filter(move |scenario| scenario.belongs_to(id))
}

/// So many entries of a cell; what is left out is counted.
const MOST: usize = 5;

fn some_of(mut entries: Vec<(f64, String)>) -> String {
    entries.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let more = entries.len().saturating_sub(MOST);
    let mut text = entries.into_iter().take(MOST).map(|entry| entry.1).collect::<Vec<_>>().join("; ");
    if more > 0 {
        let _ = write!(text, "; and {more} more");
    }
    text
}

/// How many figures reach their goal, and the worst of those that do not.
fn reached(id: &str, reports: &[Report]) -> String {
    let (mut figures, mut missed) = (0, Vec::new());
    for scenario in scenarios(id, reports) {
        for line in &scenario.lines {
            let (Some(goal), Some(ratio)) = (line.goal, line.ratio()) else { continue };
            figures += 1;
            if ratio > goal {
                let text = format!("{ratio:.3} instead of ≤ {goal:.3} of {} ({})", line.rival, scenario.name);
                missed.push((ratio / goal, text));
            }
        }
    }
    for fact in reports.iter().flat_map(|report| &report.facts).filter(|fact| fact.goal == id) {
        figures += 1;
        if !fact.is_met() {
            let (reached, at_most, unit) = (fact.reached, fact.at_most, &fact.unit);
            let text = format!("{}, {}: {reached:.2} instead of ≤ {at_most:.2} {unit}", fact.what, fact.who);
            missed.push((fact.reached / fact.at_most, text));
        }
    }
    match (figures, missed.len()) {
        (0, _) => "not measured".into(),
        (_, 0) => format!("**all {figures} figures**"),
        (_, misses) => format!("{} of {figures} figures; missed: {}", figures - misses, some_of(missed)),
    }
}

/// Rivals that were faster: in scenarios, and by their medians in distributions.
fn winners(id: &str, reports: &[Report]) -> String {
    let (mut rivals, mut wins) = (0, Vec::new());
    let mut compare = |rival: &str, ratio: Option<f64>, where_: &str| {
        let Some(ratio) = ratio.filter(|_| !is_ours(rival)) else { return };
        rivals += 1;
        if ratio > 1.0 {
            wins.push((ratio, format!("{rival}, by {ratio:.2} × ({where_})")));
        }
    };
    for scenario in scenarios(id, reports) {
        scenario.lines.iter().for_each(|line| compare(&line.rival, line.ratio(), &scenario.name));
    }
    for Distribution { question, who, us, .. } in reports.iter().flat_map(|report| &report.distributions) {
        if question.contains(&format!("({id})")) {
            let ours = ours(question, reports).map(|ours| ours.at(0.5) / us[us.len() / 2]);
            compare(who, ours, &format!("p50, {}", question.split([':', ',']).next().unwrap_or_default()));
        }
    }
    match (rivals, wins.len()) {
        (0, _) => "–".into(),
        (_, 0) => "nobody".into(),
        _ => some_of(wins),
    }
}

/// By any face, and also from outside of the pool.
fn is_ours(rival: &str) -> bool {
    is_ours_by_c(rival) || is_ours_by_rust(rival) || rival.starts_with("fastthreadpool, ")
}

/// Our distribution, by the C ABI where it takes part.
fn ours<'a>(question: &str, reports: &'a [Report]) -> Option<&'a Distribution> {
    let all = || reports.iter().flat_map(|report| &report.distributions).filter(|one| one.question == question);
    all().find(|one| is_ours_by_c(&one.who)).or_else(|| all().find(|one| is_ours_by_rust(&one.who)))
}
