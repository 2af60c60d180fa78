package kernel

import (
	"encoding/binary"
	"math/bits"
)

// Int is a form of stored integers of up to eight bytes.
type Int struct {
	Size      int // bytes
	Big       bool
	Shift     int // lowest significant bit
	Precision int // significant bits, at least 1
	Signed    bool
}

// Ints reads n integers of form f, stride bytes apart in src, as 64-bit ones, sign-extended for signed forms.
func Ints(dst []uint64, src []byte, f Int, stride, n int) {
	if n == 0 {
		return
	}
	unused := uint(64 - f.Precision)
	left := unused - uint(f.Shift) // Shift+Precision is at most 64
	drop := uint(64 - 8*f.Size)
	dst = dst[:n]
	last := n // elements from here on are less than eight bytes from the end
	for last > 0 && len(src)-(last-1)*stride < 8 {
		last--
	}
	switch {
	case f.Big && f.Signed:
		for i := range dst[:last] {
			dst[i] = uint64(int64(bits.ReverseBytes64(binary.LittleEndian.Uint64(src[i*stride:]))>>drop<<left) >> unused)
		}
	case f.Big:
		for i := range dst[:last] {
			dst[i] = bits.ReverseBytes64(binary.LittleEndian.Uint64(src[i*stride:])) >> drop << left >> unused
		}
	case f.Signed:
		for i := range dst[:last] {
			dst[i] = uint64(int64(binary.LittleEndian.Uint64(src[i*stride:])<<left) >> unused)
		}
	default:
		for i := range dst[:last] {
			dst[i] = binary.LittleEndian.Uint64(src[i*stride:]) << left >> unused
		}
	}
	for i := last; i < n; i++ {
		dst[i] = f.Get(src[i*stride:])
	}
}

// Get returns the integer at the start of b.
func (f *Int) Get(b []byte) uint64 {
	b = b[:f.Size]
	var x uint64
	if f.Big {
		for _, c := range b {
			x = x<<8 | uint64(c)
		}
	} else {
		for i := len(b) - 1; i >= 0; i-- {
			x = x<<8 | uint64(b[i])
		}
	}
	unused := uint(64 - f.Precision)
	x = x >> uint(f.Shift) << unused
	if f.Signed {
		return uint64(int64(x) >> unused)
	}
	return x >> unused
}
