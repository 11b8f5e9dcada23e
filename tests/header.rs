//! The committed header is generated from the sources.

use std::path::Path;

/// The files in the order of a user's journey.
const SOURCES: &[&str] = &[
    "time",
    "config",
    "hooks",
    "pool",
    "submit",
    "backpressure",
    "timer",
    "result",
    "callback",
    "results",
    "reading",
    "options",
    "group",
    "emit",
    "timed",
    "handle",
    "completed",
    "parallel",
    "workers",
    "control",
    "job",
    "clock",
    "semaphore",
    "lock",
    "event",
    "status",
    "version",
];

fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let builder = SOURCES.iter().fold(cbindgen::Builder::new().with_config(config), |builder, name| {
        builder.with_src(root.join(format!("src/ffi/{name}.rs")))
    });
    let mut header = Vec::new();
    builder.generate().expect("src/ffi parses").write(&mut header);
    let header = String::from_utf8(header).expect("a header is UTF-8");
    with_inline_functions(&with_tags(&with_safe_macros(&without_rust_sections(&header))))
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
