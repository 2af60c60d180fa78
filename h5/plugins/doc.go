// Package plugins reads datasets whose filters exist only as plugins of the HDF5 C library. It opens the library when the first
// dataset is read, so that a program that imports the package needs it neither to be built nor to start.
//
// The library is found as the dynamic loader finds libraries: libhdf5_serial.so and libhdf5.so with the numbers of the versions
// since 1.10 (libhdf5.dylib on macOS). It looks for plugins in the folders of HDF5_PLUGIN_PATH, or in its own.
//
// # Not promised
//
// The C library is not safe for untrusted files: some broken ones end the process, or are read forever. There is one lock around
// it, so nothing here runs in parallel. Other parts of the program, which don't know that lock, must not call the same library at the
// same time.
package plugins

import (
	"math/bits"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxBytes is the maximum size of the rows of one call.
const maxBytes = 1 << 30

// span is a range of the rows of a dataset.
type span struct{ a, b int64 }

// bytes returns the size in memory of a range of rows of elements of size bytes. It checks the range, and everything that comes
// from the file.
func (s span) bytes(dims []uint64, size uint64) (int, error) {
	if len(dims) == 0 {
		return 0, h5err.New(h5err.Unsupported, "libhdf5 is not used to read a dataset without dimensions")
	}
	if s.a < 0 || s.b < s.a || uint64(s.b) > dims[0] {
		return 0, h5err.New(h5err.Argument, "rows %d to %d of %d", s.a, s.b, dims[0])
	}
	n := uint64(s.b - s.a)
	for _, d := range append(dims[1:len(dims):len(dims)], size) {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 || lo > maxBytes {
			return 0, h5err.New(h5err.Limit, "rows %d to %d are more than %d bytes", s.a, s.b, maxBytes)
		}
		n = lo
	}
	return int(n), nil
}

// checkName refuses text that C would cut.
func checkName(s string) error {
	if strings.ContainsRune(s, 0) {
		return h5err.New(h5err.Argument, "a name with a NUL byte: %q", s)
	}
	return nil
}
