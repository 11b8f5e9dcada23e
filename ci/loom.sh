#!/usr/bin/env bash
# The model checker on every protocol: the models lie beside the code, in src/*/models.rs and models/. Arguments name some of
# them.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
# Optimised, because models run for minutes otherwise, but built quickly.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
skip=()
if [ "${1-}" = --quick ]; then
    # Most models of the whole pool take minutes each; these do not.
    set -- sync::models queue::models \
        a_pool_is_not_quiet_before_a_child_has_run a_worker_does_not_sleep_while_a_job_is_queued
    skip=(--skip owner_and_thief_share_the_slots)
fi
models() { cargo test --quiet --release --lib -- "$@"; }
for name in "$@"; do
    found=$(models --list "$name")
    [[ $found == *": test"* ]] || { echo "no model is called $name"; exit 1; }
done
models "${@:-models}" "${skip[@]}"
