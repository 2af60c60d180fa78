#!/bin/sh
# gotest.sh ARGUMENTS...: runs go test with these arguments. With H5ARROW_REQUIRE_ALL=1, skipped tests fail the run and are
# listed.
set -u
go=${GO:-go}
if [ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ]; then
	exec "$go" test "$@"
fi
exec python3 "$(dirname "$0")/gotest.py" "$go" test -json "$@"
