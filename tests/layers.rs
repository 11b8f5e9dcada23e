//! Code in the wrong layer: the sources are read as text and held against the architecture.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest to the highest; a layer may use those below it.
const LAYERS: [&str; 6] = ["sys", "sync", "queue", "pool", "api", "ffi"];

/// Layers whose modules must not use each other in cycles.
const ACYCLIC: [&str; 3] = ["sys", "sync", "queue"];

const MOST_LINES: usize = 400;

/// Columns of a line, at most; the formatter does not count comments.
const WIDEST: usize = 120;

/// A source file.
struct Source {
    /// Relative to `src`.
    path: PathBuf,
    /// The text without its comments.
    code: String,
}

impl Source {
    fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        Self { path: path.into(), code: text.lines().map(|line| format!("{}\n", without_comment(line))).collect() }
    }

    fn layer(&self) -> Option<&str> {
        let folder = self.path.parent()?.components().next()?;
        folder.as_os_str().to_str()
    }

    /// The file's name without `.rs`, which is the module's.
    fn module(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).expect("files have readable names")
    }

    /// All paths that begin with `root`, such as `crate::`, without it. Groups in braces are spelled out.
    fn paths_from(&self, root: &str) -> Vec<Vec<String>> {
        let is_root = |at: usize| !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
        let places = self.code.match_indices(root).filter(|&(at, _)| is_root(at));
        places.flat_map(|(at, _)| paths(&self.code[at + root.len()..])).collect()
    }

    /// Paths below the crate's root.
    fn crate_paths(&self) -> Vec<Vec<String>> {
        let mut found = self.paths_from("crate::");
        found.extend(self.paths_from("super::super::"));
        found
    }
}

/// A line up to `//`, unless that stands in a string.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match c {
            '"' if before != '\\' && before != '\'' => quoted = !quoted,
            '/' if !quoted && before == '/' => return &line[..at - 1],
            _ => {}
        }
        before = c;
    }
    line
}

/// The paths that a use tree, or a path in an expression, begins with.
fn paths(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return branches(group).into_iter().flat_map(paths).collect();
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = rest.strip_prefix("::").map_or_else(|| vec![Vec::new()], paths);
    found.iter_mut().for_each(|path| path.insert(0, name.to_string()));
    found
}

/// The parts of a group, whose opening brace is already gone.
fn branches(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Names that a `mod.rs` or `lib.rs` re-exports, and the module that each is from.
fn exports(source: &Source) -> BTreeMap<String, String> {
    let paths = source.paths_from("use ").into_iter();
    let below = paths.map(|path| path.into_iter().skip_while(|name| name == "self").collect::<Vec<_>>());
    below.filter(|path| path.len() > 1).map(|path| (path[path.len() - 1].clone(), path[0].clone())).collect()
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|&known| known == layer)
}

/// Uses of a higher layer in a lower one.
fn upward_uses(sources: &[Source]) -> Vec<String> {
    let root = sources.iter().find(|source| source.path == Path::new("lib.rs")).map(exports).unwrap_or_default();
    let mut found = Vec::new();
    for source in sources {
        let Some(own) = source.layer().and_then(rank) else { continue };
        for path in source.crate_paths().into_iter().filter(|path| !path.is_empty()) {
            let layer = root.get(&path[0]).unwrap_or(&path[0]);
            if rank(layer).is_some_and(|used| used > own) {
                found.push(format!("{} uses crate::{}", source.path.display(), path.join("::")));
            }
        }
        if source.code.contains("fastthreadpool::") {
            found.push(format!("{} uses the crate from outside", source.path.display()));
        }
    }
    found
}

/// The modules of `layer` that each of its modules uses.
fn knowledge<'a>(sources: &'a [Source], layer: &str) -> BTreeMap<&'a str, BTreeSet<String>> {
    let own: Vec<&Source> = sources.iter().filter(|source| source.layer() == Some(layer)).collect();
    let is_module = |name: &str| name != "mod" && own.iter().any(|source| source.module() == name);
    let exports = own.iter().find(|source| source.module() == "mod").map(|source| exports(source)).unwrap_or_default();
    let modules = own.iter().filter(|source| source.module() != "mod");
    modules
        .map(|source| {
            let below_crate =
                source.crate_paths().into_iter().filter(|path| path[..].first().is_some_and(|l| l == layer));
            let named = source.paths_from("super::").into_iter().chain(below_crate.map(|path| path[1..].to_vec()));
            let first = named.filter_map(|path| path.into_iter().next());
            let known = first.map(|name| exports.get(&name).filter(|_| !is_module(&name)).cloned().unwrap_or(name));
            (source.module(), known.filter(|name| is_module(name) && name != source.module()).collect())
        })
        .collect()
}

/// Modules on a cycle, or on a path between cycles: those that remain when modules that use none of the rest, or are
/// used by none of it, are removed repeatedly.
fn circle(mut knowledge: BTreeMap<&str, BTreeSet<String>>) -> BTreeMap<&str, BTreeSet<String>> {
    loop {
        let before = knowledge.len();
        let names: BTreeSet<String> = knowledge.keys().map(ToString::to_string).collect();
        let known: BTreeSet<String> = knowledge.values().flatten().cloned().collect();
        knowledge.retain(|name, knows| !knows.is_disjoint(&names) && known.contains(*name));
        if knowledge.len() == before {
            return knowledge;
        }
    }
}

/// Files outside `home`, a folder or a file, that contain one of the words.
fn words_away_from_home(sources: &[Source], words: &[&str], home: &[&str]) -> Vec<String> {
    let away = sources.iter().filter(|source| !home.iter().any(|home| source.path.starts_with(home)));
    let found =
        away.flat_map(|source| words.iter().filter(|word| source.code.contains(**word)).map(move |w| (source, w)));
    found.map(|(source, word)| format!("{} says {word}", source.path.display())).collect()
}

/// Conditions on the platform or the model checker outside `sys`, but for the line that includes a layer's models.
fn conditions_away_from_sys(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.layer() != Some("sys")) {
        let code = source.code.replace("#[cfg(all(loom, test))]\nmod models;", "");
        let condition = |line: &&str| line.contains("cfg") && (line.contains("loom") || line.contains("target_os"));
        found.extend(code.lines().filter(condition).map(|line| format!("{}: {line}", source.path.display())));
    }
    found
}

/// Every Rust file below a folder of this package, with its text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the package has the folder") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("sources are text");
                found.push((path.strip_prefix(&root).expect("below the root").to_path_buf(), text));
            }
        }
    }
    found
}

fn sources() -> Vec<Source> {
    files("src").into_iter().map(|(path, text)| Source::new(path, &text)).collect()
}

const NONE: [&str; 0] = [];

/// Architecture: dependencies point downward.
#[test]
fn no_layer_uses_a_higher_one() {
    let sources = sources();
    assert!(LAYERS[..5].iter().all(|layer| sources.iter().any(|source| source.layer() == Some(layer))));
    let strangers = sources.iter().filter_map(Source::layer).filter(|layer| !layer.is_empty() && rank(layer).is_none());
    assert_eq!(strangers.collect::<Vec<_>>(), NONE);
    assert_eq!(upward_uses(&sources), NONE);
}

/// Architecture: no cycles between the modules of a low layer.
#[test]
fn no_modules_of_a_low_layer_know_each_other() {
    let sources = sources();
    for layer in ACYCLIC {
        assert_eq!(circle(knowledge(&sources, layer)), BTreeMap::new(), "{layer}");
    }
}

/// Architecture: memory orders, the C ABI, caught panics and conditions on the platform each have their place.
#[test]
fn no_mechanism_leaves_its_place() {
    let sources = sources();
    assert_eq!(words_away_from_home(&sources, &["Ordering::"], &["sys", "sync", "queue", "pool"]), NONE);
    assert_eq!(words_away_from_home(&sources, &["extern \"C\""], &["ffi", "sys/process.rs"]), NONE);
    assert_eq!(words_away_from_home(&sources, &["catch_unwind"], &["pool/unwind.rs"]), NONE);
    assert_eq!(conditions_away_from_sys(&sources), NONE);
}

/// The source files that a table of the architecture names, as paths without `.rs`: `a/b`, `c` stands for `a/b` and
/// `a/c`.
fn files_in_tables(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let mut folder = "";
        for name in row.split('|').nth(1).into_iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            folder = name.rsplit_once('/').map_or(folder, |(folder, _)| folder);
            let file = name.rsplit('/').next().unwrap_or(name);
            found.extend((!folder.is_empty()).then(|| format!("{folder}/{file}")));
        }
    }
    found
}

/// Architecture: its table names every file, and no other.
#[test]
fn no_file_is_missing_in_the_architecture() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"));
    let of_tests =
        |path: &str| ["models", "tests", "mod", "lib"].iter().any(|name| path.split('/').any(|p| p == *name));
    let paths = files("src").into_iter().map(|(path, _)| path.with_extension("").display().to_string());
    let all: BTreeSet<String> = paths.filter(|path| !of_tests(path)).collect();
    let named = files_in_tables(&text.expect("it can be read"));
    assert_eq!(all.symmetric_difference(&named).collect::<Vec<_>>(), NONE);
}

/// Style: one idea a file.
#[test]
fn no_file_is_too_long() {
    for folder in ["src", "tests"] {
        let lengths = files(folder).into_iter().map(|(path, text)| (path, text.lines().count()));
        assert_eq!(lengths.filter(|(_, lines)| *lines > MOST_LINES).collect::<Vec<_>>(), []);
    }
}

/// Style: two files fit side by side.
#[test]
fn no_line_is_too_wide() {
    let lines = files("src").into_iter().flat_map(|(path, text)| {
        let lines: Vec<_> = text.lines().enumerate().map(|(at, line)| (at + 1, line.chars().count())).collect();
        lines.into_iter().map(move |(at, width)| (path.clone(), at, width))
    });
    assert_eq!(lines.filter(|(_, _, width)| *width > WIDEST).collect::<Vec<_>>(), []);
}

/// The checks themselves: each finds a planted violation, and nothing else.
#[test]
fn planted_violations_are_found() {
    let lib = || Source::new("lib.rs", "pub use api::{Builder, Pool};\npub use sync::Deadline;");
    let upward = |path: &str, text: &str| upward_uses(&[lib(), Source::new(path, text)]).len();
    assert_eq!(upward("pool/worker.rs", "use crate::{sys::{hint, lock}, api::{Pool, Results}};"), 2);
    assert_eq!(upward("pool/worker.rs", "fn f() { crate::api::now() } // crate::ffi\n/// [`x`](crate::api::X)"), 1);
    assert_eq!(upward("queue/lane.rs", "use crate::Pool;\nuse crate::Deadline;\nlet u = \"//\"; crate::Builder;"), 2);
    assert_eq!(upward("sync/a.rs", "use super::super::pool::Job; use fastthreadpool::Pool;"), 2);
    assert_eq!(upward("api/a.rs", "use crate::pool::Job; use my_crate::ffi::X;"), 0);

    let modules = |a: &str, b: &str| {
        let root = Source::new("queue/mod.rs", "mod a;\nmod b;\npub(crate) use a::{A, Aa};\nuse self::b::B;");
        let sources = [root, Source::new("queue/a.rs", a), Source::new("queue/b.rs", b)];
        circle(knowledge(&sources, "queue")).len()
    };
    assert_eq!(modules("use super::b::{X, Y};", "use super::A;"), 2);
    assert_eq!(modules("use crate::queue::{B, a::Z};", "fn f() { super::a::g() }"), 2);
    assert_eq!(modules("use super::{B, b};", "use crate::sys::a; mod inner { use super::B; }"), 0);

    let cell =
        [Source::new("api/a.rs", "x(Ordering::Relaxed); // Ordering::"), Source::new("queue/b.rs", "Ordering::")];
    assert_eq!(words_away_from_home(&cell, &["Ordering::"], &["queue"]), ["api/a.rs says Ordering::"]);

    let named = files_in_tables("| `sys` | atomic |\n| `sys/a`, `b`; `pool/timers/c`, `d` | `e` |\nThe `sys/f`.");
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["pool/timers/c", "pool/timers/d", "sys/a", "sys/b"]);

    let conditions = |text: &str| conditions_away_from_sys(&[Source::new("pool/mod.rs", text)]).len();
    assert_eq!(conditions("#[cfg(all(loom, test))]\nmod models;\n"), 0);
    assert_eq!(conditions("#[cfg(all(loom, test))]\nmod other;\nif cfg!(loom) {}\n#[cfg(target_os = \"linux\")]"), 3);
}
