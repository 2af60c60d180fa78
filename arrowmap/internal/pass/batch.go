package pass

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/internal/buffer"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// request is a piece that a batch needs.
type request struct {
	*node.Piece
	s      *stream
	column int               // the first that wants it, which the copy is counted for
	users  int               // columns that want it
	swap   func([]byte) bool // of the first
	mapped bool
}

// batch is the rows [lo,hi) that are being made.
type batch struct {
	node.Batch
	p        *Pass
	lo, hi   int64
	requests []*request
	cost     int64
	unmapped int64 // of cost, of columns whose rows are mapped where they are stored in one run

	pending atomic.Int64
	fail    sync.Once
	err     error
	cuts    []int64 // where the rows are cut into records: lo ... hi
	arrays  [][]arrow.Array
	records []arrow.RecordBatch
	done    chan struct{}
}

func (p *Pass) newBatch(lo, hi int64) *batch {
	b := &batch{p: p, lo: lo, hi: hi, done: make(chan struct{})}
	b.Batch = node.Batch{Pass: p, Context: p.ctx, TextBytes: p.size.textBytes, MaxMemory: p.o.MaxMemory, Pieces: map[node.Place]*node.Piece{}}
	return b
}

// plan collects what the batch needs and what that costs.
func (b *batch) plan() error {
	var err error
	at := map[node.Place]*request{}
	for i, c := range b.p.t.Columns {
		c.Wants(b.lo, b.hi, func(d node.Dataset, lo, hi int64, swap func([]byte) bool) {
			s, e := b.p.streams.get(d)
			if e != nil {
				if err == nil {
					err = e
				}
				return
			}
			q := at[d.Place()]
			if q == nil {
				q = &request{Piece: &node.Piece{Lo: lo, Hi: hi, Row: s.RowBytes()}, s: s, column: i, swap: swap}
				at[d.Place()], b.Pieces[d.Place()] = q, q.Piece
				b.requests = append(b.requests, q)
			}
			q.Lo, q.Hi = min(q.Lo, lo), max(q.Hi, hi)
			q.users++
		})
		in := c.Describe()
		if needsCopy(in.Delivery) || !in.Pure && values.LooksUnderNulls(in.Type) {
			b.cost += (b.hi - b.lo) * in.RowBytes
		}
		if in.Delivery == dtype.Converted { // from what was gathered
			b.cost += (b.hi - b.lo) * node.GatherWidth(c)
		}
	}
	if err != nil {
		return err
	}
	for _, q := range b.requests {
		if v, ok := q.s.view(q.Lo, q.Hi); ok {
			q.Bytes, q.Owner, q.mapped = v.Bytes, v.Owner, true
		} else {
			n := (q.Hi - q.Lo) * q.Row
			if b.cost += n; b.p.t.Columns[q.column].Describe().Delivery == dtype.Mapped {
				b.unmapped += n
			}
		}
	}
	return nil
}

// needsCopy reports whether building a column's arrays takes memory beside its pieces.
func needsCopy(d dtype.Delivery) bool { return d != dtype.Mapped && d != dtype.Decoded }

// start starts to decode what is not mapped, and to build what needs nothing more.
func (b *batch) start() {
	b.pending.Store(1)
	together := b.gathers()
	for _, q := range b.requests {
		all := together[q.Piece]
		if q.mapped && all != nil {
			b.gatherMapped(q.Piece, all)
		}
		if !q.mapped && q.Lo < q.Hi {
			b.decode(q, all)
		}
	}
	b.arrived(nil)
}

// decode starts to decode a piece, of which some columns are gathered where all is not nil.
func (b *batch) decode(q *request, all *node.Gathers) {
	n := int((q.Hi - q.Lo) * q.Row)
	q.Owner = b.p.recycle.Buffer(n)
	q.Bytes = q.Owner.Bytes()
	b.p.stats[q.column].copied.Add(int64(buffer.Size(n)))
	opts := chunk.StartOptions{}
	if all != nil {
		opts.Each = func(lo, hi int64, rows []byte) error {
			all.Run(lo, hi, rows)
			return nil
		}
	}
	if q.users == 1 {
		q.Mutable = true
		if q.swap != nil && q.swap(nil) {
			q.Swapped = true
			opts.Each = func(_, _ int64, rows []byte) error {
				q.swap(rows)
				return nil
			}
		}
	}
	b.pending.Add(1)
	q.s.Start(b.p.ctx, b.p.pool, q.Lo, q.Hi, q.Bytes, opts, b.arrived)
}

// arrived counts the pieces; the last one gives the batch to the workers.
func (b *batch) arrived(err error) {
	b.failed(err)
	if b.pending.Add(-1) > 0 {
		return
	}
	if b.err != nil {
		close(b.done)
		return
	}
	b.p.pool.Go(func(*chunk.Worker) { b.build() })
}

func (b *batch) failed(err error) {
	if err != nil {
		b.fail.Do(func() { b.err = err })
	}
}

// guard runs fn and keeps its error; faults of the mapping become errors.
func (b *batch) guard(fn func() error) { b.failed(source.Guard(fn)) }

// part is what column i sees of the batch.
func (b *batch) part(i int) *node.Part {
	s := &b.p.stats[i]
	return &node.Part{Batch: &b.Batch, Alloc: &counted{b.p.recycle, s}, Note: func(err error) { s.keep(b.lo, err) }}
}

// build cuts the batch into records and builds their columns.
func (b *batch) build() {
	columns := b.p.t.Columns
	if !b.cut() {
		close(b.done)
		return
	}
	b.arrays = make([][]arrow.Array, len(b.cuts)-1)
	for k := range b.arrays {
		b.arrays[k] = make([]arrow.Array, len(columns))
	}
	b.pending.Store(int64(len(columns)))
	var cheap []int
	for i, c := range columns {
		if c.Describe().Delivery == dtype.Mapped { // some words each: not worth a job
			cheap = append(cheap, i)
			continue
		}
		b.p.pool.Go(func(*chunk.Worker) { b.column(i) })
	}
	for _, i := range cheap {
		b.column(i)
	}
}

// cut finds how many rows fit in each record. It is false when a row fits in none, or after an error.
func (b *batch) cut() bool {
	b.cuts = []int64{b.lo}
	for at := b.lo; at < b.hi; {
		n := b.hi - at
		for i, c := range b.p.t.Columns {
			b.guard(func() error {
				n = min(n, c.Fits(b.part(i), at, at+n))
				return nil
			})
		}
		if n < 1 || b.err != nil {
			b.failed(h5err.About(h5err.New(h5err.Limit, "row %d is larger than an Arrow array of 32-bit offsets takes", at), &b.p.t))
			return false
		}
		at += n
		b.cuts = append(b.cuts, at)
	}
	return true
}

// column builds the arrays of one column; the last column makes the records.
func (b *batch) column(i int) {
	c, x := b.p.t.Columns[i], b.part(i)
	for k := range b.arrays {
		b.guard(func() error {
			if err := b.p.ctx.Err(); err != nil {
				return err
			}
			arr, err := c.Build(x, b.cuts[k], b.cuts[k+1])
			if err != nil {
				return err
			}
			arr, zeroed := values.ZeroUnderNulls(arr, x.Alloc)
			if zeroed {
				b.p.stats[i].zeroed.Store(true)
			}
			b.arrays[k][i] = arr
			b.p.stats[i].nulls.Add(nullsOf(arr))
			return nil
		})
	}
	if b.pending.Add(-1) == 0 {
		b.finish()
	}
}

func (b *batch) finish() {
	if b.err == nil {
		for k, arrays := range b.arrays {
			b.records = append(b.records, array.NewRecordBatch(b.p.t.Schema, arrays, b.cuts[k+1]-b.cuts[k]))
		}
	}
	for _, arrays := range b.arrays {
		for _, a := range arrays {
			if a != nil {
				a.Release()
			}
		}
	}
	b.arrays = nil
	close(b.done)
}

// take returns the records and gives up the pieces, which the records hold as far as they need them.
func (b *batch) take() []arrow.RecordBatch {
	recs := b.records
	b.records = nil
	for _, g := range b.Gathered {
		g.Release()
	}
	b.Gathered = nil
	for _, q := range b.requests {
		q.Release()
	}
	return recs
}

// drop releases the views of a batch that was not started.
func (b *batch) drop() {
	for _, q := range b.requests {
		q.Release()
	}
}

// discard drops everything, and gives back the budget.
func (b *batch) discard() {
	for _, rec := range b.take() {
		rec.Release()
	}
	b.p.budget.Release(b.cost)
}
