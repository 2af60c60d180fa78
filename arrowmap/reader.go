package arrowmap

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// ReadOption changes how a table is read.
type ReadOption func(*readOptions) error

type readOptions struct {
	workers    int
	batchRows  int64
	batchBytes int64
	maxMemory  int64
	hesitant   bool
	mem        memory.Allocator
}

// Sizes that are used where no option says otherwise.
const (
	defaultBatchBytes = 64 << 20
	inFlightPerWorker = 64 << 20
	leastMapped       = 64 << 10 // bytes of a run of chunks for which a batch is made smaller
	heavyRows         = 1 << 16  // of a batch with values in the heap
	fewRows           = 1 << 11  // of the first batch of a hesitant reader, about
)

// WithWorkers sets how many goroutines decode. Zero is one for each processor.
func WithWorkers(n int) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "%d workers", n)
		}
		o.workers = n
		return nil
	}
}

// WithBatchRows sets the rows of a batch; the last of a table may be smaller. Zero chooses by bytes.
func WithBatchRows(n int64) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "batches of %d rows", n)
		}
		o.batchRows = n
		return nil
	}
}

// WithBatchBytes sets about how many bytes a batch has at most. Zero is 64 MiB, less where memory is bounded.
func WithBatchBytes(n int64) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "batches of %d bytes", n)
		}
		o.batchBytes = n
		return nil
	}
}

// WithMaxMemory bounds the memory of what is being decoded and not yet handed out, in bytes. Zero is no bound but the
// usual 64 MiB a worker. What needs more ends with an error of kind Memory.
func WithMaxMemory(n int64) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "%d bytes of memory", n)
		}
		o.maxMemory = n
		return nil
	}
}

// WithHesitation is for a caller that may not want all rows: the first batches are small, as far as chunks allow, and no
// batch is begun before the first one was asked for and another after it.
func WithHesitation() ReadOption {
	return func(o *readOptions) error {
		o.hesitant = true
		return nil
	}
}

// WithAllocator sets where memory comes from.
func WithAllocator(mem memory.Allocator) ReadOption {
	return func(o *readOptions) error {
		o.mem = mem
		return nil
	}
}

// Reader hands out a table's rows as record batches, in order, while later ones are decoded. It implements
// array.RecordReader. It is to be used by one goroutine at a time.
type Reader struct {
	refs   atomic.Int64
	t      *Table
	schema *arrow.Schema
	o      readOptions
	ctx    context.Context
	cancel context.CancelFunc
	chain  *chain // of a table of several files; then nothing below is used but what is being handed out
	files  []*source.Source

	pool    *chunk.Pool
	budget  *chunk.Budget // of decoded rows that were not handed out
	scratch *chunk.Budget // of chunks that batches share
	recycle *recycler
	mu      sync.Mutex // guards streams
	streams map[place]*stream
	wholes  memo[place, piece]                 // datasets that each batch needs whole
	dicts   memo[*dictionaryNode, arrow.Array] // labels
	stats   []columnStats

	batchRows int64
	step      int64 // of a hesitant reader: rows of the next batch, as long as they grow
	taken     int   // batches that were asked for
	textBytes int64 // most bytes of a variable-length column in one record
	depth     int
	next, end int64    // rows that no batch has yet
	queue     []*batch // in order
	held      *batch   // the one whose records are being handed out
	ready     []arrow.RecordBatch
	current   arrow.RecordBatch
	given     int64
	err       error
}

// place identifies a dataset and what its rows are.
type place struct {
	f       *h5.File
	addr    uint64
	squeeze bool
}

func (of rowsOf) place() place { return place{of.ds.File(), of.ds.Address(), of.squeeze} }

// stream is one dataset as it is read through a pass.
type stream struct {
	ds  *h5.Dataset
	rd  rowReader
	row int64 // bytes of a row
}

type columnStats struct {
	copied, nulls atomic.Int64
}

// ColumnReport says what became of a column.
type ColumnReport struct {
	Name, Type, Delivery, Reason string // Type as dtype.TypeName spells it
	CopiedBytes                  int64  // bytes of Arrow memory for it; what is lent out again counts again
	NullCount                    int64
}

// Reader begins to read the table. Release the Reader; that ends what is going on and leaves nothing behind. The
// context ends it too. The table's file stays open until then, also after its Close; files that it points to do not.
func (t *Table) Reader(ctx context.Context, opts ...ReadOption) (*Reader, error) {
	o := readOptions{mem: memory.NewGoAllocator()}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.workers == 0 {
		o.workers = runtime.GOMAXPROCS(0)
	}
	if err := t.consistent(); err != nil {
		return nil, err
	}
	if t.parts != nil {
		r, err := t.chained(ctx, opts)
		if err == nil {
			for _, p := range t.parts {
				r.hold(p)
			}
		}
		return r, err
	}
	r := &Reader{t: t, schema: t.Schema(), o: o, end: t.end(t.whole()), next: t.from,
		streams: map[place]*stream{}, stats: make([]columnStats, len(t.columns))}
	r.refs.Store(1)
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.sizes()
	r.pool = chunk.NewPool(o.workers)
	r.hold(t)
	return r, nil
}

// hold keeps a table's file open until the reader ends. One that is closed already gives errors when it is read.
func (r *Reader) hold(t *Table) {
	if src := t.f.f.Source(); src.TryRetain() {
		r.files = append(r.files, src)
	}
}

// sizes chooses the rows of a batch and the memory in flight.
func (r *Reader) sizes() {
	inFlight := int64(r.o.workers) * inFlightPerWorker
	scratch := int64(1) << 40
	if r.o.maxMemory > 0 {
		inFlight = min(inFlight, r.o.maxMemory/2)
		scratch = r.o.maxMemory - inFlight
	}
	bytes := r.o.batchBytes
	if bytes == 0 {
		bytes = min(defaultBatchBytes, max(inFlight/4, 64<<10))
	}
	width := int64(0)
	for _, c := range r.t.columns {
		width += c.node.width()
	}
	r.budget, r.scratch = chunk.NewBudget(inFlight), chunk.NewBudget(scratch)
	r.recycle = &recycler{mem: r.o.mem, most: inFlight}
	r.depth = r.o.workers + 1
	if r.batchRows = r.o.batchRows; r.batchRows > 0 {
		r.textBytes = math.MaxInt32
		return
	}
	r.textBytes = bytes
	r.batchRows = max(1, bytes/max(1, width))
	for _, c := range r.t.columns {
		if c.node.heavy() { // a column is built by one worker: smaller batches keep all of them busy
			r.batchRows = min(r.batchRows, heavyRows)
		}
	}
	r.step = fewRows
	if border := r.border(); border > 0 && border <= r.batchRows {
		r.batchRows -= r.batchRows % border
		r.step = border * max(1, fewRows/border)
	} else if r.batchRows > 64 {
		r.batchRows -= r.batchRows % 64
	}
	if !r.o.hesitant || r.step > r.batchRows {
		r.step = r.batchRows
	}
}

// ahead is how many batches may be under way.
func (r *Reader) ahead() int {
	if r.o.hesitant {
		return min(r.depth, max(1, r.taken))
	}
	return r.depth
}

// border is a number of rows at whose multiples chunks end: the largest of the columns' chunk heights that the others
// divide, or simply the largest.
func (r *Reader) border() int64 {
	rows := int64(0)
	for _, c := range r.t.columns {
		c.node.wants(0, 0, func(of rowsOf, _, _ int64, _ func([]byte) bool) {
			if s, err := r.stream(of); err == nil && s.rd.Rows() == c.node.rows() {
				rows = max(rows, s.rd.ChunkRows())
			}
		})
	}
	return rows
}

// Schema is the schema of the batches.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Retain takes one more reference.
func (r *Reader) Retain() { r.refs.Add(1) }

// Release gives a reference back; the last one ends the reading.
func (r *Reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.stop()
	}
}

func (r *Reader) stop() {
	r.cancel()
	defer func() {
		for _, src := range r.files {
			src.Release()
		}
		r.files = nil
	}()
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
	if r.chain != nil {
		r.chain.stop()
		return
	}
	for _, rec := range r.ready {
		rec.Release()
	}
	r.ready = nil
	for _, b := range r.queue {
		<-b.done
		b.discard()
	}
	r.queue = nil
	r.letGo()
	r.pool.Close()
	for _, s := range r.streams {
		s.rd.Close()
	}
	r.dicts.release(func(labels arrow.Array) {
		if labels != nil {
			labels.Release()
		}
	})
	r.wholes.release(func(p piece) { p.release() })
	r.recycle.close()
}

// letGo returns the budget of the batch whose records were handed out.
func (r *Reader) letGo() {
	if r.held != nil {
		r.budget.Release(r.held.cost)
		r.held = nil
	}
}

// Err is the error that ended the reading, nil at the end of the table.
func (r *Reader) Err() error { return r.err }

// RowsRead is the number of rows that were handed out.
func (r *Reader) RowsRead() int64 { return r.given }

// RecordBatch is the current batch, valid until the next call of Next unless retained.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch under its old name.
func (r *Reader) Record() arrow.RecordBatch { return r.current }

// Next moves to the next batch. It is false at the end and after an error.
func (r *Reader) Next() bool {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
	if r.chain != nil {
		return r.nextOfChain()
	}
	for len(r.ready) == 0 {
		if r.err != nil || r.ctx.Err() != nil || !r.advance() {
			if r.err == nil && r.ctx.Err() != nil {
				r.err = r.ctx.Err()
			}
			return false
		}
	}
	r.current, r.ready = r.ready[0], r.ready[1:]
	r.given += r.current.NumRows()
	return true
}

// advance takes the next batch off the queue; false at the end and after an error.
func (r *Reader) advance() bool {
	r.letGo()
	if err := r.schedule(); err != nil {
		r.err = err
		return false
	}
	if len(r.queue) == 0 {
		return false
	}
	b := r.queue[0]
	<-b.done
	r.queue = r.queue[1:]
	r.held = b
	if b.err != nil {
		b.discard()
		r.held = nil
		r.err = b.err
		return false
	}
	if err := r.t.f.f.Source().Changed(r.ctx); err != nil {
		b.discard()
		r.held = nil
		r.err = err
		return false
	}
	r.ready = b.take()
	if r.taken++; r.o.hesitant && r.taken == 1 {
		return true
	}
	return r.schedule() == nil || true // what can't begin now is met again by the next advance
}

// schedule begins batches as long as there is room for them.
func (r *Reader) schedule() error {
	for r.next < r.end && len(r.queue) < r.ahead() {
		b := r.newBatch(r.next, r.borderAfter(r.next))
		if err := b.plan(); err != nil {
			return err
		}
		if most := r.budget.Max(); b.cost > most {
			// One batch may be larger than what is in flight otherwise: there may be nothing smaller than a row.
			if r.o.maxMemory > 0 && b.cost > r.o.maxMemory-r.o.maxMemory/4 {
				e := h5err.New(h5err.Memory, "rows %d to %d need %d bytes at once, the bound is %d bytes", b.lo, b.hi, b.cost, r.o.maxMemory)
				return h5err.In(e.WithOption("arrowmap.WithMaxMemory", "allow more").WithOption("arrowmap.WithBatchRows", "ask for smaller batches"), r.t.f.f.Name(), r.t.def.Path)
			}
			b.cost = most
		}
		if !r.budget.TryAcquire(b.cost) {
			if len(r.queue) > 0 || r.held != nil {
				return nil
			}
			if err := r.budget.Acquire(r.ctx, b.cost); err != nil {
				return h5err.In(err, r.t.f.f.Name(), r.t.def.Path)
			}
		}
		r.next = b.hi
		r.step = min(2*r.step, r.batchRows)
		r.queue = append(r.queue, b)
		b.start()
	}
	return nil
}

// borderAfter is the end of the batch that begins at row a: at a multiple of the batch size, so that batches end where
// chunks do even when the first row is in the middle of one; earlier where a run of unfiltered chunks ends, so that what
// can be mapped is.
func (r *Reader) borderAfter(a int64) int64 {
	if r.o.batchRows > 0 {
		return min(r.end, a+r.batchRows)
	}
	b := min(r.end, a-a%r.batchRows+r.batchRows, a-a%r.step+r.step)
	for _, c := range r.t.columns {
		c.node.wants(a, b, func(of rowsOf, lo, hi int64, _ func([]byte) bool) {
			if lo != a || hi != b {
				return
			}
			s, err := r.stream(of)
			if err != nil || s.rd.ChunkRows() == 0 {
				return
			}
			if end := s.rd.ViewEnd(lo, hi); end > lo && (end-lo)*s.row >= leastMapped {
				b, hi = min(b, end), end
			}
		})
	}
	return b
}

// stream returns the reader of a dataset; one for all columns that need it.
func (r *Reader) stream(of rowsOf) (*stream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := of.place()
	if s := r.streams[at]; s != nil {
		return s, nil
	}
	rd, err := r.rowReader(of)
	if err != nil {
		return nil, err
	}
	s := &stream{ds: of.ds, rd: rd, row: rd.RowBytes()}
	r.streams[at] = s
	return s, nil
}

// rowReader opens what reads a dataset: our own decoders, or the caller's where a filter is not ours.
func (r *Reader) rowReader(of rowsOf) (rowReader, error) {
	opts := []chunk.Option{chunk.WithBudget(r.scratch)}
	if of.squeeze {
		opts = append(opts, chunk.WithSqueeze())
	}
	rd, err := chunk.NewReader(of.ds, opts...)
	if foreign := r.t.f.o.foreign; h5err.Is(err, h5err.Unsupported) && foreign != nil && !of.squeeze {
		return newForeignReader(of.ds, foreign)
	}
	if err != nil {
		return nil, err
	}
	return rd, nil
}

// Report says what became of each column so far.
func (r *Reader) Report() []ColumnReport {
	if r.chain != nil {
		return r.chain.reports()
	}
	out := make([]ColumnReport, len(r.t.columns))
	for i, c := range r.t.columns {
		s := &r.stats[i]
		out[i] = ColumnReport{Name: c.Name, Type: dtype.TypeName(c.Type), Delivery: c.Delivery.String(), Reason: c.Reason,
			CopiedBytes: s.copied.Load(), NullCount: s.nulls.Load()}
	}
	return out
}

// dictionary reads the labels of a dictionary column once.
func (r *Reader) dictionary(x *part, n *dictionaryNode) (arrow.Array, error) {
	return r.dicts.get(n, func() (arrow.Array, error) { return x.b.whole(x, n.labels) })
}

// memo holds what is made once for a whole pass, by whoever needs it first. A fault while something is made is its error,
// for all who ask for it.
type memo[K comparable, T any] struct {
	mu sync.Mutex
	of map[K]*once[T]
}

type once[T any] struct {
	sync.Once
	made T
	err  error
}

func (m *memo[K, T]) get(key K, fn func() (T, error)) (T, error) {
	m.mu.Lock()
	if m.of == nil {
		m.of = map[K]*once[T]{}
	}
	o := m.of[key]
	if o == nil {
		o = &once[T]{}
		m.of[key] = o
	}
	m.mu.Unlock()
	o.Do(func() {
		o.err = source.Guard(func() (err error) {
			o.made, err = fn()
			return err
		})
	})
	return o.made, o.err
}

// release forgets all, each by drop.
func (m *memo[K, T]) release(drop func(T)) {
	for _, o := range m.of {
		drop(o.made)
	}
	m.of = nil
}

// piece is rows of a dataset: bytes, and the buffer that owns them.
type piece struct {
	lo, hi  int64
	row     int64
	bytes   []byte
	owner   *memory.Buffer
	offset  int // of bytes in owner
	mapped  bool
	users   int  // columns that read it
	mutable bool // decoded for one column only
	swap    func([]byte) bool
	swapped bool
}

// sub is the rows [lo,hi) of a piece.
func (p *piece) sub(lo, hi int64) piece {
	at := int((lo - p.lo) * p.row)
	out := *p
	out.bytes = p.bytes[at : at+int((hi-lo)*p.row)]
	out.offset += at
	out.lo, out.hi = lo, hi
	return out
}

func (p *piece) release() {
	if p.owner != nil {
		p.owner.Release()
		p.owner = nil
	}
}

// request is a piece that a batch needs.
type request struct {
	s      *stream
	p      *piece
	column int // the first that wants it, which the copy is counted for
}

// batch is the rows [lo,hi) on their way.
type batch struct {
	r        *Reader
	lo, hi   int64
	requests []request
	pieces   map[place]*piece
	gathered map[*plainNode]*gather // columns that were brought side by side with others
	cost     int64

	pending atomic.Int64
	fail    sync.Once
	err     error
	cuts    []int64 // where the rows are cut into records: lo ... hi
	arrays  [][]arrow.Array
	records []arrow.RecordBatch
	done    chan struct{}
}

func (r *Reader) newBatch(lo, hi int64) *batch {
	return &batch{r: r, lo: lo, hi: hi, pieces: map[place]*piece{}, done: make(chan struct{})}
}

// plan collects what the batch needs and what that costs.
func (b *batch) plan() error {
	var err error
	for i, c := range b.r.t.columns {
		c.node.wants(b.lo, b.hi, func(of rowsOf, lo, hi int64, swap func([]byte) bool) {
			s, e := b.r.stream(of)
			if e != nil {
				if err == nil {
					err = e
				}
				return
			}
			at := of.place()
			p := b.pieces[at]
			if p == nil {
				p = &piece{lo: lo, hi: hi, row: s.row, swap: swap}
				b.pieces[at] = p
				b.requests = append(b.requests, request{s, p, i})
			}
			p.lo, p.hi = min(p.lo, lo), max(p.hi, hi)
			p.users++
		})
		if c.node.width() > 0 && needsCopy(c) {
			b.cost += (b.hi - b.lo) * c.node.width()
		}
	}
	if err != nil {
		return err
	}
	for _, q := range b.requests {
		if v, ok := b.r.view(q.s, q.p.lo, q.p.hi); ok {
			q.p.bytes, q.p.owner, q.p.mapped = v.bytes, v.owner, true
		} else {
			b.cost += (q.p.hi - q.p.lo) * q.p.row
		}
	}
	return nil
}

// needsCopy tells whether building a column's arrays takes memory beside its pieces.
func needsCopy(c *Column) bool {
	switch c.Delivery.String() {
	case "mapped", "decoded":
		return false
	}
	return true
}

// view returns rows from the mapping where they stand there in one run.
func (r *Reader) view(s *stream, lo, hi int64) (piece, bool) {
	bytes, _, ok := s.rd.View(lo, hi)
	if !ok || len(bytes) == 0 {
		return piece{}, false
	}
	return piece{lo: lo, hi: hi, row: s.row, bytes: bytes, owner: mapped(s.ds.File().Source(), bytes), mapped: true}, true
}

// start begins to decode what is not mapped, and to build what needs nothing more.
func (b *batch) start() {
	b.pending.Store(1)
	together := b.gathers()
	for i := range b.requests {
		q := &b.requests[i]
		list := together[q.p]
		if q.p.mapped && len(list) > 0 {
			b.gatherMapped(q.p, list)
		}
		if q.p.mapped || q.p.lo == q.p.hi {
			continue
		}
		n := int((q.p.hi - q.p.lo) * q.p.row)
		q.p.owner = b.r.recycle.buffer(n)
		q.p.bytes = q.p.owner.Bytes()
		b.r.stats[q.column].copied.Add(int64(lends(n)))
		b.pending.Add(1)
		opts := chunk.StartOptions{}
		if len(list) > 0 {
			opts.Each = func(lo, hi int64, rows []byte) error {
				for _, g := range list {
					g.run(lo, hi, rows)
				}
				return nil
			}
		}
		if q.p.users == 1 {
			q.p.mutable = true
			if q.p.swap != nil && q.p.swap(nil) {
				q.p.swapped = true
				swap := q.p.swap
				opts.Each = func(_, _ int64, rows []byte) error {
					swap(rows)
					return nil
				}
			}
		}
		q.s.rd.Start(b.r.ctx, b.r.pool, q.p.lo, q.p.hi, q.p.bytes, opts, func(err error) { b.arrived(err) })
	}
	b.arrived(nil)
}

// arrived counts the pieces; the last one cuts the rows and gives the columns to the workers.
func (b *batch) arrived(err error) {
	b.failed(err)
	if b.pending.Add(-1) > 0 {
		return
	}
	if b.err != nil {
		close(b.done)
		return
	}
	b.r.pool.Go(func(*chunk.Worker) { b.build() })
}

func (b *batch) failed(err error) {
	if err != nil {
		b.fail.Do(func() { b.err = err })
	}
}

// build cuts the batch into records and builds their columns.
func (b *batch) build() {
	columns := b.r.t.columns
	b.cuts = []int64{b.lo}
	for at := b.lo; at < b.hi; {
		n := b.hi - at
		for i, c := range columns {
			b.guard(func() error {
				n = min(n, c.node.fits(b.part(i), at, at+n))
				return nil
			})
		}
		if n < 1 || b.err != nil {
			b.failed(h5err.In(h5err.New(h5err.Limit, "row %d is larger than an Arrow array of 32-bit offsets takes", at), b.r.t.f.f.Name(), b.r.t.def.Path))
			close(b.done)
			return
		}
		at += n
		b.cuts = append(b.cuts, at)
	}
	b.arrays = make([][]arrow.Array, len(b.cuts)-1)
	for k := range b.arrays {
		b.arrays[k] = make([]arrow.Array, len(columns))
	}
	b.pending.Store(int64(len(columns)))
	var cheap []int
	for i, c := range columns {
		if c.Delivery.String() == "mapped" { // a few words each: not worth a job
			cheap = append(cheap, i)
			continue
		}
		b.r.pool.Go(func(*chunk.Worker) { b.column(i) })
	}
	for _, i := range cheap {
		b.column(i)
	}
}

func (b *batch) part(i int) *part {
	return &part{b: b, alloc: &counted{b.r.o.mem, &b.r.stats[i]}}
}

// counted counts what a column allocates.
type counted struct {
	memory.Allocator
	s *columnStats
}

func (c *counted) Allocate(n int) []byte {
	c.s.copied.Add(int64(n))
	return c.Allocator.Allocate(n)
}

func (c *counted) Reallocate(n int, p []byte) []byte {
	c.s.copied.Add(int64(max(0, n-len(p))))
	return c.Allocator.Reallocate(n, p)
}

// guard runs fn and keeps its error; faults of the mapping become errors.
func (b *batch) guard(fn func() error) { b.failed(source.Guard(fn)) }

// column builds the arrays of one column; the last column makes the records.
func (b *batch) column(i int) {
	c, x := b.r.t.columns[i], b.part(i)
	for k := range b.arrays {
		b.guard(func() error {
			if err := b.r.ctx.Err(); err != nil {
				return err
			}
			arr, err := c.node.build(x, b.cuts[k], b.cuts[k+1])
			if err != nil {
				return err
			}
			b.arrays[k][i] = arr
			b.r.stats[i].nulls.Add(nullsOf(arr))
			return nil
		})
	}
	if b.pending.Add(-1) == 0 {
		b.finish()
	}
}

// nullsOf counts nulls, those of the items where rows are lists of fixed size.
func nullsOf(arr arrow.Array) int64 {
	n := int64(arr.NullN())
	if l, ok := arr.(*array.FixedSizeList); ok {
		return n + nullsOf(l.ListValues())
	}
	return n
}

func (b *batch) finish() {
	if b.err == nil {
		for k, arrays := range b.arrays {
			b.records = append(b.records, array.NewRecordBatch(b.r.schema, arrays, b.cuts[k+1]-b.cuts[k]))
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

// take hands over the records and gives up the pieces, which the records hold as far as they need them.
func (b *batch) take() []arrow.RecordBatch {
	recs := b.records
	b.records = nil
	b.releasePieces()
	return recs
}

func (b *batch) releasePieces() {
	for _, g := range b.gathered {
		g.buf.Release()
	}
	b.gathered = nil
	for _, q := range b.requests {
		q.p.release()
	}
}

// discard drops everything, and gives back the budget.
func (b *batch) discard() {
	for _, rec := range b.take() {
		rec.Release()
	}
	b.r.budget.Release(b.cost)
}

// piece returns rows of a dataset that the batch asked for.
func (b *batch) piece(of rowsOf, lo, hi int64) piece {
	if lo == hi {
		return piece{lo: lo, hi: hi}
	}
	return b.pieces[of.place()].sub(lo, hi)
}

// view returns rows of a dataset from the mapping. The caller releases the piece.
func (b *batch) view(of rowsOf, lo, hi int64) (piece, bool, error) {
	s, err := b.r.stream(of)
	if err != nil {
		return piece{}, false, err
	}
	p, ok := b.r.view(s, lo, hi)
	return p, ok, nil
}

// fetch reads rows of a dataset that nobody could ask for before, because where they stand was itself data. The caller
// releases the piece.
func (b *batch) fetch(x *part, of rowsOf, lo, hi int64) (piece, error) {
	if p, ok, err := b.view(of, lo, hi); ok || err != nil {
		return p, err
	}
	s, err := b.r.stream(of)
	if err != nil {
		return piece{}, err
	}
	p := piece{lo: lo, hi: hi, row: s.row}
	if lo == hi {
		return p, nil
	}
	n := (hi - lo) * s.row
	if n > 1<<31 {
		return p, h5err.In(h5err.New(h5err.Memory, "%d bytes of %d rows at once", n, hi-lo).WithHint("ask for smaller batches"), of.ds.File().Name(), of.ds.Path())
	}
	buf := memory.NewResizableBuffer(x.alloc)
	buf.Resize(int(n))
	if err := s.rd.Read(b.r.ctx, lo, hi, buf.Bytes()); err != nil {
		buf.Release()
		return p, err
	}
	p.bytes, p.owner = buf.Bytes(), buf
	return p, nil
}

// whole builds all rows of a node at once.
func (b *batch) whole(x *part, n node) (arrow.Array, error) { return b.some(x, n, 0, n.rows()) }

// some builds rows [lo,hi) of a node that nobody could ask for before, in a batch of their own.
func (b *batch) some(x *part, n node, lo, hi int64) (arrow.Array, error) {
	own := &batch{r: b.r, lo: lo, hi: hi, pieces: map[place]*piece{}}
	defer own.releasePieces()
	var err error
	n.wants(lo, hi, func(of rowsOf, lo, hi int64, _ func([]byte) bool) {
		if err != nil {
			return
		}
		var p piece
		if p, err = own.fetch(x, of, lo, hi); err == nil {
			kept := p
			own.pieces[of.place()] = &kept
			own.requests = append(own.requests, request{p: &kept})
		}
	})
	if err != nil {
		return nil, err
	}
	sub := &part{b: own, alloc: x.alloc}
	if n.fits(sub, lo, hi) < hi-lo {
		return nil, h5err.New(h5err.Limit, "%d values of more than 2 GiB of text", hi-lo)
	}
	return n.build(sub, lo, hi)
}

// wholeDataset reads a dataset once for the whole pass.
func (r *Reader) wholeDataset(x *part, ds *h5.Dataset) (piece, error) {
	return r.wholes.get(rows(ds).place(), func() (piece, error) { return x.b.fetch(x, rows(ds), 0, ds.Rows()) })
}
