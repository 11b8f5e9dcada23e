#!/usr/bin/env bash
# Measures this library beside other pools. Every program writes its figures to RESULTS/NAME.json and its tables to
# RESULTS/NAME.md, by default in benches/results; then the pictures and the table of all goals are made of them, in
# docs/benchmarks. With --quick all of it is coarse, takes less than three minutes, and goes to target/bench-quick.
# With names (throughput, locks, …) only those programs run. MACHINE=name keeps the figures of one machine apart from
# those of others, in folders of that name.
set -euo pipefail
cd "$(dirname "$0")/.."
quick=() scaling=() results=benches/results${MACHINE:+/$MACHINE} documents=docs/benchmarks${MACHINE:+/$MACHINE}
if [ "${1-}" = --quick ]; then
    shift
    quick=(--quick) scaling=(--rounds 2 --jobs 100000) results=target/bench-quick documents=$results
fi
mkdir -p "$results" "$documents"
results=$PWD/$results documents=$PWD/$documents
programs=("$@")
[ $# != 0 ] || programs=(throughput outcomes handles forkjoin nested roundtrip footprint locks timers seeds size scaling)
[ $# != 0 ] || [ ${#quick[@]} != 0 ] || programs+=(bound)

export CARGO_TARGET_DIR=$PWD/benches/rivals/target
# forte names a newer Rust than it needs.
cargo build --release --quiet --manifest-path benches/rivals/Cargo.toml --bins --ignore-rust-version --features forte
bin=$CARGO_TARGET_DIR/release
unset CARGO_TARGET_DIR

for program in "${programs[@]}"; do
    json=$results/$program.json
    case $program in
        size) benches/rivals/size.sh --json "$json" ;;
        scaling) ci/scaling.sh >&2 && target/scaling "${scaling[@]}" --json "$json" ;;
        *) "$bin/$program" "${quick[@]}" --json "$json" ;;
    esac >"$results/$program.md.new" || { echo "$program failed" >&2; exit 1; }
    mv "$results/$program.md.new" "$results/$program.md"
    cat "$results/$program.md"
done
"$bin/plots" "$results" "$documents"
"$bin/table" "$results" "$documents/README.md"
"$bin/table" "$results"
