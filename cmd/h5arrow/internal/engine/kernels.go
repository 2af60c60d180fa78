//go:build duckdb_arrow && cgo

package engine

// #include "bridge.h"
import "C"

import "unsafe"

// compareValues clears the bits of mask for the values, at the place that values is, that do not compare so with the
// constant. There is room for whole words of 64 values.
func compareValues(kind int, op operator, values []uint64, constant []byte, mask []uint64) {
	C.h5arrow_compare(C.int(kind), C.int(op), unsafe.Pointer(&values[0]), unsafe.Pointer(&constant[0]), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// pickValues writes the values of so many bytes that mask has a bit for to the place to, which has room for so many.
func pickValues(width int, to unsafe.Pointer, room int, values []uint64, mask []uint64) {
	C.h5arrow_pick(C.int(width), to, C.int64_t(room), unsafe.Pointer(&values[0]), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// pickDoubles writes the floats of 32 bits that mask has a bit for as doubles to the place to, which has room for so many.
func pickDoubles(to unsafe.Pointer, room int, floats []uint64, mask []uint64) {
	C.h5arrow_pick_doubles((*C.double)(to), C.int64_t(room), (*C.float)(unsafe.Pointer(&floats[0])), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// pickBits writes the bits that mask has a bit for to the bits at to, from bit at on.
func pickBits(to unsafe.Pointer, at int, bits, mask []uint64) {
	C.h5arrow_pick_bits((*C.uint64_t)(to), C.int64_t(at), (*C.uint64_t)(&bits[0]), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// plainKernels keeps the kernels from using what not all processors have, for tests.
func plainKernels(on bool) {
	C.h5arrow_plain_only = 0
	if on {
		C.h5arrow_plain_only = 1
	}
}
