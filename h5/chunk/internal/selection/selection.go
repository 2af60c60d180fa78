// Package selection compiles selections of HDF5 dataspaces (specification, "Dataspace selection") into grids of blocks that can
// be counted and walked in row-major order.
package selection

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MaxRank is the largest number of dimensions of a dataspace (specification, IV.A.2.b).
const MaxRank = 32

// pattern selects count blocks of block indices, stride apart, in one dimension.
type pattern struct{ start, stride, count, block int64 }

func (p pattern) end() int64 { return p.start + (p.count-1)*p.stride + p.block }

// Axis is the indices selected in one dimension: patterns one after the other.
type Axis struct {
	pats  []pattern
	first []int64 // for each pattern, how many indices come before it
	N     int64
}

func (a *Axis) add(p pattern) {
	if p.count == 1 || p.stride == p.block { // one block
		p.stride, p.block, p.count = p.block*p.count, p.block*p.count, 1
	}
	if k := len(a.pats) - 1; k >= 0 && p.count == 1 && a.pats[k].count == 1 && a.pats[k].end() == p.start {
		a.pats[k].block += p.block
		a.pats[k].stride = a.pats[k].block
	} else {
		a.pats, a.first = append(a.pats, p), append(a.first, a.N)
	}
	a.N += p.count * p.block
}

// At returns the i-th index, and how many are selected from it on without a gap.
func (a *Axis) At(i int64) (index, run int64) {
	k := 0
	if len(a.pats) > 1 {
		k = sort.Search(len(a.first), func(k int) bool { return a.first[k] > i }) - 1
	}
	p := &a.pats[k]
	i -= a.first[k]
	return p.start + i/p.block*p.stride + i%p.block, p.block - i%p.block
}

// Below counts the indices that are less than x.
func (a *Axis) Below(x int64) int64 {
	k := sort.Search(len(a.pats), func(k int) bool { return a.pats[k].end() > x })
	if k == len(a.pats) {
		return a.N
	}
	p := &a.pats[k]
	if x <= p.start {
		return a.first[k]
	}
	d := x - p.start
	return a.first[k] + d/p.stride*p.block + min(d%p.stride, p.block)
}

// Affine reports whether the indices are start, start+step, ...
func (a *Axis) Affine() (start, step int64, ok bool) {
	switch {
	case len(a.pats) != 1:
		return 0, 0, false
	case a.pats[0].count == 1:
		return a.pats[0].start, 1, true
	}
	return a.pats[0].start, a.pats[0].stride, a.pats[0].block == 1
}

// Whole reports whether all indices of an extent are selected.
func (a *Axis) Whole(extent int64) bool { return a.N == extent }

// Part is a selection that takes the same indices of each dimension everywhere.
type Part struct {
	Axes  []Axis
	inner []int64 // elements that share an index of the dimension and of those before it
	N     int64
	first int64 // elements of the selection before the part
}

// Selection is a set of elements in row-major order: parts one after the other, no two of which share a row.
type Selection struct {
	Parts []Part
	N     int64
}

// New checks a selection against the shape. Nothing in it may be unlimited. A union of blocks must be a grid
// within each range of rows, as all selections by lists of indices are.
func New(s *h5.Selection, dims []int64) (*Selection, error) {
	switch {
	case s.None:
		return &Selection{}, nil
	case s.All:
		h := h5.Hyperslab{}
		for _, d := range dims {
			if d == 0 {
				return &Selection{}, nil
			}
			h.Start, h.Stride = append(h.Start, 0), append(h.Stride, 1)
			h.Count, h.Block = append(h.Count, 1), append(h.Block, uint64(d))
		}
		s = &h5.Selection{Blocks: []h5.Hyperslab{h}}
	}
	blocks := make([][]pattern, 0, len(s.Blocks))
	for i := range s.Blocks {
		b, err := checkBlock(&s.Blocks[i], dims)
		if err != nil {
			return nil, err
		}
		if b != nil {
			blocks = append(blocks, b)
		}
	}
	slices.SortFunc(blocks, func(a, b []pattern) int { return comparePatterns(a[0], b[0]) })
	var groups [][][]pattern // blocks that share rows, directly or through others
	for len(blocks) > 0 {
		n, end := 1, blocks[0][0].end()
		for ; n < len(blocks) && blocks[n][0].start < end; n++ {
			end = max(end, blocks[n][0].end())
		}
		k := len(groups) - 1
		if n == 1 && k >= 0 && slices.Equal(blocks[0][1:], groups[k][0][1:]) && alike(groups[k]) {
			groups[k] = append(groups[k], blocks[0])
		} else {
			groups = append(groups, slices.Clip(blocks[:n]))
		}
		blocks = blocks[n:]
	}
	out := &Selection{}
	for _, g := range groups {
		p, err := newPart(g)
		if err != nil {
			return nil, err
		}
		p.first = out.N
		out.N += p.N
		out.Parts = append(out.Parts, p)
	}
	return out, nil
}

// alike reports whether blocks differ in their rows alone.
func alike(blocks [][]pattern) bool {
	return slices.Equal(blocks[0][1:], blocks[len(blocks)-1][1:])
}

// checkBlock returns a hyperslab's patterns, nil when it is empty.
func checkBlock(h *h5.Hyperslab, dims []int64) ([]pattern, error) {
	if len(h.Start) != len(dims) {
		return nil, h5err.New(h5err.Corrupt, "a selection of rank %d in a dataset of rank %d", len(h.Start), len(dims))
	}
	out := make([]pattern, len(dims))
	for d, extent := range dims {
		start, stride, count, block := h.Start[d], h.Stride[d], h.Count[d], h.Block[d]
		if count == 0 || block == 0 {
			return nil, nil
		}
		if count > 1 && block > stride {
			return nil, h5err.New(h5err.Corrupt, "blocks of a selection overlap in dimension %d", d)
		}
		e := uint64(extent)
		if start > e || block > e-start || count > 1 && count-1 > (e-start-block)/stride {
			return nil, h5err.New(h5err.Corrupt, "a selection reaches beyond extent %d of dimension %d", extent, d)
		}
		if count == 1 {
			stride = block
		}
		out[d] = pattern{int64(start), int64(stride), int64(count), int64(block)}
	}
	return out, nil
}

func comparePatterns(a, b pattern) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.stride, b.stride), cmp.Compare(a.count, b.count), cmp.Compare(a.block, b.block))
}

// newPart makes a grid of blocks: every combination of what they have in each dimension must be there once.
func newPart(blocks [][]pattern) (Part, error) {
	rank := len(blocks[0])
	p := Part{Axes: make([]Axis, rank), inner: make([]int64, rank), N: 1}
	combinations := 1
	for d := range rank {
		pats := make([]pattern, 0, len(blocks))
		for _, b := range blocks {
			pats = append(pats, b[d])
		}
		slices.SortFunc(pats, comparePatterns)
		pats = slices.Compact(pats)
		if combinations *= len(pats); combinations > len(blocks) {
			break
		}
		for i, q := range pats {
			if i > 0 && pats[i-1].end() > q.start {
				return p, irregular(len(blocks))
			}
			p.Axes[d].add(q)
		}
	}
	slices.SortFunc(blocks, func(a, b []pattern) int { return slices.CompareFunc(a, b, comparePatterns) })
	if combinations != len(slices.CompactFunc(blocks, slices.Equal)) || combinations != len(blocks) {
		return p, irregular(len(blocks))
	}
	for d := rank - 1; d >= 0; d-- {
		p.inner[d] = p.N
		hi, n := bits.Mul64(uint64(p.N), uint64(p.Axes[d].N))
		if hi != 0 || n > math.MaxInt64 {
			return p, h5err.New(h5err.Limit, "a selection is too large")
		}
		p.N = int64(n)
	}
	return p, nil
}

func irregular(n int) error {
	return h5err.New(h5err.Unsupported, "a selection of %d blocks that form no grid", n)
}

// Rows returns the range of rows with selected elements.
func (s *Selection) Rows() (lo, hi int64) {
	if len(s.Parts) == 0 {
		return 0, 0
	}
	first, last := &s.Parts[0].Axes[0], &s.Parts[len(s.Parts)-1].Axes[0]
	return first.pats[0].start, last.pats[len(last.pats)-1].end()
}

// Below counts the selected elements in rows before row.
func (s *Selection) Below(row int64) int64 {
	k := sort.Search(len(s.Parts), func(i int) bool {
		a := &s.Parts[i].Axes[0]
		return a.pats[len(a.pats)-1].end() > row
	})
	if k == len(s.Parts) {
		return s.N
	}
	p := &s.Parts[k]
	return p.first + p.Axes[0].Below(row)*p.inner[0]
}

// Linear returns the rows [lo,hi) of a shape when those are what is selected, complete and without a gap.
func (s *Selection) Linear(dims []int64) (lo, hi int64, ok bool) {
	if len(s.Parts) != 1 || len(s.Parts[0].Axes[0].pats) != 1 || s.Parts[0].Axes[0].pats[0].count != 1 {
		return 0, 0, false
	}
	for d, a := range s.Parts[0].Axes {
		if d > 0 && !a.Whole(dims[d]) {
			return 0, 0, false
		}
	}
	p := s.Parts[0].Axes[0].pats[0]
	return p.start, p.end(), true
}

// Cursor goes through a selection in row-major order.
type Cursor struct {
	s    *Selection
	p    *Part
	k    int
	idx  [MaxRank]int64 // of p's axes
	At   [MaxRank]int64 // the present element
	Run  int64          // elements from it on along the last dimension
	left int64          // elements of the selection from it on
}

// NewCursor returns a cursor over a selection, to be placed by Move.
func NewCursor(s *Selection) *Cursor { return &Cursor{s: s} }

// Move goes to an element by its number.
func (c *Cursor) Move(n int64) {
	c.left = c.s.N - n
	if c.left <= 0 {
		c.Run = 0
		return
	}
	c.k = sort.Search(len(c.s.Parts), func(i int) bool { return c.s.Parts[i].first > n }) - 1
	c.p = &c.s.Parts[c.k]
	n -= c.p.first
	for d := range c.p.Axes {
		c.idx[d] = n / c.p.inner[d]
		n %= c.p.inner[d]
		c.At[d], c.Run = c.p.Axes[d].At(c.idx[d])
	}
}

// Skip goes n elements further, at most run.
func (c *Cursor) Skip(n int64) {
	c.left -= n
	last := len(c.p.Axes) - 1
	if n < c.Run {
		c.idx[last] += n
		c.At[last] += n
		c.Run -= n
		return
	}
	if c.left == 0 {
		c.Run = 0
		return
	}
	c.idx[last] += n
	d := last
	for ; d > 0 && c.idx[d] == c.p.Axes[d].N; d-- {
		c.idx[d] = 0
		c.At[d], _ = c.p.Axes[d].At(0)
		c.idx[d-1]++
	}
	if d == 0 && c.idx[0] == c.p.Axes[0].N {
		c.Move(c.s.N - c.left) // the next part
		return
	}
	c.At[d], _ = c.p.Axes[d].At(c.idx[d])
	_, c.Run = c.p.Axes[last].At(c.idx[last])
}
