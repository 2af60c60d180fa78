#!/bin/sh
# Installs the system packages that a full build needs, where apt-get works without asking for a password, and lists what
# is still missing. H5ARROW_NO_DEPS=1 installs nothing. H5ARROW_REQUIRE_ALL=1 makes anything missing an error.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/probe.sh

missing_packages() {
	have_cc || echo gcc libc6-dev
	have_cxx || echo g++
	have_pkg_config || echo pkg-config
	have_venv || echo python3-venv
	have_hdf5 || echo libhdf5-dev
	have_libdeflate || echo libdeflate-dev
	have_libzstd || echo libzstd-dev
	# Only the test of the JDBC driver needs these.
	[ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || command -v mvn >/dev/null 2>&1 || echo default-jdk-headless maven
}

packages=$(missing_packages | tr '\n' ' ')
if [ -n "$packages" ]; then
	if [ "${H5ARROW_NO_DEPS:-0}" = 1 ]; then
		echo "deps: H5ARROW_NO_DEPS=1, nothing is installed"
	elif ! command -v apt-get >/dev/null 2>&1; then
		echo "deps: apt-get not found, nothing is installed; a full build needs these Debian packages: $packages"
	else
		if [ "$(id -u)" = 0 ]; then
			as_root="env"
		elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
			as_root="sudo -n env"
		else
			as_root=""
		fi
		if [ -z "$as_root" ]; then
			echo "deps: neither root nor sudo without a password, nothing is installed; to install: apt-get install $packages"
		else
			echo "deps: installing with apt-get (H5ARROW_NO_DEPS=1 skips this): $packages"
			apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
			$apt update </dev/null || echo "deps: apt-get update failed, using the existing package lists"
			# A package that can't be installed must not prevent the others.
			# shellcheck disable=SC2086
			$apt install -y --no-install-recommends $packages </dev/null || for p in $packages; do
				$apt install -y --no-install-recommends "$p" </dev/null || echo "deps: $p could not be installed"
			done
		fi
	fi
fi

without=$(
	have_cc || echo "  a C compiler: no libdeflate, no libzstd, no libhdf5, no race detector"
	have_cxx || echo "  a C++ compiler: no SQL"
	have_libdeflate || echo "  libdeflate: deflate is decoded in Go, at about half the speed"
	have_libzstd || echo "  libzstd: Zstandard is decoded in Go, at about half the speed where the bytes are shuffled"
	have_hdf5 || echo "  libhdf5: no comparison with the C library in tests, and no filter plugins"
	have_venv || echo "  Python 3.11 or newer with venv: no interoperability tests with pyarrow, h5py and vaex"
)
if [ -z "$without" ]; then
	echo "deps: nothing is missing"
else
	echo "deps: all features work, but the build and the tests go without:"
	echo "$without"
	[ "${H5ARROW_REQUIRE_ALL:-0}" != 1 ] || exit 1
fi
