// Package kernel has the loops over bytes that dominate conversions: byte swapping, that of strided
// elements, and the search for bytes beyond ASCII. Every function is exact for any length and any alignment.
package kernel

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// HostIsBig reports whether this machine is big-endian.
func HostIsBig() bool {
	return binary.NativeEndian.Uint16([]byte{0, 1}) == 1
}

// Swap reverses the bytes of each element of src into dst. Both have the same length, a multiple of width, and are the
// same memory or do not overlap. Widths are 2, 4, 8 and 16.
func Swap(dst, src []byte, width int) {
	dst = dst[:len(src)]
	done := swapVector(dst, src, width)
	swapPortable(dst[done:], src[done:], width)
}

// swapPortable is Swap, eight bytes at a time.
func swapPortable(dst, src []byte, width int) {
	le := binary.LittleEndian
	switch width {
	case 2:
		const even = 0x00FF00FF00FF00FF
		for len(src) >= 8 && len(dst) >= 8 {
			x := le.Uint64(src)
			le.PutUint64(dst, x>>8&even|x&even<<8)
			src, dst = src[8:], dst[8:]
		}
		for len(src) >= 2 && len(dst) >= 2 {
			dst[0], dst[1] = src[1], src[0]
			src, dst = src[2:], dst[2:]
		}
	case 4:
		for len(src) >= 8 && len(dst) >= 8 {
			le.PutUint64(dst, bits.RotateLeft64(bits.ReverseBytes64(le.Uint64(src)), 32))
			src, dst = src[8:], dst[8:]
		}
		if len(src) >= 4 && len(dst) >= 4 {
			le.PutUint32(dst, bits.ReverseBytes32(le.Uint32(src)))
		}
	case 8:
		for len(src) >= 8 && len(dst) >= 8 {
			le.PutUint64(dst, bits.ReverseBytes64(le.Uint64(src)))
			src, dst = src[8:], dst[8:]
		}
	case 16:
		for len(src) >= 16 && len(dst) >= 16 {
			lo, hi := le.Uint64(src), le.Uint64(src[8:])
			le.PutUint64(dst, bits.ReverseBytes64(hi))
			le.PutUint64(dst[8:], bits.ReverseBytes64(lo))
			src, dst = src[16:], dst[16:]
		}
	}
}

// GatherSwap copies n elements of width bytes, stride bytes apart in src, to adjacent bytes of dst, each reversed; widths as
// for Swap.
func GatherSwap(dst, src []byte, width, stride, n int) {
	if stride == width {
		Swap(dst, src[:n*width], width)
		return
	}
	ne := binary.NativeEndian
	switch width {
	case 2:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			ne.PutUint16(dst[i*2:], bits.ReverseBytes16(ne.Uint16(src[o:])))
		}
	case 4:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			ne.PutUint32(dst[i*4:], bits.ReverseBytes32(ne.Uint32(src[o:])))
		}
	case 8:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			ne.PutUint64(dst[i*8:], bits.ReverseBytes64(ne.Uint64(src[o:])))
		}
	default:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			swapPortable(dst[i*width:(i+1)*width], src[o:o+width], width)
		}
	}
}

// ASCII reports whether no byte of b has its highest bit set.
func ASCII(b []byte) bool {
	const high = 0x8080808080808080
	ne := binary.NativeEndian
	for len(b) >= 64 {
		c := b[:64]
		x := ne.Uint64(c) | ne.Uint64(c[8:]) | ne.Uint64(c[16:]) | ne.Uint64(c[24:])
		y := ne.Uint64(c[32:]) | ne.Uint64(c[40:]) | ne.Uint64(c[48:]) | ne.Uint64(c[56:])
		if (x|y)&high != 0 {
			return false
		}
		b = b[64:]
	}
	for len(b) >= 8 {
		if ne.Uint64(b)&high != 0 {
			return false
		}
		b = b[8:]
	}
	var x byte
	for _, c := range b {
		x |= c
	}
	return x < 0x80
}

// UTF8 reports whether b is valid UTF-8, as utf8.Valid does.
func UTF8(b []byte) bool {
	n, ok := utf8Vector(b)
	if !ok {
		return false
	}
	// A character that starts before n may end after it.
	for i := 1; i <= 3 && i <= n; i++ {
		if b[n-i] >= 0xC0 {
			n -= i
			break
		}
	}
	return utf8.Valid(b[n:])
}
