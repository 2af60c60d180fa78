package chunk

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Sources whose hints ask for reads in flight (source.Hints.InFlight) are read ahead of the workers: the ranges that the
// pieces of a batch want are sorted and joined to fetches, a fetcher reads as many of these at once as the hint says, and a
// piece is given to the workers when all of its fetches have arrived. A piece never depends on that: what there was no
// memory for, or what had to be given up for others, its worker reads by itself.

// far is what a piece waits for.
type far struct {
	wants []want             // what it reads
	after func(ready func()) // calls ready when another piece has finished whose result it shares; may be nil
}

// want is a range of a file that a piece reads.
type want struct {
	src       *source.Source
	off, size int64
	join      bool   // with its neighbors
	into      []byte // where the bytes go; nil: to memory of the fetch
}

// fetch is one read for the pieces of a batch.
type fetch struct {
	ctx       context.Context
	src       *source.Source
	lane      *lane
	off, size int64
	into      []byte // nil: mem
	budget    *Budget
	mem       *held // nil when it was not read, and when it was dropped
	pieces    []int // that wait for it
	left      int   // pieces that have not finished
	err       error
	arrived   func()      // called once, when it was read, has failed, or is left to the workers
	stop      func() bool // undoes the watch over ctx
	read      func(p []byte) error
}

// bytes returns a range of what was read, pinned until unpin; nil when the range is not in it.
func (f *fetch) bytes(src *source.Source, off, size int64) (p []byte, unpin func()) {
	if f.src != src || off < f.off || off+size > f.off+f.size {
		return nil, nil
	}
	if f.into != nil {
		return f.into[off-f.off : off-f.off+size], func() {}
	}
	if f.mem == nil || !f.mem.pin() {
		return nil, nil
	}
	return f.mem.data[off-f.off : off-f.off+size], f.mem.unpin
}

// fetcher reads fetches, those of each source in the order in which they were given.
type fetcher struct {
	mu      sync.Mutex
	lanes   map[*source.Source]*lane
	active  int // pieces whose fetches have arrived, and that have not finished: room comes from them
	workers int
	free    []*held // memory of fetches that have ended, idle
}

// lane is the fetches of one source.
type lane struct {
	limit   int
	room    int64 // bytes of memory, besides half as many that are free
	running int   // being read
	held    int64 // bytes of memory of those that are being read or needed yet
	queue   []*fetch
}

// add gives the fetcher fetches of one batch.
func (x *fetcher) add(fs []*fetch) {
	x.mu.Lock()
	for _, f := range fs {
		l := x.lanes[f.src]
		if l == nil {
			h := f.src.Hints()
			l = &lane{limit: h.InFlight, room: int64(min(h.InFlight, 2*x.workers)) * h.Span}
			x.lanes[f.src] = l
		}
		f.lane, l.queue = l, append(l.queue, f)
		f.stop = context.AfterFunc(f.ctx, func() { x.cancel(f) })
	}
	x.unlock()
}

// unlock starts what may start now, and releases the lock.
func (x *fetcher) unlock() {
	for {
		var left []*fetch // to the workers
		for src, l := range x.lanes {
			left = append(left, x.startAll(l)...)
			if l.running == 0 && l.held == 0 && len(l.queue) == 0 {
				delete(x.lanes, src)
			}
		}
		x.mu.Unlock()
		if len(left) == 0 {
			return
		}
		for _, f := range left {
			f.stop()
			f.arrived()
		}
		x.mu.Lock()
	}
}

// startAll starts fetches of a lane, and returns those that there will be no room for.
func (x *fetcher) startAll(l *lane) (left []*fetch) {
	for len(l.queue) > 0 && l.running < l.limit {
		f := l.queue[0]
		if f.into == nil {
			idle := l.running == 0 && x.active+len(left) == 0 // nobody will make room
			if l.held == 0 || f.size <= l.room-l.held {
				f.mem = x.memory(f.budget, f.size, l.room/2, idle)
			}
			if f.mem == nil && !idle {
				return left
			}
		}
		l.queue = l.queue[1:]
		if f.into == nil && f.mem == nil {
			left = append(left, f)
			continue
		}
		if l.running++; f.mem != nil {
			l.held += f.mem.n
		}
		go x.read(l, f)
	}
	return left
}

// memory returns memory for n bytes, that of a fetch that has ended where it fits: new memory costs as much as filling it. It returns nil
// if there is none now.
func (x *fetcher) memory(b *Budget, n, spare int64, force bool) *held {
	mask := int64(1)<<max(bits.Len64(uint64(n))-4, 0) - 1
	n = (n + mask) &^ mask // as others may have, with an eighth more at most
	if i := slices.IndexFunc(x.free, func(h *held) bool { return h.n == n && h.b == b && h.pin() }); i >= 0 {
		h := x.free[i]
		x.free = slices.Delete(x.free, i, i+1)
		return h
	}
	for ; ; spare = 0 {
		x.shrink(spare)
		if h := b.ahead(n, force); h != nil || len(x.free) == 0 {
			return h
		}
	}
}

// shrink drops memory of fetches that have ended, the oldest first, so that n bytes are left at most.
func (x *fetcher) shrink(n int64) {
	for _, h := range x.free {
		n -= h.n
	}
	for n < 0 {
		n += x.free[0].n
		x.free[0].drop()
		x.free = x.free[1:]
	}
}

// read does one fetch.
func (x *fetcher) read(l *lane, f *fetch) {
	p := f.into
	if f.mem != nil {
		p = f.mem.data[:f.size]
	}
	f.err = f.read(p)
	f.stop()
	if f.mem != nil {
		f.mem.unpin()
	}
	f.arrived()
	x.mu.Lock()
	l.running--
	x.unlock()
}

// cancel takes a fetch that has not started from its queue.
func (x *fetcher) cancel(f *fetch) {
	x.mu.Lock()
	k := slices.Index(f.lane.queue, f)
	if k >= 0 {
		f.lane.queue = slices.Delete(f.lane.queue, k, k+1)
	}
	x.unlock()
	if k >= 0 {
		f.err = f.ctx.Err()
		f.arrived()
	}
}

// ready notes that a piece is about to be given to the workers.
func (x *fetcher) ready() {
	x.mu.Lock()
	x.active++
	x.mu.Unlock()
}

// end notes that a piece has finished, and drops what nobody needs any more.
func (x *fetcher) end(fs []*fetch) {
	x.mu.Lock()
	x.active--
	for _, f := range fs {
		if f.left--; f.left == 0 && f.mem != nil {
			f.lane.held -= f.mem.n
			x.free = append(x.free, f.mem)
			f.mem = nil
		}
	}
	x.unlock()
}

// fetches joins what the pieces of a plan want, in the order of the files.
func (p *plan) fetches() []*fetch {
	type wanted struct {
		want
		file, piece int
	}
	var all []wanted
	for i := range p.pieces {
		if p.pieces[i].far == nil {
			continue
		}
		for _, w := range p.pieces[i].far.wants {
			all = append(all, wanted{w, p.pieces[i].file, i})
		}
	}
	slices.SortStableFunc(all, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.off, b.off)) })
	var out []*fetch
	for i := 0; i < len(all); {
		w := &all[i]
		f := &fetch{src: w.src, off: w.off, size: w.size, into: w.into, pieces: []int{w.piece}}
		h := w.src.Hints()
		for i++; i < len(all) && w.join; i++ {
			n := &all[i]
			end := max(f.off+f.size, n.off+n.size)
			if n.src != f.src || !n.join || n.off-(f.off+f.size) > h.Gap || end-f.off > h.Span {
				break
			}
			f.size = end - f.off
			if !slices.Contains(f.pieces, n.piece) {
				f.pieces = append(f.pieces, n.piece)
			}
		}
		f.left = len(f.pieces)
		out = append(out, f)
	}
	return out
}

// startFar gives the pieces of a batch to a pool, each when what it waits for has arrived.
func (t *batch) startFar(r *Reader, pool *Pool, run func(w *Worker, i int)) {
	fs, pieces := t.plan.fetches(), t.plan.pieces
	t.fetcher, t.fetched = &pool.fetcher, make([][]*fetch, len(pieces))
	waits := make([]atomic.Int32, len(pieces)) // for what a piece is not ready yet
	ready := func(i int) {
		if waits[i].Add(-1) > 0 {
			return
		}
		if len(t.fetched[i]) > 0 {
			t.fetcher.ready()
		}
		pool.arrive(func(w *Worker) { run(w, i) })
	}
	for _, f := range fs {
		f.ctx, f.budget = t.ctx, r.opts.budget
		f.read = func(p []byte) error { return r.readFrom(f.ctx, f.src, p, f.off) }
		f.arrived = func() {
			for _, i := range f.pieces {
				ready(i)
			}
		}
		for _, i := range f.pieces {
			t.fetched[i] = append(t.fetched[i], f)
			waits[i].Add(1)
		}
	}
	after := make([]func(ready func()), len(pieces))
	for i := range pieces {
		waits[i].Add(1) // for the end of this function
		if far := pieces[i].far; far != nil && far.after != nil {
			after[i] = far.after
			waits[i].Add(1)
		}
	}
	pool.await(len(pieces))
	t.fetcher.add(fs)
	for i, fn := range after {
		if fn != nil {
			var stop func() bool
			once := sync.OnceFunc(func() { ready(i) })
			stop = context.AfterFunc(t.ctx, once)
			fn(func() { stop(); once() })
		}
		ready(i)
	}
}
