// Package libhdf5 reads and writes HDF5 through the C library, by gonum.org/v1/hdf5 and a little cgo of its own.
//
// It is for tests: package h5 and everything above it must read from a file what the C library reads, and tests make HDF5 files
// with it. No command is linked with it; package h5/plugins opens the library for those that need it.
//
// # Building
//
// The package needs cgo and the build tag "libhdf5". Without them it compiles too, but every function
// returns an error of kind h5err.Unsupported, and Available is false.
//
// On Debian 12 (1.10.8) and Ubuntu 24.04 (1.10.10) the packages libhdf5-dev and pkg-config are enough on x86-64 and
// arm64:
//
//	go build -tags libhdf5 ./...
//
// The paths of those packages are built in. Elsewhere, also for gonum's own flags, pass them in:
//
//	CGO_CFLAGS="-O2 -g $(pkg-config --cflags hdf5)" CGO_LDFLAGS="-O2 -g $(pkg-config --libs-only-L hdf5)" \
//		go build -tags libhdf5 ./...
//
// The minimum version is 1.10.5.
//
// # Bytes
//
// Read and ReadRows return elements as stored: the memory type is the file's type, so the C library converts nothing. That is
// impossible for elements that point to the heap (variable-length strings and sequences, also inside compounds and arrays).
// These are read and written in the flat form:
//
//	fixed-size leaf     its bytes as stored
//	compound            its members one after another, in the type's order, without padding
//	array               its elements, row-major
//	variable string     length in bytes (8 bytes, little-endian), then the bytes
//	variable sequence   number of elements (8 bytes, little-endian), then the elements in flat form
//
// # Not promised
//
// The C library is not safe for untrusted files: of 85 broken files, version 1.10.8 crashes on eight and does not return from two.
// Do not give it one in a process that matters; package h5test/oracle runs it in a separate process.
//
// There is one lock around the C library, so nothing here runs in parallel.
//
// Links to other files are followed and plugins are loaded only with the options for it. Virtual datasets and external storage,
// which also refer to other files, are read.
package libhdf5
