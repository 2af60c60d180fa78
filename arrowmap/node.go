package arrowmap

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// node makes the arrays of one column, batch by batch. It is immutable; what a pass needs stands in the batch.
type node interface {
	arrow() arrow.DataType
	rows() int64
	describe(c *Column)                             // fills in Delivery, Reason, Nulls, Metadata
	width() int64                                   // about how many bytes of Arrow a row makes
	heavy() bool                                    // a row costs much more than its bytes
	wants(a, b int64, want want)                    // names the rows of datasets that rows [a,b) need
	fits(x *part, a, b int64) int64                 // how many rows from a on make one array
	build(x *part, a, b int64) (arrow.Array, error) // the caller releases the array
}

// want asks for rows [lo,hi) of a dataset. swap, when not nil, may be run over them, band by band, as they are decoded.
type want func(of rowsOf, lo, hi int64, swap func([]byte) bool)

// rowsOf says what the rows of a dataset are.
type rowsOf struct {
	ds      *h5.Dataset
	squeeze bool // leading dimensions of 1 do not count
}

func rows(ds *h5.Dataset) rowsOf { return rowsOf{ds: ds} }

// part is what a node sees of a batch.
type part struct {
	b     *batch
	alloc memory.Allocator // counts what the column copies
}

func (x *part) env(f *File, where *h5.Dataset) *dtype.Env {
	src := where.File()
	return &dtype.Env{Alloc: x.alloc, Heap: src.HeapReader(), OffsetSize: src.OffsetSize(), Where: where.Path(), RefPath: f.refResolver(where)}
}

// refResolver resolves stored object references of a dataset's file.
func (f *File) refResolver(d *h5.Dataset) func(ref []byte) (string, bool, error) {
	return func(ref []byte) (string, bool, error) {
		addr, ok := d.File().RefAddress(ref)
		if !ok {
			return "", true, nil
		}
		if d.File() != f.f {
			return "", false, h5err.New(h5err.Unsupported, "an object reference inside another file")
		}
		p, err := f.refPath(addr)
		return p, false, err
	}
}

// plainNode is the elements of a dataset or one of their members.
type plainNode struct {
	f       *File
	ds      *h5.Dataset
	squeeze bool
	plan    *dtype.Plan
	typ     arrow.DataType // the plan's, with a time zone where there is one
	offset  int            // of the member
	stride  int            // bytes of an element, 0 for whole elements
	count   int64
	nulls   []nullSource
	align   Align
}

func (n *plainNode) arrow() arrow.DataType { return n.typ }
func (n *plainNode) rows() int64           { return n.count }

func (n *plainNode) width() int64 {
	w := int64(n.plan.RowBytes)
	if n.plan.Variable {
		w = max(w, 32)
	}
	return w
}

func (n *plainNode) heavy() bool { return n.plan.Variable || n.plan.Refs }

func (n *plainNode) describe(c *Column) {
	for k, v := range n.plan.Metadata {
		c.note(k, v)
	}
	how, why := n.plan.Delivery, n.plan.Reason
	if n.stride > 0 && (how == dtype.Mapped || how == dtype.Swapped) {
		how, why = dtype.Gathered, "a part of each row"
	}
	c.Delivery, c.Reason = deliver(n.ds, how, why)
	if c.Delivery == dtype.Mapped && n.misaligned() {
		switch n.align {
		case AlignCopy:
			c.Delivery, c.Reason = dtype.Realigned, "the values do not stand at a multiple of their width"
		case AlignRefuse:
			c.Delivery, c.Reason = dtype.Refused, "the values do not stand at a multiple of their width"
			c.Err = h5err.In(h5err.New(h5err.Unsupported, "%s", c.Reason).WithOption("arrowmap.WithAlign", "keep or copy them"), n.ds.File().Name(), n.ds.Path())
		}
	}
	c.Nulls = describeNulls(n.nulls)
}

// misaligned tells whether contiguous values stand at an address that is no multiple of what their type asks for.
func (n *plainNode) misaligned() bool {
	l, err := n.ds.Layout()
	return err == nil && l.Storage == h5.StorageContiguous && l.Offset%int64(alignment(n.plan.Arrow)) != 0
}

// alignment is the number of bytes at whose multiples a type's values want to stand.
func alignment(t arrow.DataType) int {
	for {
		l, ok := t.(*arrow.FixedSizeListType)
		if !ok {
			break
		}
		t = l.Elem()
	}
	if f, ok := t.(arrow.FixedWidthDataType); ok && f.BitWidth() >= 8 {
		switch w := f.BitWidth() / 8; w {
		case 2, 4, 8:
			return w
		}
	}
	return 1
}

// deliver tells how a dataset's values arrive, given what contiguous ones would need.
func deliver(d *h5.Dataset, contiguous dtype.Delivery, reason string) (dtype.Delivery, string) {
	l, err := d.Layout()
	if err != nil {
		return dtype.Refused, err.Error()
	}
	raw := ""
	switch {
	case l.Storage == h5.StorageContiguous && d.File().Source().Mapped():
		return contiguous, reason
	case l.Storage == h5.StorageContiguous:
		raw = "the file is read, not mapped"
	case l.Storage == h5.StorageChunked:
		if f, _ := d.Filters(); len(f) > 0 {
			raw = "the chunks are filtered"
		} else if contiguous == dtype.Mapped && d.File().Source().Mapped() {
			return dtype.Mapped, ""
		} else {
			raw = "the values stand in chunks"
		}
	case l.Storage == h5.StorageCompact:
		raw = "the values stand in the object header"
	case l.Storage == h5.StorageNone:
		raw = "nothing was stored: fill values"
	default:
		raw = "the values stand in other files or datasets"
	}
	if contiguous == dtype.Mapped {
		return dtype.Decoded, raw
	}
	if contiguous == dtype.Converted || contiguous == dtype.Gathered {
		return contiguous, reason + "; " + raw
	}
	return dtype.Decoded, raw + "; " + reason
}

func describeNulls(nulls []nullSource) *Nulls {
	if len(nulls) == 0 {
		return nil
	}
	s := nulls[0]
	out := &Nulls{Source: s.Kind.String(), Delivery: dtype.Packed, words: nullWords(nulls)}
	if s.Data != nil {
		out.Path = s.Data.Path()
	} else {
		out.Source = s.Text
	}
	if s.Kind == convention.NullBitmap && len(nulls) == 1 {
		out.Delivery, _ = deliver(s.Data, dtype.Mapped, "")
	}
	for _, more := range nulls[1:] {
		if more.Data != nil {
			out.Source += "+" + more.Kind.String()
			out.Path += "," + more.Data.Path()
		} else {
			out.Source += "+" + more.Text
		}
	}
	return out
}

func (n *plainNode) of() rowsOf { return rowsOf{n.ds, n.squeeze} }

func (n *plainNode) source() int64 { return max(1, n.plan.SourceRows) }

func (n *plainNode) wants(a, b int64, want want) {
	var swap func([]byte) bool
	if n.stride == 0 {
		swap = n.plan.SwapInPlace
	}
	want(n.of(), a*n.source(), b*n.source(), swap)
	wantNulls(n.nulls, a, b, n.plan.Items, want)
}

func wantNulls(nulls []nullSource, a, b, items int64, want want) {
	for _, s := range nulls {
		switch s.Kind {
		case convention.NullMask:
			want(rows(s.Data), a, b, nil)
		case convention.NullBitmap:
			want(rows(s.Data), a*items/8, (b*items+7)/8, nil)
		}
	}
}

func (n *plainNode) fits(x *part, a, b int64) int64 {
	return int64(n.plan.FitsBytes(n.raw(x, a, b), x.env(n.f, n.ds), x.b.r.textBytes))
}

// raw describes rows [a,b) to the plan.
func (n *plainNode) raw(x *part, a, b int64) dtype.Raw {
	if g := x.b.gathered[n]; g != nil {
		at := int(a-g.lo) * g.width
		return dtype.Raw{Bytes: g.buf.Bytes()[at : at+int(b-a)*g.width], Rows: int(b - a), Row0: a, Owner: g.buf, OwnerOffset: at, Mutable: true}
	}
	p := x.b.piece(n.of(), a*n.source(), b*n.source())
	return dtype.Raw{
		Bytes: p.bytes[min(n.offset, len(p.bytes)):], Stride: n.stride, Rows: int(b - a), Row0: a,
		Owner: p.owner, OwnerOffset: p.offset + n.offset, Mutable: p.mutable && n.stride == 0, Swapped: p.swapped, Nulls: 0,
	}
}

func (n *plainNode) build(x *part, a, b int64) (arrow.Array, error) {
	raw := n.raw(x, a, b)
	v, err := x.validity(n.nulls, a, b, n.plan.Items, raw)
	if err != nil {
		return nil, err
	}
	defer v.release()
	raw.Valid, raw.Nulls, raw.ValidBuf = v.bits, v.nulls, v.buf
	if n.align != AlignKeep && raw.Owner != nil && !raw.Mutable && n.misalignedRaw(raw) {
		buf := memory.NewResizableBuffer(x.alloc)
		defer buf.Release()
		buf.Resize(len(raw.Bytes))
		copy(buf.Bytes(), raw.Bytes)
		raw.Bytes, raw.Owner, raw.OwnerOffset = buf.Bytes(), buf, 0
	}
	arr, err := n.plan.Build(raw, x.env(n.f, n.ds))
	if err != nil {
		return nil, h5err.In(err, n.ds.File().Name(), n.ds.Path())
	}
	return retyped(arr, n.typ), nil
}

// retyped returns an array under a type of the same layout.
func retyped(arr arrow.Array, t arrow.DataType) arrow.Array {
	if arr.DataType() == t || arrow.TypeEqual(arr.DataType(), t) {
		return arr
	}
	defer arr.Release()
	d := arr.Data()
	data := array.NewData(t, d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

func (n *plainNode) misalignedRaw(raw dtype.Raw) bool {
	p := address(raw.Bytes)
	return p%uintptr(alignment(n.plan.Arrow)) != 0
}

// validity is the bits that a column's null sources make.
type validity struct {
	bits  dtype.Bitmap
	nulls int
	buf   *memory.Buffer // the bits from 0 on, fit for an array
	own   *memory.Buffer // to be released
}

func (v *validity) release() {
	if v.own != nil {
		v.own.Release()
	}
}

// validity combines the null sources of rows [a,b).
func (x *part) validity(nulls []nullSource, a, b, items int64, raw dtype.Raw) (v validity, err error) {
	n := int((b - a) * items)
	if len(nulls) == 0 || n == 0 {
		return validity{}, nil
	}
	if len(nulls) == 1 && nulls[0].Kind == convention.NullBitmap {
		if v, ok := x.mappedBitmap(&nulls[0], a*items, n); ok {
			return v, nil
		}
	}
	buf := memory.NewResizableBuffer(x.alloc)
	buf.Resize((n + 7) / 8)
	bits := buf.Bytes()
	bits[len(bits)-1] = 0
	mode := nullbitmap.Overwrite
	for i := range nulls {
		s := &nulls[i]
		switch s.Kind {
		case convention.NullMask:
			p := x.b.piece(rows(s.Data), a, b)
			v.nulls = s.Rule.Apply(bits, 0, s.entries(p), mode)
		case convention.NullBitmap:
			first := a * items
			p := x.b.piece(rows(s.Data), first/8, (first+int64(n)+7)/8)
			v.nulls = nullbitmap.FromBits(bits, 0, p.bytes, int(first%8), n, s.Bits, s.Set, mode)
		case convention.NullRule:
			if raw.Stride == 0 {
				v.nulls = s.Rule.Apply(bits, 0, raw.Bytes, mode)
			} else {
				v.nulls = s.Rule.ApplyStrided(bits, 0, raw.Bytes, raw.Stride, n, mode)
			}
		default:
			buf.Release()
			return validity{}, h5err.New(h5err.Unsupported, "nulls by %s", s.Kind)
		}
		mode = nullbitmap.Intersect
	}
	v.bits, v.buf, v.own = dtype.Bitmap{Bits: bits}, buf, buf
	return v, nil
}

// entries returns the entries of a mask one behind the other.
func (s *nullSource) entries(p piece) []byte {
	if s.Part == nil {
		return p.bytes
	}
	n := s.items * s.width
	out := make([]byte, 0, int(p.hi-p.lo)*n)
	for at := s.Part.Offset; at+n <= len(p.bytes); at += int(p.row) {
		out = append(out, p.bytes[at:at+n]...)
	}
	return out
}

// mappedBitmap hands out the file's own bits where they begin at a byte and nothing is set behind them.
func (x *part) mappedBitmap(s *nullSource, first int64, n int) (v validity, ok bool) {
	if first%8 != 0 || s.Bits != nullbitmap.LSBFirst || s.Set != nullbitmap.SetIsValid {
		return v, false
	}
	p := x.b.piece(rows(s.Data), first/8, (first+int64(n)+7)/8)
	if p.owner == nil || n%8 != 0 && p.bytes[len(p.bytes)-1]>>(n%8) != 0 {
		return v, false
	}
	v.bits = dtype.Bitmap{Bits: p.bytes}
	v.nulls = nullbitmap.CountNulls(p.bytes, 0, n)
	v.buf = memory.SliceBuffer(p.owner, p.offset, len(p.bytes))
	v.own = v.buf
	return v, true
}

// stringsNode is text in Arrow's layout.
type stringsNode struct {
	f             *File
	data, offsets *h5.Dataset
	bounds        bounds
	count         int64
	wide          bool
	nulEnds       bool // a text ends in a NUL, which is left out
	nulls         []nullSource
	align         Align
}

func (n *stringsNode) arrow() arrow.DataType {
	switch binary := n.f.o.types.Strings == dtype.StringsBinary; {
	case binary && n.wide:
		return arrow.BinaryTypes.LargeBinary
	case binary:
		return arrow.BinaryTypes.Binary
	case n.wide:
		return arrow.BinaryTypes.LargeString
	}
	return arrow.BinaryTypes.String
}

func (n *stringsNode) rows() int64 { return n.count }

func (n *stringsNode) width() int64 {
	w := int64(n.offsets.Type().Size)
	if n.count > 0 {
		w += n.data.Rows() / n.count
	}
	return w
}

func (n *stringsNode) heavy() bool { return false }

func (n *stringsNode) describe(c *Column) {
	c.note("h5arrow.dtype", "str")
	c.Delivery, c.Reason = deliver(n.data, dtype.Mapped, "")
	swapped, reason := dtype.Mapped, ""
	if n.offsets.Type().Order == h5.BigEndian {
		swapped, reason = dtype.Swapped, "the offsets are big-endian"
	}
	if by, why := deliver(n.offsets, swapped, reason); c.Delivery == dtype.Mapped && by != dtype.Mapped {
		c.Delivery, c.Reason = by, why
	}
	if n.nulEnds {
		c.Delivery, c.Reason = dtype.Converted, "the NUL behind each text is left out"
	} else if n.bounds.kind != convention.BoundsBoth && c.Delivery == dtype.Mapped {
		c.Delivery, c.Reason = dtype.Converted, "offsets that Arrow lacks are added"
	}
	c.Nulls = describeNulls(n.nulls)
}

func (n *stringsNode) wants(a, b int64, want want) {
	n.bounds.wants(a, b, want)
	wantNulls(n.nulls, a, b, 1, want)
}

func (n *stringsNode) fits(_ *part, a, b int64) int64 { return b - a }

func (n *stringsNode) build(x *part, a, b int64) (arrow.Array, error) {
	arr, err := n.strings(x, a, b)
	return arr, h5err.In(err, n.data.File().Name(), n.data.Path())
}

func (n *stringsNode) strings(x *part, a, b int64) (arrow.Array, error) {
	raw := dtype.StringsRaw{Offsets: make([]byte, n.offsets.Type().Size), OffsetWidth: n.offsets.Type().Size,
		OffsetsBig: n.offsets.Type().Order == h5.BigEndian, Rows: int(b - a), Row0: a}
	if a < b {
		p := n.bounds.piece(x, a, b)
		raw.Offsets, raw.OffsetsOwner, raw.OffsetsAt, raw.OffsetsMutable = p.bytes, p.owner, p.offset, p.mutable
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
	defer data.release()
	raw.Data, raw.DataStart, raw.DataOwner, raw.DataAt = data.bytes, data.lo, data.owner, data.offset
	if n.nulEnds {
		if err := n.withoutNuls(&raw); err != nil {
			return nil, err
		}
	}
	return dtype.BuildStrings(raw, n.f.o.types, x.env(n.f, n.data))
}

// bytes returns the bytes that the offsets in raw reach: all there are when they are mapped, since then the offsets can
// stay as they are, else those from the first offset to the last.
func (n *stringsNode) bytes(x *part, raw *dtype.StringsRaw) (piece, error) {
	total := n.data.Rows()
	if raw.Rows == 0 {
		return piece{}, nil
	}
	if p, ok, err := x.b.view(rows(n.data), 0, total); ok || err != nil {
		return p, err
	}
	first, last := n.offset(raw.Offsets), n.offset(raw.Offsets[raw.Rows*raw.OffsetWidth:])
	if first < 0 || last < first || last > total {
		e := h5err.New(h5err.Corrupt, "offsets from %d to %d into %d bytes of text", first, last, total)
		return piece{}, h5err.In(e, n.offsets.File().Name(), n.offsets.Path())
	}
	return x.b.fetch(x, rows(n.data), first, last)
}

func (n *stringsNode) offset(p []byte) int64 {
	order := n.offsets.Type().Order.Binary()
	if n.wide {
		return int64(order.Uint64(p))
	}
	return int64(int32(order.Uint32(p)))
}

// dictionaryNode is numbers of labels, and the labels.
type dictionaryNode struct {
	indices *plainNode
	labels  node
	typ     *arrow.DictionaryType
	dense   bool // rows are labels, not numbers
}

func (n *dictionaryNode) arrow() arrow.DataType {
	if n.dense {
		return n.labels.arrow()
	}
	return n.typ
}

func (n *dictionaryNode) rows() int64                 { return n.indices.rows() }
func (n *dictionaryNode) heavy() bool                 { return false }
func (n *dictionaryNode) wants(a, b int64, want want) { n.indices.wants(a, b, want) }

func (n *dictionaryNode) fits(x *part, a, b int64) int64 {
	fit := n.indices.fits(x, a, b)
	if n.dense {
		if labels, err := x.b.r.dictionary(x, n); err == nil { // build reports it
			fit = min(fit, math.MaxInt32/longest(labels))
		}
	}
	return fit
}

func (n *dictionaryNode) width() int64 {
	if n.dense {
		return n.labels.width()
	}
	return n.indices.width()
}

func (n *dictionaryNode) describe(c *Column) {
	n.indices.describe(c)
	if n.dense {
		c.Delivery, c.Reason = dtype.Converted, "every row gets the label that its number stands for"
	}
}

func (n *dictionaryNode) build(x *part, a, b int64) (arrow.Array, error) {
	labels, err := x.b.r.dictionary(x, n)
	if err != nil {
		return nil, err
	}
	idx, err := n.indices.build(x, a, b)
	if err != nil {
		return nil, err
	}
	defer idx.Release()
	arr, err := dtype.BuildDictionary(idx, labels, n.typ.Ordered, a, n.indices.ds.Path())
	if err == nil && n.dense {
		defer arr.Release()
		arr, err = expand(arr.(*array.Dictionary), x.alloc)
	}
	return arr, h5err.In(err, n.indices.ds.File().Name(), n.indices.ds.Path())
}
