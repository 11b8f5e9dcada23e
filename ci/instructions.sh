#!/usr/bin/env bash
# Holds the number of instructions that a call takes against what is written in ci/instructions.txt: a path that has grown
# by more than 3 % is noticed here, on any machine and under any load. With --bless the numbers are written anew.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "instruction counts are not compared: valgrind is not installed (apt-get install valgrind)"; exit 0
fi
work=target/instructions
mkdir -p "$work"
[ -e "$work/libfastthreadpool.so.0" ] || ln -s ../release/libfastthreadpool.so "$work/libfastthreadpool.so.0"
"${CC:-cc}" -O2 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$work/instructions" ci/instructions.c \
    -Ltarget/release -lfastthreadpool -pthread -Wl,-rpath,"$PWD/$work"

# Only what happens inside of the function counts, so nobody else's work does.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no --toggle-collect="$1" \
        "$work/instructions" "$1" 10000 2>&1 | awk '/Collected/ { printf "%.1f\n", $4 / 10000 }'
}

failed=0
while read -r function recorded; do
    now=$(count "$function")
    printf '%-24s %8s recorded, %8s now\n' "$function" "$recorded" "$now"
    if [ "${1-}" = --bless ]; then
        sed -i "s/^$function .*/$function $now/" ci/instructions.txt
    elif ! awk -v was="$recorded" -v is="$now" 'BEGIN { exit !(is <= was * 1.03 && is >= was * 0.97) }'; then
        echo "$function: more than 3 % away; find out why, or run ci/instructions.sh --bless"; failed=1
    fi
done <ci/instructions.txt
exit "$failed"
