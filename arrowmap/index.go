package arrowmap

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/zones"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// MaxIndex is the largest size of an index, in bytes.
const MaxIndex = 1 << 30

// Zones have at least minZone rows, and where no chunk is higher at most maxZone.
const (
	minZone = 1 << 13
	maxZone = 1 << 16
)

// BuildIndex reads all tables and returns an index for UseIndex: for each zone of rows of each column that has an order its
// least and greatest value and its nulls. Zones are as high as the table's chunks or a multiple of that. Columns that can't be
// read, and those whose values lie in other files, are left out. A file that is being written is an Unsupported error.
func (f *File) BuildIndex(ctx context.Context, opts ...ReadOption) ([]byte, error) {
	if err := f.indexable(); err != nil {
		return nil, err
	}
	tables, err := f.Tables()
	if err != nil {
		return nil, err
	}
	x := f.identity()
	for _, t := range tables {
		t, _ = t.SkipUnsupported()
		made, err := t.zones(ctx, opts)
		if err != nil {
			return nil, err
		}
		if made != nil {
			x.Tables = append(x.Tables, *made)
		}
	}
	b := x.Encode()
	if len(b) > MaxIndex {
		return nil, h5err.In(h5err.New(h5err.Limit, "the index would have %d bytes, the limit is %d", len(b), MaxIndex), f.f.Name(), "")
	}
	return b, f.f.Source().Changed(ctx)
}

// indexable returns an error for a file whose values may change without a trace.
func (f *File) indexable() error {
	if sb := f.f.Superblock(); sb.OpenForWriting() {
		return h5err.In(h5err.New(h5err.Unsupported, "an index of a file that is being written, or was not closed"), f.f.Name(), "")
	}
	if f.f.Source().ModTime().IsZero() {
		return h5err.In(h5err.New(h5err.Unsupported, "an index of a file whose time of modification is not known"), f.f.Name(), "")
	}
	return nil
}

// identity returns an index without tables.
func (f *File) identity() *zones.Index {
	return &zones.Index{Size: f.f.Source().Size(), Time: f.f.Source().ModTime().UnixNano(), Options: fmt.Sprintf("%+v", f.o.types)}
}

// UseIndex makes readers with conditions leave out rows that an index says can't match. An index of another file, of this file
// before it was changed, or of values that are read with other options is an Argument error, and is not used. Before a
// column's part of the index is used, the places of its chunks are compared too. UseIndex is to be called before tables of
// the file are read.
func (f *File) UseIndex(b []byte) error {
	if err := f.indexable(); err != nil {
		return err
	}
	x, err := zones.Decode(b)
	if err != nil {
		return h5err.In(err, f.f.Name(), "")
	}
	now := f.identity()
	for _, c := range []struct {
		ok   bool
		what string
	}{{x.Size == now.Size, "size"}, {x.Time == now.Time, "time of modification"}, {x.Options == now.Options, "options for reading values"}} {
		if !c.ok {
			return h5err.In(h5err.New(h5err.Argument, "the index is of a file of another %s", c.what), f.f.Name(), "")
		}
	}
	f.index = x
	return nil
}

// zones returns what is known of the table after all its rows were read; nil where there is nothing to know.
func (t *Table) zones(ctx context.Context, opts []ReadOption) (*zones.Table, error) {
	var at []int
	for i, c := range t.columns {
		if c.Err == nil && predicate.Ordered(c.Type) {
			if _, ok := c.place(); ok {
				at = append(at, i)
			}
		}
	}
	if len(at) == 0 || t.Rows() == 0 {
		return nil, nil
	}
	sel := t.pick(at)
	step := sel.Footprint().ChunkRows
	if step == 0 {
		step = maxZone
	}
	for step < minZone {
		step *= 2
	}
	out := &zones.Table{Path: t.Path(), Rows: sel.Rows(), Step: step, Columns: make([]zones.Column, len(at))}
	meters := make([]*predicate.Meter, len(at))
	for i, c := range sel.columns {
		var err error
		if meters[i], err = predicate.NewMeter(c.Type); err != nil {
			return nil, err
		}
		hash, _ := c.place()
		out.Columns[i] = zones.Column{Name: c.Name, Type: c.Type.String(), Hash: hash, Text: isText(c.Type), Zones: make([]predicate.Stats, 0, out.Zones())}
	}
	r, err := sel.Reader(ctx, opts...)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	row := int64(0)
	for r.Next() {
		rec := r.RecordBatch()
		if err := source.Guard(func() error { return measure(out, meters, rec, row) }); err != nil {
			return nil, h5err.About(err, t)
		}
		row += rec.NumRows()
	}
	return out, r.Err()
}

// measure adds the rows of a batch that starts at a row to the zones.
func measure(out *zones.Table, meters []*predicate.Meter, rec arrow.RecordBatch, row int64) error {
	for at, n := int64(0), rec.NumRows(); at < n; {
		end := min(n, at+out.Step-(row+at)%out.Step)
		for i, m := range meters {
			if err := m.Add(rec.Column(i), int(at), int(end-at)); err != nil {
				return err
			}
			if last := row + end; last%out.Step == 0 || last == out.Rows {
				out.Columns[i].Zones = append(out.Columns[i].Zones, m.Stats)
				m.Reset()
			}
		}
		at = end
	}
	return nil
}

// isText reports whether values of a type are ordered by their bytes.
func isText(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return isText(t.ValueType)
	case arrow.ExtensionType:
		return isText(t.StorageType())
	case *arrow.FixedSizeBinaryType:
		return true
	}
	_, ok := t.(arrow.BinaryDataType)
	return ok
}

// place returns a hash of where the column's values are stored. It is false where that is not in the file alone.
func (c *Column) place() (sum [32]byte, ok bool) {
	h := sha256.New()
	ok = true
	c.node.Wants(0, c.rows(), func(d node.Dataset, _, _ int64, _ func([]byte) bool) {
		ok = ok && addPlace(h, d.Dataset)
	})
	h.Sum(sum[:0])
	return sum, ok
}

// addPlace adds the place of a dataset's values to a hash.
func addPlace(h hash.Hash, d *h5.Dataset) bool {
	var b []byte
	number := func(n uint64) { b = binary.LittleEndian.AppendUint64(b, n) }
	l, err := d.Layout()
	if err != nil {
		return false
	}
	b = append(b, d.Type().String()...)
	for _, n := range d.Dims() {
		number(n)
	}
	number(uint64(l.Storage))
	number(uint64(l.Offset))
	switch l.Storage {
	case h5.StorageContiguous, h5.StorageCompact:
		b = append(b, l.Data...)
	case h5.StorageChunked:
		chunks, err := d.Chunks()
		if err != nil {
			return false
		}
		for _, n := range l.ChunkDims {
			number(n)
		}
		for _, c := range chunks {
			number(c.Number)
			number(uint64(c.Offset))
			number(uint64(c.Size))
			number(uint64(c.FilterMask))
		}
	default:
		return false
	}
	h.Write(b)
	return true
}

// ColumnTest is a test of a column's values.
type ColumnTest struct {
	Column int // of Table.Columns
	Test   *predicate.Test
}

// Possible returns the rows for which tests of columns may all hold, as far as the index of the table's files says, in order.
// Without an index it is all rows.
func (t *Table) Possible(tests ...ColumnTest) []Range {
	all := []Range{{From: 0, To: t.Rows()}}
	pieces, err := t.pieces()
	if err != nil {
		return all
	}
	out := []Range{}
	row := int64(0)
	for _, p := range pieces {
		rows := p.Rows()
		for _, r := range p.possible(t, tests, rows) {
			r.From, r.To = r.From+row, r.To+row
			if n := len(out); n > 0 && out[n-1].To == r.From {
				out[n-1].To = r.To
			} else if r.From < r.To {
				out = append(out, r)
			}
		}
		row += rows
	}
	return out
}

// possible is Possible for the part of a table that is in one file.
func (t *Table) possible(whole *Table, tests []ColumnTest, rows int64) []Range {
	all := []Range{{From: 0, To: rows}}
	if t.f.index == nil {
		return all
	}
	var known *zones.Table
	for i := range t.f.index.Tables {
		if x := &t.f.index.Tables[i]; x.Path == t.def.Path {
			known = x
		}
	}
	if known == nil || known.Rows < t.from+rows {
		return all
	}
	type pair struct {
		test  *predicate.Test
		zones []predicate.Stats
	}
	var usable []pair
	for _, test := range tests {
		if c := t.columns[test.Column]; alike(c.Type, whole.columns[test.Column].Type) {
			if z := c.known(known); z != nil {
				usable = append(usable, pair{test.Test, z})
			}
		}
	}
	if len(usable) == 0 {
		return all
	}
	var out []Range
	for k := t.from / known.Step; k*known.Step < t.from+rows; k++ {
		may := true
		for _, u := range usable {
			may = may && u.test.May(&u.zones[k])
		}
		r := Range{From: max(0, k*known.Step-t.from), To: min(rows, (k+1)*known.Step-t.from)}
		switch n := len(out); {
		case !may:
		case n > 0 && out[n-1].To == r.From:
			out[n-1].To = r.To
		default:
			out = append(out, r)
		}
	}
	return out
}

// alike reports whether values of two types are compared in the same way.
func alike(a, b arrow.DataType) bool {
	if x, ok := a.(*arrow.DictionaryType); ok {
		if y, ok := b.(*arrow.DictionaryType); ok {
			return arrow.TypeEqual(x.ValueType, y.ValueType)
		}
	}
	return arrow.TypeEqual(a, b)
}

// known returns what an index knows of the column, nil if it is of other values.
func (c *Column) known(t *zones.Table) []predicate.Stats {
	for _, x := range t.Columns {
		if x.Name != c.Name || x.Type != c.Type.String() || x.Text != isText(c.Type) || t.Rows != c.rows() {
			continue
		}
		if sum, ok := c.place(); ok && sum == x.Hash {
			return x.Zones
		}
	}
	return nil
}
