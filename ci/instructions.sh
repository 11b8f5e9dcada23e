#!/usr/bin/env bash
# Compares the numbers of instructions that calls take with those in ci/instructions.txt: a path that has changed by more
# than 3 % fails, on any machine and under any load. With --bless the numbers are written anew.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "instruction counts are not compared: valgrind is not installed (apt-get install valgrind)"; exit 0
fi
target=${CARGO_TARGET_DIR:-target} work=$target/instructions
mkdir -p "$work"
[ -e "$work/libfastthreadpool.so.0" ] || ln -s ../release/libfastthreadpool.so "$work/libfastthreadpool.so.0"
"${CC:-cc}" -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$work/instructions" ci/instructions.c \
    -L"$target/release" -lfastthreadpool -pthread -Wl,-rpath,"$(realpath "$work")"

# Counts what is executed inside the functions that are joined by "+"; for "run", what the worker executes between two jobs,
# which switch the counting on and off.
count() {
    local toggles=()
    [ "$1" = run ] || IFS=+ read -ra toggles <<<"$1"
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no "${toggles[@]/#/--toggle-collect=}" \
        "$work/instructions" "$1" 10000 2>&1 | awk '/Collected/ { printf "%.1f\n", $4 / 10000 }'
}

within() { awk -v was="$1" -v is="$2" 'BEGIN { exit !(is <= was * 1.03 && is >= was * 0.97) }'; }

failed=0
while read -r what recorded; do
    # A join and a worker read the clock now and then, more often on a busy machine: they get another try.
    for try in 1 2 3 4; do
        now=$(count "$what")
        if [ "$try" = 1 ] || awk -v least="$least" -v is="$now" 'BEGIN { exit !(is < least) }'; then least=$now; fi
        if within "$recorded" "$least"; then break; fi
    done
    printf '%-52s %8s recorded, %8s now\n' "$what" "$recorded" "$least"
    if [ "${1-}" = --bless ]; then
        sed -i "s/^$what .*/$what $least/" ci/instructions.txt
    elif ! within "$recorded" "$least"; then
        echo "$what: more than 3 % away; find out why, or run ci/instructions.sh --bless"; failed=1
    fi
done <ci/instructions.txt
exit "$failed"
