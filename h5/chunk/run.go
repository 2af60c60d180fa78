package chunk

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// piece is a part of a batch that one worker reads at a go.
type piece struct {
	lo, hi int64 // rows that it has a part of, as the caller of Start counts them
	file   int   // which of the sources of a virtual dataset
	addr   int64 // where in the file it starts
	do     func(ctx context.Context, w *Worker) error
	undo   func() // instead of do, when the batch has failed; may be nil
	far    *far   // nil: a worker may run it now
}

// plan collects the pieces of a batch.
type plan struct {
	pieces []piece
	rows   func(lo, hi int64) (int64, int64) // turns a source's rows into those of the batch; nil: they are
	file   int                               // of the pieces to come
	files  int
	ends   []func()
}

func (p *plan) add(pc piece) {
	if p.rows != nil {
		pc.lo, pc.hi = p.rows(pc.lo, pc.hi)
	}
	pc.file = p.file
	p.pieces = append(p.pieces, pc)
}

// atEnd has fn called when the whole batch is over.
func (p *plan) atEnd(fn func()) { p.ends = append(p.ends, fn) }

func (p *plan) end() {
	for i := len(p.ends) - 1; i >= 0; i-- {
		p.ends[i]()
	}
	p.ends = nil
}

// abandon is end for a plan that is not run.
func (p *plan) abandon() {
	for i := range p.pieces {
		if p.pieces[i].undo != nil {
			p.pieces[i].undo()
		}
	}
	p.end()
}

// far reports whether pieces wait for something before they run.
func (p *plan) far() bool {
	return slices.ContainsFunc(p.pieces, func(pc piece) bool { return pc.far != nil })
}

// sort puts the pieces in the order of the files, so that disks and read-ahead see one sweep.
func (p *plan) sort() {
	byAddr := func(a, b piece) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.addr, b.addr)) }
	if !slices.IsSortedFunc(p.pieces, byAddr) {
		slices.SortStableFunc(p.pieces, byAddr)
	}
}

// bandRows is the default of StartOptions.Align.
const bandRows = 64

// band is a range of rows that is passed on when the last of its pieces is done.
type band struct {
	lo, hi int64
	left   atomic.Int32
}

// batch is a plan while it runs.
type batch struct {
	ctx   context.Context
	plan  plan
	bands []band
	each  func(i int) error // passes band i on

	fetcher *fetcher   // nil unless pieces wait for fetches
	fetched [][]*fetch // by piece

	left   atomic.Int64
	failAt atomic.Int64 // number of the first piece that failed; those after it do not start
	mu     sync.Mutex
	err    error
	cancel error
}

// newBatch cuts rows [a,b) into bands along the borders of the pieces, at multiples of align from a.
func newBatch(ctx context.Context, p plan, a, b, align int64, dst []byte, each func(lo, hi int64, rows []byte) error) *batch {
	t := &batch{ctx: ctx, plan: p}
	t.plan.sort()
	t.left.Store(int64(len(p.pieces)))
	t.failAt.Store(math.MaxInt64)
	if each == nil {
		return t
	}
	borders := make([]int64, 0, len(p.pieces)+1)
	for i := range p.pieces {
		borders = append(borders, p.pieces[i].lo-(p.pieces[i].lo-a)%align)
	}
	slices.Sort(borders)
	borders = slices.Compact(append(borders, b))
	t.bands = make([]band, len(borders)-1)
	for i := range t.bands {
		t.bands[i].lo, t.bands[i].hi = borders[i], borders[i+1]
	}
	for i := range p.pieces {
		first, last := t.bandsOf(&p.pieces[i])
		for k := first; k < last; k++ {
			t.bands[k].left.Add(1)
		}
	}
	rowBytes := int64(len(dst)) / (b - a)
	t.each = func(i int) error {
		lo, hi := t.bands[i].lo, t.bands[i].hi
		from, to := (lo-a)*rowBytes, (hi-a)*rowBytes
		return each(lo, hi, dst[from:to:to])
	}
	return t
}

// bandsOf returns the range of bands that a piece has a part of.
func (t *batch) bandsOf(p *piece) (first, last int) {
	first = sort.Search(len(t.bands), func(i int) bool { return t.bands[i].hi > p.lo })
	last = first + sort.Search(len(t.bands)-first, func(i int) bool { return t.bands[first+i].lo >= p.hi })
	return first, last
}

// run does piece i, or passes over it when the batch has failed before it. It reports whether it was the last one.
func (t *batch) run(w *Worker, i int) bool {
	p := &t.plan.pieces[i]
	if err := t.ctx.Err(); err != nil {
		t.mu.Lock()
		t.cancel = err
		t.mu.Unlock()
	}
	if int64(i) >= t.failAt.Load() || t.canceled() {
		if p.undo != nil {
			p.undo()
		}
	} else if err := t.do(w, p, t.fetchesOf(i)); err != nil {
		t.fail(int64(i), err)
	}
	if fs := t.fetchesOf(i); len(fs) > 0 {
		t.fetcher.end(fs)
	}
	p.do, p.undo, p.far = nil, nil, nil
	return t.left.Add(-1) == 0
}

// fetchesOf returns what was read for a piece.
func (t *batch) fetchesOf(i int) []*fetch {
	if t.fetcher == nil {
		return nil
	}
	return t.fetched[i]
}

func (t *batch) do(w *Worker, p *piece, fs []*fetch) error {
	for _, f := range fs {
		if f.err != nil {
			return f.err
		}
	}
	outer := w.fetched
	w.fetched = fs
	err := p.do(t.ctx, w)
	w.fetched = outer
	if err != nil {
		return err
	}
	if t.each == nil {
		return nil
	}
	first, last := t.bandsOf(p)
	for k := first; k < last; k++ {
		if t.bands[k].left.Add(-1) == 0 {
			if err := t.each(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *batch) canceled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cancel != nil
}

// fail records an error. Pieces before it go on, so that the error that is reported does not depend on who was faster.
func (t *batch) fail(i int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i < t.failAt.Load() {
		t.failAt.Store(i)
		t.err = err
	}
}

// result is the batch's error, once no piece runs any more. It ends the plan.
func (t *batch) result() error {
	t.plan.end()
	if t.err != nil {
		return t.err
	}
	return t.cancel
}
