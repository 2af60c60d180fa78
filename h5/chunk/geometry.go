package chunk

import (
	"math"
	"math/bits"

	"github.com/h5arrow/h5arrow/h5/chunk/internal/selection"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// mul multiplies sizes; false means that the product does not fit an int64.
func mul(factors ...uint64) (int64, bool) {
	p := uint64(1)
	for _, f := range factors {
		hi, lo := bits.Mul64(p, f)
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		p = lo
	}
	return int64(p), true
}

// geometry is a grid of chunks over a shape, in elements. Dimension 0 is that of the rows.
type geometry struct {
	dims  []int64 // of the dataset
	chunk []int64 // of a chunk
	grid  []int64 // chunks in each dimension
	elem  int64   // bytes of an element

	perRow     int64   // chunks that share their rows: product of grid[1:]
	chunkBytes int64   // of a whole chunk
	share      int64   // bytes of a chunk that lie inside the shape, at most
	stride     []int64 // bytes from one index to the next, in a chunk
}

// newGeometry makes the grid; sizes come from a file and are checked.
func newGeometry(dims, chunk []uint64, elem int64) (*geometry, error) {
	if len(dims) == 0 || len(dims) != len(chunk) {
		return nil, h5err.New(h5err.Corrupt, "chunks of %d dimensions in a dataset of %d", len(chunk), len(dims))
	}
	g := &geometry{elem: elem, perRow: 1, chunkBytes: elem, share: elem}
	total := int64(1)
	for d := range dims {
		if chunk[d] == 0 {
			return nil, h5err.New(h5err.Corrupt, "a chunk is empty in dimension %d", d)
		}
		if dims[d] > math.MaxInt64 || chunk[d] > math.MaxInt64 {
			return nil, h5err.New(h5err.Limit, "dimension %d is too large", d)
		}
		n := int64(dims[d] / chunk[d])
		if dims[d]%chunk[d] != 0 {
			n++
		}
		g.dims, g.chunk, g.grid = append(g.dims, int64(dims[d])), append(g.chunk, int64(chunk[d])), append(g.grid, n)
		var ok [4]bool
		g.chunkBytes, ok[0] = mul(uint64(g.chunkBytes), chunk[d])
		g.share, ok[1] = mul(uint64(g.share), min(dims[d], chunk[d]))
		total, ok[2] = mul(uint64(total), uint64(n))
		ok[3] = true
		if d > 0 {
			g.perRow, ok[3] = mul(uint64(g.perRow), uint64(n))
		}
		if ok != [4]bool{true, true, true, true} {
			return nil, h5err.New(h5err.Limit, "the grid of chunks is too large")
		}
	}
	g.stride = strides(g.chunk, elem)
	return g, nil
}

// strides returns the bytes from one index to the next in each dimension of a dense array.
func strides(dims []int64, elem int64) []int64 {
	s := make([]int64, len(dims))
	for d := len(dims) - 1; d >= 0; d-- {
		s[d] = elem
		elem *= dims[d]
	}
	return s
}

// merged returns the same grid with as few dimensions as possible: one in which chunks span the whole shape is part of
// the element. With one dimension left, a chunk's bytes are rows of the dataset. Chunk numbers do not change.
func (g *geometry) merged() *geometry {
	m := *g
	k := len(g.dims)
	for k > 1 && g.dims[k-1] == g.chunk[k-1] {
		k--
		m.elem *= g.chunk[k]
	}
	m.dims, m.chunk, m.grid, m.stride = g.dims[:k], g.chunk[:k], g.grid[:k], g.stride[:k]
	return &m
}

// rowLayout reports whether a chunk's bytes are whole rows of the dataset.
func (g *geometry) rowLayout() bool { return len(g.dims) == 1 }

// origin sets at to the first index of chunk n in each dimension.
func (g *geometry) origin(n int64, at []int64) {
	for d := len(g.grid) - 1; d > 0; d-- {
		at[d] = n % g.grid[d] * g.chunk[d]
		n /= g.grid[d]
	}
	at[0] = n * g.chunk[0]
}

// tail is the bytes of a chunk's rows that are inside the shape. Some writers store no more of the last chunks.
func (g *geometry) tail(n int64) int64 {
	row := n / g.perRow * g.chunk[0]
	return min(g.chunk[0], g.dims[0]-row) * g.stride[0]
}

// box is a block of elements, and how they lie in memory.
type box struct {
	start, count []int64
	stride       []int64 // bytes in memory from one index to the next
}

func newBox(start, count []int64, elem int64) *box {
	return &box{start: start, count: count, stride: strides(count, elem)}
}

// elements is the number of elements.
func (b *box) elements() int64 {
	n := int64(1)
	for _, c := range b.count {
		n *= c
	}
	return n
}

// runs calls fn for the chunks that have a part of a box, those side by side in the last dimension together, until fn returns false.
func (g *geometry) runs(bx *box, fn func(s span) bool) {
	last := len(g.dims) - 1
	var lo, hi, at [maxRank]int64 // of the grid
	for d := range g.dims {
		lo[d], hi[d] = bx.start[d]/g.chunk[d], (bx.start[d]+bx.count[d]-1)/g.chunk[d]+1
	}
	for at = lo; ; {
		n := int64(0)
		for d := range g.dims {
			n = n*g.grid[d] + at[d]
		}
		if !fn(span{n, n + hi[last] - lo[last]}) {
			return
		}
		d := last - 1
		for ; d >= 0; d-- {
			if at[d]++; at[d] < hi[d] {
				break
			}
			at[d] = lo[d]
		}
		if d < 0 {
			return
		}
	}
}

// rows returns the box of rows [a,b).
func (g *geometry) rows(a, b int64) *box {
	start := make([]int64, len(g.dims))
	count := append([]int64(nil), g.dims...)
	start[0], count[0] = a, b-a
	return newBox(start, count, g.elem)
}

const maxRank = selection.MaxRank

// overlap is what a chunk and a box have in common.
type overlap struct {
	count       [maxRank]int64
	inBox, inCh int64 // byte offsets of the first common element
}

// intersect computes what chunk n, a box and the shape have in common; false: nothing.
func (g *geometry) intersect(n int64, b *box, o *overlap) bool { return g.intersectRun(n, 1, b, o) }

// intersectRun is intersect for k chunks from n on, which differ in their last coordinate only.
func (g *geometry) intersectRun(n, k int64, b *box, o *overlap) bool {
	o.inBox, o.inCh = 0, 0
	for d := len(g.dims) - 1; d >= 0; d-- {
		at := n
		if d > 0 {
			at, n = n%g.grid[d], n/g.grid[d]
		}
		at *= g.chunk[d]
		lo := max(at, b.start[d])
		hi := min(b.start[d]+b.count[d], g.dims[d])
		if k > 1 { // the last dimension
			if hi > at && (hi-at-1)/g.chunk[d] >= k {
				hi = at + g.chunk[d]*k
			}
			k = 1
		} else if hi-at > g.chunk[d] {
			hi = at + g.chunk[d]
		}
		if lo >= hi {
			return false
		}
		o.count[d] = hi - lo
		o.inBox += (lo - b.start[d]) * b.stride[d]
		o.inCh += (lo - at) * g.stride[d]
	}
	return true
}
