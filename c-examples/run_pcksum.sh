#!/bin/sh
# run_pcksum.sh PCKSUM [DIR...]
#
# Runs PCKSUM (the path of the built program) and the cksum of coreutils on the
# files of the same directories, compares the outputs byte for byte and prints
# the wall times. Without DIR: /usr/include and /usr/share/doc where they
# exist, otherwise the source tree of this script.
set -eu
export LC_ALL=C

if [ $# -lt 1 ]; then
    echo "usage: run_pcksum.sh PCKSUM [DIR...]" >&2
    exit 2
fi
pcksum=$1
shift

if ! cksum --version 2>/dev/null | grep -q 'GNU coreutils'; then
    echo "run_pcksum.sh: needs the cksum of GNU coreutils: install the package coreutils" >&2
    exit 1
fi

if [ $# -eq 0 ]; then
    for dir in /usr/include /usr/share/doc; do
        if [ -n "$(find "$dir" -type f 2>/dev/null | head -n 1)" ]; then
            set -- "$@" "$dir"
        fi
    done
    if [ $# -eq 0 ]; then
        set -- "$(cd "$(dirname "$0")/.." && pwd)"
    fi
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# The order of pcksum: directory by directory as given, in each the regular
# files in the byte order of their path names. A NUL ends a name, so blanks
# and newlines in names do no harm.
for dir in "$@"; do
    case $dir in
    -*) echo "run_pcksum.sh: write ./$dir for $dir" >&2; exit 2 ;;
    esac
    find -H "$dir" -type f -print0 | sort -z >>"$tmp/list"
done
files=$(tr -cd '\0' <"$tmp/list" | wc -c)
if [ "$files" -eq 0 ]; then
    echo "run_pcksum.sh: no regular file in: $*" >&2
    exit 1
fi

# Reading everything once also warms up the page cache.
bytes=$(xargs -0 cat <"$tmp/list" | wc -c)

coreutils() { xargs -0 cksum <"$tmp/list"; }
pcksum_1() { "$pcksum" -j 1 "$@"; }
pcksum_default() { "$pcksum" "$@"; }

# measure NAME ARGUMENT...: output to $tmp/NAME, median of 3 in ms to $tmp/NAME.ms
measure() {
    name=$1
    shift
    : >"$tmp/times"
    for _ in 1 2 3; do
        start=$(date +%s%N)
        if ! "$name" "$@" >"$tmp/$name"; then
            echo "run_pcksum.sh: $name failed, see above" >&2
            exit 1
        fi
        end=$(date +%s%N)
        echo $((end - start)) >>"$tmp/times"
    done
    sort -n "$tmp/times" | awk 'NR == 2 { printf "%.1f", $1 / 1e6 }' >"$tmp/$name.ms"
}

# must_equal_coreutils NAME
must_equal_coreutils() {
    if ! cmp -s "$tmp/coreutils" "$tmp/$1"; then
        echo "run_pcksum.sh: $1 differs from coreutils cksum (<), first lines:" >&2
        diff -a "$tmp/coreutils" "$tmp/$1" | head -n 10 >&2
        exit 1
    fi
}

measure coreutils
measure pcksum_1 "$@"
must_equal_coreutils pcksum_1
measure pcksum_default "$@"
must_equal_coreutils pcksum_default

echo "$files files, $bytes bytes below $*: all lines equal to coreutils cksum"
printf '%-28s %10s\n' "median of 3, warm cache" "wall ms"
printf '%-28s %10s\n' "coreutils cksum" "$(cat "$tmp/coreutils.ms")"
printf '%-28s %10s\n' "pcksum -j 1" "$(cat "$tmp/pcksum_1.ms")"
printf '%-28s %10s\n' "pcksum (default workers)" "$(cat "$tmp/pcksum_default.ms")"
