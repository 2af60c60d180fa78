package chunk

import (
	"context"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// WithCells makes the cells of the dataset's first dimensions its rows, in an order of an array that has those dimensions, or is a part
// of the dataset at its start. The Reader's rows are then those of the order. A chunk is decoded once by readers of consecutive rows
// as long as there is memory to keep it.
func WithCells(o *grid.Order) Option { return func(opts *options) { opts.cells = o } }

// flatten makes a dataset one of cells where the cells lie in the storage as the order has them, as rows of another shape, and
// reports whether it did.
func (d *dataset) flatten(o *grid.Order) bool {
	rank := len(o.Shape())
	for i, n := range o.Shape() {
		if d.dims[i] != uint64(n) {
			return false
		}
	}
	switch d.layout.Storage {
	case h5.StorageVirtual:
		return false
	case h5.StorageChunked:
		step, ok := o.Line(grid.Extents(d.layout.ChunkDims[:rank]))
		if !ok {
			return false
		}
		l := *d.layout
		l.ChunkDims = append([]uint64{uint64(step)}, l.ChunkDims[rank:]...)
		d.layout = &l
	default:
		if !o.RowMajor() {
			return false
		}
	}
	d.dims = append([]uint64{uint64(o.Cells())}, d.dims[rank:]...)
	return true
}

// cellular reads cells in another order than they are stored.
type cellular struct {
	in    *Reader // of the dataset as it is
	order *grid.Order
	outer []int64 // the dimensions of a cell
}

// newCells returns a Reader of cells.
func newCells(d *dataset, o options) (*Reader, error) {
	order := o.cells
	if len(order.Shape()) == 0 || len(order.Shape()) > len(d.dims) {
		return nil, h5err.New(h5err.Argument, "cells of %d dimensions of a dataset that has %d", len(order.Shape()), len(d.dims))
	}
	if d.flatten(order) {
		return newReader(d, o)
	}
	in, err := newReader(d, o)
	if err != nil {
		return nil, err
	}
	rank := len(order.Shape())
	for i, n := range order.Shape() {
		if n > in.dims[i] {
			return nil, h5err.New(h5err.Argument, "cells of shape %v of a dataset of shape %v", order.Shape(), in.dims)
		}
	}
	r := &Reader{ds: d, opts: in.opts, pattern: in.pattern, geo: in.geo, hints: in.hints, rows: order.Cells(), rowBytes: int64(d.elem)}
	r.cells = &cellular{in: in, order: order, outer: in.dims[rank:]}
	for _, n := range r.cells.outer {
		r.rowBytes *= n // a part of a row, whose size was checked
	}
	return r, nil
}

// plan adds the pieces of cells [a,b).
func (c *cellular) plan(p *plan, a, b, cell int64, dst []byte) error {
	in := c.in
	var chunk []int64
	if in.geo != nil {
		if _, err := in.table(); err != nil {
			return err
		}
		chunk = in.full.chunk[:len(c.order.Shape())]
	}
	var small []cellBox // that are read together
	bytes := int64(0)
	flush := func() {
		if len(small) > 0 {
			c.add(p, a, b, small)
		}
		small, bytes = nil, 0
	}
	err := c.order.Pieces(a, b, chunk, max(1, in.opts.piece/cell), func(x *grid.Piece) {
		outer := strides(c.outer, int64(in.ds.elem))
		bx := &box{start: append(x.Start, make([]int64, len(outer))...), count: append(x.Count, c.outer...)}
		for _, n := range x.Stride {
			bx.stride = append(bx.stride, n*cell)
		}
		bx.stride = append(bx.stride, outer...)
		small = append(small, cellBox{bx, x.From, x.To, dst[(x.First-a)*cell:]})
		if bytes += bx.elements() * int64(in.ds.elem); bytes >= in.opts.piece {
			flush()
		}
	})
	flush()
	return err
}

// cellBox is a box of elements, the cells that it has a part of, and where the first of its elements goes.
type cellBox struct {
	*box
	lo, hi int64
	dst    []byte
}

// add adds a piece that reads boxes.
func (c *cellular) add(p *plan, a, b int64, boxes []cellBox) {
	in := c.in
	pc := piece{lo: boxes[0].lo, hi: boxes[0].hi}
	var cs []h5.Chunk
	for _, x := range boxes {
		pc.lo, pc.hi = min(pc.lo, x.lo), max(pc.hi, x.hi)
		if in.full != nil && in.hints.InFlight > 0 {
			cs = c.fetched(cs, x.box, a, b)
		}
	}
	if len(cs) > 0 {
		pc.addr = addrOf(cs)
		pc.far = in.wants(cs, nil, nil)
	}
	pc.do = func(ctx context.Context, w *Worker) error {
		for _, x := range boxes {
			if err := in.readBox(ctx, w, x.box, x.dst); err != nil {
				return err
			}
		}
		return nil
	}
	p.add(pc)
}

// fetched adds the chunks of a box that are to be read ahead for cells [a,b): those of which earlier cells have no part.
func (c *cellular) fetched(cs []h5.Chunk, bx *box, a, b int64) []h5.Chunk {
	t, _ := c.in.table() // plan reported the error
	g := c.in.full
	at := make([]int64, len(g.dims))
	g.runs(bx, func(s span) bool {
		for _, k := range t.within(s) {
			g.origin(int64(k.Number), at)
			if row := c.order.Row(at[:len(c.order.Shape())]); row >= a && row < b {
				cs = append(cs, k)
			}
		}
		return true
	})
	return cs
}
