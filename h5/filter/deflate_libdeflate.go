//go:build libdeflate && cgo

package filter

/*
#cgo LDFLAGS: -ldeflate
#cgo noescape libdeflate_zlib_decompress_ex
#cgo nocallback libdeflate_zlib_decompress_ex
#include <libdeflate.h>
*/
import "C"

import (
	"unsafe"
)

// Libdeflate reports whether this build decodes deflate with the C library of that name.
const Libdeflate = true

// deflateC is the state of the C decoder.
type deflateC struct {
	d *C.struct_libdeflate_decompressor
}

func (c *deflateC) close() {
	if c.d != nil {
		C.libdeflate_free_decompressor(c.d)
		c.d = nil
	}
}

// zlib decodes the zlib stream at the start of src.
func (st *State) zlib(dst, src []byte) (int, error) {
	if len(src) == 0 {
		return 0, errShort
	}
	if len(dst) == 0 {
		// An empty slice has no address for C; the result must be empty.
		return st.inflate(dst, src)
	}
	if st.deflateC.d == nil {
		if st.deflateC.d = C.libdeflate_alloc_decompressor(); st.deflateC.d == nil {
			return st.inflate(dst, src)
		}
	}
	var in, out C.size_t
	// The calls keep neither slice, and both stay alive until they return.
	r := C.libdeflate_zlib_decompress_ex(st.deflateC.d, unsafe.Pointer(unsafe.SliceData(src)), C.size_t(len(src)),
		unsafe.Pointer(unsafe.SliceData(dst)), C.size_t(len(dst)), &in, &out)
	switch r {
	case C.LIBDEFLATE_SUCCESS:
		return int(out), nil
	case C.LIBDEFLATE_INSUFFICIENT_SPACE:
		return 0, errTooLong
	}
	// The Go decoder finds what is wrong, and decides if the two might disagree.
	return st.inflate(dst, src)
}
