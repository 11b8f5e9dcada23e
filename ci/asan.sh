#!/usr/bin/env bash
# AddressSanitizer and LeakSanitizer on the Rust tests (not on those that load the library: it would come with a second
# runtime). Needs a nightly toolchain; says so and passes where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "skipped: no nightly toolchain (rustup toolchain install nightly)"; exit 0
fi
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address --cfg ftpool_asan" CARGO_TARGET_DIR=target/asan FTPOOL_SOAK_JOBS=300000
cargo +nightly test --quiet --target "$target" --features capi \
    --test outcomes --test cancel --test shutdown --test producers --test soak --test c_abi \
    --test hooks --test reopen --test cancel_all --test all_pools --test c_control \
    --test semaphore --test fast_lock --test gates --test c_sync --test c_calls --test handles --test c_handles --test delayed_ends
