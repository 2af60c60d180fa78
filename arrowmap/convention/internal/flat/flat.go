// Package flat helps conventions to describe arrays as tables with a row for each cell: in which blocks cells are read, and the indices
// of cells as columns.
package flat

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5/grid"
)

// Block returns the shape of the blocks in which the cells of arrays of one shape are read: chunks, what is common to those of all
// arrays where they differ, and bands of whole rows of chunks unless these have more than band cells. It is nil for the whole array,
// if there are no chunks. Chunks may have more dimensions.
func Block(shape []int64, chunks [][]uint64, band int64) []int64 {
	if len(chunks) == 0 {
		return nil
	}
	block := slices.Repeat([]int64{1}, len(shape))
	for _, chunk := range chunks {
		for i, n := range shape {
			n = max(1, n)
			block[i] = min(common(block[i], int64(min(chunk[i], uint64(n)))), n)
		}
	}
	first := 0
	for first < len(block)-1 && block[first] == 1 {
		first++
	}
	n := block[first]
	for _, k := range shape[first+1:] {
		if k > math.MaxInt64/max(1, n) {
			return block
		}
		n *= k
	}
	if n <= band {
		copy(block[first+1:], shape[first+1:])
	}
	return block
}

// common returns the least common multiple of two extents of chunks, or the greater one if that is much greater than both.
func common(a, b int64) int64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	if a/x <= 4*max(a, b)/b {
		return a / x * b
	}
	return max(a, b)
}

// Places returns for each of some dimensions its place in a list of dimensions, ascending; nil if they are not all in it, in order.
func Places(some, all []string) []int {
	out := make([]int, 0, len(some))
	for i := 0; i < len(all) && len(out) < len(some); i++ {
		if all[i] == some[len(out)] {
			out = append(out, i)
		}
	}
	if len(out) < len(some) {
		return nil
	}
	return out
}

// Names returns the last names of paths.
func Names(paths []string) (out []string) {
	for _, p := range paths {
		out = append(out, object.Base(p))
	}
	return out
}

// Unique returns a name, with a number if it is taken, and takes it.
func Unique(taken map[string]bool, name string) string {
	out := name
	for n := 2; taken[out]; n++ {
		out = fmt.Sprintf("%s_%d", name, n)
	}
	taken[out] = true
	return out
}

// SameSet reports whether dimensions are the same but for their order.
func SameSet(a, b []string) bool {
	return len(a) == len(b) && slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Indices describes the column of the indices of cells in a dimension, from 0.
func Indices(o *grid.Order, dim int) (convention.Values, error) {
	p, err := o.Project([]int{dim}, o.Shape()[dim:dim+1])
	if err != nil {
		return nil, err
	}
	g := &convention.Generated{Rows: o.Cells(), Type: arrow.PrimitiveTypes.Int64, Reason: "the indices of a dimension without coordinates",
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) { return indices(p, lo, hi, mem) }}
	if len(o.Shape()) > 1 {
		of, err := Indices(p.Order(), 0)
		if err != nil {
			return nil, err
		}
		g.Repeats = &convention.Spread{Of: of, Cells: p}
	}
	return g, nil
}

// indices returns the indices of rows in a dimension.
func indices(p *grid.Projection, lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
	type run struct {
		from  int
		index int64
	}
	at := make([]int32, hi-lo)
	var runs []run
	err := p.Fill(lo, hi, at, func(i int, index, _ int64) (int32, error) {
		runs = append(runs, run{i, index})
		return 0, nil
	})
	if err != nil {
		return nil, err
	}
	buf := memory.NewResizableBuffer(mem)
	defer buf.Release()
	buf.Resize(8 * len(at))
	out := arrow.Int64Traits.CastFromBytes(buf.Bytes())
	for i, r := range runs {
		end := len(at)
		if i+1 < len(runs) {
			end = runs[i+1].from
		}
		for k := r.from; k < end; k++ {
			out[k] = r.index + int64(at[k])
		}
	}
	data := array.NewData(arrow.PrimitiveTypes.Int64, len(at), []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	return array.NewInt64Data(data), nil
}
