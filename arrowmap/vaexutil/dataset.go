package vaexutil

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/vaex"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// NullSource names a dataset that says which values of another are missing. Kind 0 chooses by the dataset: one of the
// shape of the data is a mask, a list of bytes is a bitmap; a list of bytes of that shape is a bitmap if its name has the
// word bitmap.
//
// Rule says which entries of a mask mean that a value is missing, such as a bit of a bit field (nullbitmap.AnyBit). With
// convention.NullRule as Kind, Data is nil and Rule applies to the dataset's own values, as stored: sentinels or a payload of
// NaN (nullbitmap.Equal), values outside a range (nullbitmap.OutsideInt, OutsideFloat).
type NullSource struct {
	Kind convention.NullKind
	Data *h5.Dataset
	Rule nullbitmap.Rule     // masks: the zero Rule is "not zero is missing"
	Bits nullbitmap.BitOrder // bitmaps: which bit of a byte comes first; 0 is the least significant
	Set  nullbitmap.Polarity // bitmaps: what a 1 means; 0 is that the value is there
}

// MapDataset returns a dataset as a column by itself, with a null where any of the sources has one. It is the counterpart of
// h5mmap in vaex.hdf5.utils: contiguous values are mapped, with a mask or without; anything else is decoded when it is read.
// The attributes dtype and dlength and the byte order are always respected. Empty datasets and datasets without storage are
// columns like any other; a scalar is one row.
//
// The file must stay open as long as the column is read; arrays that were read outlive it.
func MapDataset(f *arrowmap.File, d *h5.Dataset, nulls ...NullSource) (*Values, error) {
	p, err := convention.NewPlain(d)
	if err != nil {
		return nil, err
	}
	var values convention.Values = p
	var sources []convention.Null
	for _, s := range nulls {
		if s.Data == nil && (s.Kind != convention.NullRule || s.Rule.Width() == 0) {
			return nil, h5err.About(h5err.New(h5err.Argument, "a source of nulls without a dataset"), d)
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
	t := f.Define(&convention.Table{Path: d.Path(), Convention: "dataset", Columns: []convention.Column{{Name: path.Base(d.Path()), Values: values}}})
	c := t.Columns()[0]
	if c.Err != nil {
		return nil, c.Err
	}
	width, err := d.RowBytes()
	if err != nil {
		return nil, err
	}
	rows := t.Rows()
	if p.DType == "utf32" { // several rows of the dataset may be one
		width *= max(1, d.Rows()/max(1, rows))
	}
	return &Values{typ: c.Type, access: access(d, c), masked: len(sources) > 0, hi: rows, width: width, pure: !c.MayBeNull(),
		read: func(ctx context.Context, a, b int64) (arrow.Array, error) { return readColumn(ctx, d, t, a, b) }}, nil
}

// access is how a dataset's values are reached.
func access(d *h5.Dataset, c *arrowmap.Column) Access {
	switch {
	case c.Storage != h5.StorageContiguous:
		return AccessLazy
	case !d.File().Source().Mapped():
		return AccessStreaming
	case c.Delivery == dtype.Mapped:
		return AccessMapped
	}
	return AccessGathered
}

// nullKind is the kind of a source of nulls that does not say.
func nullKind(d, null *h5.Dataset) convention.NullKind {
	same := slices.Equal(null.Dims(), d.Dims())
	bytes := null.Type().Size == 1 && len(null.Dims()) == 1 && null.Type().Class == h5.ClassFixed
	if same && (!bytes || !strings.Contains(path.Base(null.Path()), "bitmap")) || !bytes {
		return convention.NullMask
	}
	return convention.NullBitmap
}

// readColumn reads rows of a table's only column as one array.
func readColumn(ctx context.Context, d *h5.Dataset, t *arrowmap.Table, a, b int64) (arrow.Array, error) {
	part, err := t.Slice(a, b)
	if err != nil {
		return nil, err
	}
	mem := memory.NewGoAllocator()
	r, err := part.Reader(ctx, arrowmap.WithBatchRows(max(1, b-a)), arrowmap.WithAllocator(mem))
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
		bld := array.NewBuilder(mem, r.Schema().Field(0).Type)
		defer bld.Release()
		return bld.NewArray(), nil
	case 1:
		parts[0].Retain()
		return parts[0], nil
	}
	out, err := array.Concatenate(parts, mem)
	if err != nil {
		return nil, h5err.About(h5err.Wrap(h5err.Limit, err, "rows %d to %d are too large for one array", a, b), d)
	}
	return out, nil
}
