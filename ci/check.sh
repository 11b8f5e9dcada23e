#!/usr/bin/env bash
# Everything that must hold before a change lands. Each step can be run by hand as it stands here.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all --check
(cd benches/rivals && cargo fmt --check)
(cd benches/scaling && cargo fmt --check)

step "lints"
cargo clippy --quiet --all-targets --features capi,log -- -D warnings
cargo clippy --quiet --all-targets -- -D warnings
(cd benches/rivals && cargo clippy --quiet --all-targets -- -D warnings)
(cd benches/rivals && cargo clippy --quiet --bin forkjoin --ignore-rust-version --features forte -- -D warnings)
(cd benches/scaling && cargo clippy --quiet --all-targets -- -D warnings)

step "tests"
make --no-print-directory test

step "a Rust dependent exports no C symbols"
cargo build --quiet --release
library=${CARGO_TARGET_DIR:-target}/release/libfastthreadpool.so
test -e "$library"
if nm -D --defined-only "$library" | grep ' ftpool_'; then
    echo "the C symbols are exported without the feature capi"; exit 1
fi
make --no-print-directory build

step "layout of the shared library"
ci/layout.sh

step "instruction counts"
ci/instructions.sh

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --features capi,log

step "loom models"
ci/loom.sh --quick
ci/mutants.sh --stale

step "soak: 10^7 jobs"
FTPOOL_SOAK_JOBS=10000000 cargo test --quiet --release --test soak

step "the main job on real input"
make --no-print-directory run

step "all is well"
