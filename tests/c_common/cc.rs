//! Compiles C and C++ programs against the header and the libraries that cargo built along with the test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

pub(crate) const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn header() -> String {
    fs::read_to_string(root().join("include/fastthreadpool.h")).expect("the header is there")
}

pub(crate) fn example(name: &str) -> PathBuf {
    root().join(format!("c-examples/{name}.c"))
}

/// The system libraries that the static library needs, as `make install` tells pkg-config.
fn static_libs() -> String {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile is there");
    let line = makefile.lines().find_map(|line| line.strip_prefix("STATIC_LIBS := "));
    line.expect("the Makefile says what the static library needs").to_string()
}

/// A library that cargo built along with the test, beside which it lies.
pub(crate) fn built_library(file: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let library = test.with_file_name(file);
    assert!(library.exists(), "{} is missing: cargo builds it with the tests", library.display());
    library
}

/// A folder for the output of one test. Profiles have folders of their own.
pub(crate) fn folder(test: &str) -> PathBuf {
    let built = built_library("libfastthreadpool.so");
    let profile = built.ancestors().nth(2).and_then(Path::file_name).expect("target/PROFILE/deps");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(profile).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("cargo's folder for tests is writable");
    folder
}

/// A compiler: a program and the arguments that its environment variable may hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compiler(Vec<String>);

impl Compiler {
    fn of(variable: &str, default: &str) -> Self {
        let words = env::var(variable).unwrap_or_default();
        let words: Vec<_> = words.split_whitespace().map(String::from).collect();
        Self(if words.is_empty() { vec![default.into()] } else { words })
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]);
        command
    }

    pub(crate) fn name(&self) -> &str {
        Path::new(&self.0[0]).file_name().and_then(OsStr::to_str).expect("a compiler's name is readable")
    }

    /// A program that uses the shared library as one that was installed: by its soname.
    pub(crate) fn program(&self, source: &Path, output: &Path, flags: &[&str]) {
        let folder = output.parent().expect("an output is in a folder");
        let soname = concat!("libfastthreadpool.so.", env!("CARGO_PKG_VERSION_MAJOR"));
        let link = folder.join(soname);
        if !link.exists() {
            std::os::unix::fs::symlink(built_library("libfastthreadpool.so"), &link).expect("folders hold links");
        }
        let rpath = format!("-Wl,-rpath,{}", folder.display());
        run(self.compile(source, output, flags).arg(&link).arg(rpath).arg("-pthread"));
    }

    /// A program that contains the static library.
    pub(crate) fn static_program(&self, source: &Path, output: &Path, flags: &[&str]) {
        let library = built_library("libfastthreadpool.a");
        run(self.compile(source, output, flags).arg(library).args(static_libs().split_whitespace()));
    }

    /// Whether programs can be static throughout.
    pub(crate) fn has_static_libc(&self) -> bool {
        text(&run(self.command().arg("-print-file-name=libc.a")).stdout).starts_with('/')
    }

    /// Whether a program compiles.
    pub(crate) fn check(&self, source: &Path, flags: &[&str]) {
        run(self.with_header().args(flags).arg("-fsyntax-only").arg(source));
    }

    pub(crate) fn compile(&self, source: &Path, output: &Path, flags: &[&str]) -> Command {
        let mut command = self.with_header();
        command.args(["-g", "-O1"]).args(flags).arg("-o").arg(output).arg(source);
        command
    }

    fn with_header(&self) -> Command {
        let mut command = self.command();
        command.args(WARNINGS).arg("-I").arg(root().join("include"));
        command
    }
}

/// $CC, and clang where it is installed.
pub(crate) fn c_compilers() -> Vec<Compiler> {
    installed([Compiler::of("CC", "cc"), Compiler(vec!["clang".into()])])
}

/// $CXX, and clang++ where it is installed.
pub(crate) fn cxx_compilers() -> Vec<Compiler> {
    installed([Compiler::of("CXX", "c++"), Compiler(vec!["clang++".into()])])
}

fn installed(compilers: [Compiler; 2]) -> Vec<Compiler> {
    let mut compilers = Vec::from(compilers);
    compilers.dedup();
    compilers.retain(|compiler| is_installed(compiler.name(), &mut compiler.command()));
    compilers
}

/// Whether a tool is installed; the test prints if not.
pub(crate) fn is_installed(name: &str, tool: &mut Command) -> bool {
    let answers = tool.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let installed = answers.is_ok_and(|status| status.success());
    if !installed {
        println!("skipped: {name} is not installed");
    }
    installed
}

/// Runs a program that has to succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = output(command);
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, text(&output.stderr));
    output
}

pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
