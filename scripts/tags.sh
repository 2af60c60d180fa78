#!/bin/sh
# Prints the build tags that this machine supports, comma-separated. H5ARROW_TAGS, which may be empty, overrides them.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/probe.sh

if [ -n "${H5ARROW_TAGS+set}" ]; then
	echo "$H5ARROW_TAGS"
	exit
fi
# grpcnotrace leaves out gRPC's pages for browsers, whose templates keep methods of all types in the program: a sixth of it.
tags="grpcnotrace"
if [ "${CGO_ENABLED:-1}" = 0 ] || ! have_cc; then
	echo "$tags"
	exit
fi
have_libdeflate && tags="$tags,libdeflate"
have_libzstd && tags="$tags,libzstd"
have_hdf5 && tags="$tags,libhdf5"
have_cxx && have_duckdb && tags="$tags,duckdb_arrow"
echo "$tags"
