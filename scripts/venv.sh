#!/bin/sh
# venv.sh DIR REQUIREMENTS...: makes a virtual environment with these packages in DIR, unless DIR has it already. The exit
# status is 3 if there is no suitable Python.
set -u
dir=$1
shift
here=$(dirname "$0")
. "$here/probe.sh"

if ! python=$(find_python); then
	echo "venv: no Python 3.11 or newer can make a virtual environment (tried ${PYTHON:-python3.12, python3.11, python3})" >&2
	exit 3
fi
stamp="$($python -c 'import sys; print(sys.version)') $(cat "$@")"
if [ -x "$dir/bin/python" ] && [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
echo "venv: $dir with $($python --version), packages of $*"
rm -rf "$dir"
mkdir -p "$(dirname "$dir")"
$python -m venv "$dir" || exit 1
for file in "$@"; do
	set -- "$@" -r "$file"
	shift
done
for try in 1 2 3; do
	if "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"; then
		printf '%s\n' "$stamp" >"$dir/stamp"
		exit 0
	fi
	echo "venv: pip failed (try $try)" >&2
	sleep 2
done
exit 1
