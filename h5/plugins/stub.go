//go:build !cgo || !(linux || darwin || freebsd)

package plugins

import "github.com/h5arrow/h5arrow/h5/h5err"

// Available reports whether this build can open the C library.
const Available = false

func absent() error {
	return h5err.New(h5err.Unsupported, "this build can't open libhdf5").WithHint("build with cgo on Linux, macOS or FreeBSD")
}

// Version returns the version of the C library.
func Version() (string, error) { return "", absent() }

// Read reads the rows [a,b) of a chunked dataset through the C library, as stored.
func Read(file, dataset string, a, b int64) ([]byte, error) { return nil, absent() }
