// Package libhdf5 reads and writes HDF5 through the C library, behind gonum.org/v1/hdf5 and the thin cgo that it
// lacks.
//
// It is for three things. Tests take it as the reference implementation: what it reads from a file is what package
// h5 and everything above it must read. Tests and the writing commands make HDF5 files with it. And where a user
// asks for it by name, it reads the datasets that the pure-Go reader refuses because their filters exist only as
// plugins of the C library (ReadRaw).
//
// # Building
//
// The package needs cgo and the build tag "libhdf5". Without them it compiles all the same: every function then
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
// Version 1.10.5 is the oldest that will do.
//
// # Bytes
//
// Read and its relatives hand out elements as the file stores them: the memory type is the file's type, so the C
// library converts nothing and swaps nothing. That is impossible for elements that point to the heap (variable
// strings and sequences, alone or inside compounds and arrays). These are read and written in the flat form:
//
//	fixed-size leaf     its bytes as the file stores them
//	compound            its members one after the other, in the type's order, without padding
//	array               its elements, row-major
//	variable string     length in bytes (8 bytes, little-endian), then the bytes
//	variable sequence   number of elements (8 bytes, little-endian), then the elements in flat form
//
// # What is not promised
//
// The C library is not safe on untrusted files: of 85 broken files 1.10.8 dies on eight and never returns from two.
// Never hand it one in a process that matters; package h5test/oracle runs it in a process of its own.
//
// There is one lock around the C library, so nothing here runs in parallel.
//
// Links to other files are not followed, and plugins are not loaded, unless an option says so. Virtual datasets and
// external storage, which also name other files, are read by all functions but ReadRaw.
package libhdf5
