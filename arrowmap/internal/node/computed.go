package node

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// computed is what a function makes of all values of other nodes. It is made once in a pass.
type computed struct {
	Info
	of  []Node
	def *convention.Computed
}

func (p *Planner) computed(v *convention.Computed) (Node, error) {
	n := &computed{def: v}
	bytes := int64(0)
	for _, of := range v.Of {
		in, err := p.New(of)
		if err != nil {
			return nil, err
		}
		n.of = append(n.of, in)
		bytes += in.Describe().RowBytes * in.Describe().Rows
	}
	n.Type, n.Rows = v.Type, v.Rows
	n.RowBytes = max(1, bytes/max(1, v.Rows))
	n.deliver(dtype.Converted, v.Reason)
	return n, nil
}

// Wants asks for nothing: all is read at once.
func (n *computed) Wants(_, _ int64, _ Want) {}

// Fits implements Node.
func (n *computed) Fits(x *Part, a, b int64) int64 {
	text, ok := n.peek(x).(*array.String)
	if !ok || text.Len() == 0 {
		return b - a
	}
	offsets := text.ValueOffsets()
	for b > a+1 && int64(offsets[b]-offsets[a]) > x.TextBytes {
		b = a + (b-a)/2
	}
	return b - a
}

// peek returns the values, nil where they can't be made: Build reports it.
func (n *computed) peek(x *Part) arrow.Array {
	all, err := n.all(x)
	if err != nil {
		return nil
	}
	return all
}

// Build implements Node.
func (n *computed) Build(x *Part, a, b int64) (arrow.Array, error) {
	all, err := n.all(x)
	if err != nil {
		return nil, err
	}
	return array.NewSlice(all, a, b), nil
}

// all returns the values of all rows. The array belongs to the pass.
func (n *computed) all(x *Part) (arrow.Array, error) {
	r, err := x.Pass.Keep(n, func() (Releaser, error) {
		arr, err := n.compute(x)
		return arr, h5err.About(err, n.def.Data)
	})
	if err != nil {
		return nil, err
	}
	return r.(arrow.Array), nil
}

func (n *computed) compute(x *Part) (arrow.Array, error) {
	total := int64(0)
	for _, of := range n.of {
		rows, row := of.Describe().Rows, max(1, of.Describe().RowBytes)
		if rows > maxElements/row {
			return nil, h5err.New(h5err.Limit, "%d rows of %d bytes at once", rows, row)
		}
		total += rows * row
	}
	if x.MaxMemory > 0 && total > x.MaxMemory/2 { // the result takes about as much
		return nil, h5err.New(h5err.Memory, "%d bytes at once: %s", total, n.def.Reason).WithOption("arrowmap.WithMaxMemory", "allow more")
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
	out, err := n.def.Compute(in, x.Alloc)
	if err != nil {
		return nil, err
	}
	return checked(out, n.Rows, n.def.Type, n.def.Reason)
}

// checked returns an array that a description promised, or an error where it is another one. It takes over arr.
func checked(arr arrow.Array, rows int64, t arrow.DataType, what string) (arrow.Array, error) {
	if int64(arr.Len()) == rows && arrow.TypeEqual(arr.DataType(), t) {
		return arr, nil
	}
	defer arr.Release()
	return nil, h5err.New(h5err.Unsupported, "%s made %d rows of %s, %d of %s were promised", what, arr.Len(), arr.DataType(), rows, t)
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
