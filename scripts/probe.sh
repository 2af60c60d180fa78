# Sourced by the other scripts: functions that check what this machine has, by trying it.

# compiles HEADER [FLAGS...] reports whether a C program that includes the header compiles and links.
compiles() {
	include=$1
	shift
	have_cc && printf '#include <%s>\nint main(void) { return 0; }\n' "$include" |
		${CC:-gcc} -x c - -o /dev/null "$@" >/dev/null 2>&1
}

have_cc() { command -v "${CC:-gcc}" >/dev/null 2>&1 && echo 'int main(void) { return 0; }' | ${CC:-gcc} -x c - -o /dev/null >/dev/null 2>&1; }

have_cxx() { echo 'int main() { return 0; }' | ${CXX:-g++} -x c++ - -o /dev/null >/dev/null 2>&1; }

# The SQL engine is linked statically; its Go module has libraries for these systems.
have_duckdb() {
	case $(uname -s)-$(uname -m) in
	Linux-x86_64 | Linux-aarch64) getconf GNU_LIBC_VERSION >/dev/null 2>&1 ;;
	Darwin-x86_64 | Darwin-arm64) true ;;
	*) false ;;
	esac
}

have_pkg_config() { command -v pkg-config >/dev/null 2>&1; }

have_libdeflate() { compiles libdeflate.h -ldeflate; }

have_libzstd() { compiles zstd.h -lzstd; }

# The paths are those in the cgo directives of gonum's hdf5 and of h5/libhdf5.
have_hdf5() {
	arch=$(${CC:-gcc} -print-multiarch 2>/dev/null)
	# shellcheck disable=SC2086
	compiles hdf5.h -I/usr/include/hdf5/serial -I/usr/local/include "-L/usr/lib/$arch/hdf5/serial" -L/usr/local/lib \
		${CGO_CFLAGS:-} ${CGO_LDFLAGS:-} -lhdf5 -lhdf5_hl
}

# find_python prints the name of a Python from 3.11 on that can make a virtual environment. 3.12 and 3.11 come first, as
# all packages of the tests exist for them.
find_python() {
	for python in ${PYTHON:-python3.12 python3.11 python3}; do
		if $python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
			echo "$python"
			return 0
		fi
	done
	return 1
}

have_venv() { find_python >/dev/null; }
