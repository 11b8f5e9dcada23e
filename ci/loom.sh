#!/usr/bin/env bash
# The model checker on every protocol: the models lie beside the code, in src/*/models.rs. Arguments name some of them.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
# Optimised, because models run for minutes otherwise, but built quickly.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
cargo test --quiet --release --lib "${@:-models}"
