//go:build cgo && (linux || darwin || freebsd)

package plugins

// #cgo linux LDFLAGS: -ldl
// #include "library.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Available reports whether this build can open the C library. Whether there is one shows when it is used.
const Available = true

// mu is held around every call of the C library: not all builds of it are thread-safe.
var mu sync.Mutex

// load opens the C library, once, and returns its version. mu must be held.
var load = sync.OnceValues(func() (string, error) {
	var v [3]C.uint
	if why := C.lib_load(&v[0]); why != nil {
		return "", h5err.New(h5err.Unsupported, "plugins need libhdf5 1.10 or newer: %s", C.GoString(why))
	}
	return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]), nil
})

// Version returns the version of the C library. It is an error of kind Unsupported if there is none.
func Version() (string, error) {
	mu.Lock()
	defer mu.Unlock()
	return load()
}

// Read reads the rows [a,b) of a chunked dataset through the C library: whole elements in C order, as stored. It loads plugins for
// the dataset's filters. The caller owns the result.
//
// It is an error of kind Unsupported if there is no library, no plugin for a filter, if the storage is not chunked, because the
// library would open other files for some, or if elements point to the heap; of kind Limit if the rows are more than 1 GiB.
// Links to other files are not followed.
func Read(file, dataset string, a, b int64) ([]byte, error) {
	out, err := read(file, dataset, span{a, b})
	return out, h5err.In(err, file, dataset)
}

func read(file, dataset string, rows span) ([]byte, error) {
	for _, s := range []string{file, dataset} {
		if err := checkName(s); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(file); err != nil {
		return nil, h5err.Wrap(h5err.KindOf(err), err, "")
	}
	mu.Lock()
	defer mu.Unlock()
	if _, err := load(); err != nil {
		return nil, err
	}
	runtime.LockOSThread() // the library keeps its errors per thread
	defer runtime.UnlockOSThread()
	return open(file, dataset, rows)
}

func open(file, dataset string, rows span) ([]byte, error) {
	var d C.lib_dataset
	cfile, cname := C.CString(file), C.CString(dataset)
	defer C.free(unsafe.Pointer(cfile))
	defer C.free(unsafe.Pointer(cname))
	defer C.lib_close(&d)
	if err := failure(C.lib_open(&d, cfile, cname)); err != nil {
		return nil, err
	}
	switch {
	case d.chunked == 0:
		return nil, h5err.New(h5err.Unsupported, "libhdf5 is used to read chunked storage only")
	case d.heap != 0:
		return nil, h5err.New(h5err.Unsupported, "libhdf5 is not used to read elements that point to the heap")
	}
	dims := make([]uint64, d.rank)
	for i := range dims {
		dims[i] = uint64(d.dims[i])
	}
	n, err := rows.bytes(dims, uint64(d.size))
	if err != nil || n == 0 {
		return []byte{}, err
	}
	out := make([]byte, n)
	if err := failure(C.lib_read(&d, C.uint64_t(rows.a), C.uint64_t(rows.b), unsafe.Pointer(&out[0]))); err != nil {
		return nil, err
	}
	return out, nil
}

// failure returns the C library's current error, nil if what is NULL. It must be called before any other call of the library, which
// would clear the error.
func failure(what *C.char) error {
	if what == nil {
		return nil
	}
	const size = 2048
	buf := (*C.char)(C.malloc(size))
	defer C.free(unsafe.Pointer(buf))
	flags := C.lib_error(buf, size)
	text := C.GoString(buf)
	if text == "" {
		text = "the library gives no reason"
	}
	kind := h5err.Corrupt
	switch {
	case flags&(C.LIB_PLUGIN|C.LIB_UNSUPPORTED) != 0:
		kind = h5err.Unsupported
	case flags&C.LIB_MEMORY != 0:
		kind = h5err.Memory
	case flags&C.LIB_NOT_FOUND != 0:
		kind = h5err.NotFound
	}
	return h5err.New(kind, "libhdf5 can't %s: %s", C.GoString(what), text)
}
