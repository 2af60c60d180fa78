package node

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/rowset"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// text is text in Arrow's layout.
type text struct {
	Info
	p             *Planner
	data, offsets *h5.Dataset
	bounds        bounds
	wide          bool // offsets have 64 bits
	nulEnds       bool // a text ends in a NUL, which is left out
	types         dtype.Options
	nulls         []nullSource
	checked       *rowset.Rows // nil: rows are checked each time that they are read
}

func (p *Planner) strings(v *convention.Strings) (Node, error) {
	for _, d := range []*h5.Dataset{v.Data, v.Offsets} {
		if err := p.readable(d); err != nil {
			return nil, err
		}
	}
	t := v.Data.Type()
	if v.Bounds > convention.BoundsEnds {
		return nil, h5err.New(h5err.Unsupported, "offsets of kind %s", v.Bounds)
	}
	ok := t.Size == 1 && (t.Class == h5.ClassString || t.Class == h5.ClassFixed || t.Class == h5.ClassBitfield || t.Class == h5.ClassOpaque)
	if !ok || len(v.Data.Dims()) > 1 {
		return nil, h5err.New(h5err.Corrupt, "the bytes of text are %s of shape %v", t, v.Data.Dims())
	}
	ot, space := v.Offsets.Type(), v.Offsets.Space()
	if ot.Class != h5.ClassFixed || ot.Size != 4 && ot.Size != 8 || len(space.Dims) != 1 {
		return nil, fail(v.Offsets, h5err.Corrupt, "offsets of text are %s of shape %v: they must be a list of 32 or 64-bit integers", ot, space.Dims)
	}
	if space.Dims[0] == 0 && v.Bounds == convention.BoundsBoth {
		return nil, fail(v.Offsets, h5err.Corrupt, "no offsets: there must be one more than there are rows")
	}
	n := &text{p: p, data: v.Data, offsets: v.Offsets, wide: ot.Size == 8, nulEnds: v.NulEnds, types: p.Types,
		bounds: bounds{v.Offsets, v.Bounds, v.Data.Rows()}}
	if v.Binary {
		n.types.Strings = dtype.StringsBinary
	}
	n.Rows = n.bounds.rows()
	var err error
	if n.nulls, err = p.nullSources(v.Nulls, v.Data, n.Rows, 1, true); err != nil {
		return nil, err
	}
	if err = checkRules(n.nulls, 0, v.Data); err != nil {
		return nil, err
	}
	n.describe()
	if n.Delivery == dtype.Mapped { // then all of it is in this file
		n.checked = &rowset.Rows{}
	}
	return n, nil
}

// describe fills in the Info of a planned node.
func (n *text) describe() {
	switch binary := n.types.Strings == dtype.StringsBinary; {
	case binary && n.wide:
		n.Type = arrow.BinaryTypes.LargeBinary
	case binary:
		n.Type = arrow.BinaryTypes.Binary
	case n.wide:
		n.Type = arrow.BinaryTypes.LargeString
	default:
		n.Type = arrow.BinaryTypes.String
	}
	n.RowBytes = int64(n.offsets.Type().Size)
	if n.Rows > 0 {
		n.RowBytes += n.data.Rows() / n.Rows
	}
	n.Metadata = textMetadata
	n.deliver(deliver(n.data, dtype.Mapped, ""))
	offsets, reason := dtype.Mapped, ""
	if n.offsets.Type().Order == h5.BigEndian {
		offsets, reason = dtype.Swapped, "the offsets are big-endian"
	}
	if by, why := deliver(n.offsets, offsets, reason); n.Delivery == dtype.Mapped && by != dtype.Mapped {
		n.deliver(by, why)
	}
	if n.nulEnds {
		n.deliver(dtype.Converted, "the NUL at the end of each text is left out")
	} else if n.bounds.kind != convention.BoundsBoth && n.Delivery == dtype.Mapped {
		n.deliver(dtype.Converted, addedOffsets)
	}
	n.Nulls = describeNulls(n.nulls)
}

var textMetadata = map[string]string{dtype.MetaDType: "str"}

func (n *text) Wants(a, b int64, want Want) {
	n.bounds.wants(a, b, want)
	wantNulls(n.nulls, a, b, 1, want)
}

func (n *text) Fits(_ *Part, a, b int64) int64 { return b - a }

func (n *text) Build(x *Part, a, b int64) (arrow.Array, error) {
	arr, err := n.array(x, a, b)
	return arr, h5err.About(err, n.data)
}

func (n *text) array(x *Part, a, b int64) (arrow.Array, error) {
	raw := dtype.StringsRaw{Offsets: make([]byte, n.offsets.Type().Size), OffsetWidth: n.offsets.Type().Size,
		OffsetsBig: n.offsets.Type().Order == h5.BigEndian, Rows: int(b - a), Row0: a}
	if a < b {
		p := n.bounds.piece(x, a, b)
		raw.Offsets, raw.OffsetsOwner, raw.OffsetsAt, raw.OffsetsMutable = p.Bytes, p.Owner, p.Offset, p.Mutable
	}
	v, err := x.validity(n.nulls, a, b, 1, dtype.Raw{})
	if err != nil {
		return nil, err
	}
	defer v.release()
	raw.Valid, raw.Nulls, raw.ValidBuf = v.bits, v.nulls, v.buf
	data, err := n.bytes(x, &raw)
	if err != nil {
		return nil, err
	}
	defer data.Release()
	raw.Data, raw.DataStart, raw.DataOwner, raw.DataAt = data.Bytes, data.Lo, data.Owner, data.Offset
	if !n.data.File().Source().Following() { // otherwise reading fails once the file has changed
		raw.Checked = n.checked
	}
	if n.nulEnds {
		if err := n.withoutNuls(&raw); err != nil {
			return nil, err
		}
	}
	return dtype.BuildStrings(raw, n.types, x.env(n.p, n.data))
}

// bytes returns the bytes that the offsets in raw reach: all there are when they are mapped, since then the offsets can
// stay as they are, else those from the first offset to the last.
func (n *text) bytes(x *Part, raw *dtype.StringsRaw) (Piece, error) {
	total := n.data.Rows()
	if raw.Rows == 0 {
		return Piece{}, nil
	}
	if p, ok, err := x.Pass.View(of(n.data), 0, total); ok || err != nil {
		return p, err
	}
	first, last := n.offset(raw.Offsets), n.offset(raw.Offsets[raw.Rows*raw.OffsetWidth:])
	if first < 0 || last < first || last > total {
		return Piece{}, fail(n.offsets, h5err.Corrupt, "offsets from %d to %d into %d bytes of text", first, last, total)
	}
	return x.Pass.Read(of(n.data), first, last, x.Alloc)
}

func (n *text) offset(p []byte) int64 {
	order := n.offsets.Type().Order.Binary()
	if n.wide {
		return int64(order.Uint64(p))
	}
	return int64(int32(order.Uint32(p)))
}

// withoutNuls copies text whose rows end in NULs, without them.
func (n *text) withoutNuls(raw *dtype.StringsRaw) error {
	size := raw.OffsetWidth
	offsets := make([]byte, 0, len(raw.Offsets))
	text := make([]byte, 0, len(raw.Data))
	order := n.offsets.Type().Order.Binary()
	add := func(v int) { offsets = appendInt(offsets, order, uint64(v), size) }
	add(0)
	for i := range raw.Rows {
		from, to := n.offset(raw.Offsets[i*size:]), n.offset(raw.Offsets[(i+1)*size:])
		if from < raw.DataStart || to < from || to-raw.DataStart > int64(len(raw.Data)) {
			return fail(n.offsets, h5err.Corrupt, "row %d: text from %d to %d of %d bytes", raw.Row0+int64(i), from, to, n.data.Rows())
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
