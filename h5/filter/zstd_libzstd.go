//go:build libzstd && cgo

package filter

/*
#cgo LDFLAGS: -lzstd
#cgo noescape ZSTD_decompressDCtx
#cgo nocallback ZSTD_decompressDCtx
#cgo noescape ZSTD_findFrameCompressedSize
#cgo nocallback ZSTD_findFrameCompressedSize
#include <zstd.h>
*/
import "C"

import (
	"encoding/binary"
	"unsafe"
)

// Libzstd reports whether this build decodes Zstandard with the C library of that name.
const Libzstd = true

// zstdC is the state of the C decoder. Its size does not depend on what it decodes.
type zstdC struct {
	d *C.ZSTD_DCtx
}

func (c *zstdC) close() {
	if c.d != nil {
		C.ZSTD_freeDCtx(c.d)
		c.d = nil
	}
}

// unzstd decodes the frames in src. C decodes what is a single frame as RFC 8878 defines it. The Go decoder gets all else, finds what is
// wrong, and decides if the two might disagree.
func (st *State) unzstd(dst, src []byte) (int, error) {
	if len(dst) == 0 || !plainFrame(src) {
		return st.unzstdGo(dst, src)
	}
	if st.zstdC.d == nil {
		if st.zstdC.d = C.ZSTD_createDCtx(); st.zstdC.d == nil {
			return st.unzstdGo(dst, src)
		}
	}
	// The calls keep neither slice, and both stay alive until they return.
	in := unsafe.Pointer(unsafe.SliceData(src))
	if C.ZSTD_findFrameCompressedSize(in, C.size_t(len(src))) != C.size_t(len(src)) {
		return st.unzstdGo(dst, src)
	}
	n := C.ZSTD_decompressDCtx(st.zstdC.d, unsafe.Pointer(unsafe.SliceData(dst)), C.size_t(len(dst)), in, C.size_t(len(src)))
	if n > C.size_t(len(dst)) { // an error code: these are the largest numbers
		return st.unzstdGo(dst, src)
	}
	return int(n), nil
}

// plainFrame reports whether src starts with the header of a frame whose window, if it has one, the Go decoder accepts. Formats from
// before version 1.0, which the C library may know, are not.
func plainFrame(src []byte) bool {
	const (
		magic         = 0xfd2fb528
		singleSegment = 0x20
		maxExponent   = 21 // of a window, over 1 KiB
	)
	return len(src) >= 6 && binary.LittleEndian.Uint32(src) == magic && (src[4]&singleSegment != 0 || src[5]>>3 < maxExponent)
}
