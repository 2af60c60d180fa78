#!/bin/sh
# wheel.sh VENV DIR: builds the wheel of the Python package into DIR with the Python of VENV, which has hatchling
# and deflate, and installs it there. The same commit gives the same bytes.
set -eu
venv=$1
dir=$2
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1577836800)
export SOURCE_DATE_EPOCH
mkdir -p "$dir"
rm -f "$dir"/h5arrow-*.whl
"$venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$dir" ./python
[ "${H5ARROW_WHEEL_PATHS:-0}" = 1 ] || "$venv/bin/python" scripts/smallwheel.py "$dir"/h5arrow-*.whl
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$dir"/h5arrow-*.whl
ls -l "$dir"/h5arrow-*.whl
