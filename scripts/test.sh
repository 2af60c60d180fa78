#!/bin/sh
# Runs all tests: the interoperability cases, then the Go tests. Without Python or its packages the interoperability cases
# are left out; H5ARROW_REQUIRE_ALL=1 makes that an error.
set -u
cd "$(dirname "$0")/.." || exit 1

status=0
scripts/venv.sh build/venv testdata/interop/requirements.txt examples/requirements.txt
case $? in
0) ${MAKE:-make} --no-print-directory interop || status=1 ;;
*)
	echo "test: WITHOUT the interoperability tests: no Python environment"
	[ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || status=1
	;;
esac
scripts/jars.sh build/jars || [ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || status=1
${MAKE:-make} --no-print-directory gotest || status=1
exit $status
