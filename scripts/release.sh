#!/bin/sh
# release.sh DIR: builds stripped commands into DIR, DIR/h5arrow with SQL and DIR/h5arrow-nosql without, that need no library but
# those of libc: libdeflate, libzstd, libstdc++ and libgcc are linked statically. The same commit gives the same bytes.
set -eu
dir=$1
cd "$(dirname "$0")/.."
. scripts/probe.sh
mkdir -p "$dir" build/static

# The linker looks here first, and finds no shared libraries.
for a in libdeflate.a libzstd.a libstdc++.a; do
	path=$(${CC:-gcc} -print-file-name=$a)
	if [ "$path" = $a ]; then
		echo "release: there is no $a" >&2
		exit 1
	fi
	ln -sf "$path" build/static/$a
done
export CGO_ENABLED=1 CGO_LDFLAGS="-L$PWD/build/static ${CGO_LDFLAGS:--O2 -g}"

# build OUT TAGS
build() {
	${GO:-go} build -trimpath -buildvcs=false -tags "$2" -ldflags "-s -w -buildid= '-extldflags=-static-libgcc -Wl,--exclude-libs,ALL'" -o "$1" ./cmd/h5arrow
	foreign=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -E '^(lib(c|m|dl|pthread|rt|resolv)|ld-linux[^.]*)\.so' || true)
	if [ -n "$foreign" ]; then
		echo "release: $1 needs" $foreign >&2
		exit 1
	fi
	[ "$("$1" inspect testdata/sample.h5 --json | head -c 1)" = "{" ]
	ls -l "$1"
}

build "$dir/h5arrow-nosql" libdeflate,libzstd,grpcnotrace
if have_cxx && have_duckdb; then
	build "$dir/h5arrow" libdeflate,libzstd,grpcnotrace,duckdb_arrow
fi
