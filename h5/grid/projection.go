package grid

import (
	"slices"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Projection is an array that has some of the dimensions of another, in the same order: each cell of the other has a cell of it, or
// none where it is shorter. It is immutable.
type Projection struct {
	of   *Order
	sub  *Order
	axes []int // dimensions of the other array
	dims []int // for each of its dimensions that of the array, -1 for those that it lacks
}

// Project returns the projection of an array onto another one of a shape, whose dimensions are those of these numbers, which ascend.
// What it has beyond the extents of o counts for nothing.
func (o *Order) Project(axes []int, shape []int64) (*Projection, error) {
	if len(axes) != len(shape) {
		return nil, h5err.New(h5err.Argument, "%d axes of an array of %d dimensions", len(axes), len(shape))
	}
	p := &Projection{of: o, axes: slices.Clone(axes), dims: make([]int, len(o.shape))}
	for d := range p.dims {
		p.dims[d] = -1
	}
	dims, block := make([]int64, len(axes)), make([]int64, len(axes))
	for k, d := range axes {
		if d < 0 || d >= len(o.shape) || k > 0 && d <= axes[k-1] {
			return nil, h5err.New(h5err.Argument, "axes %v of an array of %d dimensions", axes, len(o.shape))
		}
		p.dims[d] = k
		dims[k], block[k] = min(shape[k], o.shape[d]), o.block[d]
	}
	var err error
	p.sub, err = New(dims, block)
	return p, err
}

// Order is the order of the projected array's cells, within the extents of the other.
func (p *Projection) Order() *Order { return p.sub }

// Of is the order of the other array's cells.
func (p *Projection) Of() *Order { return p.of }

// Axes are the dimensions of the other array that are those of the projected one. They are shared and not to be written to.
func (p *Projection) Axes() []int { return p.axes }

// Rows is the number of cells of the other array.
func (p *Projection) Rows() int64 { return p.of.cells }

// Whole reports whether each row of the other array has a cell of the projected one.
func (p *Projection) Whole() bool {
	for k, d := range p.axes {
		if p.sub.shape[k] < p.of.shape[d] {
			return false
		}
	}
	return true
}

// Same reports whether each row of the other array is the row of that number of the projected one.
func (p *Projection) Same() bool { return slices.Equal(p.sub.shape, p.of.shape) }

// Fill sets at to the places of the rows [a,b), of which at has the number, among rows of the projected array: for runs of them it
// calls need, which returns the place of the first of the projected rows [lo,hi) that the rows from number i of at on need; the
// others follow it. Rows that have no cell in the projected array get -1. The projected rows that need is asked for are never
// more than the rows [a,b).
func (p *Projection) Fill(a, b int64, at []int32, need func(i int, lo, hi int64) (int32, error)) error {
	f := filler{p: p, first: make([]int64, len(p.axes)), have: make([]int64, len(p.axes))}
	return p.of.Boxes(a, b, func(row int64, start, count []int64) error {
		i, n := int(row-a), int64(1)
		for _, c := range count {
			n *= c
		}
		out := at[i : i+int(n)]
		used := int64(1)
		for k, d := range p.axes {
			f.first[k] = start[d]
			f.have[k] = min(count[d], p.sub.shape[k]-start[d])
			used *= max(0, f.have[k])
		}
		if used == 0 {
			for j := range out {
				out[j] = -1
			}
			return nil
		}
		lo := p.sub.Row(f.first)
		base, err := need(i, lo, lo+used)
		if err != nil {
			return err
		}
		f.count = count
		f.fill(out, 0, base, int32(used))
		return nil
	})
}

// filler sets the places of a box.
type filler struct {
	p     *Projection
	count []int64 // of the box
	first []int64 // of the projected box
	have  []int64 // its shape
}

// fill sets the places of the cells of the dimensions from d on, which have the places [base,base+n).
func (f *filler) fill(at []int32, d int, base, n int32) {
	if d == len(f.count) {
		at[0] = base
		return
	}
	inner := len(at) / int(f.count[d])
	k := f.p.dims[d]
	if k < 0 {
		f.fill(at[:inner], d+1, base, n)
		for done := inner; done < len(at); {
			done += copy(at[done:], at[:done])
		}
		return
	}
	have := int(f.have[k])
	step := n / int32(have)
	if inner == 1 {
		for i := range at[:have] {
			at[i] = base + int32(i)*step
		}
	} else {
		for i := range have {
			f.fill(at[i*inner:(i+1)*inner], d+1, base+int32(i)*step, step)
		}
	}
	for i := have * inner; i < len(at); i++ {
		at[i] = -1
	}
}
