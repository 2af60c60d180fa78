//go:build libdeflate && cgo

package encode

/*
#cgo LDFLAGS: -ldeflate
#cgo noescape libdeflate_zlib_compress
#cgo nocallback libdeflate_zlib_compress
#include <libdeflate.h>
*/
import "C"

import (
	"unsafe"
)

// deflateC is the state of the C encoder, by level.
type deflateC struct {
	c [13]*C.struct_libdeflate_compressor
}

func (d *deflateC) close() {
	for i, c := range d.c {
		if c != nil {
			C.libdeflate_free_compressor(c)
			d.c[i] = nil
		}
	}
}

func (st *State) deflate(dst, src []byte, level int) ([]byte, error) {
	if len(src) == 0 { // an empty slice has no address for C
		return st.deflateGo(dst, src, level)
	}
	c := st.deflateC.c[level]
	if c == nil {
		if c = C.libdeflate_alloc_compressor(C.int(level)); c == nil {
			return st.deflateGo(dst, src, level)
		}
		st.deflateC.c[level] = c
	}
	n := int(C.libdeflate_zlib_compress_bound(c, C.size_t(len(src))))
	out := extend(dst, n)
	to := out[len(dst):]
	// The call keeps neither slice, and both stay alive until it returns.
	got := C.libdeflate_zlib_compress(c, unsafe.Pointer(unsafe.SliceData(src)), C.size_t(len(src)), unsafe.Pointer(unsafe.SliceData(to)), C.size_t(len(to)))
	if got == 0 {
		return st.deflateGo(dst, src, level)
	}
	return out[:len(dst)+int(got)], nil
}
