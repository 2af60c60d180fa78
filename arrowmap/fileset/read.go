package fileset

import (
	"context"
	"sort"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// ReadOptions say how a table is read. The zero value is for the defaults of arrowmap.
type ReadOptions struct {
	Alloc                            memory.Allocator
	BatchRows, BatchBytes, MaxMemory int64
	Workers                          int
}

// maxSmall is the bytes of Arrow memory of a file up to which it is read by one goroutine, beside others.
const maxSmall = 1 << 20

// options returns those for a file.
func (o *ReadOptions) options(small bool) []arrowmap.ReadOption {
	out := []arrowmap.ReadOption{arrowmap.WithAllocator(o.Alloc), arrowmap.WithBatchRows(o.BatchRows), arrowmap.WithBatchBytes(o.BatchBytes),
		arrowmap.WithMaxMemory(o.MaxMemory), arrowmap.WithWorkers(o.Workers)}
	if small {
		out = append(out, arrowmap.WithWorkers(1))
	}
	return out
}

// Reader returns rows as record batches. It implements array.RecordReader, and is to be used by one goroutine at a time.
type Reader struct {
	refs   atomic.Int64
	t      *Table
	o      ReadOptions
	schema *arrow.Schema
	ctx    context.Context
	cancel context.CancelFunc

	parts   *ordered[*part]
	left    int   // files that parts has not returned
	open    *part // a large file that is being read
	joiner  values.Joiner
	more    []arrow.RecordBatch // of a small file
	rows    int64               // still to be returned, -1 for all
	current arrow.RecordBatch
	err     error
}

// part is the rows of a file: all of them, or an open reader where they are many.
type part struct {
	batches []arrow.RecordBatch
	columns *columns
	file    *opened
	in      *arrowmap.Reader
}

func (p *part) release() {
	for _, rec := range p.batches {
		rec.Release()
	}
	p.batches = nil
	if p.in != nil {
		p.in.Release()
	}
	if p.file != nil {
		p.file.close()
	}
	p.in, p.file = nil, nil
}

// Reader starts to read the table. Release the Reader, which ends what is under way, as canceling the context does.
func (t *Table) Reader(ctx context.Context, o ReadOptions) (*Reader, error) {
	if o.Alloc == nil {
		o.Alloc = memory.NewGoAllocator()
	}
	if o.BatchRows < 0 || o.BatchBytes < 0 || o.MaxMemory < 0 || o.Workers < 0 {
		return nil, h5err.New(h5err.Argument, "a negative option of reading")
	}
	r := &Reader{t: t, o: o, schema: t.Schema(), rows: t.limit}
	r.refs.Store(1)
	r.joiner = values.Joiner{Schema: r.schema, Alloc: o.Alloc, Next: r.one}
	r.ctx, r.cancel = context.WithCancel(ctx)
	first, end := t.span()
	r.left = end - first
	r.parts = inOrder(r.ctx, r.left, func(ctx context.Context, i int) (*part, error) { return r.read(ctx, first+i) }, (*part).release)
	return r, nil
}

// span returns the numbers of the files that have rows of the table, as far as they are known.
func (t *Table) span() (first, end int) {
	n := len(t.set.names)
	if !t.set.looked.Load() {
		return 0, n
	}
	last := t.end()
	first = sort.Search(n, func(i int) bool { return t.set.end(i) > t.from })
	end = sort.Search(n, func(i int) bool { return t.set.end(i-1) >= last })
	return first, max(first, end)
}

// read reads file i, or opens it.
func (r *Reader) read(ctx context.Context, i int) (p *part, err error) {
	s := r.t.set
	if s.looked.Load() {
		if may, err := r.t.may(i, s.files[i].attrs); !may || err != nil {
			return &part{}, err
		}
	}
	o, err := s.open(ctx, i)
	if err != nil {
		return nil, err
	}
	p = &part{file: o}
	defer func() {
		if err != nil || p.in == nil {
			o.close()
			p.file = nil
		}
		if err != nil {
			p.release()
		}
	}()
	k, err := s.kindOf(i, o)
	if err != nil {
		return p, err
	}
	if may, err := r.t.may(i, o.attrs); !may || err != nil {
		return p, err
	}
	p.columns = r.t.columnsOf(i, k, o)
	t, opts, err := r.t.rowsOf(i, k, o, p.columns)
	if t == nil || err != nil {
		return p, err
	}
	small := isSmall(t)
	in, err := t.Reader(ctx, append(opts, r.o.options(small)...)...)
	if err != nil {
		return p, err
	}
	if !small {
		p.in = in
		return p, nil
	}
	defer in.Release()
	for in.Next() {
		rec, err := p.columns.convert(in.RecordBatch(), r.schema, r.o.Alloc)
		if err != nil {
			return p, err
		}
		p.batches = append(p.batches, rec)
	}
	return p, in.Err()
}

func isSmall(t *arrowmap.Table) bool {
	n, ok := pass.Product(t.Rows(), t.Footprint().Bytes)
	return ok && n < maxSmall
}

// may reports whether the conditions on the file's name and attributes hold.
func (t *Table) may(i int, attrs []scalar.Value) (bool, error) {
	for k, v := range attrs {
		if want := t.set.attrs[k]; want.Join(v.Kind) != want {
			return false, h5err.In(h5err.New(h5err.Argument, "attribute %s is %s, and %s in %s", t.set.o.Attributes[k], v.Kind.Type(), want.Type(), t.set.shown(0)).
				WithOption("arrowmap.Union", "join the types"), t.set.shown(i), t.set.path)
		}
	}
	for _, c := range t.conditions {
		n := t.set.column(c.Column)
		if n < t.set.own {
			continue
		}
		v, kind := t.set.constant(n, i, attrs)
		one, err := v.Repeat(kind, 1, memory.DefaultAllocator)
		if err != nil {
			return false, err
		}
		holds, err := holds(one, c)
		one.Release()
		if !holds || err != nil {
			return false, err
		}
	}
	return true, nil
}

// holds reports whether a condition holds for an array of one value.
func holds(one arrow.Array, c predicate.Condition) (bool, error) {
	test, err := predicate.New(one.DataType(), c.Op, c.Values...)
	if err != nil {
		return false, err
	}
	mask := make([]uint64, predicate.Words(1))
	predicate.Fill(mask, 1)
	err = test.Matcher().Choose(one, 0, 1, mask)
	return predicate.Count(mask) == 1, err
}

// rowsOf returns the rows of the table that are in file i, with the columns that it has, and the conditions on them; nil where there are
// none.
func (t *Table) rowsOf(i int, k *kind, o *opened, c *columns) (*arrowmap.Table, []arrowmap.ReadOption, error) {
	rows := o.table
	var err error
	if t.set.looked.Load() {
		start := t.set.end(i - 1)
		a, b := max(t.from-start, 0), min(t.end(), t.set.end(i))-start
		if a >= b {
			return nil, nil, nil
		}
		if rows, err = rows.Slice(a, b); err != nil {
			return nil, nil, err
		}
	}
	var own []predicate.Condition
	for _, cond := range t.conditions {
		n := t.set.column(cond.Column)
		switch {
		case n >= t.set.own:
		case k.at[n] < 0 || k.fields[k.at[n]].Type.ID() == arrow.NULL: // all its values are null
			if cond.Op != predicate.IsNull {
				return nil, nil, nil
			}
		default:
			own = append(own, cond)
		}
	}
	var opts []arrowmap.ReadOption
	if len(own) > 0 {
		w, err := rows.Where(own...)
		if err != nil {
			return nil, nil, err
		}
		opts = append(opts, arrowmap.WithWhere(w))
	}
	rows, err = rows.SelectAt(c.own...)
	return rows, opts, err
}

// Schema is the schema of the batches.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Retain takes one more reference.
func (r *Reader) Retain() { r.refs.Add(1) }

// Release gives a reference back; the last one ends the reading. Batches that were retained stay valid.
func (r *Reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		r.stop()
	}
}

// stop ends what is under way.
func (r *Reader) stop() {
	r.cancel()
	r.parts.close()
	r.left = 0
	if r.open != nil {
		r.open.release()
		r.open = nil
	}
	for _, rec := range r.more {
		rec.Release()
	}
	r.more = nil
	r.joiner.Release()
}

func (r *Reader) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// Err is the error that ended the reading, nil at the end of the table.
func (r *Reader) Err() error { return r.err }

// RecordBatch is the current batch, valid until the next call of Next unless retained.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch under its old name.
func (r *Reader) Record() arrow.RecordBatch { return r.current }

// Next moves to the next batch. It is false at the end and after an error.
func (r *Reader) Next() bool {
	r.drop()
	if r.err != nil || r.rows == 0 {
		return false
	}
	rows := r.maxRows()
	rec, err := r.joiner.Batch(rows, rows)
	if err != nil || rec == nil {
		r.err = err
		r.stop()
		return false
	}
	if n := rec.NumRows(); r.rows >= 0 && n > r.rows {
		short := rec.NewSlice(0, r.rows)
		rec.Release()
		rec = short
	}
	if r.rows >= 0 {
		if r.rows -= rec.NumRows(); r.rows == 0 {
			r.stop()
		}
	}
	r.current = rec
	return true
}

// maxRows is the number of rows up to which small batches are joined.
func (r *Reader) maxRows() int64 {
	row := int64(1)
	for _, f := range r.schema.Fields() {
		row += 8
		if t, ok := f.Type.(arrow.FixedWidthDataType); ok {
			row += int64(t.BitWidth()+7)/8 - 8
		}
	}
	rows := values.JoinedRows(r.o.BatchRows, r.o.BatchBytes, r.o.MaxMemory, row)
	if r.rows > 0 {
		rows = min(rows, r.rows)
	}
	return rows
}

// one returns the next batch of a file, nil at the end.
func (r *Reader) one() (arrow.RecordBatch, error) {
	for {
		switch {
		case len(r.more) > 0:
			rec := r.more[0]
			r.more = r.more[1:]
			return rec, nil
		case r.open != nil:
			if r.open.in.Next() {
				return r.open.columns.convert(r.open.in.RecordBatch(), r.schema, r.o.Alloc)
			}
			err := r.open.in.Err()
			r.open.release()
			r.open = nil
			if err != nil {
				return nil, err
			}
		case r.left == 0:
			return nil, r.ctx.Err()
		default:
			p, err := r.parts.next()
			if err != nil {
				return nil, err
			}
			r.left--
			r.more, p.batches = p.batches, nil
			if p.in != nil {
				r.open = p
			}
		}
	}
}
