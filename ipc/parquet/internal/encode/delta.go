package encode

import (
	"encoding/binary"
	"math/bits"
)

// Of DELTA_BINARY_PACKED: the sizes that all writers use.
const (
	deltaBlock = 128
	deltaMini  = 32 // values of a miniblock, a quarter of a block
)

// Delta appends the values in DELTA_BINARY_PACKED. Differences wrap around at the width of a value.
func Delta[T Word](dst []byte, values []T) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendUvarint(dst, 0)
	}
	dst = zigzag(dst, values[0])
	var block [deltaBlock]T
	last := values[0]
	for rest := values[1:]; len(rest) > 0; {
		n := min(len(rest), deltaBlock)
		minDelta := signed(rest[0] - last)
		for i, v := range rest[:n] {
			block[i] = v - last
			minDelta = min(minDelta, signed(block[i]))
			last = v
		}
		for i := n; i < deltaBlock; i++ {
			block[i] = T(minDelta) // written as 0
		}
		dst = deltas(dst, &block, n, T(minDelta))
		rest = rest[n:]
	}
	return dst
}

// deltas appends a block, whose first n differences are to be written.
func deltas[T Word](dst []byte, block *[deltaBlock]T, n int, minDelta T) []byte {
	dst = zigzag(dst, minDelta)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for k := 0; k*deltaMini < n; k++ {
		mini := block[k*deltaMini:][:deltaMini]
		var all T
		for _, d := range mini {
			all |= d - minDelta
		}
		width := bits.Len64(uint64(all))
		dst[at+k] = byte(width)
		dst = packed(dst, mini, minDelta, width)
	}
	return dst
}

// signed returns a value as the signed number of its width.
func signed[T Word](v T) int64 {
	if Width[T]() == 4 {
		return int64(int32(v))
	}
	return int64(v)
}

func zigzag[T Word](dst []byte, v T) []byte { return binary.AppendVarint(dst, signed(v)) }
