// Package chunk reads rows of a dataset into memory of the caller, with all cores, whatever the storage is.
//
// A Reader plans a batch of rows as pieces of some hundred kilobytes, in the order of the file, and a Pool's workers do
// them: read the stored bytes by plain reads, undo the filters straight into the caller's memory where a chunk's bytes
// are rows, and copy through scratch of the worker where they are not. The result does not depend on how many workers
// there are, and neither does the error.
//
// # Memory
//
// The memory that rows go to is the caller's and counted by the caller. Besides, each worker has some 10 MiB of scratch
// at most; more, which large chunks need, is charged to a Budget, and so are the decoded chunks that a batch ends in and
// that a Reader keeps for the next batch. Close a Reader to drop them.
//
// # What is not promised
//
// Workers never read mapped bytes, except to pick scattered elements of virtual datasets' sources, where they guard
// themselves against files that are cut short. Rows that View returns are mapped and follow the rules of package source.
package chunk

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/external"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// dataset is what a Reader has to know of a dataset.
type dataset struct {
	file, path string // for errors
	addr       uint64 // with file: which dataset it is
	typ        *h5.Type
	dims       []uint64 // empty for a scalar
	elem       int      // bytes of an element
	layout     *h5.Layout
	filters    []h5.Filter
	decoded    int64 // the limit of bytes of a decoded chunk
	src        *source.Source

	fill     func() ([]byte, error)
	chunks   func() ([]h5.Chunk, error)
	each     func(fn func(c h5.Chunk) error) error // the same, one by one
	mappings func() ([]h5.VirtualMapping, error)   // nothing in them is unlimited
	external func(name string) (*source.Source, error)
	virtual  func(file, name string) (*dataset, error) // NotFound: absent
}

// Option changes how a Reader works.
type Option func(*options)

type options struct {
	budget    *Budget
	pool      *Pool
	squeeze   bool
	cells     *grid.Order
	counted   *counters
	over      []*dataset // the virtual datasets that led here
	unordered int        // see cache
	piece     int64      // bytes of a piece, 0 for pieceBytes
}

// WithBudget has the memory of kept chunks counted. Without it, it is not bounded.
func WithBudget(b *Budget) Option { return func(o *options) { o.budget = b } }

// WithPool has Read use the workers of a pool. Such a Read must not be called from one of its jobs.
func WithPool(p *Pool) Option { return func(o *options) { o.pool = p } }

// counters are shared by a Reader and those of its sources.
type counters struct{ chunks, decoded, read atomic.Int64 }

// Counters is what a Reader has done so far, its virtual dataset's sources included.
type Counters struct {
	Chunks  int64 // chunks that filters were undone of
	Decoded int64 // bytes that came out of filters
	Read    int64 // bytes that were read from files
}

// Reader reads rows of one dataset. It may be used by several goroutines, except for Close. It does not keep the
// dataset's file open: close the file after the Reader.
type Reader struct {
	ds       *dataset
	opts     options
	rows     int64
	rowBytes int64
	dims     []int64
	pattern  func() ([]byte, error) // one element of fill value
	pipe     *filter.Pipeline       // nil without filters
	full     *geometry              // chunked: as declared
	geo      *geometry              // chunked: merged
	table    func() (*table, error)
	cache    cache
	hints    source.Hints
	span     int64 // what a worker reads at once of ranges that it joins
	ext      *external.Extents
	virt     *virtual
	cells    *cellular // rows are cells

	mu     sync.Mutex
	spare  []*Worker // for Read without a pool
	closed bool
}

// newReader checks what the dataset says of itself.
func newReader(ds *dataset, opts options) (*Reader, error) {
	r := &Reader{ds: ds, opts: opts, rows: 1}
	if r.opts.counted == nil {
		r.opts.counted = new(counters)
	}
	if r.opts.piece == 0 {
		r.opts.piece = pieceBytes
	}
	r.hints = source.LocalHints()
	if ds.src != nil {
		r.hints = ds.src.Hints()
	}
	r.span = min(r.hints.Span, smallScratch/4)
	r.cache.budget, r.cache.unordered = opts.budget, opts.unordered
	r.pattern = sync.OnceValues(r.readFill)
	if ds.elem <= 0 {
		return nil, h5err.New(h5err.Corrupt, "elements of %d bytes", ds.elem)
	}
	if len(ds.dims) > maxRank {
		return nil, h5err.New(h5err.Corrupt, "%d dimensions, at most %d are possible", len(ds.dims), maxRank)
	}
	row := []uint64{uint64(ds.elem)}
	for i, d := range ds.dims {
		if d > math.MaxInt64 {
			return nil, h5err.New(h5err.Limit, "dimension %d is too large", i)
		}
		r.dims = append(r.dims, int64(d))
		if i == 0 {
			r.rows = int64(d)
		} else {
			row = append(row, d)
		}
	}
	var ok bool
	if r.rowBytes, ok = mul(row...); !ok {
		return nil, h5err.New(h5err.Limit, "a row is too large")
	}
	switch ds.layout.Storage {
	case h5.StorageNone, h5.StorageCompact, h5.StorageContiguous:
	case h5.StorageVirtual:
		var err error
		if r.virt, err = newVirtual(r); err != nil {
			return nil, err
		}
	case h5.StorageExternal:
		r.ext = &external.Extents{List: ds.layout.External, Open: ds.external, ReadFrom: r.readFrom}
	case h5.StorageChunked:
		if err := r.initChunks(); err != nil {
			return nil, err
		}
	default:
		return nil, h5err.New(h5err.Unsupported, "storage of kind %v", ds.layout.Storage)
	}
	return r, nil
}

// initChunks compiles the filters and checks the chunks' shape.
func (r *Reader) initChunks() error {
	l := r.ds.layout
	if len(r.ds.filters) > 0 {
		var err error
		if r.pipe, err = compile(r.ds.filters, r.ds.each); err != nil {
			return err
		}
	}
	var err error
	if r.full, err = newGeometry(r.ds.dims, l.ChunkDims, int64(r.ds.elem)); err != nil {
		return err
	}
	if r.full.chunkBytes != l.ChunkBytes {
		return h5err.New(h5err.Corrupt, "chunks have %d bytes, their shape gives %d", l.ChunkBytes, r.full.chunkBytes)
	}
	if r.full.chunkBytes > math.MaxInt { // where addresses have 32 bits
		return h5err.New(h5err.Limit, "a chunk of %d bytes", r.full.chunkBytes)
	}
	r.geo = r.full.merged()
	r.table = sync.OnceValues(func() (*table, error) {
		cs, err := r.ds.chunks()
		if err != nil {
			return nil, err
		}
		return &table{cs: cs}, nil
	})
	return nil
}

// readFill returns one element of fill value, nil for zeros.
func (r *Reader) readFill() ([]byte, error) {
	p, err := r.ds.fill()
	if err != nil {
		return nil, err
	}
	if len(p) != 0 && len(p) != r.ds.elem {
		return nil, h5err.New(h5err.Corrupt, "a fill value of %d bytes for elements of %d", len(p), r.ds.elem)
	}
	return p, nil
}

// Rows is the extent of the first dimension (h5.Dataset.Extent), 1 for a scalar, 0 for a null dataspace.
func (r *Reader) Rows() int64 { return r.rows }

// RowBytes is the bytes of one row: all elements that share an index of the first dimension.
func (r *Reader) RowBytes() int64 { return r.rowBytes }

// ChunkRows is the rows of a chunk, 0 when the storage is not chunked. Batches that start and end at multiples of it
// cut no chunk.
func (r *Reader) ChunkRows() int64 {
	switch {
	case r.geo == nil:
		return 0
	case r.cells != nil:
		return r.cells.order.BlockCells()
	}
	return r.geo.chunk[0]
}

// ScratchBytes is about the most memory that one worker needs to read a piece, besides the rows themselves. What is
// more than 4 MiB is charged to the Budget. It reads the index of the chunks. The sources of virtual datasets have no
// part in it.
func (r *Reader) ScratchBytes() (int64, error) {
	switch {
	case r.cells != nil:
		return r.cells.in.ScratchBytes()
	case r.virt != nil:
		return 2 * windowSize, nil
	case r.geo == nil:
		return 0, nil
	}
	t, err := r.table()
	if err != nil {
		return 0, r.in(err)
	}
	return max(r.span, r.scratch(t.cs, &target{geo: r.geo})+r.geo.chunkBytes), nil
}

// Counters returns what was done so far.
func (r *Reader) Counters() Counters {
	c := r.opts.counted
	return Counters{Chunks: c.chunks.Load(), Decoded: c.decoded.Load(), Read: c.read.Load()}
}

// Close drops what the Reader keeps: decoded chunks, scratch memory and the other files that it opened. No batch may be
// under way.
func (r *Reader) Close() {
	r.cache.clear()
	if r.ext != nil {
		r.ext.Close()
	}
	if r.virt != nil {
		r.virt.close()
	}
	if r.cells != nil {
		r.cells.in.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, w := range r.spare {
		w.close()
	}
	r.spare = nil
}

// StartOptions are the options of one batch.
type StartOptions struct {
	// Each is called by a worker for a band of rows [lo,hi) right after their bytes are complete, while they are in its
	// cache. rows are these rows' part of dst. Bands cover all rows of the batch once. Calls for different bands may be
	// concurrent and in any order. An error ends the batch. Batches without rows have no bands.
	Each func(lo, hi int64, rows []byte) error

	// Align makes bands start at multiples of so many rows from the first row of the batch, so that concurrent calls of
	// Each do not meet in one byte of a bitmap. 0 is 64.
	Align int64
}

// Start starts to read rows [a,b) into dst, which must have exactly their size, and returns; pool's workers do it. What
// was started first is read first. It calls done exactly once, from a worker, when all rows are there or after the
// first error; no worker writes to dst any more then. When ctx ends, the error is ctx's.
//
// Batches that follow each other may be under way at once: a chunk that two of them cut is decoded once. Planning
// happens before Start returns, and reads the index of the chunks when it is the first.
func (r *Reader) Start(ctx context.Context, pool *Pool, a, b int64, dst []byte, opts StartOptions, done func(error)) {
	t, err := r.prepare(ctx, a, b, dst, opts)
	if err != nil || len(t.plan.pieces) == 0 {
		pool.Go(func(*Worker) { done(r.in(err)) })
		return
	}
	run := func(w *Worker, i int) {
		if t.run(w, i) {
			done(r.finish(t))
		}
	}
	if t.plan.far() {
		t.startFar(r, pool, run)
		return
	}
	pool.submit(len(t.plan.pieces), run)
}

// Read reads rows [a,b) into dst, which must have exactly their size.
func (r *Reader) Read(ctx context.Context, a, b int64, dst []byte) error {
	if r.opts.pool != nil {
		end := make(chan error, 1)
		r.Start(ctx, r.opts.pool, a, b, dst, StartOptions{Align: 1}, func(err error) { end <- err })
		return <-end
	}
	w := r.borrow()
	defer r.giveBack(w)
	return r.in(r.readRows(ctx, w, a, b, dst))
}

// readRows reads rows with one worker.
func (r *Reader) readRows(ctx context.Context, w *Worker, a, b int64, dst []byte) error {
	t, err := r.prepare(ctx, a, b, dst, StartOptions{Align: 1})
	if err != nil {
		return err
	}
	for i := range t.plan.pieces {
		t.run(w, i)
	}
	return r.finish(t)
}

// prepare checks and plans a batch.
func (r *Reader) prepare(ctx context.Context, a, b int64, dst []byte, opts StartOptions) (*batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a < 0 || a > b || b > r.rows {
		return nil, h5err.New(h5err.Argument, "rows %d to %d of %d", a, b, r.rows)
	}
	if n, ok := mul(uint64(b-a), uint64(r.rowBytes)); !ok || int64(len(dst)) != n {
		return nil, h5err.New(h5err.Argument, "%d bytes for %d rows of %d bytes", len(dst), b-a, r.rowBytes)
	}
	if _, ok := mul(uint64(b), uint64(r.rowBytes)); !ok {
		return nil, h5err.New(h5err.Limit, "row %d of %d bytes is too far from the first", b, r.rowBytes)
	}
	if opts.Align < 0 {
		return nil, h5err.New(h5err.Argument, "bands aligned to %d rows", opts.Align)
	}
	if opts.Align == 0 {
		opts.Align = bandRows
	}
	var p plan
	if b > a {
		if err := r.plan(&p, a, b, dst); err != nil {
			p.abandon()
			return nil, err
		}
	}
	if b == a {
		opts.Each = nil
	}
	return newBatch(ctx, p, a, b, opts.Align, dst, opts.Each), nil
}

// finish is called when no piece runs any more.
func (r *Reader) finish(t *batch) error {
	err := t.result()
	if err != nil {
		r.clear()
	}
	return r.in(err)
}

// clear drops the decoded chunks that nobody uses.
func (r *Reader) clear() {
	r.cache.clear()
	if r.virt != nil {
		r.virt.clear()
	}
	if r.cells != nil {
		r.cells.in.clear()
	}
}

// plan adds the pieces of rows [a,b), at least one; b > a.
func (r *Reader) plan(p *plan, a, b int64, dst []byte) error {
	if r.rowBytes == 0 {
		p.add(piece{lo: a, hi: b, do: func(context.Context, *Worker) error { return nil }})
		return nil
	}
	if r.cells != nil {
		return r.cells.plan(p, a, b, r.rowBytes, dst)
	}
	switch r.ds.layout.Storage {
	case h5.StorageChunked:
		return r.planChunks(p, a, b, dst)
	case h5.StorageVirtual:
		return r.virt.plan(p, a, b, dst)
	}
	return r.planLinear(p, a, b, dst)
}

// in adds the names of the file and the dataset to an error. The end of a context stays what it is.
func (r *Reader) in(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return h5err.About(err, r.ds)
}

func (r *Reader) borrow() *Worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.spare); n > 0 {
		w := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return w
	}
	return newWorker()
}

func (r *Reader) giveBack(w *Worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		w.close()
		return
	}
	r.spare = append(r.spare, w)
}

// arrived returns bytes that were fetched for the piece that runs, to be given back by unpin; nil when they were not.
func (w *Worker) arrived(src *source.Source, off, size int64) (p []byte, unpin func()) {
	for _, f := range w.fetched {
		if p, unpin = f.bytes(src, off, size); p != nil {
			return p, unpin
		}
	}
	return nil, nil
}

// readFull fills p from a file, or from what was fetched of it.
func (r *Reader) readFull(ctx context.Context, w *Worker, src *source.Source, p []byte, off int64) error {
	if b, unpin := w.arrived(src, off, int64(len(p))); b != nil {
		copy(p, b) // nothing where the bytes were fetched to p
		unpin()
		return nil
	}
	return r.readFrom(ctx, src, p, off)
}

// readFrom fills p from a file and counts it.
func (r *Reader) readFrom(ctx context.Context, src *source.Source, p []byte, off int64) error {
	n, err := src.ReadAtContext(ctx, p, off)
	r.opts.counted.read.Add(int64(n))
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		e := h5err.At(h5err.IO, off+int64(n), "the file ends early: it was cut short while it was open")
		e.File = src.Name()
		return e
	}
	return err
}

// View returns rows [a,b) as mapped bytes without copying, and where they are in the file. ok is false unless the file is
// mapped and the rows lie there one after the other: in contiguous storage, or in unfiltered chunks that are whole rows
// and follow each other. The bytes are read-only and valid while a reference on the dataset's source is held.
func (r *Reader) View(a, b int64) (rows []byte, offset int64, ok bool) {
	if a < 0 || a >= b || b > r.rows || r.rowBytes == 0 || r.ViewEnd(a, b) < b {
		return nil, 0, false
	}
	switch r.ds.layout.Storage {
	case h5.StorageContiguous:
		offset = r.ds.layout.Offset + a*r.rowBytes
	case h5.StorageChunked:
		t, _ := r.table()
		c0 := r.geo.chunk[0]
		offset = t.cs[t.find(a/c0)].Offset + a%c0*r.rowBytes
	}
	rows, ok = r.ds.src.View(offset, (b-a)*r.rowBytes)
	return rows, offset, ok
}

// ViewEnd returns the largest end, at most b, so that View(a, end) succeeds; a when there is none.
func (r *Reader) ViewEnd(a, b int64) int64 {
	b = min(b, r.rows)
	if a < 0 || a >= b || r.rowBytes == 0 || r.cells != nil || !r.ds.src.Mapped() {
		return a
	}
	l, mapped := r.ds.layout, r.ds.src.Viewable()
	switch {
	case l.Storage == h5.StorageContiguous:
		if l.Offset < 0 || l.Offset > mapped {
			return a
		}
		return max(a, min(b, min(l.Size, mapped-l.Offset)/r.rowBytes))
	case l.Storage != h5.StorageChunked || !r.geo.rowLayout():
		return a
	}
	t, err := r.table()
	if err != nil {
		return a
	}
	c0, end := r.geo.chunk[0], a
	for i := t.find(a / c0); i < len(t.cs) && end < b; i++ {
		c := &t.cs[i]
		first := int64(c.Number) * c0
		switch {
		case !r.isRaw(c) || c.Size != r.geo.chunkBytes || c.Offset < 0 || c.Offset > mapped-c.Size:
			return end
		case end == a && first > a:
			return a
		case end > a && (first != end || c.Offset != t.cs[i-1].Offset+c.Size):
			return end
		}
		end = min(b, r.rows)
		if b-first > c0 {
			end = first + c0
		}
	}
	return end
}
