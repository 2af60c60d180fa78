// Package selectiontest makes selections for tests, and lists their elements the slow way.
package selectiontest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/h5arrow/h5arrow/h5"
)

// Numbers takes integers from fuzzed bytes: small ones from one byte, and now and then one of eight.
type Numbers []byte

// Next returns the next integer, 0 when there are no bytes left.
func (n *Numbers) Next() uint64 {
	if len(*n) == 0 {
		return 0
	}
	b := (*n)[0]
	*n = (*n)[1:]
	if b == 0xff && len(*n) >= 8 {
		v := binary.LittleEndian.Uint64(*n)
		*n = (*n)[8:]
		return v
	}
	return uint64(b)
}

// Seeds returns inputs for fuzz targets that read Numbers.
func Seeds() [][]byte {
	return [][]byte{
		{1, 10, 3, 1, 2, 0, 40, 0, 1, 60, 0},
		{2, 10, 3, 4, 2, 2, 1, 0, 20, 0, 1, 20, 0, 2, 0, 255},
		append([]byte{1, 0xff}, binary.LittleEndian.AppendUint64(nil, math.MaxUint64)...),
		append([]byte{3, 0xff}, binary.LittleEndian.AppendUint64(nil, 1<<40)...),
	}
}

// Next counts through the indices of a shape, row-major; false at the end.
func Next(at, dims []uint64) bool {
	for d := len(dims) - 1; d >= 0; d-- {
		if at[d]++; at[d] < dims[d] {
			return true
		}
		at[d] = 0
	}
	return false
}

// Points lists the elements of a union of hyperslabs as row-major numbers, in row-major order.
func Points(s h5.Selection, dims []uint64) (out []int) {
	at := make([]uint64, len(dims))
	in := func(h *h5.Hyperslab) bool {
		for d, x := range at {
			if x < h.Start[d] {
				return false
			}
			x -= h.Start[d]
			stride := max(h.Stride[d], 1)
			if h.Count[d] == 1 {
				if x >= h.Block[d] {
					return false
				}
			} else if x/stride >= h.Count[d] || x%stride >= h.Block[d] {
				return false
			}
		}
		return true
	}
	for i := 0; ; i++ {
		take := s.All
		for k := range s.Blocks {
			take = take || in(&s.Blocks[k])
		}
		if take && !s.None {
			out = append(out, i)
		}
		if !Next(at, dims) {
			return out
		}
	}
}

// RandomSlab returns a hyperslab with elements in a shape without empty dimensions.
func RandomSlab(rng *rand.Rand, dims []uint64) h5.Hyperslab {
	h := h5.Hyperslab{}
	for _, d := range dims {
		start := rng.Uint64N(d)
		block := 1 + rng.Uint64N(d-start)
		if rng.IntN(3) == 0 {
			block = 1
		}
		if rng.IntN(4) == 0 {
			start, block = 0, d
		}
		stride := block + rng.Uint64N(4)
		count := 1 + (d-start-block)/stride
		if rng.IntN(2) == 0 {
			count = 1 + rng.Uint64N(count)
		}
		h.Start, h.Stride = append(h.Start, start), append(h.Stride, stride)
		h.Count, h.Block = append(h.Count, count), append(h.Block, block)
	}
	return h
}
