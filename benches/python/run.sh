#!/usr/bin/env bash
# Installs the pinned packages into target/python, and measures. Without Python 3 or the network it says what is missing.
set -euo pipefail
cd "$(dirname "$0")"
venv=../../target/python
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || { echo "Python is left out: apt-get install python3-venv"; exit 0; }
fi
if ! "$venv/bin/python" -c 'import fastthreadpool' 2>/dev/null; then
    "$venv/bin/pip" install --quiet -r requirements.txt && "$venv/bin/pip" install --quiet --no-build-isolation fastthreadpool==1.7.0 ||
        { echo "Python is left out: fastthreadpool 1.7.0 could not be installed (it needs a C compiler and python3-dev)"; exit 0; }
fi
"$venv/bin/python" workloads.py "$@"
