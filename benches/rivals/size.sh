#!/bin/sh
# Goal P13: the stripped library is at most 150 KB larger than an empty Rust cdylib and needs nothing but libc and libgcc_s.
# Usage: size.sh [--json FILE] [path of libfastthreadpool.so]
set -eu

goal=150000
json=
if [ "${1-}" = --json ]; then
    json=$2
    shift 2
fi
here=$(cd "$(dirname "$0")" && pwd)
ours=${1:-$here/../../target/release/libfastthreadpool.so}
if ! [ -f "$ours" ] || ! nm -D --defined-only "$ours" | grep -q ' ftpool_new$'; then
    echo "no C functions in $ours: run make build" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "empty"
version = "0.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[workspace]
[profile.release]
lto = "fat"
codegen-units = 1
TOML
cat >"$work/src/lib.rs" <<'RUST'
#[unsafe(no_mangle)]
pub extern "C" fn nothing() {}
RUST
CARGO_TARGET_DIR=$work/target cargo build --quiet --release --offline --manifest-path "$work/Cargo.toml"

strip -o "$work/empty.so" "$work/target/release/libempty.so"
strip -o "$work/ours.so" "$ours"
empty_size=$(stat -c %s "$work/empty.so")
ours_size=$(stat -c %s "$work/ours.so")
difference=$((ours_size - empty_size))
verdict=met
[ "$difference" -le "$goal" ] || verdict=missed

echo "| library, stripped | bytes |"
echo "|---|--:|"
echo "| empty Rust cdylib | $empty_size |"
echo "| libfastthreadpool.so | $ours_size |"
echo "| difference, goal ≤ $goal | $difference ($verdict) |"
echo

# The dynamic loader is a part of libc.
needed=$(readelf -d "$work/ours.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
echo "needs:" $needed
others=0
for library in $needed; do
    case $library in
        libc.so.* | libgcc_s.so.* | ld-linux*.so.*) ;;
        *)
            echo "$library is neither libc nor libgcc_s"
            others=$((others + 1))
            ;;
    esac
done

# In the form of src/report.rs.
[ -z "$json" ] || cat >"$json" <<JSON
{
  "program": "size",
  "machine": {
    "date": "$(date -u '+%F %T UTC')", "cpu": "$(uname -m)", "cores": $(nproc), "kernel": "$(uname -r)",
    "commit": "$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)",
    "versions": { "rustc": "$(rustc --version)" }
  },
  "missing": [],
  "scenarios": [],
  "facts": [
    { "goal": "P13", "what": "stripped, above an empty cdylib", "who": "libfastthreadpool.so",
      "at_most": $goal, "reached": $difference, "unit": "B" },
    { "goal": "P13", "what": "libraries needed but libc and libgcc_s", "who": "libfastthreadpool.so",
      "at_most": 0, "reached": $others, "unit": "" }
  ],
  "distributions": []
}
JSON
