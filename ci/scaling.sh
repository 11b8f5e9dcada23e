#!/usr/bin/env bash
# Builds the scaling program (benches/scaling) as one static file, target/scaling, to be copied to a machine with many cores.
# Nothing else is needed there. docs/scaling.md says what it measures and what to expect.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(uname -m)-unknown-linux-gnu
SCALING_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
export SCALING_COMMIT CARGO_TARGET_DIR=$PWD/target/scaling-build
build() { cargo build --release --quiet --manifest-path benches/scaling/Cargo.toml --target "$target"; }
# The C library's static half comes with its development package; without it only Rust's part is static.
how="static: it needs nothing but the kernel"
RUSTFLAGS="-C target-feature=+crt-static" build || { how="not fully static (libc.a is missing): it needs this libc"; build; }
cp "$CARGO_TARGET_DIR/$target/release/scaling" target/scaling
echo "target/scaling, $(stat -c %s target/scaling) bytes, $how. Copy it, and run: ./scaling --json scaling.json"
