//! The committed header is generated from the sources.

use std::path::Path;

/// The files in the order of a user's journey, and the heading of the section that begins with a file's functions, if
/// one does.
const SOURCES: &[(&str, &str)] = &[
    ("time", ""),
    ("config", ""),
    ("hooks", ""),
    ("pool", "Pools"),
    ("submit", "Jobs without an outcome"),
    ("backpressure", ""),
    ("job", "For running jobs"),
    ("result", ""),
    ("callback", ""),
    ("handle", "Jobs with a handle"),
    ("completed", ""),
    ("results", "Results objects: the outcomes of many jobs"),
    ("reading", ""),
    ("parallel", "Loops and forks"),
    ("options", "Jobs with options"),
    ("emit", ""),
    ("group", "Groups"),
    ("timer", "Delayed and scheduled jobs"),
    ("timed", ""),
    ("workers", "Workers"),
    ("control", "Pools as a whole: cancelling all, reopening, ending"),
    ("clock", "Clocks for tests"),
    ("semaphore", "Semaphores"),
    ("lock", "Locks"),
    ("event", "Events and wait groups"),
    ("status", "Statuses"),
    ("version", "Version"),
];

fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let source = |name: &str| root.join(format!("src/ffi/{name}.rs"));
    let builder = SOURCES
        .iter()
        .fold(cbindgen::Builder::new().with_config(config), |builder, (name, _)| builder.with_src(source(name)));
    let mut header = Vec::new();
    builder.generate().expect("src/ffi parses").write(&mut header);
    let header = String::from_utf8(header).expect("a header is UTF-8");
    let header = SOURCES.iter().filter(|(_, heading)| !heading.is_empty()).fold(header, |header, (name, heading)| {
        with_heading(&header, heading, &std::fs::read_to_string(source(name)).expect("src/ffi is readable"))
    });
    with_inline_functions(&with_tags(&with_safe_macros(&without_rust_sections(&header))))
}

/// Puts a heading before the first function of a source file.
fn with_heading(header: &str, heading: &str, source: &str) -> String {
    let name = source.split("extern \"C\" fn ").nth(1).and_then(|rest| rest.split('(').next());
    let call = format!("{}(", name.expect("a section has functions"));
    let is_comment = |at: usize| header[..at].lines().last().is_some_and(|line| line.trim_start().starts_with('*'));
    let declared = header.match_indices(&call).map(|(at, _)| at).find(|&at| !is_comment(at));
    let start = declared.and_then(|at| header[..at].rfind("/**")).expect("it is declared, with a comment");
    format!("{}/* ---------- {heading} ---------- */\n\n{}", &header[..start], &header[start..])
}

/// The inline functions in C follow all declarations.
fn with_inline_functions(header: &str) -> String {
    let end = header.rfind("#ifdef __cplusplus\n}  // extern").expect("C linkage ends somewhere");
    format!("{}{}\n{}", &header[..end], include_str!("../src/ffi/inline.h"), &header[end..])
}

/// Structs need tags: C++ gives no member functions to those without.
fn with_tags(header: &str) -> String {
    let mut parts = header.split("typedef struct ");
    let before = parts.next().unwrap_or_default().to_string();
    parts.fold(before, |done, part| match part.split_once("{\n") {
        Some((attributes, body)) if !attributes.contains('\n') => {
            let name =
                body.split_once("\n} ").and_then(|(_, rest)| rest.split(';').next()).expect("structs have names");
            format!("{done}typedef struct {attributes}{name} {{\n{body}")
        }
        _ => format!("{done}typedef struct {part}"),
    })
}

/// A macro for a negative number needs parentheses.
fn with_safe_macros(header: &str) -> String {
    let line = |line: &str| match line.rsplit_once(" -") {
        Some((define, number)) if line.starts_with("#define ") => format!("{define} (-{number})\n"),
        _ => format!("{line}\n"),
    };
    header.lines().map(line).collect()
}

/// Removes rustdoc's "# Safety" sections, whose content is in the prose, too.
fn without_rust_sections(header: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in header.lines() {
        match line.trim() {
            " * # Safety" | "* # Safety" => {
                skipping = true;
                let before = kept.trim_end().strip_suffix('*').unwrap_or(&kept).trim_end().len();
                kept.truncate(before);
                kept.push('\n');
            }
            "*/" => skipping = false,
            _ => {}
        }
        if !skipping {
            kept.push_str(line.trim_end());
            kept.push('\n');
        }
    }
    kept
}

/// Fails after a change of src/ffi without `make header` (`FTPOOL_BLESS=1`).
#[test]
fn header_is_stale() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/fastthreadpool.h");
    let generated = generated();
    if std::env::var_os("FTPOOL_BLESS").is_some() {
        std::fs::write(&path, &generated).expect("the header is writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "include/fastthreadpool.h is stale: run `make header` and look at the difference");
}

/// The version in the header is Cargo.toml's.
#[test]
fn header_states_another_version() {
    let header = generated();
    for (part, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        let line = format!("#define FTPOOL_VERSION_{part} {value}\n");
        assert!(header.contains(&line), "the header lacks {line}");
    }
}
