package node

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// spread is another node's values, repeated for the cells of an array of more dimensions.
type spread struct {
	Info
	of    Node
	cells *grid.Projection
	kept  bool
	text  bool // missing text is empty
	fixed bool // values have one width
}

// Repeated returns the column whose values a column repeats for the cells of an array of more dimensions, and which cells these are; ok is
// false for other columns.
func Repeated(n Node) (of Node, cells *grid.Projection, ok bool) {
	switch n := n.(type) {
	case *spread:
		return n.of, n.cells, true
	case *generated:
		if s := n.def.Repeats; s != nil {
			if of, ok := s.Of.(*convention.Generated); ok {
				return newGenerated(of), s.Cells, true
			}
		}
	}
	return nil, nil, false
}

// Constant reports whether a column is known to have one value in all rows.
func Constant(n Node) bool {
	g, ok := n.(*generated)
	return ok && g.def.Constant
}

// maxTexts is the number of values in an array whose size is not known before they are read.
const maxTexts = 1 << 12

func (p *Planner) spread(v *convention.Spread) (Node, error) {
	of, err := p.New(v.Of)
	if err != nil {
		return nil, err
	}
	in := of.Describe()
	if in.Rows != v.Cells.Order().Cells() {
		return nil, fail(v.Main(), h5err.Corrupt, "%d values for %d cells", in.Rows, v.Cells.Order().Cells())
	}
	n := &spread{Info: *in, of: of, cells: v.Cells, text: v.Text, kept: v.Kept && in.Rows <= math.MaxInt32}
	n.Rows, n.Pure, n.Slow = v.Cells.Rows(), false, false
	n.fixed = fixedWidth(in.Type)
	if !v.Cells.Whole() {
		n.Nulls = n.Nulls.and("past the extent")
	}
	why := "repeated for each cell of other dimensions"
	if in.Reason != "" {
		why += "; " + in.Reason
	}
	n.deliver(dtype.Converted, why)
	return n, nil
}

// fixedWidth reports whether values of a type have one width.
func fixedWidth(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return true
	case arrow.ExtensionType:
		return fixedWidth(t.StorageType())
	case *arrow.FixedSizeListType:
		return fixedWidth(t.Elem())
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if !fixedWidth(f.Type) {
				return false
			}
		}
		return true
	case arrow.FixedWidthDataType, *arrow.NullType:
		return true
	}
	return false
}

// Wants asks for nothing: which values a batch needs is found when it is built, and others need the same ones.
func (n *spread) Wants(_, _ int64, _ Want) {}

// Fits implements Node.
func (n *spread) Fits(x *Part, a, b int64) int64 {
	if n.fixed {
		return min(b-a, math.MaxInt32/max(1, itemsOf(n.Type)))
	}
	if !n.keeps(x) {
		return min(b-a, maxTexts)
	}
	all, err := n.all(x)
	text, ok := all.(array.BinaryLike)
	if err != nil || !ok { // Build reports the error
		return min(b-a, maxTexts)
	}
	longest := 1
	for i := range text.Len() {
		longest = max(longest, text.ValueLen(i))
	}
	return max(1, min(b-a, min(x.TextBytes, math.MaxInt32)/int64(longest)))
}

// keeps reports whether all values are kept in memory.
func (n *spread) keeps(x *Part) bool {
	in := n.of.Describe()
	return n.kept && (x.MaxMemory == 0 || in.Rows <= x.MaxMemory/16/max(1, in.RowBytes))
}

// all returns all values. The array belongs to the pass.
func (n *spread) all(x *Part) (arrow.Array, error) {
	r, err := x.Pass.Keep(n, func() (Releaser, error) {
		arr, err := x.array(n.of, 0, n.of.Describe().Rows)
		return columns{arr}, err
	})
	if err != nil {
		return nil, err
	}
	return r.(columns)[0], nil
}

// Build implements Node.
func (n *spread) Build(x *Part, a, b int64) (arrow.Array, error) {
	at := make([]int32, b-a)
	src, err := n.source(x, a, b, at)
	if err != nil {
		return nil, err
	}
	defer src.Release()
	data, err := values.Spread{Alloc: x.Alloc, Text: n.text}.Data(src.Data(), n.Type, at)
	if err != nil {
		return nil, err
	}
	defer data.Release()
	return array.MakeFromData(data), nil
}

// source returns an array of the values that rows [a,b) need, and sets the places of these rows in it.
func (n *spread) source(x *Part, a, b int64, at []int32) (arrow.Array, error) {
	if n.keeps(x) {
		all, err := n.all(x)
		if err == nil {
			all.Retain()
			err = n.cells.Fill(a, b, at, func(_ int, lo, _ int64) (int32, error) { return int32(lo), nil })
		}
		return all, err
	}
	var parts columns
	defer func() { parts.Release() }()
	total := int32(0)
	err := n.cells.Fill(a, b, at, func(_ int, lo, hi int64) (int32, error) {
		part, err := x.array(n.of, lo, hi)
		if err != nil {
			return 0, err
		}
		parts = append(parts, part)
		base := total
		total += int32(hi - lo)
		return base, nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(parts) == 0:
		return x.array(n.of, 0, 0)
	case len(parts) == 1:
		parts[0].Retain()
		return parts[0], nil
	}
	return array.Concatenate(parts, x.Alloc)
}
