//! Examples with wrong output. Cargo builds them along with the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps").join("examples");
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// In the order of the files and their lines, whichever was read first.
#[test]
fn parallel_grep_finds_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |text: &str| {
        let output = Command::new(example("parallel_grep")).arg(text).arg("licences").current_dir(folder()).output();
        let output = output.expect("the example runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("it prints text"))
    };
    fn folder() -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parallel_grep");
        std::fs::create_dir_all(folder.join("licences/more")).expect("cargo's folder for tests is writable");
        folder
    }
    for (name, text) in [("b", "one\ntwo\nthree"), ("a", "three two\n"), ("more/c", "\u{0}two"), ("z", "no\ntwo\n")] {
        std::fs::write(folder().join("licences").join(name), text).expect("cargo's folder for tests is writable");
    }
    assert_eq!(run("two"), (Some(0), "licences/a:1:three two\nlicences/b:2:two\nlicences/z:2:two\n".into()));
    assert_eq!(run("four"), (Some(1), String::new()));
    assert!(root.join("examples/parallel_grep.rs").exists());
}

/// Examples whose output is always the same.
#[test]
fn examples_say_what_they_should() {
    let said = |name| {
        let output = Command::new(example(name)).output().expect("the example runs");
        assert!(output.status.success(), "{name}: {output:?}");
        String::from_utf8(output.stdout).expect("it prints text")
    };
    assert_eq!(said("backpressure"), "100000 records: 5000050000\ndone where it was submitted\n");
    assert_eq!(said("callbacks"), "4 prices, 100.00 in all\n4 refused, 8 lines given back\n");
    assert_eq!(
        said("groups"),
        "the sum of 1000 squares is 333833500\n40 jobs have read, 2 at a time\nevery report is done or cancelled: true\n"
    );
    assert_eq!(
        said("deadlines"),
        "5 requests answered, 3 expired\nreport 1 has run too long, and is asked to stop\n\
         report 1 stopped early, with pages: true\n"
    );
}
