#!/bin/sh
# gotest.sh ARGUMENTS of go test... With H5ARROW_REQUIRE_ALL=1 a test that skips fails the run, and is named.
set -u
go=${GO:-go}
if [ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ]; then
	exec "$go" test "$@"
fi
exec python3 "$(dirname "$0")/gotest.py" "$go" test -json "$@"
