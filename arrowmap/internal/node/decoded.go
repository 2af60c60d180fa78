package node

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// decoded is a column of a block that is decoded as a whole, once in a pass.
type decoded struct {
	Info
	def *convention.Decoded
}

func (p *Planner) decoded(v *convention.Decoded) (Node, error) {
	if err := p.readable(v.Data); err != nil {
		return nil, err
	}
	n := &decoded{def: v}
	n.Type, n.Rows, n.Slow, n.RowBytes = v.Type, v.Rows, true, 1
	if v.Rows > 0 {
		n.RowBytes = v.Block.Bytes/v.Rows + 1
	}
	n.deliver(dtype.Converted, v.Reason)
	return n, nil
}

// columns are the arrays of a block.
type columns []arrow.Array

// Release releases all of them.
func (c columns) Release() {
	for _, a := range c {
		a.Release()
	}
}

// Wants asks for nothing: the block is read when the first of its columns is built.
func (n *decoded) Wants(_, _ int64, _ Want) {}

// Fits implements Node.
func (n *decoded) Fits(x *Part, a, b int64) int64 {
	arr, err := n.array(x)
	text, ok := arr.(*array.String)
	if err != nil || !ok { // Build reports the error
		return b - a
	}
	limit := min(x.TextBytes, math.MaxInt32)
	size := func(b int64) int64 { // of rows [a,b)
		return int64(text.ValueOffset(int(b-1))) + int64(text.ValueLen(int(b-1))) - int64(text.ValueOffset(int(a)))
	}
	for b = min(b, int64(text.Len())); b > a+1 && size(b) > limit; {
		b = a + (b-a)/2
	}
	return b - a
}

// Build implements Node.
func (n *decoded) Build(x *Part, a, b int64) (arrow.Array, error) {
	arr, err := n.array(x)
	if err != nil {
		return nil, err
	}
	return array.NewSlice(arr, a, b), nil
}

// array returns the whole column, which belongs to the pass.
func (n *decoded) array(x *Part) (arrow.Array, error) {
	d, block := n.def.Data, n.def.Block
	r, err := x.Pass.Keep(block, func() (Releaser, error) {
		if x.MaxMemory > 0 && block.Bytes > x.MaxMemory {
			return columns(nil), h5err.New(h5err.Memory, "%d bytes that are decoded at once", block.Bytes).WithOption("arrowmap.WithMaxMemory", "allow more")
		}
		arrays, err := block.Decode(x.Alloc, x.MaxMemory)
		return columns(arrays), err
	})
	if err != nil {
		return nil, h5err.About(err, d)
	}
	c := r.(columns)
	if n.def.Item >= len(c) || int64(c[n.def.Item].Len()) != n.Rows || !arrow.TypeEqual(c[n.def.Item].DataType(), n.Type) {
		return nil, fail(d, h5err.Corrupt, "column %d of what was decoded is not %d rows of %s", n.def.Item, n.Rows, n.Type)
	}
	return c[n.def.Item], nil
}
