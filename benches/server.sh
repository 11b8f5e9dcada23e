#!/usr/bin/env bash
# Messages per second, latency and CPU time of c-examples/epoll_server.c (one epoll thread and a pool) and of the same server with
# one thread for each connection, asked over loopback by c-examples/epoll_load.c, which checks every answer. Rounds are
# interleaved, medians are printed. ROUNDS=n, default 5; MESSAGES=n in a round, default 100000.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-5} messages=${MESSAGES:-100000} cores=$(nproc)
build=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$build"' EXIT
ln -s "$(realpath "${CARGO_TARGET_DIR:-target}")/release/libfastthreadpool.so" "$build/libfastthreadpool.so.0"
for name in epoll_server epoll_threads epoll_load; do
    "${CC:-cc}" -std=c99 -O2 -Iinclude -o "$build/$name" "c-examples/$name.c" "$build/libfastthreadpool.so.0" \
        -Wl,-rpath,"$build" -pthread
done

measure() { # PROGRAM ARGUMENTS OF THE LOAD: "messages a second, p50, p99, the server's CPU time for one"
    mkfifo "$build/port"
    # shellcheck disable=SC2086
    "$build/"$1 > "$build/port" &
    server=$!
    read -r _ port < "$build/port"
    rm "$build/port"
    shift
    "$build/epoll_load" -n "$messages" "$@" "$port" > "$build/said"
    sed 's/.*answers, \(.*\) in a second, p50 \(.*\) us, p99 \(.*\) us/\1 \2 \3/' "$build/said" | tr '\n' ' '
    awk -v messages="$messages" -v ticks="$(getconf CLK_TCK)" '{ printf "%.1f\n", ($14 + $15) / ticks / messages * 1e6 }' \
        "/proc/$server/stat"
    kill "$server"
    wait "$server"
    server=
}

median() { sort -n -k "$2" "$1" | awk -v column="$2" '{ line[NR] = $column } END { print line[int((NR + 1) / 2)] }'; }

echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $cores cores, Linux $(uname -r), load $(cut -d ' ' -f 1 /proc/loadavg), $(date -u +%F)"
echo
echo "| connections × requests, bytes | server | messages/s | p50 µs | p99 µs | CPU µs/message |"
echo "|---|---|--:|--:|--:|--:|"
for load in "1 128 256" "16 8 256" "500 1 256" "16 8 4000"; do
    read -r clients window size <<< "$load"
    for ((round = 0; round < rounds; round++)); do
        measure "epoll_server -j $cores" -c "$clients" -w "$window" -s "$size" >> "$build/pool"
        measure epoll_threads -c "$clients" -w "$window" -s "$size" >> "$build/threads"
    done
    for which in pool threads; do
        label="one epoll thread, pool of $cores"
        [ $which = threads ] && label="a thread for each connection"
        echo "| $clients × $window, $size | $label | $(median "$build/$which" 1) | $(median "$build/$which" 2) |" \
            "$(median "$build/$which" 3) | $(median "$build/$which" 4) |"
        rm "$build/$which"
    done
done
