package chunk

import (
	"container/list"
	"context"
	"slices"
	"sync"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/convert"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/selection"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/strided"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	// maxNesting bounds virtual datasets over virtual datasets.
	maxNesting = 8
	// maxSources bounds the sources that a virtual dataset holds ready while nobody uses them.
	maxSources = 64
	// windowSize bounds the part of a source that is read to pick elements from.
	windowSize = 4 << 20
	// windowRuns bounds what is picked from one window.
	windowRuns = 1 << 14
	// keptRows is how many rows of chunks a source keeps of those that bands have cut: bands come in any order.
	keptRows = 16
)

// virtual reads virtual datasets: mappings of selections of other datasets onto selections of this one. What no mapping
// covers, and what absent sources would give, is the fill value. Sources are opened when they are needed.
type virtual struct {
	r        *Reader
	maps     []*mapping
	rowElems int64

	mu    sync.Mutex
	open  map[string]*origin
	spare list.List // of *origin that nobody uses, oldest first
}

// mapping is one mapping, its selection of the source compiled when that is opened.
type mapping struct {
	m      *h5.VirtualMapping
	to     *selection.Selection
	lo, hi int64 // rows
	width  bool  // rows [lo,hi) are covered completely

	once sync.Once
	from *selection.Selection
	err  error
}

// origin is a source dataset. r is nil when it is absent.
type origin struct {
	key   string
	once  sync.Once
	r     *Reader
	conv  convert.Func // nil where its elements are those of the virtual dataset
	err   error
	users int
	old   *list.Element
}

func newVirtual(r *Reader) (*virtual, error) {
	if len(r.opts.over) >= maxNesting {
		return nil, h5err.New(h5err.Limit, "more than %d virtual datasets over one another", maxNesting)
	}
	if len(r.dims) == 0 {
		return nil, h5err.New(h5err.Corrupt, "a virtual dataset without dimensions")
	}
	mappings, err := r.ds.mappings()
	if err != nil {
		return nil, err
	}
	v := &virtual{r: r, rowElems: r.rowBytes / int64(r.ds.elem), open: map[string]*origin{}}
	total, ok := mul(uint64(r.rows), uint64(v.rowElems))
	if !ok {
		return nil, h5err.New(h5err.Limit, "the shape is too large")
	}
	covered := int64(0)
	for i := range mappings {
		m := &mapping{m: &mappings[i]}
		if m.to, err = selection.New(&m.m.Virtual, r.dims); err != nil {
			return nil, err
		}
		if m.to.N == 0 {
			continue
		}
		m.lo, m.hi = m.to.Rows()
		_, _, m.width = m.to.Linear(r.dims)
		// Mappings that overlap mean nothing, and would let a small file ask for any amount of work. Overlaps
		// that this sum does not show are read one after the other.
		if m.to.N > total-covered {
			return nil, h5err.New(h5err.Unsupported, "mappings of a virtual dataset overlap")
		}
		covered += m.to.N
		v.maps = append(v.maps, m)
	}
	return v, nil
}

// source returns a mapping's source, to be given back by release.
func (v *virtual) source(m *mapping) (*origin, error) {
	key := m.m.File + "\x00" + m.m.Dataset
	v.mu.Lock()
	o := v.open[key]
	if o == nil {
		o = &origin{key: key}
		v.open[key] = o
	}
	if o.users++; o.old != nil {
		v.spare.Remove(o.old)
		o.old = nil
	}
	v.mu.Unlock()
	o.once.Do(func() { o.r, o.conv, o.err = v.openSource(m.m) })
	err := o.err
	if err == nil && o.r != nil {
		m.once.Do(func() {
			dims := o.r.dims
			if len(dims) == 0 {
				dims = []int64{1}
			}
			m.from, m.err = selection.New(&m.m.Source, dims)
			if m.err == nil && m.from.N != m.to.N {
				m.err = h5err.New(h5err.Corrupt, "a mapping of %d elements of %s onto %d", m.from.N, m.m.Dataset, m.to.N)
			}
		})
		err = m.err
	}
	if err != nil {
		v.release(o)
		return nil, err
	}
	return o, nil
}

func (v *virtual) openSource(m *h5.VirtualMapping) (*Reader, convert.Func, error) {
	ds, err := v.r.ds.virtual(m.File, m.Dataset)
	if h5err.Is(err, h5err.NotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	over := append(slices.Clip(v.r.opts.over), v.r.ds)
	for _, d := range over {
		if d.file == ds.file && d.addr == ds.addr {
			return nil, nil, h5err.New(h5err.Corrupt, "a virtual dataset is its own source")
		}
	}
	var conv convert.Func
	if !convert.Equal(v.r.ds.typ, ds.typ) {
		conv = convert.New(v.r.ds.typ, ds.typ)
	}
	if conv == nil && !convert.Equal(v.r.ds.typ, ds.typ) {
		return nil, nil, h5err.New(h5err.Unsupported, "source %s of %s has another datatype than the virtual dataset", ds.path, ds.file)
	}
	if ds.file != v.r.ds.file && !convert.Portable(ds.typ) {
		return nil, nil, h5err.New(h5err.Unsupported, "source %s of %s has elements that point into its own file", ds.path, ds.file)
	}
	o := v.r.opts
	o.pool, o.over, o.unordered = nil, over, keptRows
	r, err := newReader(ds, o)
	return r, conv, h5err.About(err, ds)
}

// release gives a source back.
func (v *virtual) release(o *origin) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if o.users--; o.users > 0 {
		return
	}
	o.old = v.spare.PushBack(o)
	if v.spare.Len() > maxSources {
		v.drop(v.spare.Front().Value.(*origin))
	}
}

func (v *virtual) drop(o *origin) {
	v.spare.Remove(o.old)
	delete(v.open, o.key)
	if o.r != nil {
		o.r.Close()
	}
}

func (v *virtual) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for e := v.spare.Front(); e != nil; e = v.spare.Front() {
		v.drop(e.Value.(*origin))
	}
}

// clear drops the decoded chunks that sources keep.
func (v *virtual) clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for e := v.spare.Front(); e != nil; e = e.Next() {
		if o := e.Value.(*origin); o.r != nil {
			o.r.clear()
		}
	}
}

// plan plans rows [a,b). A range of rows that one mapping covers completely is planned by its source, unless it is
// small; the rest is cut into bands.
func (v *virtual) plan(p *plan, a, b int64, dst []byte) error {
	var maps []*mapping
	borders := []int64{a, b}
	for _, m := range v.maps {
		if m.lo < b && m.hi > a {
			maps = append(maps, m)
			borders = append(borders, max(a, m.lo), min(b, m.hi))
		}
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	// How many mappings have a part in each range between borders, and the sum of their numbers.
	count, sum := make([]int, len(borders)), make([]int, len(borders))
	for i, m := range maps {
		lo, _ := slices.BinarySearch(borders, max(a, m.lo))
		hi, _ := slices.BinarySearch(borders, min(b, m.hi))
		count[lo]++
		sum[lo] += i
		count[hi]--
		sum[hi] -= i
	}
	minBytes := max(v.r.opts.piece, int64(len(dst))/maxSources)
	from, n, id := a, 0, 0 // from: the rows that are not planned yet
	for i, lo := range borders[:len(borders)-1] {
		hi := borders[i+1]
		n += count[i]
		id += sum[i]
		if n != 1 || !maps[id].width || (hi-lo)*v.r.rowBytes < minBytes {
			continue
		}
		part := dst[(lo-a)*v.r.rowBytes : (hi-a)*v.r.rowBytes]
		ok, err := v.delegate(p, maps[id], lo, hi, part)
		if err != nil {
			return err
		}
		if ok {
			v.planBands(p, maps, a, from, lo, dst)
			from = hi
		}
	}
	v.planBands(p, maps, a, from, b, dst)
	return nil
}

// delegate has the source plan rows [lo,hi) when they are rows of it.
func (v *virtual) delegate(p *plan, m *mapping, lo, hi int64, dst []byte) (bool, error) {
	o, err := v.source(m)
	if err != nil {
		return false, err
	}
	a, b, ratio, ok := v.sourceRows(m, o, lo, hi)
	if !ok {
		v.release(o)
		return false, nil
	}
	p.atEnd(func() { v.release(o) })
	outer, file := p.rows, p.file
	p.files++
	p.file = p.files
	p.rows = func(x, y int64) (int64, int64) {
		x, y = lo+(x-a)/ratio, lo+(y-a+ratio-1)/ratio
		if outer != nil {
			return outer(x, y)
		}
		return x, y
	}
	err = o.r.plan(p, a, b, dst)
	p.rows, p.file = outer, file
	return true, o.r.in(err)
}

// sourceRows returns the rows [a,b) of a source that are the rows [lo,hi), ratio of them for each; ok is false when
// they are not whole rows of it.
func (v *virtual) sourceRows(m *mapping, o *origin, lo, hi int64) (a, b, ratio int64, ok bool) {
	if o.r == nil || o.conv != nil || len(o.r.dims) == 0 || !m.width || o.r.rowBytes == 0 || v.r.rowBytes%o.r.rowBytes != 0 {
		return 0, 0, 0, false
	}
	first, _, ok := m.from.Linear(o.r.dims)
	ratio = v.r.rowBytes / o.r.rowBytes
	return first + (lo-m.lo)*ratio, first + (hi-m.lo)*ratio, ratio, ok
}

// planBands adds pieces for rows [lo,hi) of a batch whose first row is a.
func (v *virtual) planBands(p *plan, maps []*mapping, a, lo, hi int64, dst []byte) {
	step := max(1, 2*v.r.opts.piece/v.r.rowBytes)
	if step > bandRows {
		step -= step % bandRows
	}
	for ; lo < hi; lo += step {
		from, to := lo, min(hi, lo+step)
		part := dst[(from-a)*v.r.rowBytes : (to-a)*v.r.rowBytes]
		p.add(piece{lo: from, hi: to, do: func(ctx context.Context, w *Worker) error {
			return v.readBand(ctx, w, maps, from, to, part)
		}})
	}
}

// readBand reads rows [lo,hi), mapping by mapping.
func (v *virtual) readBand(ctx context.Context, w *Worker, maps []*mapping, lo, hi int64, dst []byte) error {
	filled, seen := false, false
	fillAll := func() error {
		if filled {
			return nil
		}
		filled = true
		pattern, err := v.r.pattern()
		if err == nil {
			strided.Fill(dst, pattern)
		}
		return err
	}
	for _, m := range maps {
		if m.lo >= hi || m.hi <= lo {
			continue
		}
		from, to := m.to.Below(lo), m.to.Below(hi)
		if from == to {
			continue
		}
		seen = true
		o, err := v.source(m)
		if err != nil {
			return err
		}
		if o.r == nil || to-from < (hi-lo)*v.rowElems {
			err = fillAll()
		}
		if err == nil && o.r != nil {
			err = v.copyMapping(ctx, w, m, o, from, to, lo, hi, dst)
		}
		v.release(o)
		if err != nil {
			return err
		}
	}
	if !seen {
		return fillAll()
	}
	return nil
}

// copyMapping reads elements [from,to) of a mapping, those in rows [lo,hi).
func (v *virtual) copyMapping(ctx context.Context, w *Worker, m *mapping, o *origin, from, to, lo, hi int64, dst []byte) error {
	if a, b, _, ok := v.sourceRows(m, o, max(lo, m.lo), min(hi, m.hi)); ok {
		at := (max(lo, m.lo) - lo) * v.r.rowBytes
		return o.r.readRows(ctx, w, a, b, dst[at:at+(b-a)*o.r.rowBytes])
	}
	if start, count, stride, at, ok := v.matching(m, o, lo, hi); ok && o.conv == nil {
		return o.r.in(o.r.readBox(ctx, w, &box{start, count, stride}, dst[at:]))
	}
	return o.r.in(v.gather(ctx, w, m, o, from, to, lo, dst))
}

// matching returns the block of the source that is the mapping's part of rows [lo,hi), and where its elements go, when
// both selections have the same shape apart from dimensions of 1, that of the source has no gaps, and that of the
// virtual dataset has regular ones.
func (v *virtual) matching(m *mapping, o *origin, lo, hi int64) (start, count, stride []int64, at int64, ok bool) {
	if len(m.to.Parts) != 1 || len(m.from.Parts) != 1 {
		return nil, nil, nil, 0, false
	}
	to, from := m.to.Parts[0].Axes, m.from.Parts[0].Axes
	steps := strides(v.r.dims, int64(v.r.ds.elem))
	first, last := to[0].Below(lo), to[0].Below(hi) // of the indices of dimension 0
	at = -lo * steps[0]
	k := 0 // next dimension of the virtual dataset to match
	skip := func() bool {
		for ; k < len(to) && to[k].N == 1; k++ {
			x, _ := to[k].At(0)
			at += x * steps[k]
		}
		return k < len(to)
	}
	for d := range from {
		s, step, affine := from[d].Affine()
		if !affine || step != 1 {
			return nil, nil, nil, 0, false
		}
		n, by := int64(1), int64(0)
		if from[d].N > 1 {
			if !skip() || to[k].N != from[d].N {
				return nil, nil, nil, 0, false
			}
			x, step, affine := to[k].Affine()
			if !affine {
				return nil, nil, nil, 0, false
			}
			n, by = to[k].N, step*steps[k]
			if k == 0 {
				s, n, x = s+first, last-first, x+first*step
			}
			at += x * steps[k]
			k++
		}
		start, count, stride = append(start, s), append(count, n), append(stride, by)
	}
	if skip() {
		return nil, nil, nil, 0, false
	}
	for d := len(from) - 1; d >= 0; d-- { // dimensions of 1 are as good as dense
		if stride[d] == 0 {
			stride[d] = int64(v.r.ds.elem)
			if d+1 < len(from) {
				stride[d] = stride[d+1] * count[d+1]
			}
		}
	}
	return start, count, stride, at, true
}

// gather reads elements [from,to) of a mapping by picking runs from windows of the source. It converts them where the
// source has another type.
func (v *virtual) gather(ctx context.Context, w *Worker, m *mapping, o *origin, from, to, lo int64, dst []byte) error {
	elem := int64(o.r.ds.elem)
	steps := strides(v.r.dims, int64(v.r.ds.elem))
	rank := len(m.from.Parts[0].Axes)
	maxElems := max(1, windowSize/elem) // elements of a window
	type run struct{ to, n int64 }
	var runs []run
	var coords []int64 // where each run starts in the source
	src, out := selection.NewCursor(m.from), selection.NewCursor(m.to)
	src.Move(from)
	out.Move(from)
	bx := &box{start: make([]int64, rank), count: make([]int64, rank)}
	end := make([]int64, rank)
	newEnd := make([]int64, rank)
	newStart := make([]int64, rank)
	for from < to {
		runs, coords = runs[:0], coords[:0]
		points := int64(0)
		for from < to && len(runs) < windowRuns {
			n := min(src.Run, out.Run, to-from, maxElems)
			volume, fits := uint64(1), true
			for d := range rank {
				lo, hi := src.At[d], src.At[d]+1
				if d == rank-1 {
					hi += n - 1
				}
				if len(runs) > 0 {
					lo, hi = min(lo, bx.start[d]), max(hi, end[d])
				}
				newStart[d], newEnd[d] = lo, hi
				v, ok := mul(volume, uint64(hi-lo))
				volume, fits = uint64(v), fits && ok
			}
			if len(runs) > 0 && (!fits || volume > uint64(maxElems) || volume > uint64(32*(points+n)+4096)) {
				break
			}
			copy(bx.start, newStart)
			copy(end, newEnd)
			at := -lo * steps[0]
			for d := range steps {
				at += out.At[d] * steps[d]
			}
			runs = append(runs, run{at, n})
			coords = append(coords, src.At[:rank]...)
			points += n
			from += n
			src.Skip(n)
			out.Skip(n)
		}
		for d := range rank {
			bx.count[d] = end[d] - bx.start[d]
		}
		bx.stride = strides(bx.count, elem)
		buf := w.push(bx.count[0] * bx.stride[0])
		err := o.r.readBox(ctx, w, bx, buf)
		for i, q := range runs {
			at := int64(0)
			for d, x := range coords[i*rank : (i+1)*rank] {
				at += (x - bx.start[d]) * bx.stride[d]
			}
			if o.conv != nil && err == nil {
				o.conv(dst[q.to:], buf[at:], q.n)
			} else {
				strided.CopyRuns(dst[q.to:], buf[at:], 1, 0, 0, q.n*elem)
			}
		}
		w.pop()
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
