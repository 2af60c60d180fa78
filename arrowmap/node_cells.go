package arrowmap

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// bounds is offsets in any of their spellings, as Arrow wants them: one more than there are rows.
type bounds struct {
	ds    *h5.Dataset
	kind  convention.Bounds
	total int64 // items, the end of the last row where only starts are stored
}

func (b bounds) rows() int64 {
	if b.kind == convention.BoundsBoth {
		return b.ds.Rows() - 1
	}
	return b.ds.Rows()
}

// wants asks for the stored offsets of rows [lo,hi).
func (b bounds) wants(lo, hi int64, want want) {
	if lo >= hi {
		return
	}
	lo, hi = b.stored(lo, hi)
	want(rows(b.ds), lo, hi, nil)
}

// stored is the range of stored offsets that rows [lo,hi) need.
func (b bounds) stored(lo, hi int64) (int64, int64) {
	switch b.kind {
	case convention.BoundsStarts:
		return lo, min(hi+1, b.ds.Rows())
	case convention.BoundsEnds:
		return max(lo-1, 0), hi
	}
	return lo, hi + 1
}

// piece returns the offsets of rows [lo,hi), hi-lo+1 of them, in the order of bytes that is stored; offsets of less than
// 4 bytes in 4.
func (b bounds) piece(x *part, lo, hi int64) piece {
	from, to := b.stored(lo, hi)
	p := x.b.piece(rows(b.ds), from, to)
	if b.kind == convention.BoundsBoth {
		return p
	}
	t := b.ds.Type()
	size := max(4, t.Size)
	out := make([]byte, 0, int(hi-lo+1)*size)
	order := t.Order.Binary()
	add := func(v uint64) { out = appendInt(out, order, v, size) }
	if b.kind == convention.BoundsEnds && lo == 0 {
		add(0)
	}
	switch t.Size {
	case 1:
		for _, v := range p.bytes {
			add(signed(uint64(v), t))
		}
	case 2:
		for q := p.bytes; len(q) >= 2; q = q[2:] {
			add(signed(uint64(order.Uint16(q)), t))
		}
	default:
		out = append(out, p.bytes...)
	}
	if b.kind == convention.BoundsStarts && hi == b.ds.Rows() {
		if add(uint64(b.total)); size == 4 && b.total > math.MaxInt32 {
			out = append(out[:len(out)-4], 0xff, 0xff, 0xff, 0xff) // taken for -1, which goes back
		}
	}
	return piece{lo: lo, hi: hi + 1, row: int64(size), bytes: out}
}

// appendInt appends an integer of 4 or 8 bytes.
func appendInt(p []byte, order binary.ByteOrder, v uint64, size int) []byte {
	var b [8]byte
	if size == 8 {
		order.PutUint64(b[:], v)
	} else {
		order.PutUint32(b[:], uint32(v))
	}
	return append(p, b[:size]...)
}

// signed extends the sign of a narrow integer.
func signed(v uint64, t *h5.Type) uint64 {
	if shift := 64 - 8*t.Size; t.Signed && shift > 0 {
		return uint64(int64(v<<shift) >> shift)
	}
	return v
}

// withoutNuls copies text whose rows end in NULs, without them.
func (n *stringsNode) withoutNuls(raw *dtype.StringsRaw) error {
	size := raw.OffsetWidth
	offsets := make([]byte, 0, len(raw.Offsets))
	text := make([]byte, 0, len(raw.Data))
	order := n.offsets.Type().Order.Binary()
	add := func(v int) { offsets = appendInt(offsets, order, uint64(v), size) }
	add(0)
	for i := range raw.Rows {
		from, to := n.offset(raw.Offsets[i*size:]), n.offset(raw.Offsets[(i+1)*size:])
		if from < raw.DataStart || to < from || to-raw.DataStart > int64(len(raw.Data)) {
			e := h5err.New(h5err.Corrupt, "row %d: text from %d to %d of %d bytes", raw.Row0+int64(i), from, to, n.data.Rows())
			return h5err.In(e, n.offsets.File().Name(), n.offsets.Path())
		}
		row := raw.Data[from-raw.DataStart : to-raw.DataStart]
		if len(row) == 0 || row[len(row)-1] != 0 {
			return h5err.New(h5err.Corrupt, "row %d: no NUL at the end of the text", raw.Row0+int64(i))
		}
		text = append(text, row[:len(row)-1]...)
		add(len(text))
	}
	raw.Offsets, raw.OffsetsOwner, raw.OffsetsAt, raw.OffsetsMutable = offsets, nil, 0, false
	raw.Data, raw.DataStart, raw.DataOwner, raw.DataAt = text, 0, nil, 0
	return nil
}

// cellsNode is a dataset for each row.
type cellsNode struct {
	f    *File
	def  *convention.Cells
	plan *dtype.Plan
	typ  arrow.DataType
	sum  []int64 // items before each row, and all of them
}

func (f *File) cellsNode(v *convention.Cells) (node, error) {
	plan, err := dtype.New(dtype.Source{Type: v.Type, NoConvention: true}, f.o.types)
	if err != nil {
		return nil, err
	}
	if plan.Refs {
		return nil, h5err.New(h5err.Unsupported, "references in cells")
	}
	n := &cellsNode{f: f, def: v, plan: plan, typ: plan.Arrow, sum: make([]int64, 1, len(v.Rows)+1)}
	if !v.Single {
		n.typ = arrow.ListOf(plan.Arrow)
	}
	total := int64(0)
	for _, c := range v.Rows {
		items := max(0, c.Items)
		if v.Single && items != 1 && c.Items != convention.NoItems {
			return nil, h5err.New(h5err.Corrupt, "a cell of %d items where one is expected", items)
		}
		if items > math.MaxInt32 || total > 1<<50 {
			return nil, h5err.New(h5err.Limit, "a cell of %d items", items)
		}
		total += items
		n.sum = append(n.sum, total)
	}
	return n, nil
}

func (n *cellsNode) arrow() arrow.DataType { return n.typ }
func (n *cellsNode) rows() int64           { return int64(len(n.def.Rows)) }

func (n *cellsNode) width() int64 {
	w := int64(max(1, n.plan.RowBytes))
	if r := n.rows(); r > 0 {
		w = w*(n.sum[r]/r+1) + 4
	}
	return w
}

func (n *cellsNode) heavy() bool { return true }

func (n *cellsNode) describe(c *Column) {
	c.Delivery, c.Reason = dtype.Gathered, "each row is a dataset of its own"
}

// wants asks for nothing: each row is read by itself.
func (n *cellsNode) wants(_, _ int64, _ want) {}

func (n *cellsNode) fits(x *part, a, b int64) int64 {
	most := min(x.b.r.textBytes, math.MaxInt32) / int64(max(1, n.def.Type.Size))
	for b > a+1 && n.sum[b]-n.sum[a] > most {
		b = a + (b-a)/2
	}
	return b - a
}

func (n *cellsNode) build(x *part, a, b int64) (arrow.Array, error) {
	arr, err := n.cells(x, a, b)
	return arr, h5err.In(err, n.def.Data.File().Name(), n.def.Data.Path())
}

func (n *cellsNode) cells(x *part, a, b int64) (arrow.Array, error) {
	size := int64(n.def.Type.Size)
	rows := int(b - a)
	items := n.sum[b] - n.sum[a]
	if n.def.Single {
		items = b - a // null cells take room too
	}
	bytes := items * size
	if most := x.b.r.o.maxMemory; bytes > math.MaxInt32 || most > 0 && bytes > most {
		return nil, h5err.New(h5err.Memory, "%d bytes of %d cells at once", bytes, rows).WithOption("arrowmap.WithBatchRows", "ask for smaller batches").WithOption("arrowmap.WithMaxMemory", "allow more")
	}
	buf := memory.NewResizableBuffer(x.alloc)
	defer buf.Release()
	buf.Resize(int(bytes))
	bits := make([]byte, (rows+7)/8)
	offsets := memory.NewResizableBuffer(x.alloc)
	defer offsets.Release()
	offsets.Resize(4 * (rows + 1))
	to := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
	to[0] = 0
	at, nulls := int64(0), 0
	for i := range rows {
		c := n.def.Rows[a+int64(i)]
		if c.Items == convention.NoItems {
			nulls++
		} else {
			bits[i/8] |= 1 << (i % 8)
		}
		k := max(0, c.Items)
		if n.def.Single {
			k = 1
		}
		into := buf.Bytes()[at*size : (at+k)*size]
		if c.Items > 0 {
			if err := n.read(x.b.r.ctx, c, into); err != nil {
				return nil, err
			}
		} else {
			clear(into)
		}
		at += k
		to[i+1] = int32(at)
	}
	raw := dtype.Raw{Bytes: buf.Bytes(), Rows: int(items), Owner: buf, Mutable: true}
	if !n.def.Single {
		raw.Row0 = n.sum[a]
	} else if raw.Row0 = a; nulls > 0 {
		raw.Valid, raw.Nulls = dtype.Bitmap{Bits: bits}, nulls
	}
	values, err := n.plan.Build(raw, x.env(n.f, n.def.Data))
	if err != nil || n.def.Single {
		return values, err
	}
	defer values.Release()
	var valid *memory.Buffer
	if nulls > 0 {
		valid = memory.NewResizableBuffer(x.alloc)
		defer valid.Release()
		valid.Resize(len(bits))
		copy(valid.Bytes(), bits)
	}
	data := array.NewData(n.typ, rows, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{values.Data()}, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// read reads the elements of one cell.
func (n *cellsNode) read(ctx context.Context, c convention.Cell, into []byte) error {
	src := n.def.Data.File()
	o, err := src.ObjectAt(c.Address, n.def.Data.Path())
	if err != nil {
		return err
	}
	d, ok := o.(*h5.Dataset)
	if !ok {
		return h5err.New(h5err.Corrupt, "a cell that is no dataset")
	}
	count, ok := d.Space().Elements()
	if !ok || int64(count) != c.Items || d.Type().Size != n.def.Type.Size {
		return h5err.New(h5err.Corrupt, "a cell of %s of shape %v", d.Type(), d.Dims())
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Read(ctx, 0, r.Rows(), into)
}
