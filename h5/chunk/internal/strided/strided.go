// Package strided copies and fills blocks of arrays whose elements lie at regular distances.
package strided

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/chunk/internal/selection"
)

// Copy copies count elements in each dimension between two strided arrays.
func Copy(dst []byte, dstStride []int64, src []byte, srcStride, count []int64, elem int64) {
	k, run := len(count), elem
	for ; k > 0 && run == dstStride[k-1] && run == srcStride[k-1]; k-- { // dense in both
		run *= count[k-1]
	}
	if k == 0 {
		copy(dst[:run], src[:run])
		return
	}
	if run == 0 {
		return
	}
	n, ds, ss := count[k-1], dstStride[k-1], srcStride[k-1]
	var at [selection.MaxRank]int64
	var do, so int64
	for {
		CopyRuns(dst[do:], src[so:], n, ds, ss, run)
		d := k - 2
		for ; d >= 0; d-- {
			do += dstStride[d]
			so += srcStride[d]
			if at[d]++; at[d] < count[d] {
				break
			}
			at[d] = 0
			do -= count[d] * dstStride[d]
			so -= count[d] * srcStride[d]
		}
		if d < 0 {
			return
		}
	}
}

// CopyRuns copies n runs of bytes at regular distances.
func CopyRuns(dst, src []byte, n, ds, ss, run int64) {
	switch run {
	case 1:
		for i := int64(0); i < n; i++ {
			dst[i*ds] = src[i*ss]
		}
	case 2:
		for i := int64(0); i < n; i++ {
			binary.LittleEndian.PutUint16(dst[i*ds:], binary.LittleEndian.Uint16(src[i*ss:]))
		}
	case 4:
		for i := int64(0); i < n; i++ {
			binary.LittleEndian.PutUint32(dst[i*ds:], binary.LittleEndian.Uint32(src[i*ss:]))
		}
	case 8:
		for i := int64(0); i < n; i++ {
			binary.LittleEndian.PutUint64(dst[i*ds:], binary.LittleEndian.Uint64(src[i*ss:]))
		}
	default:
		for i := int64(0); i < n; i++ {
			copy(dst[i*ds:i*ds+run], src[i*ss:i*ss+run])
		}
	}
}

// Fill writes the pattern over all of dst, whose length is a multiple of the pattern's. An empty pattern is zeros.
func Fill(dst, pattern []byte) {
	zero := true
	for _, x := range pattern {
		zero = zero && x == 0
	}
	if zero {
		clear(dst)
		return
	}
	// Doubling up to a block that stays in the first cache; always whole patterns.
	block := max(1, 32<<10/len(pattern)) * len(pattern)
	for n := copy(dst, pattern); n < len(dst); {
		n += copy(dst[n:], dst[:min(n, block)])
	}
}

// FillBlock writes the pattern over a strided block.
func FillBlock(dst []byte, stride, count []int64, elem int64, pattern []byte) {
	k, run := len(count), elem
	for ; k > 0 && run == stride[k-1]; k-- {
		run *= count[k-1]
	}
	var at [selection.MaxRank]int64
	for do := int64(0); ; {
		Fill(dst[do:do+run], pattern)
		d := k - 1
		for ; d >= 0; d-- {
			do += stride[d]
			if at[d]++; at[d] < count[d] {
				break
			}
			at[d] = 0
			do -= count[d] * stride[d]
		}
		if d < 0 {
			return
		}
	}
}
