package plugins

import (
	"math"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestBytes checks sizes that come from a file and rows that come from a caller.
func TestBytes(t *testing.T) {
	tests := []struct {
		rows span
		dims []uint64
		size uint64
		want int
		kind h5err.Kind
	}{
		{span{0, 4}, []uint64{4, 3}, 8, 96, 0},
		{span{4, 4}, []uint64{4, 3}, 8, 0, 0},
		{span{1, 3}, []uint64{4, 0}, 8, 0, 0},
		{span{0, 1}, []uint64{math.MaxUint64}, maxBytes, maxBytes, 0},
		{span{0, 0}, nil, 8, 0, h5err.Unsupported},
		{span{-1, 2}, []uint64{4}, 8, 0, h5err.Argument},
		{span{3, 2}, []uint64{4}, 8, 0, h5err.Argument},
		{span{0, 5}, []uint64{4}, 8, 0, h5err.Argument},
		{span{0, 2}, []uint64{4}, maxBytes, 0, h5err.Limit},
		{span{0, 4}, []uint64{4, math.MaxUint64}, math.MaxUint64, 0, h5err.Limit},
		{span{0, math.MaxInt64}, []uint64{math.MaxUint64, 2}, 1, 0, h5err.Limit},
	}
	for _, c := range tests {
		got, err := c.rows.bytes(c.dims, c.size)
		if got != c.want || (err == nil) != (c.kind == 0) || err != nil && !h5err.Is(err, c.kind) {
			t.Errorf("%v of %v, %d bytes: %d, %v; want %d, %v", c.rows, c.dims, c.size, got, err, c.want, c.kind)
		}
	}
}
