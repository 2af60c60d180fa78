package arrowmap

import (
	"context"
	"path"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/vaex"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Access is how a column's values are reached.
type Access uint8

// The kinds of access. vaex.hdf5.utils has a class for each; the names in parentheses are its.
const (
	_               Access = iota
	AccessMapped           // the values lie in a mapping of the file (numpy.ndarray, MaskedArray)
	AccessGathered         // they lie in a mapping, not one behind the other, and are collected when read
	AccessStreaming        // they are read from the source when asked for (ColumnFile)
	AccessLazy             // they are decoded when asked for: chunks, fill values, other files (ColumnNumpyLike, ColumnMaskedNumpy)
)

var accessNames = [...]string{"invalid", "mapped", "gathered", "streaming", "lazy"}

// String returns the kind's name.
func (a Access) String() string { return accessNames[min(int(a), len(accessNames)-1)] }

// Values is one column by itself: an array in raw bytes of a file, or a dataset with a source of nulls. It is immutable;
// Slice makes others, without copying. It may be used by several goroutines.
type Values struct {
	typ    arrow.DataType
	access Access
	masked bool
	lo, hi int64 // rows of the whole
	width  int64 // bytes of a row in the file
	nulls  int64 // -1: not known
	read   func(ctx context.Context, a, b int64) (arrow.Array, error)
}

// Type is the Arrow type of the values.
func (v *Values) Type() arrow.DataType { return v.typ }

// Access says how the values are reached.
func (v *Values) Access() Access { return v.access }

// Masked tells whether there is a source of nulls beside the values.
func (v *Values) Masked() bool { return v.masked }

// Len is the number of rows.
func (v *Values) Len() int64 { return v.hi - v.lo }

// Bytes is the number of bytes that the rows have in the file, decoded; what they point to in a heap not counted.
func (v *Values) Bytes() int64 { return v.Len() * v.width }

// NullCount is the number of nulls where it is known without reading: when there is nothing that could make one.
func (v *Values) NullCount() (n int64, known bool) { return max(v.nulls, 0), v.nulls >= 0 }

// Slice returns rows [a,b) of v. Rows that are not there are an Argument error.
func (v *Values) Slice(a, b int64) (*Values, error) {
	if a < 0 || a > b || b > v.Len() {
		return nil, h5err.New(h5err.Argument, "rows %d to %d of %d", a, b, v.Len())
	}
	out := *v
	out.lo, out.hi = v.lo+a, v.lo+b
	return &out, nil
}

// Read returns rows [a,b) as one array, which the caller releases. A mapped array is valid until it is released,
// whatever is closed before.
func (v *Values) Read(ctx context.Context, a, b int64) (arrow.Array, error) {
	if a < 0 || a > b || b > v.Len() {
		return nil, h5err.New(h5err.Argument, "rows %d to %d of %d", a, b, v.Len())
	}
	return v.read(ctx, v.lo+a, v.lo+b)
}

// NullSource names a dataset that says which values of another are missing. Kind 0 is found out: a dataset of the shape
// of the data is a mask, a list of bytes long enough for a bit a value is a bitmap; one that could be both is a bitmap
// when its name says so.
//
// A rule says which entries of a mask mean that a value is missing: a named bit of a bit field is
// nullbitmap.AnyBit. Of kind convention.NullRule it is over the dataset's own values, as stored, and Data is nil: several
// sentinels, one payload of NaN (nullbitmap.Equal), what lies outside a range (nullbitmap.OutsideInt, OutsideFloat).
type NullSource struct {
	Kind convention.NullKind
	Data *h5.Dataset
	Rule nullbitmap.Rule     // masks: the zero Rule is "not zero is missing"
	Bits nullbitmap.BitOrder // bitmaps: which bit of a byte comes first; 0 is the least significant
	Set  nullbitmap.Polarity // bitmaps: what a 1 means; 0 is that the value is there
}

// MapDataset returns a dataset as a column by itself, with nulls where any of the sources says so. It is the counterpart
// of h5mmap in vaex.hdf5.utils: contiguous values are mapped, with a mask or without; anything else is decoded when
// it is read. The attributes dtype and dlength hold in every case, and so does the byte order. Empty datasets and
// datasets without storage are columns like any other; a scalar is one row.
//
// The file must stay open as long as the column is read; arrays that were read outlive it.
func (f *File) MapDataset(d *h5.Dataset, nulls ...NullSource) (*Values, error) {
	p, err := convention.NewPlain(d)
	if err != nil {
		return nil, err
	}
	var values convention.Values = p
	var sources []convention.Null
	for _, s := range nulls {
		if s.Data == nil && (s.Kind != convention.NullRule || s.Rule.Width() == 0) {
			return nil, h5err.In(h5err.New(h5err.Argument, "a source of nulls without a dataset"), d.File().Name(), d.Path())
		}
		kind := s.Kind
		if kind == 0 {
			kind = nullKind(d, s.Data)
		}
		sources = append(sources, convention.Null{Kind: kind, Data: s.Data, Rule: s.Rule, Bits: s.Bits, Set: s.Set})
	}
	if p.DType == "str" {
		text, err := vaex.Text(d)
		if err != nil {
			return nil, err
		}
		text.Nulls, values = sources, text
	} else {
		p.Nulls = sources
	}
	c := &Column{}
	f.column(c, &convention.Column{Name: path.Base(d.Path()), Values: values})
	if c.Err != nil {
		return nil, c.Err
	}
	t := &Table{f: f, def: &convention.Table{Path: d.Path(), Convention: "dataset"}, columns: []*Column{c}, to: -1}
	v := &Values{typ: c.Type, access: f.access(d, c), masked: len(sources) > 0, hi: c.node.rows(), nulls: -1, read: t.readOne}
	if v.width, err = d.RowBytes(); err != nil {
		return nil, err
	}
	if pn, ok := c.node.(*plainNode); ok {
		v.width *= pn.source()
		if !v.masked && !makesNulls(pn.plan, f.o.types) {
			v.nulls = 0
		}
	}
	return v, nil
}

// access tells how a dataset's values are reached.
func (f *File) access(d *h5.Dataset, c *Column) Access {
	l, err := d.Layout()
	switch {
	case err != nil || l.Storage != h5.StorageContiguous:
		return AccessLazy
	case !f.f.Source().Mapped():
		return AccessStreaming
	case c.Delivery == dtype.Mapped:
		return AccessMapped
	}
	return AccessGathered
}

// nullKind finds out what a source of nulls is.
func nullKind(d, null *h5.Dataset) convention.NullKind {
	same := equal(null.Dims(), d.Dims())
	bytes := null.Type().Size == 1 && len(null.Dims()) == 1 && null.Type().Class == h5.ClassFixed
	if same && (!bytes || !strings.Contains(path.Base(null.Path()), "bitmap")) || !bytes {
		return convention.NullMask
	}
	return convention.NullBitmap
}

// readOne reads rows of a table's only column as one array.
func (t *Table) readOne(ctx context.Context, a, b int64) (arrow.Array, error) {
	part, err := t.Slice(a, b)
	if err != nil {
		return nil, err
	}
	r, err := part.Reader(ctx, WithBatchRows(max(1, b-a)))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var parts []arrow.Array
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	for r.Next() {
		p := r.RecordBatch().Column(0)
		p.Retain()
		parts = append(parts, p)
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	switch len(parts) {
	case 0:
		bld := array.NewBuilder(r.o.mem, t.columns[0].Type)
		defer bld.Release()
		return bld.NewArray(), nil
	case 1:
		parts[0].Retain()
		return parts[0], nil
	}
	out, err := array.Concatenate(parts, r.o.mem)
	if err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.Limit, err, "rows %d to %d are too large for one array", a, b), t.f.f.Name(), t.def.Path)
	}
	return out, nil
}

// makesNulls tells whether a type itself has values that are null: NaT, null references, NaN where an option says so.
func makesNulls(p *dtype.Plan, o dtype.Options) bool {
	return p.Refs || hasNulls(p.Arrow, o.NaNAsNull)
}

func hasNulls(t arrow.DataType, nan bool) bool {
	switch t := t.(type) {
	case *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type:
		return true
	case arrow.NestedType:
		for _, f := range t.Fields() {
			if hasNulls(f.Type, nan) {
				return true
			}
		}
	}
	return nan && arrow.IsFloating(t.ID())
}
