#!/usr/bin/env bash
# The crate and its tests, checked for other systems, where not even a warning may come: that needs no linker, but the
# sources of std. They are in the folder that FTPOOL_TSAN names (the head of ci/tsan.sh says what is in it). Arguments:
# the targets to check, by default those below.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${FTPOOL_TSAN-}
export RUSTC="$root/usr/bin/rustc"
export LD_LIBRARY_PATH="${root:+$root/usr/lib/x86_64-linux-gnu}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if [ ! -d "$root/usr/lib/rustlib/src/rust/library/std" ] || [ ! -x "$RUSTC" ]; then
    echo "skipped: no compiler with the sources of std (the head of ci/tsan.sh says which)"
    [ -z "$root" ]; exit
fi
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/cross

# Only x86_64-pc-windows-gnu needs a tool, that of Debian's llvm-N under another name.
mkdir -p target/cross/bin
dlltool=$(find "$root/usr/bin" -name 'llvm-dlltool-*' | head -n 1)
[ -z "$dlltool" ] || ln -sf "$dlltool" target/cross/bin/x86_64-w64-mingw32-dlltool
export PATH="$PWD/target/cross/bin:$PATH"

if [ $# = 0 ]; then
    set -- x86_64-pc-windows-gnu x86_64-pc-windows-msvc aarch64-apple-darwin x86_64-unknown-freebsd \
        x86_64-unknown-linux-musl aarch64-linux-android aarch64-unknown-linux-gnu riscv64gc-unknown-linux-gnu \
        i686-unknown-linux-gnu
fi
for target in "$@"; do
    for options in "" "--features capi" "--features capi,log --tests"; do
        # shellcheck disable=SC2086
        said=$(cargo check --quiet -Zbuild-std=std,panic_unwind,test --target "$target" $options 2>&1) ||
            { echo "$said"; exit 1; }
        [ -z "$said" ] || { echo "$said"; echo "$target $options: see above"; exit 1; }
    done
    echo "compiles: $target"
done
