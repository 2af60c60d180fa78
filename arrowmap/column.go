package arrowmap

import (
	"maps"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Column describes one column of a table: what it is in the file, what it becomes, and how.
type Column struct {
	Name       string
	Path       string // of the dataset that stands for it
	Type       arrow.DataType
	HDF5Type   string
	Shape      []uint64
	Storage    h5.Storage
	Filters    []h5.Filter
	Delivery   dtype.Delivery
	Reason     string // why it is not mapped, "" when it is
	Nulls      *Nulls // nil: it has no nulls but those that its type knows
	Err        error  // why it can't be read
	Metadata   map[string]string
	definition *convention.Column
	node       node
}

// Nulls says where a column's nulls come from.
type Nulls struct {
	Source   string // mask, bitmap, or a rule in words
	Path     string // of its dataset
	Delivery dtype.Delivery
	words    string // for the field's metadata
}

// Field is the column's Arrow field; its metadata carry the attributes of the objects that make the column.
func (c *Column) Field() arrow.Field {
	md := map[string]string{}
	for _, o := range c.definition.Objects {
		addAttributes(md, o)
	}
	maps.Copy(md, c.Metadata)
	return arrow.Field{Name: c.Name, Type: c.Type, Nullable: true, Metadata: metadata(md)}
}

// column plans a column. What is wrong with it stands in Err.
func (f *File) column(c *Column, def *convention.Column) {
	*c = Column{Name: def.Name, Err: def.Err, definition: def}
	if def.Values == nil {
		return
	}
	d := def.Values.Main()
	c.Path = d.Path()
	c.HDF5Type = f.plans.typeName(d.Type())
	c.Shape = d.Dims()
	l, err := d.Layout()
	if err == nil {
		c.Storage = l.Storage
		c.Filters, err = d.Filters()
	}
	if err == nil {
		c.node, err = f.node(def.Values)
	}
	if err != nil {
		c.Err = h5err.In(err, d.File().Name(), d.Path())
		return
	}
	c.Type = c.node.arrow()
	c.node.describe(c)
	if c.Nulls != nil && c.Nulls.words != "" {
		c.note(dtype.MetaNulls, c.Nulls.words)
	}
	for k, v := range def.Metadata {
		c.note(k, v)
	}
}

// note adds to the metadata of the column's field.
func (c *Column) note(key, value string) {
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[key] = value
}

// node makes what a description says executable.
func (f *File) node(v convention.Values) (node, error) {
	switch v := v.(type) {
	case *convention.Plain:
		return f.plainNode(v)
	case *convention.Strings:
		return f.stringsNode(v)
	case *convention.Dictionary:
		return f.dictionaryNode(v)
	case *convention.List:
		return f.listNode(v)
	case *convention.Cells:
		return f.cellsNode(v)
	case *convention.Transposed:
		return f.transposedNode(v)
	case *convention.Empty:
		return &emptyNode{ds: v.Data, typ: v.Type}, nil
	case *convention.Derived:
		of, err := f.node(v.Of)
		return &derivedNode{node: of, def: v}, err
	}
	return nil, h5err.New(h5err.Unsupported, "a column of kind %T", v)
}

// readable refuses what is known to be unreadable before anything is read.
func (f *File) readable(d *h5.Dataset) error {
	l, err := d.Layout()
	if err != nil {
		return err
	}
	if l.Storage == h5.StorageChunked {
		err := chunk.Decodable(d)
		if h5err.Is(err, h5err.Unsupported) && f.o.foreign != nil {
			err = foreignType(d.Type())
		}
		return h5err.In(err, d.File().Name(), d.Path())
	}
	return nil
}

func (f *File) plainNode(v *convention.Plain) (*plainNode, error) {
	d := v.Data
	fail := func(k h5err.Kind, format string, args ...any) error {
		return h5err.In(h5err.New(k, format, args...), d.File().Name(), d.Path())
	}
	if err := f.readable(d); err != nil {
		return nil, err
	}
	if n, ok := d.Space().Elements(); !ok || n > 1<<60 {
		return nil, fail(h5err.Limit, "a shape of %v elements", d.Dims())
	}
	n := &plainNode{f: f, ds: d, align: f.o.align, squeeze: v.Squeeze, count: d.Rows()}
	dims := d.RowDims()
	if v.Squeeze {
		dims, n.count = squeezed(d)
	}
	src := dtype.Source{Type: d.Type(), Dims: dims, DType: v.DType, HasDLength: v.HasDLength, DLength: v.DLength, Bitfield8AsBool: v.Bools, UnixTimes: v.Times}
	rowBytes, ok := bytesOf(dims, d.Type())
	if !ok {
		return nil, fail(h5err.Limit, "a row of %v elements of %d bytes", dims, d.Type().Size)
	}
	if v.Member != convention.Whole {
		if d.Type().Class != h5.ClassCompound || v.Member >= len(d.Type().Members) || len(dims) > 0 {
			return nil, fail(h5err.Corrupt, "no member %d", v.Member)
		}
		m := &d.Type().Members[v.Member]
		src.Type, n.offset, n.stride = m.Type, m.Offset, d.Type().Size
		if v.Item != convention.Whole && m.Type.Class == h5.ClassArray {
			src.Type, dims = m.Type.Base, m.Type.Dims
		}
	}
	if v.Item != convention.Whole {
		items, ok := bytesOf(dims, src.Type)
		if at := int64(v.Item) * int64(src.Type.Size); !ok || v.Item < 0 || at >= items {
			return nil, fail(h5err.Corrupt, "no item %d in rows of shape %v", v.Item, dims)
		} else {
			n.offset += int(at)
		}
		n.stride, src.Dims = int(rowBytes), nil
	}
	if v.As != nil {
		was, ok := bytesOf(src.Dims, src.Type)
		src.Type, src.Dims = v.As, v.RowDims
		if is, ok2 := bytesOf(src.Dims, src.Type); !ok || !ok2 || is != was {
			return nil, fail(h5err.Corrupt, "rows of %d bytes read as rows of %d", was, is)
		}
	}
	var err error
	types := f.o.types
	if v.Latin1 && types.Strings == dtype.StringsUTF8 {
		types.Strings = dtype.StringsLatin1
	}
	if n.plan, err = f.plans.plan(src, types); err != nil {
		return nil, h5err.In(err, d.File().Name(), d.Path())
	}
	n.typ = n.plan.Arrow
	if v.Zone != "" {
		ts, ok := n.typ.(*arrow.TimestampType)
		if !ok {
			return nil, fail(h5err.Corrupt, "time zone %s of values that are no times: %s", v.Zone, n.typ)
		}
		n.typ = &arrow.TimestampType{Unit: ts.Unit, TimeZone: v.Zone}
	}
	rows, err := n.plan.ArrowRows(uint64(n.count))
	if err != nil {
		return nil, h5err.In(err, d.File().Name(), d.Path())
	}
	n.count = int64(rows)
	n.nulls, err = f.nullSources(v.Nulls, d, n.count, n.plan.Items, v.DType == "utf32" || n.stride > 0)
	if err == nil {
		err = checkRules(n.nulls, n.plan.RowBytes/int(n.plan.Items), d)
	}
	return n, err
}

// squeezed is a dataset's row shape and number of rows without its leading dimensions of 1.
func squeezed(d *h5.Dataset) (dims []uint64, rows int64) {
	dims = d.Dims()
	for len(dims) > 1 && dims[0] == 1 {
		dims = dims[1:]
	}
	if len(dims) == 0 {
		return nil, d.Rows()
	}
	return dims[1:], int64(dims[0])
}

// bytesOf is the size of items of a shape; ok is false for more than 2 GiB.
func bytesOf(dims []uint64, t *h5.Type) (n int64, ok bool) {
	n = int64(t.Size)
	for _, d := range dims {
		if d > math.MaxInt32 {
			return 0, false
		}
		if n *= int64(d); n > math.MaxInt32 {
			return 0, false
		}
	}
	return n, true
}

// nullSource is a source of nulls, checked against the data.
type nullSource struct {
	convention.Null
	width int // Mask: bytes of an entry
	items int // Mask that is a member of a compound type: entries of a row
}

// nullSources checks the sources of nulls of a column of rows of so many items.
func (f *File) nullSources(nulls []convention.Null, d *h5.Dataset, rows, items int64, perRow bool) ([]nullSource, error) {
	var out []nullSource
	for _, null := range nulls {
		s := nullSource{Null: null}
		var err error
		switch null.Kind {
		case convention.NullMask:
			err = s.checkMask(d, rows, items, perRow)
		case convention.NullBitmap:
			err = s.checkBitmap(rows, items)
		}
		if err == nil && null.Data != nil {
			err = f.readable(null.Data)
		}
		if err != nil {
			if null.Data != nil {
				err = h5err.In(err, null.Data.File().Name(), null.Data.Path())
			}
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// checkMask demands integers or booleans of exactly the data's shape.
func (s *nullSource) checkMask(d *h5.Dataset, rows, items int64, perRow bool) error {
	t := s.Data.Type()
	if s.Part != nil {
		t = s.Part.Type
		s.items = 1
		if t.Class == h5.ClassArray {
			n, _ := bytesOf(t.Dims, t.Base)
			t = t.Base
			s.items = int(n) / max(1, t.Size)
		}
		perRow = true
		if int64(s.items) != items || s.Part.Offset+s.items*t.Size > s.Data.Type().Size {
			return h5err.New(h5err.Corrupt, "a mask of %d entries a row for %d values a row", s.items, items)
		}
	}
	switch t.Class {
	case h5.ClassFixed, h5.ClassBitfield, h5.ClassEnum:
	default:
		return h5err.New(h5err.Corrupt, "a mask of %s: it takes integers or booleans", t)
	}
	s.width = t.Size
	if s.width > 8 || s.width&(s.width-1) != 0 {
		return h5err.New(h5err.Unsupported, "a mask of %d bytes an entry", s.width)
	}
	got, want := s.Data.Space(), d.Dims()
	if perRow {
		want = []uint64{uint64(rows)}
	}
	if got.Class == h5.SpaceNull || !equal(got.Dims, want) {
		return h5err.New(h5err.Corrupt, "a mask of shape %v for data of shape %v", got.Dims, want)
	}
	if w := s.Rule.Width(); w != 0 && w != s.width {
		return h5err.New(h5err.Argument, "a rule for entries of %d bytes, a mask of %d", w, s.width)
	} else if w != 0 {
		return nil
	}
	var err error
	s.Rule, err = nullbitmap.Nonzero(s.width, nullbitmap.SetIsNull)
	return err
}

// checkBitmap demands enough bytes.
func (s *nullSource) checkBitmap(rows, items int64) error {
	t, space := s.Data.Type(), s.Data.Space()
	if t.Class != h5.ClassFixed && t.Class != h5.ClassBitfield || t.Size != 1 || len(space.Dims) != 1 {
		return h5err.New(h5err.Corrupt, "a null bitmap of %s of shape %v: it takes a list of bytes", t, space.Dims)
	}
	if s.Bits == 0 {
		s.Bits = nullbitmap.LSBFirst
	}
	if s.Set == 0 {
		s.Set = nullbitmap.SetIsValid
	}
	if need := (rows*items + 7) / 8; s.Data.Rows() < need {
		return h5err.New(h5err.Corrupt, "a null bitmap of %d bytes for %d values", s.Data.Rows(), rows*items)
	}
	return nil
}

func equal(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (f *File) stringsNode(v *convention.Strings) (node, error) {
	for _, d := range []*h5.Dataset{v.Data, v.Offsets} {
		if err := f.readable(d); err != nil {
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
	fail := func(format string, args ...any) error {
		return h5err.In(h5err.New(h5err.Corrupt, format, args...), v.Offsets.File().Name(), v.Offsets.Path())
	}
	ot, space := v.Offsets.Type(), v.Offsets.Space()
	if ot.Class != h5.ClassFixed || ot.Size != 4 && ot.Size != 8 || len(space.Dims) != 1 {
		return nil, fail("offsets of text are %s of shape %v: they must be a list of 32 or 64-bit integers", ot, space.Dims)
	}
	if space.Dims[0] == 0 && v.Bounds == convention.BoundsBoth {
		return nil, fail("no offsets: there must be one more than there are rows")
	}
	n := &stringsNode{f: f, data: v.Data, offsets: v.Offsets, wide: ot.Size == 8, align: f.o.align}
	n.bounds = bounds{v.Offsets, v.Bounds, v.Data.Rows()}
	n.count, n.nulEnds = n.bounds.rows(), v.NulEnds
	var err error
	n.nulls, err = f.nullSources(v.Nulls, v.Data, n.count, 1, true)
	if err == nil {
		err = checkRules(n.nulls, 0, v.Data)
	}
	return n, err
}

func (f *File) dictionaryNode(v *convention.Dictionary) (node, error) {
	p, ok := v.Indices.(*convention.Plain)
	if !ok {
		return nil, h5err.New(h5err.Corrupt, "dictionary indices that are text")
	}
	indices, err := f.plainNode(p)
	if err != nil {
		return nil, err
	}
	if !arrow.IsInteger(indices.plan.Arrow.ID()) {
		return nil, h5err.New(h5err.Corrupt, "dictionary indices of %s: they must be integers", p.Data.Type())
	}
	labels, err := f.node(v.Labels)
	if err != nil {
		return nil, err
	}
	return &dictionaryNode{indices: indices, labels: labels, dense: v.Dense,
		typ: &arrow.DictionaryType{IndexType: indices.plan.Arrow, ValueType: labels.arrow(), Ordered: v.Ordered}}, nil
}
