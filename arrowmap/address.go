package arrowmap

import "unsafe"

// address is the address of a slice's first byte, 0 for an empty slice. It is only looked at.
func address(p []byte) uintptr {
	if len(p) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(unsafe.SliceData(p)))
}
