//go:build libhdf5 && cgo

package libhdf5

// #cgo CFLAGS: -I/usr/local/include
// #cgo LDFLAGS: -L/usr/local/lib -lhdf5
// #cgo linux,amd64 CFLAGS: -I/usr/include/hdf5/serial
// #cgo linux,amd64 LDFLAGS: -L/usr/lib/x86_64-linux-gnu/hdf5/serial
// #cgo linux,arm64 CFLAGS: -I/usr/include/hdf5/serial
// #cgo linux,arm64 LDFLAGS: -L/usr/lib/aarch64-linux-gnu/hdf5/serial
// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"runtime"
	"sync"
	"unsafe"

	"gonum.org/v1/hdf5"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Available reports whether the C library is linked into this build.
const Available = true

// mu is held around every call of the C library: not all builds of it are thread-safe, and gonum does not lock.
var mu sync.Mutex

// locked runs fn with exclusive use of the C library, on one thread, because the library keeps its errors per thread. The library
// prints nothing during fn.
func locked(fn func() error) error {
	mu.Lock()
	defer mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.shim_quiet()
	return fn()
}

// failure returns the C library's current error as an h5err.Error. It must be called before any other call of the library, which
// would clear the error. kind is the kind of the error if the library's codes do not determine it.
func failure(kind h5err.Kind, what string) error {
	const size = 2048
	buf := (*C.char)(C.malloc(size))
	defer C.free(unsafe.Pointer(buf))
	flags := C.shim_stack(buf, size)
	text := C.GoString(buf)
	if text == "" {
		text = "the library gives no reason"
	}
	switch {
	case flags&C.SHIM_PLUGIN != 0:
		kind = h5err.Unsupported
	case flags&C.SHIM_MEMORY != 0:
		kind = h5err.Memory
	case flags&C.SHIM_NOT_FOUND != 0:
		kind = h5err.NotFound
	case flags&C.SHIM_ARGUMENT != 0:
		kind = h5err.Argument
	case flags&C.SHIM_UNSUPPORTED != 0:
		kind = h5err.Unsupported
	case flags&C.SHIM_NOT_HDF5 != 0:
		kind = h5err.Corrupt
	}
	return h5err.New(kind, "libhdf5 can't %s: %s", what, text)
}

// id is a handle that this package created.
type id C.hid_t

// close closes the handle. Errors of handles for reading are ignored.
func (i id) close() {
	if i > 0 {
		C.H5Idec_ref(C.hid_t(i))
	}
}

func (i id) c() C.hid_t { return C.hid_t(i) }

// cid returns the C handle of a gonum object.
func cid(o interface{ ID() int64 }) C.hid_t { return C.hid_t(o.ID()) }

// made checks a handle that the library just returned.
func made(h C.hid_t, kind h5err.Kind, what string) (id, error) {
	if h < 0 {
		return -1, failure(kind, what)
	}
	return id(h), nil
}

func newList(class C.hid_t) (id, error) {
	return made(C.H5Pcreate(class), h5err.Memory, "make a property list")
}

// Version returns the version of the linked C library.
func Version() (string, error) {
	var v hdf5.Version
	err := locked(func() (err error) { v, err = hdf5.LibVersion(); return err })
	return v.String(), err
}

// older reports whether the C library is older than a version. mu must be held.
func older(major, minor, release uint) (bool, error) {
	v, err := hdf5.LibVersion()
	if err != nil {
		return false, failure(h5err.IO, "get its version")
	}
	have := [3]uint{v.Major, v.Minor, v.Release}
	for i, want := range [3]uint{major, minor, release} {
		if have[i] != want {
			return have[i] < want, nil
		}
	}
	return false, nil
}

// text splits and frees a list of the shim.
func text(l *C.shim_list) []string {
	defer C.shim_list_free(l)
	out := make([]string, 0, int(l.count))
	b := unsafe.Slice((*byte)(unsafe.Pointer(l.p)), int(l.len))
	for start, i := 0, 0; i < len(b); i++ {
		if b[i] == 0 {
			out = append(out, string(b[start:i]))
			start = i + 1
		}
	}
	return out
}

// withString calls fn with s as a C string.
func withString(s string, fn func(*C.char)) {
	p := C.CString(s)
	defer C.free(unsafe.Pointer(p))
	fn(p)
}
