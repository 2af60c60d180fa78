package arrowmap

import (
	"encoding/binary"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// derivedNode is what a function makes of another node's arrays.
type derivedNode struct {
	node
	def *convention.Derived
}

func (n *derivedNode) arrow() arrow.DataType { return n.def.Type }

func (n *derivedNode) describe(c *Column) {
	n.node.describe(c)
	if c.Nulls != nil {
		c.Nulls.words = "stored " + c.Nulls.words // the values are others
	}
	c.Delivery = dtype.Converted
	if c.Reason != "" {
		c.Reason = n.def.Reason + "; " + c.Reason
	} else {
		c.Reason = n.def.Reason
	}
}

func (n *derivedNode) build(x *part, a, b int64) (arrow.Array, error) {
	in, err := n.node.build(x, a, b)
	if err != nil {
		return nil, err
	}
	defer in.Release()
	d := n.def.Main()
	out, err := n.def.Compute(in, a, x.alloc)
	if err != nil {
		return nil, h5err.In(err, d.File().Name(), d.Path())
	}
	if out.Len() != in.Len() || !arrow.TypeEqual(out.DataType(), n.def.Type) {
		out.Release()
		return nil, h5err.In(h5err.New(h5err.Unsupported, "%s made %d rows of %s of %d rows, %s was promised", n.def.Reason,
			out.Len(), out.DataType(), in.Len(), n.def.Type), d.File().Name(), d.Path())
	}
	return out, nil
}

// listNode is runs of items, told by offsets.
type listNode struct {
	offsets *h5.Dataset
	bounds  bounds
	wide    bool
	items   []node
	names   []string
	typ     arrow.DataType
	total   int64 // items
}

func (f *File) listNode(v *convention.List) (node, error) {
	ot, space := v.Offsets.Type(), v.Offsets.Space()
	fail := func(format string, args ...any) error {
		return h5err.In(h5err.New(h5err.Corrupt, format, args...), v.Offsets.File().Name(), v.Offsets.Path())
	}
	narrow := v.Bounds != convention.BoundsBoth && (ot.Size == 1 || ot.Size == 2)
	if ot.Class != h5.ClassFixed || ot.Size != 4 && ot.Size != 8 && !narrow || len(space.Dims) != 1 {
		return nil, fail("list offsets are %s of shape %v", ot, space.Dims)
	}
	if v.Bounds == convention.BoundsBoth && space.Dims[0] == 0 {
		return nil, fail("no list offsets: there must be one more than there are rows")
	}
	if v.Bounds > convention.BoundsEnds || len(v.Items) == 0 {
		return nil, fail("lists of %d columns, offsets of kind %s", len(v.Items), v.Bounds)
	}
	if err := f.readable(v.Offsets); err != nil {
		return nil, err
	}
	n := &listNode{offsets: v.Offsets, wide: ot.Size == 8}
	var fields []arrow.Field
	for _, c := range v.Items {
		if c.Err != nil {
			return nil, c.Err
		}
		item, err := f.node(c.Values)
		if err != nil {
			return nil, err
		}
		if len(n.items) > 0 && item.rows() != n.total {
			return nil, fail("lists of items of unequal number: %d and %d", n.total, item.rows())
		}
		n.total = item.rows()
		n.items, n.names = append(n.items, item), append(n.names, c.Name)
		fields = append(fields, arrow.Field{Name: c.Name, Type: item.arrow(), Nullable: true})
	}
	n.bounds = bounds{v.Offsets, v.Bounds, n.total}
	of := fields[0].Type
	if len(fields) > 1 {
		of = arrow.StructOf(fields...)
	}
	if n.wide {
		n.typ = arrow.LargeListOf(of)
	} else {
		n.typ = arrow.ListOf(of)
	}
	return n, nil
}

func (n *listNode) arrow() arrow.DataType { return n.typ }
func (n *listNode) rows() int64           { return n.bounds.rows() }

func (n *listNode) width() int64 {
	w := int64(0)
	for _, item := range n.items {
		w += item.width()
	}
	if r := n.rows(); r > 0 {
		w *= n.total/r + 1
	}
	return w + int64(n.offsets.Type().Size)
}

func (n *listNode) heavy() bool { return false }

func (n *listNode) describe(c *Column) {
	n.items[0].describe(c)
	for _, item := range n.items[1:] {
		more := Column{Metadata: map[string]string{}}
		if item.describe(&more); more.Delivery > c.Delivery {
			c.Delivery, c.Reason = more.Delivery, more.Reason
		}
	}
	if by, why := deliver(n.offsets, dtype.Mapped, ""); by > c.Delivery {
		c.Delivery, c.Reason = by, why
	}
	if n.bounds.kind != convention.BoundsBoth && c.Delivery == dtype.Mapped {
		c.Delivery, c.Reason = dtype.Converted, "offsets that Arrow lacks are added"
	}
}

func (n *listNode) wants(a, b int64, want want) { n.bounds.wants(a, b, want) }

func (n *listNode) fits(_ *part, a, b int64) int64 { return b - a }

// at reads offset i of stored offsets.
func (n *listNode) at(p []byte, i int) int64 {
	order := n.offsets.Type().Order.Binary()
	if n.wide {
		return int64(order.Uint64(p[8*i:]))
	}
	return int64(int32(order.Uint32(p[4*i:])))
}

func (n *listNode) build(x *part, a, b int64) (arrow.Array, error) {
	count := int(b - a)
	first, last := int64(0), int64(0)
	var p piece
	if count > 0 {
		p = n.bounds.piece(x, a, b)
		first = n.at(p.bytes, 0)
		last = first
		for i := 1; i <= count; i++ {
			next := n.at(p.bytes, i)
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
	items, err := n.build1(x, start, last)
	if err != nil {
		return nil, err
	}
	defer items.Release()
	data := array.NewData(n.typ, count, []*memory.Buffer{nil, offsets}, []arrow.ArrayData{items.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

func (n *listNode) corrupt(row int64, format string, args ...any) error {
	e := h5err.New(h5err.Corrupt, format, args...)
	e.Msg += " at row " + strconv.FormatInt(row, 10)
	return h5err.In(e, n.offsets.File().Name(), n.offsets.Path())
}

// buffer returns the offsets for an array whose items begin at start: the file's own, when they are mapped and all
// items before the first one can be mapped too.
func (n *listNode) buffer(x *part, p piece, count int, first int64) (b *memory.Buffer, start int64) {
	size := max(4, n.offsets.Type().Size)
	if p.owner != nil && n.offsets.Type().Order == h5.LittleEndian && n.itemsMapped() {
		return memory.SliceBuffer(p.owner, p.offset, len(p.bytes)), 0
	}
	b = memory.NewResizableBuffer(x.alloc)
	b.Resize((count + 1) * size)
	out := b.Bytes()
	for i := range count + 1 {
		v := int64(0)
		if count > 0 {
			v = n.at(p.bytes, i) - first
		}
		if n.wide {
			binary.NativeEndian.PutUint64(out[8*i:], uint64(v))
		} else {
			binary.NativeEndian.PutUint32(out[4*i:], uint32(v))
		}
	}
	return b, first
}

// itemsMapped tells whether any range of the items costs nothing.
func (n *listNode) itemsMapped() bool {
	for _, item := range n.items {
		c := Column{Metadata: map[string]string{}}
		item.describe(&c)
		p, ok := item.(*plainNode)
		if !ok || c.Delivery != dtype.Mapped || len(p.nulls) > 0 {
			return false
		}
		if l, err := p.ds.Layout(); err != nil || l.Storage != h5.StorageContiguous {
			return false
		}
	}
	return true
}

// build1 builds the items [lo,hi), as a struct when there are several to an item.
func (n *listNode) build1(x *part, lo, hi int64) (arrow.Array, error) {
	arrays := make([]arrow.Array, 0, len(n.items))
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for _, item := range n.items {
		a, err := x.b.some(x, item, lo, hi)
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

// transposedNode is a dataset whose last dimension counts the rows.
type transposedNode struct {
	ds    *h5.Dataset
	inner *plainNode // of one row: the plan, the nulls
	dims  []uint64   // of the dataset
	count int64
}

func (f *File) transposedNode(v *convention.Transposed) (node, error) {
	dims := v.Data.Dims()
	if len(dims) < 2 {
		p := convention.NewStored(v.Data)
		p.As, p.DType, p.Nulls = v.As, v.DType, v.Nulls
		return f.plainNode(p)
	}
	if err := f.readable(v.Data); err != nil {
		return nil, err
	}
	n := &transposedNode{ds: v.Data, dims: dims, count: int64(dims[len(dims)-1])}
	reversed := make([]uint64, len(dims)-1)
	for i := range reversed {
		reversed[i] = dims[len(dims)-2-i]
	}
	fail := func(k h5err.Kind, err error, format string, args ...any) error {
		return h5err.In(&h5err.Error{Kind: k, Offset: h5err.NoOffset, Msg: h5err.New(k, format, args...).Msg, Err: err}, v.Data.File().Name(), v.Data.Path())
	}
	if _, ok := bytesOf(reversed, v.Data.Type()); !ok {
		return nil, fail(h5err.Limit, nil, "a row of %v elements of %d bytes", reversed, v.Data.Type().Size)
	}
	if n, ok := v.Data.Space().Elements(); !ok || n > 1<<40 {
		return nil, fail(h5err.Limit, nil, "a shape of %v elements", dims)
	}
	for _, null := range v.Nulls {
		if null.Kind != convention.NullRule {
			return nil, fail(h5err.Unsupported, nil, "a mask over column-major values")
		}
	}
	t := v.Data.Type()
	if v.As != nil && v.As.Size == t.Size {
		t = v.As
	}
	plan, err := dtype.New(dtype.Source{Type: t, Dims: reversed, DType: v.DType}, f.o.types)
	if err != nil {
		return nil, h5err.In(err, v.Data.File().Name(), v.Data.Path())
	}
	n.inner = &plainNode{f: f, ds: v.Data, plan: plan, typ: plan.Arrow, count: n.count}
	n.inner.nulls, err = f.nullSources(v.Nulls, v.Data, n.count, plan.Items, false)
	if err == nil {
		err = checkRules(n.inner.nulls, plan.RowBytes/int(plan.Items), v.Data)
	}
	return n, err
}

func (n *transposedNode) arrow() arrow.DataType { return n.inner.plan.Arrow }
func (n *transposedNode) rows() int64           { return n.count }
func (n *transposedNode) width() int64          { return n.inner.width() }

func (n *transposedNode) heavy() bool { return false }

func (n *transposedNode) describe(c *Column) {
	n.inner.describe(c)
	c.Delivery = dtype.Gathered
	c.Reason = "the dimensions are reversed: rows are gathered"
}

// wants asks for nothing: what a row needs is all over the dataset.
func (n *transposedNode) wants(_, _ int64, _ want)       {}
func (n *transposedNode) fits(_ *part, a, b int64) int64 { return b - a }

func (n *transposedNode) build(x *part, a, b int64) (arrow.Array, error) {
	whole, err := x.b.r.wholeDataset(x, n.ds)
	if err != nil {
		return nil, err
	}
	size := n.ds.Type().Size
	items := 1
	for _, d := range n.dims[:len(n.dims)-1] {
		items *= int(d)
	}
	buf := memory.NewResizableBuffer(x.alloc)
	defer buf.Release()
	buf.Resize(int(b-a) * items * size)
	gatherColumns(buf.Bytes(), whole.bytes, n.dims, size, int(a), int(b))
	raw := dtype.Raw{Bytes: buf.Bytes(), Rows: int(b - a), Row0: a, Owner: buf, Mutable: true}
	v, err := x.validity(n.inner.nulls, a, b, n.inner.plan.Items, raw)
	if err != nil {
		return nil, err
	}
	defer v.release()
	raw.Valid, raw.Nulls, raw.ValidBuf = v.bits, v.nulls, v.buf
	arr, err := n.inner.plan.Build(raw, x.env(n.inner.f, n.ds))
	return arr, h5err.In(err, n.ds.File().Name(), n.ds.Path())
}

// gatherColumns copies the rows [a,b) of a column-major array to row-major order. dims are those of the file; its last
// counts the rows, and a row's items stand in reversed order of the others.
func gatherColumns(dst, src []byte, dims []uint64, size, a, b int) {
	rank := len(dims) - 1
	rows := int(dims[rank])
	items := 1
	for _, d := range dims[:rank] {
		items *= int(d)
	}
	index := make([]int, rank) // of an item, in the reversed order: the first of the file's dimensions varies fastest
	for k := range items {
		at := 0
		for i := range rank {
			at = at*int(dims[i]) + index[i]
		}
		from := src[(at*rows+a)*size:]
		for r := range b - a {
			copy(dst[(r*items+k)*size:(r*items+k+1)*size], from[r*size:(r+1)*size])
		}
		for i := 0; i < rank; i++ {
			if index[i]++; index[i] < int(dims[i]) {
				break
			}
			index[i] = 0
		}
	}
}
