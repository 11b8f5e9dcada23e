#!/usr/bin/env bash
# valgrind's memcheck on the C examples: reads of what is not initialised or was freed, and memory that nobody frees.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed (apt-get install valgrind)"; exit 0
fi
make --no-print-directory build
target=${CARGO_TARGET_DIR:-target} work=$target/valgrind
mkdir -p "$work"
for example in backpressure callbacks cancel deadlines emit futures groups hello lock mandelbrot results semaphore; do
    # The static library: valgrind then has its symbols, and what it keeps at exit is seen as reachable.
    "${CC:-cc}" -g -O1 -Iinclude -o "$work/$example" "c-examples/$example.c" "$target/release/libfastthreadpool.a" \
        -lutil -lrt -lpthread -lm -ldl
    valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect --fair-sched=yes \
        "$work/$example" > "$work/$example.out" 2> "$work/$example.log" ||
        { cat "$work/$example.log"; echo "$example: see above"; exit 1; }
    echo "clean: $example"
done
