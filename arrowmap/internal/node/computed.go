package node

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// computed is a column of a block that is computed as a whole, once in a pass.
type computed struct {
	Info
	of  []Node
	def *convention.Computed
}

func (p *Planner) computed(v *convention.Computed) (Node, error) {
	n := &computed{def: v}
	bytes := v.Block.Bytes
	if bytes > 0 {
		if err := p.readable(v.Data); err != nil {
			return nil, err
		}
	}
	for _, of := range v.Block.Of {
		in, err := p.New(of)
		if err != nil {
			return nil, err
		}
		n.of = append(n.of, in)
		bytes += in.Describe().RowBytes * in.Describe().Rows
	}
	n.Type, n.Rows, n.Slow = v.Type, v.Rows, v.Block.Bytes > 0
	n.RowBytes = max(1, bytes/max(1, v.Rows))
	n.deliver(dtype.Converted, v.Reason)
	return n, nil
}

// Wants asks for nothing: all is read when the first column of the block is built.
func (n *computed) Wants(_, _ int64, _ Want) {}

// Fits implements Node.
func (n *computed) Fits(x *Part, a, b int64) int64 {
	all, err := n.all(x)
	text, ok := all.(*array.String)
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
func (n *computed) Build(x *Part, a, b int64) (arrow.Array, error) {
	all, err := n.all(x)
	if err != nil {
		return nil, err
	}
	return array.NewSlice(all, a, b), nil
}

// columns are the arrays of a block.
type columns []arrow.Array

// Release releases all of them.
func (c columns) Release() {
	for _, a := range c {
		a.Release()
	}
}

// all returns the values of all rows. The array belongs to the pass.
func (n *computed) all(x *Part) (arrow.Array, error) {
	r, err := x.Pass.Keep(n.def.Block, func() (Releaser, error) {
		list, err := n.compute(x)
		return columns(list), err
	})
	if err != nil {
		return nil, h5err.About(err, n.def.Data)
	}
	list, i := r.(columns), n.def.Item
	if i >= len(list) {
		return nil, fail(n.def.Data, h5err.Unsupported, "%s made %d columns, not column %d", n.def.Reason, len(list), i)
	}
	if err := promised(list[i], n.Rows, n.Type, n.def.Reason); err != nil {
		return nil, h5err.About(err, n.def.Data)
	}
	return list[i], nil
}

// compute makes the columns of the block.
func (n *computed) compute(x *Part) ([]arrow.Array, error) {
	total := int64(0)
	for _, of := range n.of {
		rows, row := of.Describe().Rows, max(1, of.Describe().RowBytes)
		if rows > maxElements/row {
			return nil, h5err.New(h5err.Limit, "%d rows of %d bytes at once", rows, row)
		}
		total += rows * row
	}
	block := n.def.Block
	if x.MaxMemory > 0 && (total > x.MaxMemory/2 || block.Bytes > x.MaxMemory) { // the result takes about as much as its sources
		return nil, h5err.New(h5err.Memory, "%d bytes at once: %s", max(total, block.Bytes), n.def.Reason).WithOption("arrowmap.WithMaxMemory", "allow more")
	}
	in := make([]arrow.Array, 0, len(n.of))
	defer func() {
		for _, a := range in {
			a.Release()
		}
	}()
	for _, of := range n.of {
		a, err := x.array(of, 0, of.Describe().Rows)
		if err != nil {
			return nil, err
		}
		in = append(in, a)
	}
	return block.Compute(in, x.Alloc, x.MaxMemory)
}

// promised returns an error about an array that is not as its description promised.
func promised(arr arrow.Array, rows int64, t arrow.DataType, what string) error {
	if int64(arr.Len()) == rows && arrow.TypeEqual(arr.DataType(), t) {
		return nil
	}
	return h5err.New(h5err.Unsupported, "%s made %d rows of %s, %d of %s were promised", what, arr.Len(), arr.DataType(), rows, t)
}

// checked returns an array that a description promised, or an error where it is another one. It takes over arr.
func checked(arr arrow.Array, rows int64, t arrow.DataType, what string) (arrow.Array, error) {
	if err := promised(arr, rows, t, what); err != nil {
		arr.Release()
		return nil, err
	}
	return arr, nil
}

// generated is values that a rule makes from the numbers of the rows.
type generated struct {
	Info
	def *convention.Generated
}

func newGenerated(v *convention.Generated) Node {
	n := &generated{def: v}
	n.Type, n.Rows, n.RowBytes = v.Type, v.Rows, 8
	n.deliver(dtype.Converted, v.Reason)
	return n
}

// Wants asks for nothing.
func (n *generated) Wants(_, _ int64, _ Want) {}

// Fits implements Node.
func (n *generated) Fits(_ *Part, a, b int64) int64 { return b - a }

// Build implements Node.
func (n *generated) Build(x *Part, a, b int64) (arrow.Array, error) {
	arr, err := n.def.Generate(a, b, x.Alloc)
	if err == nil {
		arr, err = checked(arr, b-a, n.def.Type, n.def.Reason)
	}
	if n.def.Data == nil {
		return arr, err
	}
	return arr, h5err.About(err, n.def.Data)
}
