package tablewriter

import (
	"context"
	"path"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/anndata"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/netcdf"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/pandas"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/write"
)

// whole is a layout that needs to know all rows before it writes the first.
type whole interface {
	// Check returns an error of kind Unsupported for a field that the layout has no place for.
	Check(f arrow.Field) error
	// Marks returns values of a type of which the layout must know whether they are in a column.
	Marks(t arrow.DataType) [][]byte
	// Write writes a table, and returns how each of its columns was stored.
	Write(ctx context.Context, o *frame.Output, t *frame.Table) ([]frame.Stored, error)
}

var wholes = map[Layout]whole{Pandas: pandas.Layout{}, NetCDF: netcdf.Layout{}, AnnData: anndata.Layout{}}

// writeWhole is Write for layouts that need all rows first.
func writeWhole(ctx context.Context, f *write.File, rr array.RecordReader, o *Options) (*Summary, error) {
	l := wholes[o.Layout]
	fields := rr.Schema().Fields()
	if err := checkNames(fields); err != nil {
		return nil, err
	}
	k, err := newKeeper(l, rr.Schema(), o)
	if err != nil {
		return nil, err
	}
	defer k.close()
	for rr.Next() {
		if err := k.add(ctx, rr.RecordBatch()); err != nil {
			return nil, err
		}
	}
	if err := rr.Err(); err != nil {
		return nil, err
	}
	if err := k.done(); err != nil {
		return nil, err
	}
	sum := &Summary{Path: o.Path, Rows: k.t.Rows}
	if o.Layout == AnnData {
		sum.Path = path.Join(o.Path, "obs")
	}
	out := &frame.Output{File: f, Path: o.Path, ChunkRows: o.ChunkRows, Filters: o.Filters,
		Describe: func(w write.Object, md arrow.Metadata) error { return describe(w, md, &sum.Dropped) },
		Lost:     func(keys ...string) { sum.Dropped = append(sum.Dropped, lostKeys(keys)...) }}
	places, err := l.Write(ctx, out, k.t)
	if err != nil {
		return nil, err
	}
	for i, p := range places {
		sum.Columns = append(sum.Columns, Column{Name: fields[i].Name, Path: p.Path, Type: fields[i].Type, Storage: p.Storage, Aligned: p.Aligned, Nulls: p.Nulls})
	}
	return sum, nil
}

// keeper keeps rows until all are known.
type keeper struct {
	t      *frame.Table
	o      *Options
	labels []*labels // of columns that are dictionaries, nil for others
}

func newKeeper(l whole, s *arrow.Schema, o *Options) (*keeper, error) {
	k := &keeper{o: o}
	var columns []*frame.Column
	for _, f := range s.Fields() {
		if err := l.Check(f); err != nil {
			return nil, h5err.In(err, "", f.Name)
		}
		c := &frame.Column{Field: f, Type: frame.PlainType(stored.Type(f.Type))}
		var all *labels
		if d, ok := c.Type.(*arrow.DictionaryType); ok {
			made, err := newLabels(d, memory.DefaultAllocator)
			if err != nil {
				return nil, h5err.In(err, "", f.Name)
			}
			all, c.Type = &made, d.IndexType
		}
		c.Field.Metadata = fieldMetadata(f)
		c.Marks = l.Marks(c.Type)
		columns, k.labels = append(columns, c), append(k.labels, all)
	}
	var err error
	k.t, err = frame.New(columns, s.Metadata(), o.SpoolDir)
	return k, err
}

// add keeps a batch, a slice at a time. The batch may be mapped: its bytes are read under guard.
func (k *keeper) add(ctx context.Context, b arrow.RecordBatch) error {
	if int(b.NumCols()) != len(k.t.Columns) {
		return h5err.New(h5err.Argument, "a batch of %d columns in a table of %d", b.NumCols(), len(k.t.Columns))
	}
	for from := int64(0); from < b.NumRows(); from += maxRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+maxRows, b.NumRows())
		if err := source.Guard(func() error { return k.slice(b, from, to) }); err != nil {
			return err
		}
		if k.o.Progress != nil {
			k.o.Progress(k.t.Rows)
		}
	}
	return nil
}

func (k *keeper) slice(b arrow.RecordBatch, from, to int64) error {
	var arrays []arrow.Array
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for i, l := range k.labels {
		a, err := k.column(b.Column(i), l, from, to)
		if err != nil {
			return h5err.In(err, "", b.ColumnName(i))
		}
		arrays = append(arrays, a)
	}
	return k.t.Add(arrays, to-from)
}

// column returns rows of a column as they are kept.
func (k *keeper) column(a arrow.Array, l *labels, from, to int64) (arrow.Array, error) {
	s := array.NewSlice(a, from, to)
	defer s.Release()
	lowered, err := stored.Lower(s, k.t.Rows, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer lowered.Release()
	if l == nil {
		return frame.Plain(lowered), nil
	}
	d, ok := lowered.(*array.Dictionary)
	if !ok {
		return nil, h5err.New(h5err.Argument, "%s where a dictionary was expected", a.DataType())
	}
	return l.indices(d, false, k.t.Rows)
}

func (k *keeper) done() (err error) {
	if k.o.Rows > 0 && k.t.Rows != k.o.Rows {
		return h5err.New(h5err.Argument, "%d rows, not the %d that were expected", k.t.Rows, k.o.Rows)
	}
	for i, l := range k.labels {
		if l == nil {
			continue
		}
		if k.t.Columns[i].Labels, err = l.all(); err != nil {
			return err
		}
	}
	return k.t.Done()
}

func (k *keeper) close() {
	k.t.Close()
	for _, l := range k.labels {
		if l != nil {
			l.release()
		}
	}
}
