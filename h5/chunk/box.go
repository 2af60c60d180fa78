package chunk

import (
	"context"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/strided"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxWindowRow bounds rows of virtual datasets of which parts are read.
const maxWindowRow = 64 << 20

// readBox reads a block of elements into strided memory. The block is not empty and inside the shape.
func (r *Reader) readBox(ctx context.Context, w *Worker, bx *box, dst []byte) error {
	if len(r.dims) == 0 { // a scalar has one index
		return r.readLinear(ctx, w, 0, dst[:r.ds.elem])
	}
	switch r.ds.layout.Storage {
	case h5.StorageChunked:
		return r.boxChunks(ctx, w, bx, dst)
	case h5.StorageVirtual:
		return r.boxRows(ctx, w, bx, dst)
	}
	if err := r.checkLinear(bx.start[0] + bx.count[0]); err != nil {
		return err
	}
	base := int64(0)
	steps := strides(r.dims, int64(r.ds.elem))
	for d, x := range bx.start {
		base += x * steps[d]
	}
	return r.boxLinear(ctx, w, bx, steps, 0, base, dst)
}

// boxLinear reads the dimensions from d on of a block. pos is where they start in the dataset's bytes.
func (r *Reader) boxLinear(ctx context.Context, w *Worker, bx *box, steps []int64, d int, pos int64, dst []byte) error {
	last := len(steps) - 1
	inner := int64(r.ds.elem) // from the first to the last byte of one index of d
	for k := d + 1; k <= last; k++ {
		inner += (bx.count[k] - 1) * steps[k]
	}
	n := int64(1) // indices of d that are read at once, with what lies between them
	if sparse := inner < steps[d]/16 && steps[d] > r.hints.Gap; inner <= r.span && !sparse {
		n += (r.span - inner) / steps[d]
	}
	for i := int64(0); i < bx.count[d]; i += n {
		at, to := pos+i*steps[d], dst[i*bx.stride[d]:]
		if inner > r.span && d < last {
			if err := r.boxLinear(ctx, w, bx, steps, d+1, at, to); err != nil {
				return err
			}
			continue
		}
		k := min(n, bx.count[d]-i)
		buf := grow(&w.in, int((k-1)*steps[d]+inner))
		if err := r.readLinear(ctx, w, at, buf); err != nil {
			return err
		}
		count := append([]int64{k}, bx.count[d+1:]...)
		strided.Copy(to, bx.stride[d:], buf, steps[d:], count, int64(r.ds.elem))
	}
	return nil
}

// boxChunks reads a block from chunks. Those that it cuts are kept for the blocks beside it.
func (r *Reader) boxChunks(ctx context.Context, w *Worker, bx *box, dst []byte) error {
	t, err := r.table()
	if err != nil {
		return err
	}
	pattern, err := r.pattern()
	if err != nil {
		return err
	}
	g := r.full
	tg := target{geo: g, dst: dst, box: bx}
	var some []h5.Chunk // to be read together
	stored := int64(0)
	add := func(c h5.Chunk) error {
		if !r.isRaw(&c) {
			if err := r.checkSize(); err != nil {
				return err
			}
			if k := int64(c.Number); r.cuts(k, bx) {
				e := r.cache.use(span{k, k + 1}, 0, true)
				defer r.cache.done(e)
				return r.loadShared(ctx, w, e, []h5.Chunk{c}, tg)
			}
		}
		some = append(some, c)
		if stored += c.Size; stored > r.span {
			err := r.load(ctx, w, some, tg)
			some, stored = some[:0], 0
			return err
		}
		return nil
	}
	g.runs(bx, func(s span) bool {
		next := s.lo
		for _, c := range t.within(s) {
			k := int64(c.Number)
			r.fillEach(g, span{next, k}, bx, dst, pattern)
			next = k + 1
			if err = add(c); err != nil {
				return false
			}
		}
		r.fillEach(g, span{next, s.hi}, bx, dst, pattern)
		return true
	})
	if err != nil {
		return err
	}
	return r.load(ctx, w, some, tg)
}

// cuts reports whether a block leaves out a part of chunk n.
func (r *Reader) cuts(n int64, bx *box) bool {
	var at [maxRank]int64
	g := r.full
	g.origin(n, at[:])
	for d := range g.dims {
		end := g.dims[d]
		if end-at[d] > g.chunk[d] {
			end = at[d] + g.chunk[d]
		}
		if bx.start[d] > at[d] || bx.start[d]+bx.count[d] < end {
			return true
		}
	}
	return false
}

// boxRows reads a block by reading whole rows.
func (r *Reader) boxRows(ctx context.Context, w *Worker, bx *box, dst []byte) error {
	if r.rowBytes > maxWindowRow {
		return h5err.New(h5err.Limit, "rows of %d bytes of a virtual dataset of which parts are read, the limit is %d", r.rowBytes, maxWindowRow)
	}
	elem := int64(r.ds.elem)
	steps := strides(r.dims, elem)
	from := int64(0)
	for d, x := range bx.start {
		if d > 0 {
			from += x * steps[d]
		}
	}
	count := append([]int64(nil), bx.count...)
	step := max(1, windowSize/r.rowBytes)
	for i := int64(0); i < bx.count[0]; i += step {
		count[0] = min(step, bx.count[0]-i)
		buf := w.push(count[0] * r.rowBytes)
		err := r.readRows(ctx, w, bx.start[0]+i, bx.start[0]+i+count[0], buf)
		if err == nil {
			strided.Copy(dst[i*bx.stride[0]:], bx.stride, buf[from:], steps, count, elem)
		}
		w.pop()
		if err != nil {
			return err
		}
	}
	return nil
}
