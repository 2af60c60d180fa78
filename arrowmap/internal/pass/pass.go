// Package pass reads the rows of one file's table once, from first to last: it cuts them into batches, reads what the nodes
// of the columns want, has the arrays built by several workers, and returns the batches in order within bounds of memory.
package pass

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/buffer"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Table is what is read.
type Table struct {
	File    *h5.File
	Path    string // for messages
	Schema  *arrow.Schema
	Columns []node.Node
	Plugins PluginReader // of datasets with filters that are not built in, or nil
}

// Location returns the name of the file and the path, for h5err.About.
func (t *Table) Location() (file, path string) { return t.File.Name(), t.Path }

// Options are how it is read. Numbers that are zero are chosen.
type Options struct {
	Workers    int
	BatchRows  int64
	BatchBytes int64
	MaxMemory  int64   // bytes of what is being decoded and was not returned yet
	SlowStart  bool    // small batches first, and not all of them at once
	Ranges     []Range // of rows, in order, that are to be read; nil: all
	Alloc      memory.Allocator
	Shared     *Shared // what several passes have in common; nil: nothing
}

// Shared is the workers of several passes over tables of local files, and memory that they use again: starting workers and getting fresh
// memory costs as much as reading a small table.
type Shared struct {
	pool    *chunk.Pool
	recycle *buffer.Recycler
}

// NewShared returns what passes of these options have in common. Close it after all of them.
func NewShared(o Options) *Shared {
	inFlight, _ := o.memory()
	return &Shared{chunk.NewPool(o.Workers), buffer.NewRecycler(o.Alloc, inFlight)}
}

// Close ends the workers. Batches that were retained stay valid.
func (s *Shared) Close() {
	s.pool.Close()
	s.recycle.Close()
}

// Pass is a pass over a table's rows. It is to be used by one goroutine at a time.
type Pass struct {
	t      Table
	o      Options
	size   sizes
	ctx    context.Context
	cancel context.CancelFunc

	*Shared
	own     bool          // Shared is of this pass alone
	budget  *chunk.Budget // of decoded rows that were not returned
	streams streams
	kept    memo
	stats   []stats

	next, end int64    // rows that no batch has yet, of the first range
	ranges    []Range  // the further ones
	step      int64    // with SlowStart: rows of the next batch, as long as they grow
	taken     int      // batches that were asked for
	queue     []*batch // in order
	held      *batch   // the one whose records are being returned
	ready     []arrow.RecordBatch
	err       error
}

// Start starts a pass over rows [a,b) of a table, of which o may choose ranges. Close it.
func Start(ctx context.Context, t Table, a, b int64, o Options) *Pass {
	p := &Pass{t: t, o: o, next: a, end: b, stats: make([]stats, len(t.Columns))}
	if o.Ranges != nil {
		p.end, p.ranges = a, o.Ranges
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	inFlight, scratch := o.memory()
	p.budget = chunk.NewBudget(inFlight)
	if p.Shared = o.Shared; p.Shared == nil || t.File.Source().Far() { // what is fetched of far files belongs to one pool
		p.Shared, p.own = NewShared(o), true
	}
	p.streams = streams{scratch: chunk.NewBudget(scratch), plugins: t.Plugins, open: map[node.Place]*stream{}}
	p.size = p.sizes(inFlight)
	p.step = p.size.firstRows
	if t.File.Source().Far() {
		p.gather()
	}
	return p
}

// gather reads the indexes of the datasets that the pass will read from a file that is far away, all at a time.
func (p *Pass) gather() {
	var sets []*h5.Dataset
	seen := map[node.Place]bool{}
	for _, c := range p.t.Columns {
		node.Datasets(c, p.next, p.end, func(d node.Dataset) {
			if at := d.Place(); !seen[at] && d.Dataset.File() == p.t.File {
				seen[at] = true
				sets = append(sets, d.Dataset)
			}
		})
	}
	p.t.File.GatherChunks(sets...)
}

// Close ends the pass. It waits for what is under way.
func (p *Pass) Close() {
	p.cancel()
	for _, rec := range p.ready {
		rec.Release()
	}
	p.ready = nil
	for _, b := range p.queue {
		<-b.done
		b.discard()
	}
	p.queue = nil
	p.letGo()
	if p.own {
		p.pool.Close()
	}
	p.streams.close()
	p.kept.release()
	if p.own {
		p.recycle.Close()
	}
}

// letGo returns the budget of the batch whose records were returned.
func (p *Pass) letGo() {
	if p.held != nil {
		p.budget.Release(p.held.cost)
		p.held = nil
	}
}

// Begin starts the first batches before Next asks for them. Errors are left for Next.
func (p *Pass) Begin() { _ = p.schedule() }

// Next returns the next record batch, which the caller releases. It is nil at the end and after an error.
func (p *Pass) Next() (arrow.RecordBatch, error) {
	for len(p.ready) == 0 {
		if p.err == nil {
			p.err = p.ctx.Err()
		}
		if p.err != nil {
			return nil, p.err
		}
		b, err := p.take()
		if b == nil {
			if err == nil {
				err = p.ctx.Err()
			}
			p.err = err
			return nil, err
		}
		p.held, p.ready = b, b.take()
		p.refill()
	}
	rec := p.ready[0]
	p.ready = p.ready[1:]
	return rec, nil
}

// take waits for the next batch in the queue. It is nil at the end.
func (p *Pass) take() (*batch, error) {
	p.letGo()
	if err := p.schedule(); err != nil {
		return nil, err
	}
	if len(p.queue) == 0 {
		return nil, nil
	}
	b := p.queue[0]
	p.queue = p.queue[1:]
	<-b.done
	err := b.err
	if err == nil {
		err = p.t.File.Source().Changed(p.ctx)
	}
	if err != nil {
		b.discard()
		return nil, err
	}
	return b, nil
}

// refill starts further batches while the caller looks at the one that was taken. An error of a batch that can't be
// started is left for the next call of take, which meets it again after the rows before it were returned.
func (p *Pass) refill() {
	p.taken++
	if p.o.SlowStart && p.taken == 1 {
		return // the caller may want no more
	}
	_ = p.schedule()
}

// schedule starts batches as long as there is room for them.
func (p *Pass) schedule() error {
	for p.more() && len(p.queue) < p.ahead() {
		b := p.newBatch(p.next, p.borderAfter(p.next))
		err := b.plan()
		if rows := p.fitting(b); err == nil && rows < b.hi-b.lo {
			b.drop()
			b = p.newBatch(b.lo, b.lo+rows)
			err = b.plan()
		}
		room := false
		if err == nil {
			room, err = p.afford(b)
		}
		if !room {
			b.drop()
			return err
		}
		p.next = b.hi
		p.step = min(2*p.step, p.size.rows)
		p.queue = append(p.queue, b)
		b.start()
	}
	return nil
}

// afford takes what a batch costs from the budget. It reports whether it could; if not, and without an error, there will be room
// when a batch that is under way has been returned.
func (p *Pass) afford(b *batch) (bool, error) {
	if max := p.budget.Max(); b.cost > max {
		// One batch may be larger than what is in flight otherwise: there may be nothing smaller than a row.
		if p.o.MaxMemory > 0 && b.cost > p.o.MaxMemory-p.o.MaxMemory/4 {
			e := h5err.New(h5err.Memory, "rows %d to %d need %d bytes at once, the bound is %d bytes", b.lo, b.hi, b.cost, p.o.MaxMemory)
			return false, h5err.About(e.WithOption("arrowmap.WithMaxMemory", "allow more").WithOption("arrowmap.WithBatchRows", "ask for smaller batches"), &p.t)
		}
		b.cost = max
	}
	if p.budget.TryAcquire(b.cost) {
		return true, nil
	}
	if len(p.queue) > 0 || p.held != nil {
		return false, nil
	}
	if err := p.budget.Acquire(p.ctx, b.cost); err != nil {
		return false, h5err.About(err, &p.t)
	}
	return true, nil
}

// more reports whether there are rows that no batch has yet.
func (p *Pass) more() bool {
	for p.next >= p.end && len(p.ranges) > 0 {
		p.next, p.end, p.ranges = p.ranges[0].From, p.ranges[0].To, p.ranges[1:]
	}
	return p.next < p.end
}

// ahead is how many batches may be under way.
func (p *Pass) ahead() int {
	depth := p.o.Workers + 1
	if p.o.SlowStart {
		return min(depth, max(1, p.taken))
	}
	return depth
}

// Zeroed reports whether values of column i that are under nulls were copied to be 0.
func (p *Pass) Zeroed(i int) bool { return p.stats[i].zeroed.Load() }

// Copied is the number of bytes of Arrow memory that were made for column i so far.
func (p *Pass) Copied(i int) int64 { return p.stats[i].copied.Load() }

// Note is about the first value of column i so far that is null because it makes no sense, nil for none.
func (p *Pass) Note(i int) error {
	s := &p.stats[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.note
}

// Nulls is the number of nulls in column i so far.
func (p *Pass) Nulls(i int) int64 { return p.stats[i].nulls.Load() }
