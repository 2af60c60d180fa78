package encode

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// cells is a column of one dataset of elements, and perhaps one of nulls.
type cells struct {
	node   node
	shape  shape
	levels int  // lists around an item
	nulls  Role // of the dataset of nulls, 0 when there is none
}

// cells plans a column that is one dataset of elements, and perhaps one of nulls.
func (b *planner) cells(p *Plan, s shape, md arrow.Metadata) error {
	n, err := b.node(s.item, md, 0)
	if err != nil {
		return err
	}
	in := n.base()
	if p.Arrow, err = s.of(in.arrow); err != nil {
		return err
	}
	p.Delivery, p.Reason, p.Read = in.delivery, in.reason, in.read
	p.Read.Tensor = s.tensor != nil
	if size, ok := types.Product(s.items, int64(in.typ.Size)); !ok || size > math.MaxInt32 {
		return h5err.New(h5err.Unsupported, "rows of %d items of %d bytes", s.items, in.typ.Size)
	}
	if in.elements > 0 && len(s.dims) > 0 {
		return h5err.New(h5err.Unsupported, "UTF-32 text in rows of shape %v", s.dims)
	}
	_, isFlat := n.(flat)
	p.Datasets = append([]Dataset{{
		Role: RoleData, Type: in.typ, Dims: withCell(s.dims, in.elements), Flat: isFlat,
		DType: in.dtype, Zone: in.zone, Sentinel: in.sentinel,
	}}, b.nullDataset(s.dims)...)
	p.root = &cells{node: n, shape: s, levels: s.levels(), nulls: b.roleOfNulls()}
	return nil
}

func (c *cells) encode(a arrow.Array) ([]Contents, error) {
	rows := a.Len()
	if e, ok := a.(array.ExtensionArray); ok {
		a = e.Storage()
	}
	s := (&source{Array: a}).own()
	for range c.levels {
		l, ok := s.Array.(*array.FixedSizeList)
		if !ok {
			return nil, h5err.New(h5err.Argument, "%s where rows of shape %v were planned", a.DataType(), c.shape.dims)
		}
		items := listItems(l)
		defer items.Release()
		next := s.items(items, listLen(l))
		s = next.own()
	}
	if n := int64(rows) * c.shape.items; int64(s.Len()) != n {
		return nil, h5err.New(h5err.Argument, "%d items where %d were planned", s.Len(), n)
	}
	if t := s.DataType(); !c.node.takes(t) {
		return nil, h5err.New(h5err.Argument, "%s where %s was planned", t.ID(), c.node.base().arrow)
	}
	b, err := c.values(&s)
	if err != nil {
		return nil, err
	}
	return append([]Contents{{Rows: uint64(rows), Bytes: b}}, s.nulls(c.nulls, rows)...), nil
}

// values returns the elements of s as stored, or in flat form.
func (c *cells) values(s *source) (b []byte, err error) {
	switch n := c.node.(type) {
	case *number:
		if b, ok, err := n.share(s); ok {
			return b, err
		}
		return putAll(n, s)
	case fixed:
		return putAll(n, s)
	case flat:
		for i := range s.Len() {
			if b, err = n.add(b, s, i); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// putAll returns the elements of s as stored.
func putAll(n fixed, s *source) ([]byte, error) {
	in := n.base()
	width := in.typ.Size * int(max(in.elements, 1))
	size, ok := types.Product(int64(s.Len()), int64(width))
	if !ok {
		return nil, h5err.New(h5err.Limit, "%d cells of %d bytes", s.Len(), width)
	}
	b := make([]byte, size)
	return b, n.put(b, width, s)
}
