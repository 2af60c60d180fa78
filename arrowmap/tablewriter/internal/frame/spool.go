package frame

import (
	"bufio"
	"context"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Table is a table whose rows are in a temporary file.
type Table struct {
	Columns  []*Column
	Metadata arrow.Metadata // of the schema
	Rows     int64

	schema *arrow.Schema
	file   *os.File
	out    *bufio.Writer
	w      *ipc.Writer
}

// New starts a table. The temporary file is in a directory, or in that of os.TempDir. The caller calls Close.
func New(columns []*Column, md arrow.Metadata, dir string) (*Table, error) {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		c.Taken = make([]bool, len(c.Marks))
		fields[i] = arrow.Field{Name: c.Field.Name, Type: c.Type, Nullable: true}
	}
	f, err := os.CreateTemp(dir, ".h5arrow-*.tmp")
	if err != nil {
		return nil, temporary(err)
	}
	os.Remove(f.Name()) // fails where open files can't be removed: Close does it there
	t := &Table{Columns: columns, Metadata: md, schema: arrow.NewSchema(fields, nil), file: f, out: bufio.NewWriterSize(f, 1<<20)}
	t.w = ipc.NewWriter(t.out, ipc.WithSchema(t.schema))
	return t, nil
}

func temporary(err error) error { return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file") }

// Add takes notice of rows and keeps them. The arrays are of the columns' types.
func (t *Table) Add(arrays []arrow.Array, rows int64) error {
	for i, c := range t.Columns {
		c.Look(arrays[i])
	}
	b := array.NewRecordBatch(t.schema, arrays, rows)
	defer b.Release()
	if err := t.w.Write(b); err != nil {
		return temporary(err)
	}
	t.Rows += rows
	return nil
}

// Done ends adding rows.
func (t *Table) Done() error {
	if err := t.w.Close(); err != nil {
		return temporary(err)
	}
	if err := t.out.Flush(); err != nil {
		return temporary(err)
	}
	return nil
}

// Each calls fn for all rows, a batch at a time; row0 is the number of its first row. The batch is valid until fn returns.
func (t *Table) Each(ctx context.Context, fn func(b arrow.RecordBatch, row0 int64) error) error {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return temporary(err)
	}
	r, err := ipc.NewReader(bufio.NewReaderSize(t.file, 1<<20))
	if err != nil {
		return temporary(err)
	}
	defer r.Release()
	row := int64(0)
	for r.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := r.RecordBatch()
		if err := fn(b, row); err != nil {
			return err
		}
		row += b.NumRows()
	}
	if r.Err() != nil {
		return temporary(r.Err())
	}
	return nil
}

// Close removes the temporary file and releases labels.
func (t *Table) Close() {
	t.file.Close() // its contents are not needed any more
	os.Remove(t.file.Name())
	for _, c := range t.Columns {
		if c.Labels != nil {
			c.Labels.Release()
		}
	}
}
