//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// swapMasks are the shuffles of 16 bytes that reverse elements of 2, 4, 8 and 16 bytes.
var swapMasks = [...][16]byte{
	{1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14},
	{3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12},
	{7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8},
	{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
}

// swapAVX2 shuffles each 16 bytes of n, a multiple of 32.
//
//go:noescape
func swapAVX2(dst, src *byte, n int, mask *[16]byte)

// utf8AVX2 reports whether n bytes, a multiple of 32 and not 0, are a prefix of valid UTF-8; a character may be cut
// at the end.
//
//go:noescape
func utf8AVX2(b *byte, n int) bool

// swapVector swaps as many leading bytes as vector instructions can, and returns their number.
func swapVector(dst, src []byte, width int) int {
	n := len(src) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	k := 0
	for w := width; w > 2; w >>= 1 {
		k++
	}
	swapAVX2(&dst[0], &src[0], n, &swapMasks[k])
	return n
}

// utf8Vector reports whether b, up to some point, is valid UTF-8, and the number of bytes it checked. A character may be cut
// there.
func utf8Vector(b []byte) (n int, ok bool) {
	n = len(b) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0, true
	}
	return n, utf8AVX2(&b[0], n)
}
