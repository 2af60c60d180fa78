// Package grid numbers the cells of arrays of several dimensions, so that arrays can be read as rows, one for each cell, in an
// order that their chunks allow: block after block.
//
// The package knows numbers only. All sizes may come from files: products are checked, and nothing is allocated but a few words
// for each dimension.
package grid

import (
	"math"
	"math/bits"
	"slices"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Order is an order of the cells of an array. The array is divided into blocks of one shape, those at its ends cut off; blocks come
// in row-major order (the last index varies fastest), and the cells of a block too. It is immutable.
type Order struct {
	shape []int64
	block []int64 // the shape where the order is row-major
	inner []int64 // for each dimension, the cells that share their indices up to it
	cells int64
	step  int64 // cells of a whole block
	rows  bool  // the order is row-major
}

// New returns the order of an array's cells in blocks of a shape, in each dimension at least 1 and at most what the array has. A nil
// block is the whole array. Sizes that are negative are an Argument error, and more than 2^63-1 cells are a Limit error.
func New(shape, block []int64) (*Order, error) {
	if block == nil {
		block = shape
	}
	if len(block) != len(shape) {
		return nil, h5err.New(h5err.Argument, "blocks of %d dimensions in an array of %d", len(block), len(shape))
	}
	o := &Order{shape: slices.Clone(shape), block: slices.Clone(block), inner: make([]int64, len(shape)), cells: 1, step: 1}
	some := int64(1) // the product of all extents but those that are 0: what is computed later fits too
	for d := len(shape) - 1; d >= 0; d-- {
		if shape[d] < 0 {
			return nil, h5err.New(h5err.Argument, "an array of shape %v", shape)
		}
		o.block[d] = max(1, min(block[d], shape[d]))
		o.inner[d] = o.cells
		hi, lo := bits.Mul64(uint64(some), uint64(max(1, shape[d])))
		if hi != 0 || lo > math.MaxInt64 {
			return nil, h5err.New(h5err.Limit, "an array of shape %v has more than 2^63 cells", shape)
		}
		some = int64(lo)
		o.cells *= shape[d]
		o.step *= o.block[d]
	}
	if _, o.rows = line(o.block, shape, false); o.rows || o.cells == 0 {
		o.rows = true
		for d, n := range shape {
			o.block[d] = max(1, n)
		}
	}
	return o, nil
}

// line reports whether the cells of a block follow one another in row-major order, in all blocks: one dimension is divided, those
// before it have one index in a block, and those after it all. It returns the cells of a whole block. With whole, no block may be
// cut off between others.
func line(block, shape []int64, whole bool) (step int64, ok bool) {
	step = 1
	d := 0
	for d < len(block) && block[d] == 1 {
		d++
	}
	if d < len(block) {
		step = block[d]
		first := !slices.ContainsFunc(shape[:d], func(n int64) bool { return n != 1 })
		if whole && !first && shape[d]%block[d] != 0 {
			return 0, false
		}
	}
	for d++; d < len(block); d++ {
		if block[d] != shape[d] {
			return 0, false
		}
		step *= block[d]
	}
	return step, true
}

// Extents returns sizes as this package has them, the largest number for those that are larger.
func Extents(dims []uint64) []int64 {
	out := make([]int64, len(dims))
	for i, n := range dims {
		out[i] = int64(min(n, math.MaxInt64))
	}
	return out
}

// Shape is the shape of the array. It is shared and not to be written to.
func (o *Order) Shape() []int64 { return o.shape }

// Cells is the number of cells.
func (o *Order) Cells() int64 { return o.cells }

// BlockCells is the number of cells of a block that is not cut off.
func (o *Order) BlockCells() int64 { return o.step }

// RowMajor reports whether the order is row-major, whatever the blocks.
func (o *Order) RowMajor() bool { return o.rows }

// Line reports whether chunks of a shape, which are stored whole also where they are cut off, are runs of the rows of this order, one
// after the other. It returns the rows of a chunk.
func (o *Order) Line(chunk []int64) (step int64, ok bool) {
	if !o.rows || len(chunk) != len(o.shape) || o.cells == 0 {
		return 0, false
	}
	return line(chunk, o.shape, true)
}

// Row returns the row of the cell at an index, which must be inside the array.
func (o *Order) Row(at []int64) int64 {
	first, within := int64(0), int64(0)
	scale := int64(1) // cells of the block at the indices of the dimensions so far
	for d, i := range at {
		start := i - i%o.block[d]
		n := min(o.block[d], o.shape[d]-start)
		first += scale * start * o.inner[d]
		within = within*n + i - start
		scale *= n
	}
	return first + within
}

// Block is a block, or what of it is inside the array.
type Block struct {
	First  int64   // its first row
	Origin []int64 // index of its first cell
	Count  []int64 // its shape
}

// locate sets the block that a row is in.
func (o *Order) locate(row int64, b *Block) {
	b.First = 0
	scale := int64(1)
	left := row
	for d := range o.shape {
		unit := scale * o.block[d] * o.inner[d] // does not overflow: it is a part of all cells
		b.Origin[d] = left / unit * o.block[d]
		left %= unit
		b.Count[d] = min(o.block[d], o.shape[d]-b.Origin[d])
		b.First += b.Origin[d] * scale * o.inner[d]
		scale *= b.Count[d]
	}
}

// next moves to the block after b.
func (o *Order) next(b *Block) {
	n := int64(1)
	for _, c := range b.Count {
		n *= c
	}
	b.First += n
	for d := len(o.shape) - 1; d >= 0; d-- {
		if b.Origin[d] += o.block[d]; b.Origin[d] < o.shape[d] || d == 0 {
			b.Count[d] = min(o.block[d], o.shape[d]-b.Origin[d])
			return
		}
		b.Origin[d], b.Count[d] = 0, min(o.block[d], o.shape[d])
	}
}

// Boxes divides the rows [a,b) into boxes of cells and calls fn for each, in order, until it returns an error. The cells of a box, in
// row-major order, are rows that follow one another, from row on; start and count are valid until fn returns. A box is of one
// block: in one dimension it may have a part of the block's indices, in those before it has one, and in those after it all.
func (o *Order) Boxes(a, b int64, fn func(row int64, start, count []int64) error) error {
	if a >= b {
		return nil
	}
	rank := len(o.shape)
	blk := &Block{Origin: make([]int64, rank), Count: make([]int64, rank)}
	w := walk{blk: blk, fn: fn, start: make([]int64, rank), count: make([]int64, rank)}
	for o.locate(a, blk); a < b; o.next(blk) {
		end := int64(1)
		for _, c := range blk.Count {
			end *= c
		}
		end = min(b-blk.First, end)
		if err := w.boxes(0, a-blk.First, end); err != nil {
			return err
		}
		a = blk.First + end
	}
	return nil
}

// walk divides the cells of a block.
type walk struct {
	blk          *Block
	fn           func(row int64, start, count []int64) error
	start, count []int64
	base         int64 // row in the block of the first cell at the indices of the dimensions before d
}

// boxes divides the cells [lo,hi) of the dimensions from d on.
func (w *walk) boxes(d int, lo, hi int64) error {
	inner := int64(1)
	for _, n := range w.blk.Count[min(d+1, len(w.blk.Count)):] {
		inner *= n
	}
	if d == len(w.start) {
		return w.emit(d, 0)
	}
	if lo%inner != 0 {
		end := min(hi, lo-lo%inner+inner)
		if err := w.part(d, lo, end, inner); err != nil {
			return err
		}
		lo = end
	}
	if n := (hi - lo) / inner; n > 0 {
		w.start[d], w.count[d] = w.blk.Origin[d]+lo/inner, n
		if err := w.emit(d+1, lo); err != nil {
			return err
		}
		lo += n * inner
	}
	if lo < hi {
		return w.part(d, lo, hi, inner)
	}
	return nil
}

// part divides the cells [lo,hi), which have one index in dimension d.
func (w *walk) part(d int, lo, hi, inner int64) error {
	w.start[d], w.count[d] = w.blk.Origin[d]+lo/inner, 1
	at := lo - lo%inner
	w.base += at
	err := w.boxes(d+1, lo-at, hi-at)
	w.base -= at
	return err
}

// emit calls fn for the box that has all indices of the dimensions from d on.
func (w *walk) emit(d int, lo int64) error {
	copy(w.start[d:], w.blk.Origin[d:])
	copy(w.count[d:], w.blk.Count[d:])
	return w.fn(w.blk.First+w.base+lo, w.start, w.count)
}
