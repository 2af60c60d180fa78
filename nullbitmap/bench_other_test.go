//go:build !amd64 || purego

package nullbitmap

import "encoding/binary"

// The yardsticks without assembly.

var sink uint64

func onlyRead(p []byte) {
	var x uint64
	for ; len(p) >= 32; p = p[32:] {
		x |= binary.LittleEndian.Uint64(p) | binary.LittleEndian.Uint64(p[8:]) | binary.LittleEndian.Uint64(p[16:]) | binary.LittleEndian.Uint64(p[24:])
	}
	sink = x
}

func onlyWrite(p []byte) { clear(p) }
