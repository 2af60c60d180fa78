package arrowmap

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/possible"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Reader returns a table's rows as record batches, in order, while later ones are decoded. It implements
// array.RecordReader. It is to be used by one goroutine at a time.
type Reader struct {
	refs    atomic.Int64
	schema  *arrow.Schema
	ctx     context.Context
	cancel  context.CancelFunc
	batches batches
	files   []*source.Source
	current arrow.RecordBatch
	rows    int64
	workers int
	err     error
	numbers func() []int64 // of the rows of the current batch, where rows are left out
}

// batches are the rows of a table's body as they are read.
type batches interface {
	// next returns the next record batch, which the caller releases; nil at the end and after an error.
	next() (arrow.RecordBatch, error)

	// report says what became of each column so far.
	report() []ColumnReport

	// close ends the reading.
	close()
}

// ColumnReport says what became of a column.
type ColumnReport struct {
	Name        string
	Type        arrow.DataType
	Delivery    dtype.Delivery
	Reason      string // why it is not mapped, "" when it is
	CopiedBytes int64  // bytes of Arrow memory that were made for it; memory that is used again counts again
	NullCount   int64
	Note        error // about the first value that is null because it makes no sense, such as an impossible time; nil for none
}

// Reader starts to read the table. Release the Reader, which ends what is under way. Canceling the context ends it too. The
// table's files stay open until the Reader is released, also after their Close; other files that they refer to do not.
func (t *Table) Reader(ctx context.Context, opts ...ReadOption) (*Reader, error) {
	var o readOptions
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Alloc == nil {
		o.Alloc = memory.NewGoAllocator()
	}
	start := t.start
	if o.where != nil {
		start = t.startWhere
	}
	r, err := start(ctx, o)
	if err == nil {
		r.workers = o.Workers
	}
	return r, err
}

// Workers returns how many goroutines decode: what WithWorkers set.
func (r *Reader) Workers() int { return r.workers }

// ReadAll reads all rows into memory, where those that are mapped take none. The caller releases the table, whose columns have exact
// counts of nulls.
func (t *Table) ReadAll(ctx context.Context, opts ...ReadOption) (arrow.Table, error) {
	r, err := t.Reader(ctx, opts...)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var all []arrow.RecordBatch
	defer func() {
		for _, rec := range all {
			rec.Release()
		}
	}()
	for r.Next() {
		r.current.Retain()
		all = append(all, r.current)
	}
	if r.err != nil {
		return nil, r.err
	}
	return array.NewTableFromRecords(r.schema, all), nil
}

func (t *Table) start(ctx context.Context, o readOptions) (*Reader, error) {
	pieces, err := t.pieces()
	if err != nil {
		return nil, err
	}
	if o.Ranges, err = pass.Checked(o.Ranges, t.Rows()); err != nil {
		return nil, t.f.usage(t.def.Path, err.Error())
	}
	if len(o.Ranges) == 1 { // nothing is left out between
		if t, err = t.Slice(o.Ranges[0].From, o.Ranges[0].To); err != nil {
			return nil, err
		}
		o.Ranges = nil
		if pieces, err = t.pieces(); err != nil {
			return nil, err
		}
	}
	r := &Reader{schema: t.Schema()}
	r.refs.Store(1)
	r.ctx, r.cancel = context.WithCancel(ctx)
	for _, p := range pieces {
		if src := p.f.f.Source(); src.TryRetain() { // a file that is closed already gives errors when it is read
			r.files = append(r.files, src)
		}
	}
	if s, ok := t.body.(*stack); ok {
		in := &chain{ctx: r.ctx, schema: r.schema, o: o, part: s.each(t.from, t.from+t.Rows()), total: reports(t.columns)}
		if r.batches = in; o.Ranges == nil { // no batch has rows of two ranges
			r.batches = newJoined(in, o, t.Footprint().Bytes)
		}
		return r, nil
	}
	if pieces[0] != t {
		r.batches = &chain{ctx: r.ctx, schema: r.schema, o: o, part: oneByOne(pieces), total: reports(t.columns)}
		return r, nil
	}
	t.nonNull()
	o.Ranges = pass.Shifted(o.Ranges, t.from)
	watched := o.Ranges
	if watched == nil {
		watched = []Range{{From: t.from, To: t.from + t.Rows()}}
	}
	watch, err := possible.NewWatch(r.schema.Fields(), t.f.o.sorted, watched)
	if err != nil {
		r.stop()
		return nil, h5err.About(err, t)
	}
	r.batches = &onePass{t, pass.Start(r.ctx, t.input(r.schema, t.nodes()), t.from, t.from+t.Rows(), o.Options), watch}
	return r, nil
}

// input is columns of the table as a pass reads them.
func (t *Table) input(schema *arrow.Schema, columns []node.Node) pass.Table {
	return pass.Table{File: t.f.f, Path: t.def.Path, Schema: schema, Columns: columns, Plugins: pass.PluginReader(t.f.o.plugins)}
}

// Schema is the schema of the batches.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Retain takes one more reference.
func (r *Reader) Retain() { r.refs.Add(1) }

// Release gives a reference back; the last one ends the reading. Batches that were retained stay valid.
func (r *Reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.stop()
	}
}

func (r *Reader) stop() {
	r.cancel()
	r.drop()
	if r.batches != nil {
		r.batches.close()
	}
	for _, src := range r.files {
		src.Release()
	}
	r.files = nil
}

// drop gives up the current batch.
func (r *Reader) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// Next moves to the next batch. It is false at the end and after an error.
func (r *Reader) Next() bool {
	r.drop()
	if r.err != nil {
		return false
	}
	if r.current, r.err = r.batches.next(); r.current == nil {
		return false
	}
	r.rows += r.current.NumRows()
	return true
}

// Err is the error that ended the reading, nil at the end of the table.
func (r *Reader) Err() error { return r.err }

// RowsRead is the number of rows of the batches so far.
func (r *Reader) RowsRead() int64 { return r.rows }

// RecordBatch is the current batch, valid until the next call of Next unless retained.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch under its old name.
func (r *Reader) Record() arrow.RecordBatch { return r.current }

// RowNumbers returns the numbers of the current batch's rows in the table where a condition leaves out rows, else nil. It is
// valid until the next call of Next.
func (r *Reader) RowNumbers() []int64 {
	if r.numbers == nil {
		return nil
	}
	return r.numbers()
}

// Report says what became of each column so far.
func (r *Reader) Report() []ColumnReport { return r.batches.report() }

// onePass is the batches of one file.
type onePass struct {
	t     *Table
	pass  *pass.Pass
	watch *possible.Watch // of sorted columns, nil for none
}

func (p *onePass) next() (arrow.RecordBatch, error) {
	rec, err := p.pass.Next()
	if rec == nil {
		return nil, err
	}
	if err := p.watch.Add(rec); err != nil {
		rec.Release()
		return nil, h5err.About(err, p.t)
	}
	return rec, nil
}

func (p *onePass) close() { p.pass.Close() }

func (p *onePass) report() []ColumnReport {
	out := reports(p.t.columns)
	for i := range out {
		out[i].CopiedBytes, out[i].NullCount, out[i].Note = p.pass.Copied(i), p.pass.Nulls(i), p.pass.Note(i)
		if p.pass.Zeroed(i) && out[i].Delivery == dtype.Mapped {
			out[i].Delivery, out[i].Reason = dtype.Converted, "the values under nulls become 0"
		}
	}
	return out
}

// reports returns what is known of columns before they are read.
func reports(columns []*Column) []ColumnReport {
	out := make([]ColumnReport, len(columns))
	for i, c := range columns {
		out[i] = ColumnReport{Name: c.Name, Type: c.Type, Delivery: c.Delivery, Reason: c.Reason}
	}
	return out
}
