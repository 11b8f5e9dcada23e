#!/usr/bin/env bash
# Measures this library beside other pools in one run. Without --quick the tables go to benches/results.
set -euo pipefail
cd "$(dirname "$0")/../benches/rivals"
export CARGO_TARGET_DIR=$PWD/target
if [ "${1-}" = --quick ]; then
    exec cargo run --release --quiet --bin throughput -- --quick
fi
results=../results
mkdir -p "$results"
cargo run --release --quiet --bin throughput -- --json "$results/throughput.json" | tee "$results/throughput.md"
cargo run --release --quiet --bin locks -- --json "$results/locks.json" | tee "$results/locks.md"
cargo run --release --quiet --bin bound | tee "$results/bound.md"
cargo run --release --quiet --bin footprint | tee "$results/footprint.md"
cargo run --release --quiet --bin timers | tee "$results/timers.md"
./size.sh | tee "$results/size.md"
cargo run --release --quiet --bin plots -- --locks "$results/locks.json" ../../docs/benchmarks/locks.svg
