package arrowmap

import (
	"context"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Where is conditions on columns of a table, which must all hold. It is immutable.
type Where struct {
	of    *Table // with all columns
	on    *Table // with the columns of the conditions, each once
	tests []ColumnTest
}

// Where returns conditions for WithWhere. A column that the table does not have, or a constant that can't be compared with a
// column's values, is an Argument error.
func (t *Table) Where(conditions ...predicate.Condition) (*Where, error) {
	w := &Where{of: t}
	var names []string
	at := map[string]int{}
	for _, c := range conditions {
		k, ok := at[c.Column]
		if !ok {
			k = len(names)
			at[c.Column] = k
			names = append(names, c.Column)
		}
		w.tests = append(w.tests, ColumnTest{Column: k})
	}
	var err error
	if w.on, err = t.Select(names...); err != nil {
		return nil, err
	}
	for i, c := range conditions {
		col := w.on.columns[w.tests[i].Column]
		if col.Err != nil {
			return nil, col.Err
		}
		if w.tests[i].Test, err = predicate.New(col.Type, c.Op, c.Values...); err != nil {
			var e *h5err.Error
			if errors.As(err, &e) {
				return nil, h5err.About(h5err.New(e.Kind, "column %s: %s", c.Column, e.Msg), t)
			}
			return nil, err
		}
	}
	return w, nil
}

// WithWhere reads only the rows for which conditions hold. The table that is read is the one that Where was called on, or was
// made from it with Select and Slice; it may lack the columns of the conditions. Other columns are decoded only where rows were
// chosen. Batches may be small: those of one batch of the conditions' columns are not joined with the next.
func WithWhere(w *Where) ReadOption {
	return func(o *readOptions) error {
		o.where = w
		return nil
	}
}

const (
	whereBytes = 16 << 20 // of a batch of the conditions' columns
	minSkip    = 1 << 12  // rows that are at least left out in one piece where columns have no chunks
)

// startWhere starts reading the rows for which conditions hold.
func (t *Table) startWhere(ctx context.Context, o readOptions) (*Reader, error) {
	f := &filtered{w: o.where, schema: t.Schema(), total: reports(t.columns), unit: minSkip}
	on := *o.where.on
	on.from, on.to = t.from, t.to
	if _, err := t.body.rows(); err != nil {
		return nil, err
	}
	if all, err := on.body.rows(); err != nil {
		return nil, err
	} else if mine, _ := t.body.rows(); all != mine {
		return nil, t.f.usage(t.def.Path, "the conditions are those of another table")
	}
	f.divide(t, &on)
	o.where = nil
	may, err := on.Possible(ctx, f.w.tests...)
	if err != nil {
		return nil, err
	}
	if o.Ranges == nil {
		o.Ranges = may
	} else if _, err := pass.Checked(o.Ranges, t.Rows()); err == nil { // start reports it
		o.Ranges = pass.Both(o.Ranges, may)
	}
	f.o, f.left = o, pass.Walker{Left: o.Ranges}
	first := o
	first.BatchRows, first.BatchBytes = 0, whereBytes
	if o.MaxMemory > 0 {
		first.MaxMemory, f.o.MaxMemory = max(1, o.MaxMemory/4), max(1, o.MaxMemory-o.MaxMemory/4)
	}
	r := &Reader{schema: f.schema, batches: f, numbers: func() []int64 { return f.numbers }}
	r.refs.Store(1)
	r.ctx, r.cancel = context.WithCancel(ctx)
	f.ctx = r.ctx
	if f.first, err = on.start(r.ctx, first); err != nil {
		r.cancel()
		return nil, err
	}
	for _, test := range f.w.tests {
		f.matchers = append(f.matchers, test.Test.Matcher())
	}
	return r, nil
}

// filtered is the batches of rows for which conditions hold. The columns of the conditions are read first, and of each of their
// batches the other columns where rows were chosen.
type filtered struct {
	ctx    context.Context
	w      *Where
	o      readOptions
	schema *arrow.Schema
	total  []ColumnReport
	unit   int64  // rows of the pieces in which the other columns are read
	late   *Table // the other columns, nil if there are none
	from   []int  // for each column of the output: a column of the first part, or ^ one of the late part

	first    *Reader
	left     pass.Walker // of first
	matchers []*predicate.Matcher

	batch   arrow.RecordBatch // of first, nil before the first
	base    int64             // its first row
	mask    []uint64          // of its rows
	rest    *Reader           // of the late part, nil while there is none
	chosen  pass.Walker       // of rest
	numbers []int64
}

// divide finds where each column of the output comes from.
func (f *filtered) divide(t, on *Table) {
	var late []int
	for i, c := range t.columns {
		k := slices.Index(on.columns, c)
		if k < 0 {
			k = ^len(late)
			late = append(late, i)
		}
		f.from = append(f.from, k)
	}
	if len(late) > 0 {
		f.late = t.pick(late)
		if n := f.late.Footprint().ChunkRows; n > 0 {
			f.unit = n
		}
	}
}

func (f *filtered) next() (arrow.RecordBatch, error) {
	for {
		switch {
		case f.rest != nil && f.rest.Next():
			rec := f.rest.RecordBatch()
			if rec, err := f.output(rec, f.chosen.Take(rec.NumRows())); rec != nil || err != nil {
				return rec, err
			}
			continue
		case f.rest != nil:
			err := f.rest.Err()
			f.leave()
			if err != nil {
				return nil, err
			}
		}
		if f.batch != nil {
			f.batch.Release()
			f.batch = nil
		}
		if !f.first.Next() {
			return nil, f.first.Err()
		}
		f.batch = f.first.RecordBatch()
		f.batch.Retain()
		f.base = f.left.Take(f.batch.NumRows())
		if err := source.Guard(f.choose); err != nil {
			return nil, err
		}
		if predicate.Count(f.mask) == 0 {
			continue
		}
		if f.late == nil {
			return f.output(nil, f.base)
		}
		var err error
		o := f.o
		o.Ranges = pass.Pieces(f.mask, f.base, f.batch.NumRows(), f.unit)
		f.chosen = pass.Walker{Left: o.Ranges}
		if f.rest, err = f.late.start(f.ctx, o); err != nil {
			f.rest = nil
			return nil, err
		}
	}
}

// choose sets the mask for the rows of the batch.
func (f *filtered) choose() error {
	n := int(f.batch.NumRows())
	if words := predicate.Words(n); cap(f.mask) < words {
		f.mask = make([]uint64, words)
	} else {
		f.mask = f.mask[:words]
	}
	predicate.Fill(f.mask, n)
	for i, m := range f.matchers {
		if err := m.Choose(f.batch.Column(f.w.tests[i].Column), 0, n, f.mask); err != nil {
			return h5err.About(err, f.w.of)
		}
	}
	return nil
}

// output returns the chosen rows of a late batch that starts at a row, or of the first batch where rec is nil; nil where there
// are none.
func (f *filtered) output(rec arrow.RecordBatch, row int64) (arrow.RecordBatch, error) {
	n := f.batch.NumRows()
	if rec != nil {
		n = rec.NumRows()
	}
	shift := row - f.base
	at := predicate.Rows(f.mask, int(shift), int(n))
	atFirst := make([]int32, len(at))
	f.numbers = f.numbers[:0]
	for i, k := range at {
		atFirst[i] = int32(shift) + k
		f.numbers = append(f.numbers, row+int64(k))
	}
	if len(at) == 0 {
		return nil, nil
	}
	columns := make([]arrow.Array, len(f.from))
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	err := source.Guard(func() (err error) {
		for i, k := range f.from {
			if k < 0 {
				columns[i], err = values.Pick(rec.Column(^k), at, f.o.Alloc)
			} else {
				columns[i], err = values.Pick(f.batch.Column(k), atFirst, f.o.Alloc)
			}
			if err != nil {
				return err
			}
			f.total[i].NullCount += int64(columns[i].NullN())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(f.schema, columns, int64(len(at))), nil
}

// leave adds up what became of the late columns.
func (f *filtered) leave() {
	f.addLate(f.total)
	f.rest.Release()
	f.rest = nil
}

func (f *filtered) addLate(total []ColumnReport) {
	report := f.rest.Report()
	for i, k := range f.from {
		if k < 0 {
			add(&total[i], report[^k])
		}
	}
}

// add adds what became of further rows, except nulls.
func add(total *ColumnReport, more ColumnReport) {
	total.CopiedBytes += more.CopiedBytes
	if total.Note == nil {
		total.Note = more.Note
	}
}

func (f *filtered) close() {
	if f.rest != nil {
		f.leave()
	}
	if f.batch != nil {
		f.batch.Release()
		f.batch = nil
	}
	f.first.Release()
}

func (f *filtered) report() []ColumnReport {
	out := append([]ColumnReport{}, f.total...)
	if f.rest != nil {
		f.addLate(out)
	}
	first := f.first.Report()
	for i, k := range f.from {
		if k >= 0 {
			add(&out[i], first[k])
		}
	}
	return out
}
