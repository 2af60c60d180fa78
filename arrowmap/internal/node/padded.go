package node

import (
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// padded is another node's rows, with missing values at the end of rows and after the last one.
type padded struct {
	Info
	of   Node
	rows int64 // of of
	text bool  // missing text is empty
}

func (p *Planner) padded(v *convention.Padded) (Node, error) {
	of, err := p.New(v.Of)
	if err != nil {
		return nil, err
	}
	in := of.Describe()
	n := &padded{Info: *in, of: of, rows: in.Rows, text: v.Text}
	if v.Rows < in.Rows {
		return nil, fail(v.Main(), h5err.Corrupt, "%d rows where at most %d are expected", in.Rows, v.Rows)
	}
	n.Rows, n.Pure = v.Rows, false
	if v.Dims != nil {
		if n.Type, err = widened(in.Type, v.Dims); err != nil {
			return nil, h5err.About(err, v.Main())
		}
		n.RowBytes = max(n.RowBytes, itemsOf(n.Type)*max(1, n.RowBytes/max(1, itemsOf(in.Type))))
	}
	words := "past the extent"
	if n.Nulls = n.Nulls.and(words); n.Delivery == dtype.Mapped {
		n.deliver(dtype.Converted, "filled to "+strconv.FormatInt(n.Rows, 10)+" rows")
	}
	return n, nil
}

// widened returns nested lists of fixed size with other numbers of items.
func widened(t arrow.DataType, dims []uint64) (arrow.DataType, error) {
	if len(dims) == 0 {
		return t, nil
	}
	l, ok := t.(*arrow.FixedSizeListType)
	switch {
	case !ok:
		return nil, h5err.New(h5err.Unsupported, "rows of %s that are not of one shape", t)
	case dims[0] > math.MaxInt32 || int64(l.Len()) > int64(dims[0]):
		return nil, h5err.New(h5err.Limit, "rows of %d items that are filled to %d", l.Len(), dims[0])
	}
	item, err := widened(l.Elem(), dims[1:])
	if err != nil {
		return nil, err
	}
	if n := itemsOf(item); n > 0 && int64(dims[0]) > maxRow/n {
		return nil, h5err.New(h5err.Limit, "rows of shape %v", dims)
	}
	field := l.ElemField()
	field.Type = item
	return arrow.FixedSizeListOfField(int32(dims[0]), field), nil
}

// itemsOf is the number of items of a row of nested lists of fixed size.
func itemsOf(t arrow.DataType) int64 {
	n := int64(1)
	for {
		l, ok := t.(*arrow.FixedSizeListType)
		if !ok {
			return n
		}
		n, t = n*int64(l.Len()), l.Elem()
	}
}

// within clips rows [a,b) to those that are stored.
func (n *padded) within(a, b int64) (int64, int64) { return min(a, n.rows), min(b, n.rows) }

// Wants implements Node.
func (n *padded) Wants(a, b int64, want Want) {
	if a, b = n.within(a, b); a < b {
		n.of.Wants(a, b, want)
	}
}

// Fits implements Node.
func (n *padded) Fits(x *Part, a, b int64) int64 {
	fit := b - a
	fit = min(fit, math.MaxInt32/max(1, itemsOf(n.Type)))
	lo, hi := n.within(a, a+fit)
	if lo < hi {
		if k := n.of.Fits(x, lo, hi); k < hi-lo {
			return k
		}
	}
	return fit
}

// Build implements Node.
func (n *padded) Build(x *Part, a, b int64) (arrow.Array, error) {
	lo, hi := n.within(a, b)
	stored, err := n.of.Build(x, lo, hi)
	if err != nil || hi-lo == b-a && arrow.TypeEqual(stored.DataType(), n.Type) {
		return stored, err
	}
	defer stored.Release()
	at := make([]int32, b-a)
	for i := range at {
		if at[i] = int32(i); int64(i) >= hi-lo {
			at[i] = -1
		}
	}
	s := values.Spread{Alloc: x.Alloc, Text: n.text}
	d, err := s.Data(stored.Data(), n.Type, at)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	return array.MakeFromData(d), nil
}
