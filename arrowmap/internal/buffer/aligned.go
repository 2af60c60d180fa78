// Package buffer lends large buffers for decoded rows, and reports whether bytes are aligned.
package buffer

import "unsafe"

// Aligned reports whether p starts at an address that is a multiple of n. An empty p does.
func Aligned(p []byte, n int) bool {
	return len(p) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(p)))%uintptr(n) == 0
}
