#!/usr/bin/env bash
# Checks that src/ffi/layout.ld still names functions that exist, in the library that `make build` has made.
set -euo pipefail
cd "$(dirname "$0")/.."
library=${CARGO_TARGET_DIR:-target}/release/libfastthreadpool.so
[ "$(uname -s)" = Linux ] && command -v objdump >/dev/null || { echo "the layout is not checked: no objdump"; exit 0; }
mapfile -t functions < <(objdump -t "$library" | awk '$4 == ".text.wake" { print ".text." $NF }')
missing=0
while read -r pattern; do
    found=no
    for function in "${functions[@]}"; do
        # shellcheck disable=SC2053 # the pattern is one
        if [[ $function == $pattern ]]; then found=yes; break; fi
    done
    [ $found = yes ] || { echo "src/ffi/layout.ld: no function is called $pattern"; missing=1; }
done < <(sed -n 's/^ *\*(\(\.text\..*\))$/\1/p' src/ffi/layout.ld)
exit $missing
