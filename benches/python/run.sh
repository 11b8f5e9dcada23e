#!/usr/bin/env bash
# Runs one of workloads.py, with the pinned packages in target/python, which the first run installs. Without Python 3 or the
# network it says what is missing on stderr, and fails.
set -euo pipefail
cd "$(dirname "$0")"
venv=../../target/python
left_out() { echo "Python: not installed ($1)" >&2; exit 1; }
if [ ! -x "$venv/bin/python" ]; then
    { command -v python3 >/dev/null && python3 -m venv "$venv"; } >/dev/null || left_out "apt-get install python3-venv"
fi
if ! "$venv/bin/python" -c 'import fastthreadpool' 2>/dev/null; then
    { "$venv/bin/pip" install --quiet -r requirements.txt &&
        "$venv/bin/pip" install --quiet --no-build-isolation fastthreadpool==1.7.0; } >/dev/null 2>&1 ||
        left_out "fastthreadpool 1.7.0 needs the network, a C compiler, and python3-dev of 3.11 or earlier"
fi
[ $# = 0 ] || exec "$venv/bin/python" workloads.py "$@"
