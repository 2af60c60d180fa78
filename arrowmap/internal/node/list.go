package node

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// list is runs of items with their offsets.
type list struct {
	Info
	offsets *h5.Dataset
	bounds  bounds
	wide    bool // offsets have 64 bits
	items   []Node
	names   []string
	total   int64 // items
}

func (p *Planner) list(v *convention.List) (Node, error) {
	ot, space := v.Offsets.Type(), v.Offsets.Space()
	corrupt := func(format string, args ...any) error { return fail(v.Offsets, h5err.Corrupt, format, args...) }
	narrow := v.Bounds != convention.BoundsBoth && (ot.Size == 1 || ot.Size == 2)
	if ot.Class != h5.ClassFixed || ot.Size != 4 && ot.Size != 8 && !narrow || !vector(space.Dims) {
		return nil, corrupt("list offsets are %s of shape %v", ot, space.Dims)
	}
	if v.Bounds == convention.BoundsBoth && space.Dims[0] == 0 {
		return nil, corrupt("no list offsets: there must be one more than there are rows")
	}
	if v.Bounds > convention.BoundsEnds || len(v.Items) == 0 {
		return nil, corrupt("lists of %d columns, offsets of kind %s", len(v.Items), v.Bounds)
	}
	if err := p.readable(v.Offsets); err != nil {
		return nil, err
	}
	n := &list{offsets: v.Offsets, wide: ot.Size == 8}
	var fields []arrow.Field
	for _, c := range v.Items {
		if c.Err != nil {
			return nil, c.Err
		}
		item, err := p.New(c.Values)
		if err != nil {
			return nil, err
		}
		in := item.Describe()
		if len(n.items) > 0 && in.Rows != n.total {
			return nil, corrupt("lists of items of unequal number: %d and %d", n.total, in.Rows)
		}
		n.total = in.Rows
		n.items, n.names = append(n.items, item), append(n.names, c.Name)
		fields = append(fields, arrow.Field{Name: c.Name, Type: in.Type, Nullable: true})
	}
	n.bounds = bounds{v.Offsets, v.Bounds, n.total}
	n.describe(fields)
	return n, nil
}

// vector reports whether dims are those of a list, inner dimensions of 1 aside.
func vector(dims []uint64) bool {
	for i, n := range dims {
		if i > 0 && n != 1 {
			return false
		}
	}
	return len(dims) > 0
}

// describe fills in the Info of a node whose items have these fields.
func (n *list) describe(fields []arrow.Field) {
	n.Info = *n.items[0].Describe()
	n.Slow, n.Pure = false, false
	n.Rows = n.bounds.rows()
	for _, item := range n.items[1:] {
		in := item.Describe()
		n.RowBytes += in.RowBytes
		if in.Delivery > n.Delivery {
			n.deliver(in.Delivery, in.Reason)
		}
	}
	if n.Rows > 0 {
		n.RowBytes *= n.total/n.Rows + 1
	}
	n.RowBytes += int64(n.offsets.Type().Size)
	if by, why := deliver(n.offsets, dtype.Mapped, ""); by > n.Delivery {
		n.deliver(by, why)
	}
	if n.bounds.kind != convention.BoundsBoth && n.Delivery == dtype.Mapped {
		n.deliver(dtype.Converted, addedOffsets)
	}
	of := fields[0].Type
	if len(fields) > 1 {
		of = arrow.StructOf(fields...)
	}
	n.Type = arrow.ListOf(of)
	if n.wide {
		n.Type = arrow.LargeListOf(of)
	}
}

// Wants implements Node.
func (n *list) Wants(a, b int64, want Want) { n.bounds.wants(a, b, want) }

// Fits implements Node.
func (n *list) Fits(_ *Part, a, b int64) int64 { return b - a }

// at reads offset i of stored offsets.
func (n *list) at(p []byte, i int) int64 {
	order := n.offsets.Type().Order.Binary()
	if n.wide {
		return int64(order.Uint64(p[8*i:]))
	}
	return int64(int32(order.Uint32(p[4*i:])))
}

// Build implements Node.
func (n *list) Build(x *Part, a, b int64) (arrow.Array, error) {
	count := int(b - a)
	first, last := int64(0), int64(0)
	var p Piece
	if count > 0 {
		p = n.bounds.piece(x, a, b)
		first = n.at(p.Bytes, 0)
		last = first
		for i := 1; i <= count; i++ {
			next := n.at(p.Bytes, i)
			if next < last {
				return nil, n.corrupt(a+int64(i), "list offsets go back from %d to %d", last, next)
			}
			last = next
		}
		if first < 0 || last > n.total {
			return nil, n.corrupt(b, "list offsets from %d to %d, there are %d items", first, last, n.total)
		}
	}
	offsets, start := n.buffer(x, p, count, first)
	defer offsets.Release()
	items, err := n.array(x, start, last)
	if err != nil {
		return nil, err
	}
	defer items.Release()
	data := array.NewData(n.Type, count, []*memory.Buffer{nil, offsets}, []arrow.ArrayData{items.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

func (n *list) corrupt(row int64, format string, args ...any) error {
	return fail(n.offsets, h5err.Corrupt, format+" at row %d", append(args, row)...)
}

// buffer returns the offsets for an array whose items start at start: the file's own, when they are mapped and all
// items before the first one can be mapped too.
func (n *list) buffer(x *Part, p Piece, count int, first int64) (b *memory.Buffer, start int64) {
	size := max(4, n.offsets.Type().Size)
	if p.Owner != nil && n.offsets.Type().Order == h5.LittleEndian && n.itemsMapped() {
		return memory.SliceBuffer(p.Owner, p.Offset, len(p.Bytes)), 0
	}
	b = memory.NewResizableBuffer(x.Alloc)
	b.Resize((count + 1) * size)
	out := b.Bytes()
	for i := range count + 1 {
		v := int64(0)
		if count > 0 {
			v = n.at(p.Bytes, i) - first
		}
		if n.wide {
			binary.NativeEndian.PutUint64(out[8*i:], uint64(v))
		} else {
			binary.NativeEndian.PutUint32(out[4*i:], uint32(v))
		}
	}
	return b, first
}

// itemsMapped reports whether any range of the items costs nothing.
func (n *list) itemsMapped() bool {
	for _, item := range n.items {
		p, ok := item.(*Plain)
		if !ok || p.Delivery != dtype.Mapped || len(p.nulls) > 0 {
			return false
		}
		if l, err := p.ds.Layout(); err != nil || l.Storage != h5.StorageContiguous {
			return false
		}
	}
	return true
}

// array builds the items [lo,hi), as a struct when there are several to an item.
func (n *list) array(x *Part, lo, hi int64) (arrow.Array, error) {
	arrays := make([]arrow.Array, 0, len(n.items))
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for _, item := range n.items {
		a, err := x.array(item, lo, hi)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, a)
	}
	if len(arrays) == 1 {
		arrays[0].Retain()
		return arrays[0], nil
	}
	return array.NewStructArray(arrays, n.names)
}
