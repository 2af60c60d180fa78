#!/bin/sh
# Runs all tests: the interoperability cases, those of the Python package, then the Go tests. Without Python or its packages the
# first two are left out, the second also without a C compiler; H5ARROW_REQUIRE_ALL=1 makes that an error.
set -u
cd "$(dirname "$0")/.." || exit 1

status=0
scripts/venv.sh build/venv testdata/interop/requirements.txt examples/requirements.txt scripts/requirements.txt
case $? in
0)
	${MAKE:-make} --no-print-directory interop || status=1
	if [ "$(${GO:-go} env CGO_ENABLED)" = 1 ]; then
		${MAKE:-make} --no-print-directory pythontest || status=1
	else
		echo "test: WITHOUT the tests of the Python package: cgo is off"
		[ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || status=1
	fi
	;;
*)
	echo "test: WITHOUT the interoperability tests: no Python environment"
	[ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || status=1
	;;
esac
scripts/jars.sh build/jars || [ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || status=1
${MAKE:-make} --no-print-directory gotest || status=1
exit $status
