#!/usr/bin/env bash
# The model checker on every protocol: the models lie beside the code, in src/*/models.rs. Arguments name some of them.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
# Optimised, because models run for minutes otherwise, but built quickly.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
if [ "${1-}" = --quick ]; then
    # Three models of the whole pool with two workers take many minutes each.
    exec cargo test --quiet --release --lib models -- --skip every_worker_leaves \
        --skip a_job_behind_one_that_waits_is_stolen --skip the_last_of_two_workers_wakes_the_waiter
fi
cargo test --quiet --release --lib "${@:-models}"
