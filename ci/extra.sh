#!/usr/bin/env bash
# Checks that take too long for every change: all models, the proof that they can fail, the portable fallback, and
# AddressSanitizer and valgrind where they are installed.
set -euo pipefail
cd "$(dirname "$0")/.."
ci/loom.sh
ci/mutants.sh
(
    export RUSTFLAGS="--cfg ftpool_portable" CARGO_TARGET_DIR=target/portable
    cargo build --quiet --examples # Tests run them.
    cargo test --quiet --lib --tests
)
ci/asan.sh
ci/valgrind.sh
