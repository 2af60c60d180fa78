package tablewriter

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Append adds all rows of rr to the table at o.Path of a file that write.Append opened; a file that has no such table gets one, as
// by Write. Where o.Path is empty and nothing is at its default, rows go to the only table that the file has; several are an error
// of kind Argument. The table must be one of this package's, in chunks, with the columns of rr in the same order: others are an error of
// kind Argument that names both types. It keeps its layout, its storage and its metadata; o.Nulls is for columns that have had no
// null so far. As with Write, the caller closes f. Until then the file has its old rows, also for other readers.
func Append(ctx context.Context, f *write.File, rr array.RecordReader, o Options) (*Summary, error) {
	if f.Before() == nil {
		return nil, h5err.New(h5err.Argument, "the file is a new one, it has no rows yet")
	}
	named := o.Path != ""
	if err := o.check(); err != nil {
		return nil, err
	}
	if _, err := f.Lookup(o.Path); h5err.Is(err, h5err.NotFound) {
		path := ""
		if !named {
			if path, err = onlyTable(f.Before()); err != nil {
				return nil, err
			}
		}
		if path == "" {
			return Write(ctx, f, rr, o)
		}
		o.Path = path
	}
	old, err := openTable(ctx, f.Before(), &o)
	if err != nil {
		return nil, err
	}
	defer old.close()
	if err := old.agrees(rr.Schema()); err != nil {
		return nil, err
	}
	if o.Rows == 0 {
		return writeRows(ctx, output{f: f, o: &o, old: old}, rr)
	}
	expected := o.Rows
	o.Rows = 0
	sum, err := writeRows(ctx, output{f: f, o: &o, old: old}, rr)
	if err == nil && sum.Rows != expected {
		return nil, h5err.New(h5err.Argument, "%d rows, not the %d that were expected", sum.Rows, expected)
	}
	return sum, err
}

// onlyTable returns the path of the table of a file, or none if it has no tables.
func onlyTable(file *h5.File) (string, error) {
	f, err := reopen(file)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only: there is nothing to lose
	if tables, err := f.Tables(); err != nil || len(tables) == 0 {
		return "", err
	}
	t, err := f.Table("")
	if err != nil {
		return "", err
	}
	return t.Path(), nil
}

// reopen reads a file that is open in another way.
func reopen(file *h5.File) (*arrowmap.File, error) {
	file.Source().Retain()
	f, err := arrowmap.NewFile(file.Source())
	if err != nil {
		file.Source().Release()
	}
	return f, err
}

// existing is the table that rows are added to.
type existing struct {
	ctx   context.Context
	f     *arrowmap.File
	table *arrowmap.Table
	rows  uint64

	stored bool // how the first dataset is stored is known
}

// openTable opens the table at o.Path, and changes o to how it is stored.
func openTable(ctx context.Context, file *h5.File, o *Options) (*existing, error) {
	f, err := reopen(file)
	if err != nil {
		return nil, err
	}
	e := &existing{ctx: ctx, f: f}
	if e.table, err = f.Table(o.Path); err != nil {
		e.close()
		return nil, err
	}
	e.rows = uint64(e.table.Rows())
	switch c := e.table.Convention(); c {
	case Vaex.String():
		o.Layout = Vaex
	case Plain.String():
		o.Layout = Plain
	default:
		e.close()
		return nil, h5err.In(h5err.New(h5err.Unsupported, "rows can be added to tables of the layouts vaex and plain, this one is of convention %s", c), "", o.Path)
	}
	return e, nil
}

func (e *existing) close() { e.f.Close() } // read only: there is nothing to lose

// agrees returns an error if rows of a schema don't fit the table.
func (e *existing) agrees(s *arrow.Schema) error {
	columns := e.table.Columns()
	if len(columns) != s.NumFields() {
		return h5err.In(h5err.New(h5err.Argument, "rows of %d columns for a table of %d", s.NumFields(), len(columns)), "", e.table.Path())
	}
	for i, c := range columns {
		f := s.Field(i)
		if c.Err != nil {
			return c.Err
		}
		if c.Name == f.Name && stored.Equal(readAs(c.Field().Type), readAs(f.Type)) {
			continue
		}
		return h5err.In(h5err.New(h5err.Argument, "column %d is %s of type %s, in the new rows it is %s of type %s", i, c.Name, dtype.TypeName(c.Field().Type), f.Name,
			dtype.TypeName(f.Type)), "", e.table.Path())
	}
	return nil
}

// readAs returns the type that reading gives for one that was written, without metadata of fields.
func readAs(t arrow.DataType) arrow.DataType {
	return stored.Inside(stored.Storage(t), func(f arrow.Field) arrow.Field {
		return arrow.Field{Name: f.Name, Type: readAs(f.Type), Nullable: f.Nullable}
	})
}

// dataset returns a dataset as it was, nil if there is none.
func (e *existing) dataset(at string) *h5.Dataset {
	o, err := e.f.H5().Lookup(at)
	if err != nil {
		return nil
	}
	d, _ := o.(*h5.Dataset)
	return d
}

// length returns the number of rows of a dataset.
func (e *existing) length(at string) uint64 {
	d := e.dataset(at)
	if d == nil {
		return 0
	}
	return uint64(d.Rows())
}

// note returns the attribute of a dataset that says how its nulls are stored.
func (e *existing) note(at string) string {
	d := e.dataset(at)
	if d == nil {
		return ""
	}
	a, err := d.Attribute(dtype.NullsAttribute)
	if err != nil || a == nil {
		return ""
	}
	s, _ := a.Text()
	return s
}

// read returns rows of a dataset as they are stored.
func (e *existing) read(at string, from, to uint64) ([]byte, error) {
	d := e.dataset(at)
	if d == nil || to > uint64(d.Rows()) || from > to {
		return nil, h5err.In(h5err.New(h5err.Corrupt, "the dataset does not have %d rows", to), "", at)
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, int64(to-from)*r.RowBytes())
	return b, r.Read(e.ctx, int64(from), int64(to), b)
}

// continued returns a dataset of the table, to add rows to it.
func (w *output) continued(at string, s *write.Spec) (*write.Dataset, error) {
	src := w.old.dataset(at)
	o, err := w.f.Lookup(at)
	d, _ := o.(*write.Dataset)
	if src == nil || err != nil || d == nil {
		return nil, h5err.In(h5err.New(h5err.Corrupt, "the table lacks a dataset"), "", at)
	}
	fail := func(kind h5err.Kind, format string, args ...any) error {
		return h5err.In(h5err.New(kind, format, args...), "", at)
	}
	if got, want := src.Type().String(), s.Type.String(); got != want {
		return nil, fail(h5err.Unsupported, "the values are stored as %s; %s was expected", got, want)
	}
	if got, want := src.Space().Dims, s.Space.Dims; len(got) != len(want) || len(got) == 0 || !slices.Equal(got[1:], want[1:]) {
		return nil, fail(h5err.Unsupported, "the shape is %v; rows of %v were expected", got, want[1:])
	}
	if !d.Grows() {
		return nil, h5err.In(h5err.New(h5err.Argument, "the table is not stored in chunks, so it can't grow").
			WithOption("tablewriter.Options.ChunkRows", "write it again"), "", at)
	}
	w.storage(src)
	return d, nil
}

// storage has datasets of nulls that are made later stored like the first one that the table has.
func (w *output) storage(src *h5.Dataset) {
	if w.old.stored {
		return
	}
	w.old.stored = true
	l, err := src.Layout()
	filters, err2 := src.Filters()
	if err != nil || err2 != nil || len(l.ChunkDims) == 0 {
		return
	}
	w.o.ChunkRows, w.o.Filters = max(int64(l.ChunkDims[0]), minChunk), nil
	var kept []h5.Filter
	for _, f := range filters {
		switch f.ID {
		case encode.Deflate, encode.Zstd:
		case encode.Shuffle, encode.LZF, encode.LZ4, encode.Fletcher32:
			f.Values = nil
		default:
			return
		}
		kept = append(kept, f)
	}
	if len(kept) > 0 {
		w.o.Filters = func(int) []h5.Filter { return kept }
	}
}

// note adds attributes to an object of a new table.
func (w *output) note(o write.Object, attrs []attr.Attribute) error {
	if w.old != nil {
		return nil
	}
	return attributes(o, attrs)
}

// resume prepares for rows after those that there are, whose number is x.rows.
func (x *nulls) resume() error {
	rows := x.rows
	x.n, x.rows = rows, write.Unknown
	src := x.w.old.dataset(x.path)
	if src == nil {
		return nil
	}
	n, t := rows, x.mask
	if t == nil {
		n, t = (rows+7)/8, byteType()
	}
	if uint64(src.Rows()) != n {
		return h5err.In(h5err.New(h5err.Corrupt, "%d rows of nulls, %d were expected", src.Rows(), n), "", x.path)
	}
	spec := x.w.spec(t, write.Unknown, x.dims, 1)
	var err error
	if x.d, err = x.w.continued(x.path, &spec); err != nil || x.mask != nil || rows%8 == 0 {
		return err
	}
	if x.bits, err = x.w.old.read(x.path, n-1, n); err != nil {
		return err
	}
	x.have = int(rows % 8)
	return x.d.Truncate(n - 1)
}

// resume prepares for rows after those that there are.
func (o *offsets) resume(rows uint64) error {
	src := o.w.old.dataset(o.path)
	if src == nil || uint64(src.Rows()) != rows+1 || src.Type().Size != 4 && src.Type().Size != 8 {
		return h5err.In(h5err.New(h5err.Corrupt, "there are no offsets of %d rows", rows), "", o.path)
	}
	width := src.Type().Size
	spec := o.w.spec(intType(width), write.Unknown, nil, 1)
	var err error
	if o.d, err = o.w.continued(o.path, &spec); err != nil {
		return err
	}
	last, err := o.w.old.read(o.path, rows, rows+1)
	if err != nil {
		return err
	}
	o.total, o.wide = little(last, width), width == 8
	return nil
}

// resume has the labels that there are known. The dictionary's labels are values at a path, or text with offsets at another.
func (d *dictionary) resume(e *existing, at, offsetsAt string) error {
	n := e.length(at)
	isText := e.dataset(offsetsAt) != nil
	if isText {
		n = max(e.length(offsetsAt), 1) - 1
	}
	var err error
	if d.made, err = d.write(n); err != nil {
		return err
	}
	var known []string
	if isText {
		known, err = e.texts(at, offsetsAt, n)
	} else {
		known, err = e.values(at, d.labels.typ.ValueType)
	}
	if err != nil {
		return err
	}
	null, err := e.nullLabel(d.made, n)
	if err != nil {
		return err
	}
	for i, k := range known {
		if int64(i) == null {
			continue
		}
		d.labels.at[k] = int64(i)
	}
	d.labels.n, d.labels.null = int64(len(known)), null
	return nil
}

// texts returns the values of text of n rows.
func (e *existing) texts(at, offsetsAt string, n uint64) ([]string, error) {
	data, err := e.read(at, 0, e.length(at))
	if err != nil {
		return nil, err
	}
	offsets, err := e.read(offsetsAt, 0, n+1)
	if err != nil {
		return nil, err
	}
	w := len(offsets) / int(n+1)
	out := make([]string, n)
	for i := range out {
		from, to := little(offsets[i*w:], w), little(offsets[(i+1)*w:], w)
		if from > to || to > uint64(len(data)) {
			return nil, h5err.In(h5err.New(h5err.Corrupt, "label %d lies at bytes %d to %d of %d", i, from, to, len(data)), "", at)
		}
		out[i] = string(data[from:to])
	}
	return out, nil
}

// values returns the keys of all values of a dataset.
func (e *existing) values(at string, want arrow.DataType) ([]string, error) {
	t, err := e.f.Datasets(at)
	if err != nil {
		return nil, err
	}
	r, err := t.Reader(e.ctx)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var out []string
	for r.Next() {
		a := r.RecordBatch().Column(0)
		key, err := keysAs(a, want)
		if err != nil {
			return nil, h5err.In(err, "", at)
		}
		for i := range a.Len() {
			out = append(out, key(i))
		}
	}
	return out, r.Err()
}

// keysAs returns the keys of values that were read, as those that were written have.
func keysAs(a arrow.Array, want arrow.DataType) (func(int) string, error) {
	_, text := a.(array.StringLike)
	if text && (want.ID() == arrow.STRING || want.ID() == arrow.LARGE_STRING || want.ID() == arrow.STRING_VIEW) {
		return keys(a), nil
	}
	if l, ok := a.(*array.List); ok && isBytes(want) { // in the heap
		if items, ok := l.ListValues().(*array.Uint8); ok {
			return func(i int) string {
				from, to := l.ValueOffsets(i)
				return string(items.Uint8Values()[from:to])
			}, nil
		}
	}
	g, fixed := a.DataType().(arrow.FixedWidthDataType)
	w, ok := want.(arrow.FixedWidthDataType)
	if !fixed || !ok || g.ID() != w.ID() || g.BitWidth() != w.BitWidth() {
		return nil, h5err.New(h5err.Unsupported, "labels of type %s can't be added to those of type %s", dtype.TypeName(want), dtype.TypeName(a.DataType()))
	}
	return keys(a), nil
}

// nullLabel returns the number of the label that is null, -1 if none of n is.
func (e *existing) nullLabel(c column, n uint64) (int64, error) {
	var x *nulls
	switch c := c.(type) {
	case *leaf:
		x = c.nulls
	case *text:
		x = c.nulls
	}
	if x == nil || x.d == nil {
		return -1, nil
	}
	b, err := e.read(x.path, 0, e.length(x.path))
	if err != nil {
		return -1, err
	}
	for i := range n {
		if x.mask != nil && b[i] != 0 || x.mask == nil && b[i/8]>>(i%8)&1 == 0 {
			return int64(i), nil
		}
	}
	return -1, nil
}
