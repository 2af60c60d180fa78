//go:build duckdb_arrow && cgo

package engine

// #include "bridge.h"
import "C"

import "unsafe"

// compareValues clears the bits of mask for the values for which the comparison with the constant does not hold. values has
// 64 values for each word of mask.
func compareValues(kind int, op operator, values []uint64, constant []byte, mask []uint64) {
	C.h5arrow_compare(C.int(kind), C.int(op), unsafe.Pointer(&values[0]), unsafe.Pointer(&constant[0]), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// pickValues writes the values whose bits in mask are set, each of width bytes, to memory for room values.
func pickValues(width int, to unsafe.Pointer, room int, values []uint64, mask []uint64) {
	C.h5arrow_pick(C.int(width), to, C.int64_t(room), unsafe.Pointer(&values[0]), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// pickDoubles writes the 32-bit floats whose bits in mask are set, as doubles, to memory for room values.
func pickDoubles(to unsafe.Pointer, room int, floats []uint64, mask []uint64) {
	C.h5arrow_pick_doubles((*C.double)(to), C.int64_t(room), (*C.float)(unsafe.Pointer(&floats[0])), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// pickBits writes the bits whose bits in mask are set to memory, starting at bit at.
func pickBits(to unsafe.Pointer, at int, bits, mask []uint64) {
	C.h5arrow_pick_bits((*C.uint64_t)(to), C.int64_t(at), (*C.uint64_t)(&bits[0]), (*C.uint64_t)(&mask[0]), C.int64_t(len(mask)))
}

// plainKernels makes the kernels use plain C only, for tests.
func plainKernels(on bool) {
	C.h5arrow_plain_only = 0
	if on {
		C.h5arrow_plain_only = 1
	}
}
