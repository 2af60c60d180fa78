package chunk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/strided"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	// smallScratch is scratch that each worker may have and keep without asking the budget.
	smallScratch = 4 << 20
	// storedSlack is how much larger than twice its decoded size a stored chunk can be.
	storedSlack = 64 << 10
	// chunkCost is what a chunk adds to the size of a piece besides its bytes.
	chunkCost = 64
)

// table is the allocated chunks of a dataset by number. Grids may be astronomically large: nothing here grows with them.
type table struct{ cs []h5.Chunk }

// find returns the index of the first chunk whose number is at least n.
func (t *table) find(n int64) int {
	if n < int64(len(t.cs)) && t.cs[n].Number == uint64(n) { // nothing is missing up to here
		return int(n)
	}
	return sort.Search(len(t.cs), func(i int) bool { return t.cs[i].Number >= uint64(n) })
}

// within returns the allocated chunks of a span.
func (t *table) within(s span) []h5.Chunk { return t.cs[t.find(s.lo):t.find(s.hi)] }

// planChunks plans rows [a,b) of chunked storage.
func (r *Reader) planChunks(p *plan, a, b int64, dst []byte) error {
	t, err := r.table()
	if err != nil {
		return err
	}
	g := r.geo
	c0 := g.chunk[0]
	first, last := a/c0, (b-1)/c0
	whole := span{first * g.perRow, (last + 1) * g.perRow}
	if r.pipe != nil && len(t.within(whole)) > 0 {
		if err := r.checkSize(); err != nil {
			return err
		}
	}
	bx := g.rows(a, b)
	isCut := func(row int64) bool {
		return r.pipe != nil && (a > row*c0 || b-row*c0 < min(c0, r.rows-row*c0))
	}
	// What two batches may share is split into the same spans for both.
	if isCut(first) {
		r.split(t, span{whole.lo, whole.lo + g.perRow}, func(s span, cs []h5.Chunk) { r.addShared(p, s, cs, bx, dst) })
		whole.lo += g.perRow
	}
	end := whole.hi
	if last*g.perRow >= whole.lo && isCut(last) {
		whole.hi -= g.perRow
	}
	r.split(t, whole, func(s span, cs []h5.Chunk) { r.addSpan(p, s, cs, bx, dst) })
	if whole.hi < end {
		r.split(t, span{whole.hi, end}, func(s span, cs []h5.Chunk) { r.addShared(p, s, cs, bx, dst) })
	}
	starts, ends := int64(-1), int64(-1)
	if a > first*c0 {
		starts = first
	}
	if b-last*c0 < min(c0, r.rows-last*c0) {
		ends = last
	}
	r.cache.pass(starts, ends)
	return nil
}

// checkSize fails when a decoded chunk is larger than the limits allow.
func (r *Reader) checkSize() error {
	n := r.geo.chunkBytes
	if n > r.ds.decoded {
		return h5err.Over("h5.Limits.DecodedBytes", uint64(n), "a decoded chunk has %d bytes, the limit is %d", n, r.ds.decoded)
	}
	if b := r.opts.budget; b != nil && n > b.max {
		return h5err.New(h5err.Memory, "a decoded chunk has %d bytes, the memory budget is %d bytes", n, b.max).
			WithOption("chunk.NewBudget", "allow more")
	}
	return nil
}

// split cuts a span into spans that are worth a piece each. It counts the chunks that are allocated, not the grid.
// Where rows of the grid are small, it cuts between them.
func (r *Reader) split(t *table, s span, fn func(s span, cs []h5.Chunk)) {
	g := r.geo
	i := t.find(s.lo)
	for n := s.lo; n < s.hi; {
		from, end, cost := i, n, int64(0)
		for end < s.hi && cost < r.opts.piece {
			next := s.hi
			if i < len(t.cs) && t.cs[i].Number < uint64(s.hi) {
				next = int64(t.cs[i].Number)
			}
			if next > end { // a run of missing chunks
				k := min(next-end, (r.opts.piece-cost)/g.share+1)
				end += k
				cost += k * g.share
				continue
			}
			end++
			i++
			cost += g.chunkBytes + chunkCost
		}
		if end < s.hi && end-end%g.perRow > n {
			end -= end % g.perRow
			for i > from && t.cs[i-1].Number >= uint64(end) {
				i--
			}
		}
		fn(span{n, end}, t.cs[from:i])
		n = end
	}
}

// rowsOf returns the rows of a box that a span's chunks have a part of.
func (g *geometry) rowsOf(s span, b *box) (lo, hi int64) {
	lo = max(b.start[0], s.lo/g.perRow*g.chunk[0])
	hi = b.start[0] + b.count[0]
	if last := (s.hi - 1) / g.perRow * g.chunk[0]; hi-last > g.chunk[0] {
		hi = last + g.chunk[0]
	}
	return lo, hi
}

func addrOf(cs []h5.Chunk) int64 {
	addr := int64(0)
	for i := range cs {
		if i == 0 || cs[i].Offset < addr {
			addr = cs[i].Offset
		}
	}
	return addr
}

// addSpan adds a piece that reads a span's chunks for one batch alone.
func (r *Reader) addSpan(p *plan, s span, cs []h5.Chunk, bx *box, dst []byte) {
	lo, hi := r.geo.rowsOf(s, bx)
	p.add(piece{lo: lo, hi: hi, addr: addrOf(cs), far: r.wants(cs, bx, dst), do: func(ctx context.Context, w *Worker) error {
		if err := r.fillMissing(s, cs, bx, dst); err != nil {
			return err
		}
		return r.load(ctx, w, cs, target{geo: r.geo, dst: dst, box: bx})
	}})
}

// addShared adds a piece that reads a span's chunks of which other batches want other rows.
func (r *Reader) addShared(p *plan, s span, cs []h5.Chunk, bx *box, dst []byte) {
	filtered := func(c h5.Chunk) bool { return !r.isRaw(&c) }
	if !slices.ContainsFunc(cs, filtered) {
		r.addSpan(p, s, cs, bx, dst)
		return
	}
	lo, hi := r.geo.rowsOf(s, bx)
	e := r.cache.use(s, s.lo/r.geo.perRow, false)
	pc := piece{lo: lo, hi: hi, addr: addrOf(cs), undo: func() { r.cache.done(e) }}
	end := pc.undo
	if r.hints.InFlight > 0 { // one batch fetches, for all that share
		if r.cache.lead(e) {
			pc.far = r.wants(cs, nil, nil)
			end = func() {
				r.cache.led(e)
				r.cache.done(e)
			}
			pc.undo = end
		} else {
			pc.far = &far{after: func(ready func()) { r.cache.follow(e, ready) }}
		}
	}
	pc.do = func(ctx context.Context, w *Worker) error {
		defer end()
		if err := r.fillMissing(s, cs, bx, dst); err != nil {
			return err
		}
		return r.loadShared(ctx, w, e, cs, target{geo: r.geo, dst: dst, box: bx})
	}
	p.add(pc)
}

// wants lists what loading chunks reads, where that is fetched ahead. A nil box is whole chunks.
func (r *Reader) wants(cs []h5.Chunk, bx *box, dst []byte) *far {
	if r.hints.InFlight == 0 {
		return nil
	}
	reqs, err := r.requests(nil, cs, &target{geo: r.geo, box: bx})
	if err != nil { // for the piece to report
		return nil
	}
	out := make([]want, 0, len(reqs))
	for i := range reqs {
		q := &reqs[i]
		w := want{src: r.ds.src, off: q.off, size: q.size, join: q.size <= r.hints.Join}
		if q.raw && q.to >= 0 && bx != nil && !w.join {
			w.into = dst[q.to : q.to+q.size]
		}
		out = append(out, w)
	}
	return &far{wants: out}
}

// loadShared copies from an entry, decoding it first where nobody has.
func (r *Reader) loadShared(ctx context.Context, w *Worker, e *entry, cs []h5.Chunk, t target) error {
	data, mem, err := r.cache.get(ctx, e, func() ([]byte, *held, error) { return r.decodeShared(ctx, w, cs) })
	if err != nil {
		return err
	}
	n := r.geo.chunkBytes
	for i := range cs {
		t.put(int64(cs[i].Number), data[int64(i)*n:])
	}
	if mem != nil {
		mem.unpin()
	}
	return nil
}

// decodeShared decodes an entry's chunks into pinned memory, or, when they are small and there is no room, into scratch.
func (r *Reader) decodeShared(ctx context.Context, w *Worker, cs []h5.Chunk) (data []byte, mem *held, err error) {
	n, b := r.geo.chunkBytes*int64(len(cs)), r.opts.budget
	t := target{geo: r.geo}
	if all := n + r.scratch(cs, &t); b != nil && all > smallScratch {
		if err := b.reserve(all); err != nil {
			return nil, nil, err
		}
		t.dst = make([]byte, n)
		if err := r.loadApart(ctx, w, cs, t); err != nil {
			b.unreserve(all)
			return nil, nil, err
		}
		return t.dst, b.keep(t.dst, all), nil
	}
	if mem = b.hold(n); mem != nil {
		t.dst = mem.data
	} else {
		t.dst = grow(&w.out, int(n))
	}
	if err := r.loadHere(ctx, w, cs, t); err != nil {
		if mem != nil {
			mem.drop()
		}
		return nil, nil, err
	}
	return t.dst, mem, nil
}

// isRaw reports whether a chunk is stored without filters.
func (r *Reader) isRaw(c *h5.Chunk) bool {
	if r.pipe == nil || ^c.FilterMask<<(32-r.pipe.Len()) == 0 {
		return true
	}
	if !r.ds.layout.RawEdges {
		return false
	}
	var at [maxRank]int64
	g := r.geo
	g.origin(int64(c.Number), at[:])
	for d := range g.dims {
		if g.dims[d]-at[d] < g.chunk[d] {
			return true
		}
	}
	return false
}

// target is where chunks go: into a box, or, without one, one whole chunk after the other.
type target struct {
	geo *geometry
	dst []byte
	box *box
}

// put copies what a whole chunk and the box have in common.
func (t *target) put(n int64, data []byte) {
	var o overlap
	if t.geo.intersect(n, t.box, &o) {
		strided.Copy(t.dst[o.inBox:], t.box.stride, data[o.inCh:], t.geo.stride, o.count[:len(t.geo.dims)], t.geo.elem)
	}
}

// inPlace reports whether dst has the layout of a chunk's bytes.
func (t *target) inPlace() bool {
	return t.box != nil && t.geo.rowLayout() && t.box.stride[0] == t.geo.elem
}

// request is a range of the file to read for a chunk.
type request struct {
	off, size int64
	to        int64 // where the bytes, or the decoded chunk, go in dst; -1: through scratch
	chunk     int32 // index of the chunk
	raw       bool
	lo, rows  int64 // raw through scratch: the rows of the chunk, counted from the first that is in the box
}

// load reads and decodes chunks. The scratch memory for large ones is counted.
func (r *Reader) load(ctx context.Context, w *Worker, cs []h5.Chunk, t target) error {
	b := r.opts.budget
	if b == nil {
		return r.loadHere(ctx, w, cs, t)
	}
	n := r.scratch(cs, &t)
	if n <= smallScratch {
		return r.loadHere(ctx, w, cs, t)
	}
	if err := b.reserve(n); err != nil {
		return err
	}
	defer b.unreserve(n)
	return r.loadApart(ctx, w, cs, t)
}

// scratch is how much memory loading takes besides what it writes to, at most; roughly where it is little.
func (r *Reader) scratch(cs []h5.Chunk, t *target) int64 {
	g := t.geo
	if g.chunkBytes <= (smallScratch-storedSlack)/5 {
		return 5*g.chunkBytes + storedSlack
	}
	n := int64(0)
	var o overlap
	for i := range cs {
		c := &cs[i]
		switch {
		case t.box != nil && !g.intersect(int64(c.Number), t.box, &o):
		case !r.isRaw(c):
			k := c.Size + g.chunkBytes*int64(min(2, r.pipe.Len()-1)) // stored, between filters
			if t.box != nil && !(t.inPlace() && o.count[0] == g.chunk[0]) {
				k += g.chunkBytes
			}
			n = max(n, k)
		case t.box != nil && !t.inPlace():
			n = max(n, r.span, g.stride[0])
		}
	}
	return n
}

// loadApart is load with memory that is gone afterwards, that of codecs too.
func (r *Reader) loadApart(ctx context.Context, w *Worker, cs []h5.Chunk, t target) error {
	in, out, st := w.in, w.out, w.st
	w.in, w.out, w.st = nil, nil, filter.NewState()
	defer func() {
		w.st.Close()
		w.in, w.out, w.st = in, out, st
	}()
	return r.loadHere(ctx, w, cs, t)
}

// loadHere reads ranges of the file that lie close together at once.
func (r *Reader) loadHere(ctx context.Context, w *Worker, cs []h5.Chunk, t target) error {
	reqs, err := r.requests(w.reqs[:0], cs, &t)
	w.reqs = reqs[:0]
	if err != nil {
		return err
	}
	for i := 0; i < len(reqs); {
		q := &reqs[i]
		if data, unpin := w.arrived(r.ds.src, q.off, q.size); data != nil {
			err := r.deliver(w, cs, &t, q, data)
			unpin()
			if err != nil {
				return err
			}
			i++
			continue
		}
		end := q.off + q.size
		k := i + 1
		if q.size <= r.hints.Join {
			for ; k < len(reqs); k++ {
				n := &reqs[k]
				if n.off < end || n.off-end > r.hints.Gap || n.size > r.hints.Join || n.off+n.size-q.off > r.span {
					break
				}
				end = n.off + n.size
			}
		}
		if k == i+1 && q.raw && q.to >= 0 {
			if err := r.readFrom(ctx, r.ds.src, t.dst[q.to:q.to+q.size], q.off); err != nil {
				return err
			}
			i = k
			continue
		}
		buf := grow(&w.in, int(end-q.off))
		if err := r.readFrom(ctx, r.ds.src, buf, q.off); err != nil {
			return err
		}
		for start := q.off; i < k; i++ {
			from := reqs[i].off - start
			if err := r.deliver(w, cs, &t, &reqs[i], buf[from:from+reqs[i].size]); err != nil {
				return err
			}
		}
	}
	return nil
}

// requests lists what to read, by offset. Unfiltered neighbors that stay neighbors are one request.
func (r *Reader) requests(reqs []request, cs []h5.Chunk, t *target) ([]request, error) {
	g, size := t.geo, r.ds.src.Size()
	sorted := true
	var o overlap
	rows := t.inPlace()
	for i := range cs {
		c := &cs[i]
		if c.Offset < 0 || c.Size < 0 || c.Offset > size || c.Size > size-c.Offset {
			return reqs, h5err.At(h5err.Corrupt, c.Offset, "a chunk of %d bytes is not inside the file", c.Size)
		}
		q := request{off: c.Offset, size: c.Size, to: -1, chunk: int32(i), raw: r.isRaw(c)}
		if q.raw && c.Size != g.chunkBytes && c.Size != g.tail(int64(c.Number)) {
			return reqs, h5err.At(h5err.Corrupt, c.Offset, "an unfiltered chunk has %d bytes, %d are due", c.Size, g.chunkBytes)
		}
		if (c.Size-storedSlack)/2 > g.chunkBytes { // no filter makes so much more of it
			return reqs, h5err.At(h5err.Corrupt, c.Offset, "%d bytes are stored for a chunk of %d", c.Size, g.chunkBytes)
		}
		switch {
		case t.box == nil:
			q.to = int64(i) * g.chunkBytes
		case !g.intersect(int64(c.Number), t.box, &o):
			continue
		case !q.raw:
			if rows && o.count[0] == g.chunk[0] {
				q.to = o.inBox
			}
		case rows:
			q.off, q.size, q.to = q.off+o.inCh, o.count[0]*g.elem, o.inBox
		default:
			step := max(1, r.span/g.stride[0])
			off := q.off + o.inCh/g.stride[0]*g.stride[0]
			for q.lo = 0; q.lo < o.count[0]; q.lo += step {
				q.rows = min(step, o.count[0]-q.lo)
				q.off, q.size = off+q.lo*g.stride[0], q.rows*g.stride[0]
				sorted = sorted && (len(reqs) == 0 || reqs[len(reqs)-1].off <= q.off)
				reqs = append(reqs, q)
			}
			continue
		}
		if n := len(reqs); n > 0 {
			if l := &reqs[n-1]; q.raw && l.raw && l.to >= 0 && q.to == l.to+l.size && q.off == l.off+l.size {
				l.size += q.size
				continue
			}
			sorted = sorted && reqs[n-1].off <= q.off
		}
		reqs = append(reqs, q)
	}
	if !sorted {
		slices.SortFunc(reqs, func(a, b request) int { return cmp.Compare(a.off, b.off) })
	}
	return reqs, nil
}

// deliver brings the stored bytes of a request to where they go.
func (r *Reader) deliver(w *Worker, cs []h5.Chunk, t *target, q *request, data []byte) error {
	c := &cs[q.chunk]
	g := t.geo
	if q.raw {
		if q.to >= 0 {
			copy(t.dst[q.to:q.to+q.size], data)
			return nil
		}
		var o overlap
		g.intersect(int64(c.Number), t.box, &o)
		o.count[0] = q.rows
		strided.Copy(t.dst[o.inBox+q.lo*t.box.stride[0]:], t.box.stride, data[o.inCh%g.stride[0]:], g.stride, o.count[:len(g.dims)], g.elem)
		return nil
	}
	var out []byte
	if q.to >= 0 {
		out = t.dst[q.to : q.to+g.chunkBytes : q.to+g.chunkBytes]
	} else {
		out = grow(&w.out, int(g.chunkBytes))
	}
	r.opts.counted.chunks.Add(1)
	n, err := r.pipe.DecodeEither(w.st, out, data, c.FilterMask, int(g.tail(int64(c.Number))))
	if err != nil {
		return atOffset(err, c.Offset)
	}
	clear(out[n:]) // outside the shape
	r.opts.counted.decoded.Add(int64(n))
	if q.to < 0 {
		t.put(int64(c.Number), out)
	}
	return nil
}

// atOffset gives an error a place, unless it has one.
func atOffset(err error, off int64) error {
	var e *h5err.Error
	if !errors.As(err, &e) || e.Offset != h5err.NoOffset {
		return err
	}
	c := *e
	c.Offset = off
	return &c
}

// fillMissing writes the fill value where a span's chunks are missing.
func (r *Reader) fillMissing(s span, cs []h5.Chunk, bx *box, dst []byte) error {
	if int64(len(cs)) == s.hi-s.lo {
		return nil
	}
	pattern, err := r.pattern()
	if err != nil {
		return err
	}
	n := s.lo
	for i := range cs {
		r.fillRun(span{n, int64(cs[i].Number)}, bx, dst, pattern)
		n = int64(cs[i].Number) + 1
	}
	r.fillRun(span{n, s.hi}, bx, dst, pattern)
	return nil
}

// fillRun fills a run of missing chunks; whole rows of the grid at once.
func (r *Reader) fillRun(s span, bx *box, dst []byte, pattern []byte) {
	g := r.geo
	rows := span{s.lo / g.perRow * g.perRow, s.hi / g.perRow * g.perRow}
	if rows.lo < s.lo {
		rows.lo += g.perRow
	}
	if rows.lo >= rows.hi {
		r.fillEach(g, s, bx, dst, pattern)
		return
	}
	lo, hi := g.rowsOf(rows, bx)
	strided.Fill(dst[(lo-bx.start[0])*r.rowBytes:(hi-bx.start[0])*r.rowBytes], pattern)
	r.fillEach(g, span{s.lo, rows.lo}, bx, dst, pattern)
	r.fillEach(g, span{rows.hi, s.hi}, bx, dst, pattern)
}

func (r *Reader) fillEach(g *geometry, s span, bx *box, dst []byte, pattern []byte) {
	var o overlap
	last := g.grid[len(g.grid)-1]
	for n, k := s.lo, int64(0); n < s.hi; n += k {
		k = min(s.hi-n, last-n%last) // side by side in the last dimension
		if g.intersectRun(n, k, bx, &o) {
			strided.FillBlock(dst[o.inBox:], bx.stride, o.count[:len(g.dims)], g.elem, pattern)
		}
	}
}
