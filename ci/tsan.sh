#!/usr/bin/env bash
# ThreadSanitizer on the Rust tests and the C examples. It needs a standard library that is instrumented, too: a compiler
# with std's sources, and a clang of the same LLVM. Debian's rustc-web, libstd-rust-web-dev, rust-web-src, clang-N and
# libclang-rt-N-dev are both, installed, or unpacked (dpkg -x), with what they depend on, into a folder that FTPOOL_TSAN
# names. Arguments: for cargo test.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${FTPOOL_TSAN-}
export RUSTC="$root/usr/bin/rustc"
export LD_LIBRARY_PATH="${root:+$root/usr/lib/x86_64-linux-gnu}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
llvm=$("$RUSTC" -vV 2>/dev/null | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p') || true
clang="$root/usr/lib/llvm-$llvm/bin/clang"
std="$root/usr/lib/rustlib/src/rust/library/std"
if [ ! -d "$std" ] || [ ! -x "$clang" ]; then
    echo "skipped: no compiler with the sources of std and a clang of its LLVM (the head of ci/tsan.sh says which)"
    [ -z "$root" ]; exit
fi
target=$("$RUSTC" -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/tsan FTPOOL_SOAK_JOBS=100000
# ThreadSanitizer knows no fences and no membarrier: `ftpool_tsan` puts exchanges in their place.
export RUSTFLAGS="--cfg ftpool_portable --cfg ftpool_tsan -Zsanitizer=thread -Zexternal-clangrt \
    -Clinker=$clang -Clink-arg=-fsanitize=thread"
build=(-Zbuild-std=std,panic_unwind,test --target "$target" --features capi)
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS-}"

# Not those that compile C or fork, nor those that look at the system's threads, at the memory of the process or at sources.
tests=()
for file in tests/*.rs; do
    name=$(basename "$file" .rs)
    case "$name" in
        c_abi | c_examples | c_inline | c_server | c_process | cxx_lock | process_end | copies | header | layers | examples | idle | threads | queue_memory | queue_growth) ;;
        *) tests+=(--test "$name") ;;
    esac
done
cargo test --quiet "${build[@]}" "${tests[@]}" "$@"

work=target/tsan/c
mkdir -p "$work"
cargo rustc --quiet "${build[@]}" --lib --crate-type staticlib
for example in backpressure callbacks cancel deadlines emit futures groups hello lock mandelbrot results semaphore; do
    "$clang" -fsanitize=thread -g -O1 -Iinclude -o "$work/$example" "c-examples/$example.c" \
        "target/tsan/$target/debug/libfastthreadpool.a" -lutil -lrt -lpthread -lm -ldl
    "$work/$example" > "$work/$example.out" 2> "$work/$example.log" ||
        { cat "$work/$example.log"; echo "$example: see above"; exit 1; }
    echo "clean: $example"
done
