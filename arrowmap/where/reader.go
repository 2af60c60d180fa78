package where

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// batchBytes is about how many bytes of Arrow memory the rows of a batch of conditions take in all columns.
const batchBytes = 64 << 20

// Reader returns the rows of a table for which a filter holds, as record batches. It implements array.RecordReader, and is
// to be used by one goroutine at a time.
type Reader struct {
	ctx    context.Context
	table  *arrowmap.Table // the columns that are returned
	rest   *arrowmap.Table // those of them that no condition uses; nil for none
	keys   *arrowmap.Reader
	tests  []bound
	places []place // of the columns that are returned
	schema *arrow.Schema
	gather gatherer
	opts   []arrowmap.ReadOption

	refs    atomic.Int64
	at      int64 // row of the table that the next batch of keys starts at
	queue   []arrow.RecordBatch
	current arrow.RecordBatch
	err     error
}

// bound is a test of a column of the keys.
type bound struct {
	column int
	test   test
}

// place says where a column is.
type place struct {
	key   bool
	index int
}

// NewReader starts to read the rows of t for which f holds. Columns of conditions need not be among those of t: they are
// taken from all, a table of the same rows. Values of chosen rows are copied to memory of mem, nil being Go's; batches of
// which all rows are chosen are returned as they are. Conditions that do not fit the columns are Argument errors.
func NewReader(ctx context.Context, t, all *arrowmap.Table, f Filter, mem memory.Allocator, opts ...arrowmap.ReadOption) (*Reader, error) {
	if mem == nil {
		mem = memory.DefaultAllocator
	}
	if len(f) == 0 {
		return nil, h5err.New(h5err.Argument, "a filter without conditions")
	}
	r := &Reader{ctx: ctx, table: t, schema: t.Schema(), gather: gatherer{mem}}
	r.opts = append(slices.Clip(opts), arrowmap.WithAllocator(mem))
	r.refs.Store(1)
	names := f.Columns()
	keys, err := all.Select(names...)
	if err != nil {
		return nil, err
	}
	for i := range f {
		at := slices.Index(names, f[i].Column)
		c := keys.Columns()[at]
		if c.Err != nil {
			return nil, h5err.About(c.Err, t)
		}
		test, err := bind(&f[i], c.Type)
		if err != nil {
			return nil, h5err.About(err, t)
		}
		r.tests = append(r.tests, bound{at, test})
	}
	if err := r.arrange(names); err != nil {
		return nil, err
	}
	rows := max(64, batchBytes/all.Footprint().Bytes/64*64)
	if r.keys, err = keys.Reader(ctx, append([]arrowmap.ReadOption{arrowmap.WithBatchRows(rows)}, r.opts...)...); err != nil {
		return nil, err
	}
	return r, nil
}

// arrange finds out where each column is, and makes the table of those that no condition uses.
func (r *Reader) arrange(keys []string) error {
	var rest []string
	for _, c := range r.table.Columns() {
		if i := slices.Index(keys, c.Name); i >= 0 {
			r.places = append(r.places, place{true, i})
			continue
		}
		r.places = append(r.places, place{false, len(rest)})
		rest = append(rest, c.Name)
	}
	if len(rest) == 0 {
		return nil
	}
	var err error
	r.rest, err = r.table.Select(rest...)
	return err
}

// Schema is the schema of the batches.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Next moves to the next batch, which has at least one row. It is false at the end and after an error.
func (r *Reader) Next() bool {
	r.drop()
	for len(r.queue) == 0 {
		if r.err != nil || !r.keys.Next() {
			return false
		}
		r.err = r.choose(r.keys.RecordBatch())
	}
	r.current, r.queue = r.queue[0], r.queue[1:]
	return true
}

// choose tests the rows of a batch of keys and queues the chosen ones.
func (r *Reader) choose(keys arrow.RecordBatch) error {
	from := r.at
	r.at += keys.NumRows()
	var rows []int
	err := source.Guard(func() error {
		keep := slices.Repeat([]bool{true}, int(keys.NumRows()))
		for _, t := range r.tests {
			t.test(keys.Column(t.column), keep)
		}
		for i, k := range keep {
			if k {
				rows = append(rows, i)
			}
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	if r.rest == nil {
		return r.add(keys, 0, nil, rows)
	}
	first, end := rows[0], rows[len(rows)-1]+1
	part, err := r.rest.Slice(from+int64(first), from+int64(end))
	if err != nil {
		return err
	}
	rest, err := part.Reader(r.ctx, r.opts...)
	if err != nil {
		return err
	}
	defer rest.Release()
	for rest.Next() {
		b := rest.RecordBatch()
		n, _ := slices.BinarySearch(rows, first+int(b.NumRows()))
		if n > 0 {
			if err := r.add(keys, first, b, rows[:n]); err != nil {
				return err
			}
		}
		rows, first = rows[n:], first+int(b.NumRows())
	}
	return rest.Err()
}

// add queues the given rows of a batch of keys, of which rest has the other columns, from row first on; rest may be nil.
func (r *Reader) add(keys arrow.RecordBatch, first int, rest arrow.RecordBatch, rows []int) error {
	columns := make([]arrow.Array, 0, len(r.places))
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	shifted := rows
	if first > 0 {
		shifted = make([]int, len(rows))
		for i, row := range rows {
			shifted[i] = row - first
		}
	}
	err := source.Guard(func() error {
		for _, p := range r.places {
			from, which := keys, rows
			if !p.key {
				from, which = rest, shifted
			}
			c, err := r.take(from.Column(p.index), which)
			if err != nil {
				return err
			}
			columns = append(columns, c)
		}
		return nil
	})
	if err != nil {
		return h5err.About(err, r.table)
	}
	r.queue = append(r.queue, array.NewRecordBatch(r.schema, columns, int64(len(rows))))
	return nil
}

// take returns the given rows of an array: a slice of it if they follow one another.
func (r *Reader) take(a arrow.Array, rows []int) (arrow.Array, error) {
	if n := len(rows); rows[n-1]-rows[0] == n-1 {
		return array.NewSlice(a, int64(rows[0]), int64(rows[0]+n)), nil
	}
	return r.gather.array(a, rows)
}

func (r *Reader) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// RecordBatch is the current batch, valid until the next call of Next unless retained.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch under its old name.
func (r *Reader) Record() arrow.RecordBatch { return r.current }

// Err is the error that ended the reading, nil at the end of the table.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.keys.Err()
}

// Retain takes one more reference.
func (r *Reader) Retain() { r.refs.Add(1) }

// Release gives a reference back; the last one ends the reading.
func (r *Reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		for _, b := range r.queue {
			b.Release()
		}
		r.keys.Release()
	}
}

var _ array.RecordReader = (*Reader)(nil)
