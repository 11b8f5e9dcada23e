#!/usr/bin/env bash
# Checks that take too long for every change: all models, the proof that they can fail, the portable fallback, and, where
# they are installed, 32-bit types, AddressSanitizer and valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
ci/loom.sh
ci/mutants.sh
(
    export RUSTFLAGS="--cfg ftpool_portable" CARGO_TARGET_DIR=target/portable
    cargo build --quiet --examples # Tests run them.
    cargo test --quiet --lib --tests
)
narrow=i686-unknown-linux-gnu
if [ -d "$(rustc --print sysroot)/lib/rustlib/$narrow" ]; then
    cargo check --quiet --lib --features capi,log --target "$narrow"
else
    echo "skipped: no standard library for 32 bits (rustup target add $narrow)"
fi
ci/asan.sh
ci/valgrind.sh
