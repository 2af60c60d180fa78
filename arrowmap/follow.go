package arrowmap

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Opener opens a table that is being written, as it is at that moment. The returned function closes it.
type Opener func() (*Table, func() error, error)

// Follow returns the rows of a table of one file, and after them those that a writer appends, until the writer has closed the
// file or, with an idle above 0, no row was appended for so long. A file that does not say that a writer has it open is at its
// end, unless its superblock is older than version 3, which has no flag for that, and idle is above 0. Rows that were returned are
// not read again. A table that becomes shorter is an error of kind IO, one whose schema changes an Argument error.
func Follow(ctx context.Context, open Opener, idle time.Duration, opts ...ReadOption) (*Reader, error) {
	var o readOptions
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if idle < 0 {
		return nil, h5err.New(h5err.Argument, "waiting %v for rows", idle)
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Alloc == nil {
		o.Alloc = memory.NewGoAllocator()
	}
	r := &Reader{workers: o.Workers}
	r.refs.Store(1)
	r.ctx, r.cancel = context.WithCancel(ctx)
	f := &following{ctx: r.ctx, open: open, o: o, idle: idle, last: time.Now()}
	if err := f.again(); err != nil {
		r.cancel()
		return nil, err
	}
	f.first, f.schema, f.total = f.table, f.table.Schema(), reports(f.table.columns)
	r.schema, r.batches = f.schema, f
	return r, nil
}

// How often a file is looked at, and how often it may be broken before there are more rows.
const (
	followEvery  = 100 * time.Millisecond
	followBroken = 20
)

// following is the batches of a table that is being written.
type following struct {
	ctx    context.Context
	open   Opener
	o      readOptions
	idle   time.Duration
	schema *arrow.Schema
	first  *Table
	total  []ColumnReport

	table *Table // as it is now; nil while it is not open
	shut  func() error
	in    *Reader // of rows of table; nil before
	rows  int64   // that were returned
	last  time.Time
	fails int
}

func (f *following) next() (arrow.RecordBatch, error) {
	for {
		if err := f.ctx.Err(); err != nil {
			return nil, err
		}
		if f.table == nil {
			if err := f.wait(); err != nil {
				return nil, err
			}
			continue
		}
		if f.in == nil {
			if err := f.start(); err != nil {
				return nil, err
			}
		}
		if f.in.Next() {
			rec := f.in.RecordBatch()
			f.rows += rec.NumRows()
			f.last, f.fails = time.Now(), 0
			return array.NewRecordBatch(f.schema, rec.Columns(), rec.NumRows()), nil
		}
		err, done := f.in.Err(), f.done()
		f.leave()
		if err != nil && f.mayPass(err) {
			continue
		}
		if err != nil || done {
			return nil, err
		}
	}
}

// start starts reading the rows that the table has more.
func (f *following) start() error {
	if err := sameColumns(f.first, f.table); err != nil {
		return err
	}
	for i, c := range f.table.columns {
		if was := f.first.columns[i]; !stored.Equal(was.Type, c.Type) {
			return f.table.f.usage(f.table.def.Path, fmt.Sprintf("column %s became %s, it was %s", c.Name, c.Type, was.Type))
		}
	}
	rows := f.table.Rows()
	if rows < f.rows {
		return h5err.About(h5err.New(h5err.IO, "the table has %d rows, it had %d", rows, f.rows), f.table)
	}
	part, err := f.table.Slice(f.rows, rows)
	if err == nil {
		f.in, err = part.start(f.ctx, f.o)
	}
	return err
}

// done reports whether no rows will come after those that the table has.
func (f *following) done() bool {
	sb := f.table.f.f.Superblock()
	if !sb.OpenForWriting() && (sb.Version >= 3 || f.idle == 0) {
		return true
	}
	return f.idle > 0 && time.Since(f.last) >= f.idle
}

// wait waits a little and opens the table again.
func (f *following) wait() error {
	t := time.NewTimer(followEvery)
	defer t.Stop()
	select {
	case <-f.ctx.Done():
		return f.ctx.Err()
	case <-t.C:
	}
	if err := f.again(); err != nil && !f.mayPass(err) {
		return err
	}
	return nil
}

// mayPass reports whether an error may be gone when the table is opened again: its writer may be at work.
func (f *following) mayPass(err error) bool {
	f.fails++
	return f.fails <= followBroken && f.ctx.Err() == nil && (OfColumn(err) || h5err.Is(err, h5err.Argument) || h5err.Is(err, h5err.IO))
}

func (f *following) again() (err error) {
	f.table, f.shut, err = f.open()
	if err == nil {
		if _, err = f.table.pieces(); err != nil {
			f.leave()
		}
	}
	return err
}

// leave adds up what became of the columns and closes the table.
func (f *following) leave() {
	if f.in != nil {
		f.total = f.report()
		f.in.Release()
		f.in = nil
	}
	if f.table != nil {
		f.table = nil
		f.shut() // read only: there is nothing to lose
	}
}

func (f *following) close() { f.leave() }

func (f *following) report() []ColumnReport {
	out := append([]ColumnReport{}, f.total...)
	if f.in != nil {
		addReports(out, f.in.Report())
	}
	return out
}
