package tablewriter

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Summary says what was written.
type Summary struct {
	Path    string // of the table, where package arrowmap finds it
	Rows    int64
	Columns []Column
	Dropped []string // keys of metadata that can't be attributes: not UTF-8, or of types that are not known
}

// Column says how a column was stored.
type Column struct {
	Name    string
	Path    string         // of its values, or of the first of several datasets
	Type    arrow.DataType // of the column
	Storage h5.Storage
	Aligned bool   // values lie at an address that is a multiple of 64
	Nulls   string // how nulls are stored: "bitmap", "mask", "sentinel", or "label" of a dictionary; "" if there are none
}

// Write adds a table of all rows of rr to a file. It neither releases rr nor closes f, and after an error f can't be completed. Errors
// are those of rr, f and ctx; Unsupported for types and values that HDF5 has no form for; Argument for options that contradict each
// other or the rows. They name the column and the row.
func Write(ctx context.Context, f *write.File, rr array.RecordReader, o Options) (*Summary, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if wholes[o.Layout] != nil {
		return writeWhole(ctx, f, rr, &o)
	}
	return writeRows(ctx, output{f: f, o: &o}, rr)
}

// writeRows writes or adds the rows of the layouts that take them as they come.
func writeRows(ctx context.Context, w output, rr array.RecordReader) (*Summary, error) {
	t := &table{output: w, sum: &Summary{Path: w.o.Path}}
	defer t.close()
	if err := t.start(rr.Schema()); err != nil {
		return nil, err
	}
	for rr.Next() {
		if err := t.add(ctx, rr.RecordBatch()); err != nil {
			return nil, err
		}
	}
	if err := rr.Err(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.sum, t.finish()
}

// table is a table that is being written.
type table struct {
	output
	sum     *Summary
	columns []column
}

// maker makes the columns of a layout.
type maker interface {
	// start makes the table's group and what describes it.
	start(fields []arrow.Field) error
	// make makes the column of number i, of the stored type of its field, and returns the object that describes it.
	make(i int, f arrow.Field) (column, write.Object, error)
	// read returns the type that reading restores for the type of a column.
	read(t arrow.DataType) arrow.DataType
}

// rows returns the number of rows that a new table will have, if it is known, or that an existing one has.
func (t *table) rows() uint64 {
	if t.old != nil {
		return t.old.rows
	}
	if t.o.Rows > 0 {
		return uint64(t.o.Rows)
	}
	return write.Unknown
}

func (t *table) start(s *arrow.Schema) error {
	fields := s.Fields()
	if err := checkNames(fields); err != nil {
		return err
	}
	var m maker = &vaexMaker{vaexTable: vaexTable{&t.output, t.rows()}}
	if t.o.Layout == Plain {
		m = &plainMaker{output: &t.output, rows: t.rows()}
	}
	if err := m.start(fields); err != nil {
		return h5err.In(err, "", t.o.Path)
	}
	g, err := t.f.Group(t.o.Path)
	if err != nil {
		return err
	}
	if t.old == nil {
		if err := describe(g, s.Metadata(), &t.sum.Dropped); err != nil {
			return err
		}
	}
	for i, f := range fields {
		if err := t.column(m, i, f); err != nil {
			return h5err.In(err, "", f.Name)
		}
	}
	return nil
}

// checkNames returns an error unless each column has a name of its own.
func checkNames(fields []arrow.Field) error {
	if len(fields) == 0 {
		return h5err.New(h5err.Unsupported, "a table without columns")
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] || f.Name == "" || strings.IndexByte(f.Name, 0) >= 0 {
			return h5err.New(h5err.Unsupported, "a table with a second or nameless column %q", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// column makes a column and describes it.
func (t *table) column(m maker, i int, f arrow.Field) error {
	lowered := f
	lowered.Type = stored.Type(f.Type)
	c, o, err := m.make(i, lowered)
	if c != nil {
		t.columns = append(t.columns, c)
	}
	if err != nil {
		return err
	}
	if t.old == nil {
		if err := t.describe(m, c, o, f); err != nil {
			return err
		}
	}
	col := Column{Name: f.Name, Path: c.datasets()[0].Path(), Type: f.Type, Storage: h5.StorageContiguous, Aligned: true}
	if t.o.ChunkRows > 0 {
		col.Storage, col.Aligned = h5.StorageChunked, t.o.Filters == nil
	}
	t.sum.Columns = append(t.sum.Columns, col)
	return nil
}

// describe notes metadata and type of a column in the object that describes it.
func (t *table) describe(m maker, c column, o write.Object, f arrow.Field) error {
	if err := describe(o, fieldMetadata(f), &t.sum.Dropped); err != nil {
		return err
	}
	read := m.read(stored.Storage(f.Type))
	if stored.Same(c.reads(), read) {
		return nil
	}
	text, err := stored.Field(read)
	if err != nil {
		return err
	}
	return attributes(o, []attr.Attribute{attr.Text(stored.Attribute, text), attr.Text(dtype.TypeAttribute, f.Type.String())})
}

// add appends a batch, a slice at a time. The batch may be mapped: its bytes are read under guard.
func (t *table) add(ctx context.Context, b arrow.RecordBatch) error {
	if int(b.NumCols()) != len(t.columns) {
		return h5err.New(h5err.Argument, "a batch of %d columns in a table of %d", b.NumCols(), len(t.columns))
	}
	for from := int64(0); from < b.NumRows(); from += maxRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+maxRows, b.NumRows())
		if t.o.Rows > 0 && t.sum.Rows+to-from > t.o.Rows {
			return h5err.New(h5err.Argument, "more rows than the %d that were expected", t.o.Rows)
		}
		for i, c := range t.columns {
			err := source.Guard(func() error { return t.addSlice(c, b.Column(i), from, to) })
			if err != nil {
				return h5err.In(err, "", b.ColumnName(i))
			}
		}
		t.sum.Rows += to - from
		if t.o.Progress != nil {
			t.o.Progress(t.sum.Rows)
		}
	}
	return nil
}

func (t *table) addSlice(c column, a arrow.Array, from, to int64) error {
	s := array.NewSlice(a, from, to)
	defer s.Release()
	lowered, err := stored.Lower(s, t.sum.Rows, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	defer lowered.Release()
	return c.add(lowered)
}

func (t *table) finish() error {
	if t.o.Rows > 0 && t.sum.Rows != t.o.Rows {
		return h5err.New(h5err.Argument, "%d rows, not the %d that were expected", t.sum.Rows, t.o.Rows)
	}
	for i, c := range t.columns {
		if err := c.finish(); err != nil {
			return h5err.In(err, "", t.sum.Columns[i].Name)
		}
		t.sum.Columns[i].Nulls = nullsOf(c)
	}
	return nil
}

func (t *table) close() {
	for _, c := range t.columns {
		c.close()
	}
}

// nullsOf returns how the nulls of a column are stored.
func nullsOf(c column) string {
	kind := func(x *nulls) string {
		switch {
		case x == nil || x.d == nil:
			return ""
		case x.mask != nil:
			return "mask"
		}
		return "bitmap"
	}
	switch c := c.(type) {
	case *leaf:
		if c.nulls == nil {
			return "sentinel"
		}
		return kind(c.nulls)
	case *text:
		return kind(c.nulls)
	case *list:
		return kind(c.nulls)
	case *group:
		return kind(c.nulls)
	case *record:
		return kind(c.nulls)
	case *dictionary:
		if c.labels.null >= 0 {
			return "label"
		}
		return nullsOf(c.indices)
	}
	return ""
}
