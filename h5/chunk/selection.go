package chunk

import (
	"cmp"
	"slices"
	"sort"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// pattern selects count blocks of block indices, stride apart, in one dimension.
type pattern struct{ start, stride, count, block int64 }

func (p pattern) end() int64 { return p.start + (p.count-1)*p.stride + p.block }

// axis is the indices selected in one dimension: patterns behind one another.
type axis struct {
	pats  []pattern
	first []int64 // for each pattern, how many indices come before it
	n     int64
}

func (a *axis) add(p pattern) {
	if p.count == 1 || p.stride == p.block { // one block
		p.stride, p.block, p.count = p.block*p.count, p.block*p.count, 1
	}
	if k := len(a.pats) - 1; k >= 0 && p.count == 1 && a.pats[k].count == 1 && a.pats[k].end() == p.start {
		a.pats[k].block += p.block
		a.pats[k].stride = a.pats[k].block
	} else {
		a.pats, a.first = append(a.pats, p), append(a.first, a.n)
	}
	a.n += p.count * p.block
}

// at returns the i-th index, and how many are selected from it on without a gap.
func (a *axis) at(i int64) (index, run int64) {
	k := 0
	if len(a.pats) > 1 {
		k = sort.Search(len(a.first), func(k int) bool { return a.first[k] > i }) - 1
	}
	p := &a.pats[k]
	i -= a.first[k]
	return p.start + i/p.block*p.stride + i%p.block, p.block - i%p.block
}

// below counts the indices that are less than x.
func (a *axis) below(x int64) int64 {
	k := sort.Search(len(a.pats), func(k int) bool { return a.pats[k].end() > x })
	if k == len(a.pats) {
		return a.n
	}
	p := &a.pats[k]
	if x <= p.start {
		return a.first[k]
	}
	d := x - p.start
	return a.first[k] + d/p.stride*p.block + min(d%p.stride, p.block)
}

// affine says that the indices are start, start+step, ...
func (a *axis) affine() (start, step int64, ok bool) {
	switch {
	case len(a.pats) != 1:
		return 0, 0, false
	case a.pats[0].count == 1:
		return a.pats[0].start, 1, true
	}
	return a.pats[0].start, a.pats[0].stride, a.pats[0].block == 1
}

// whole says that all indices of an extent are selected.
func (a *axis) whole(extent int64) bool { return a.n == extent }

// part is a selection that takes the same indices of each dimension everywhere.
type part struct {
	axes  []axis
	inner []int64 // elements that share an index of the dimension and of those before it
	n     int64
	first int64 // elements of the selection before the part
}

// selection is a set of elements in row-major order: parts behind one another, none of which share a row.
type selection struct {
	parts []part
	n     int64
}

// newSelection checks a selection against the shape. Nothing in it may be unlimited. A union of blocks must be a grid
// within each range of rows, as all selections by lists of indices are.
func newSelection(s *h5.Selection, dims []int64) (*selection, error) {
	switch {
	case s.None:
		return &selection{}, nil
	case s.All:
		h := h5.Hyperslab{}
		for _, d := range dims {
			if d == 0 {
				return &selection{}, nil
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
	out := &selection{}
	for _, g := range groups {
		p, err := newPart(g)
		if err != nil {
			return nil, err
		}
		p.first = out.n
		out.n += p.n
		out.parts = append(out.parts, p)
	}
	return out, nil
}

// alike says that blocks differ in their rows alone.
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
func newPart(blocks [][]pattern) (part, error) {
	rank := len(blocks[0])
	p := part{axes: make([]axis, rank), inner: make([]int64, rank), n: 1}
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
			p.axes[d].add(q)
		}
	}
	slices.SortFunc(blocks, func(a, b []pattern) int { return slices.CompareFunc(a, b, comparePatterns) })
	if combinations != len(slices.CompactFunc(blocks, slices.Equal)) || combinations != len(blocks) {
		return p, irregular(len(blocks))
	}
	for d := rank - 1; d >= 0; d-- {
		p.inner[d] = p.n
		n, ok := mul(uint64(p.n), uint64(p.axes[d].n))
		if !ok {
			return p, h5err.New(h5err.Limit, "a selection is too large")
		}
		p.n = n
	}
	return p, nil
}

func irregular(n int) error {
	return h5err.New(h5err.Unsupported, "a selection of %d blocks that form no grid", n)
}

// rows returns the range of rows with selected elements.
func (s *selection) rows() (lo, hi int64) {
	if len(s.parts) == 0 {
		return 0, 0
	}
	first, last := &s.parts[0].axes[0], &s.parts[len(s.parts)-1].axes[0]
	return first.pats[0].start, last.pats[len(last.pats)-1].end()
}

// below counts the selected elements in rows before row.
func (s *selection) below(row int64) int64 {
	k := sort.Search(len(s.parts), func(i int) bool {
		a := &s.parts[i].axes[0]
		return a.pats[len(a.pats)-1].end() > row
	})
	if k == len(s.parts) {
		return s.n
	}
	p := &s.parts[k]
	return p.first + p.axes[0].below(row)*p.inner[0]
}

// linear returns the rows [lo,hi) of a shape when those are what is selected, complete and without a gap.
func (s *selection) linear(dims []int64) (lo, hi int64, ok bool) {
	if len(s.parts) != 1 || len(s.parts[0].axes[0].pats) != 1 || s.parts[0].axes[0].pats[0].count != 1 {
		return 0, 0, false
	}
	for d, a := range s.parts[0].axes {
		if d > 0 && !a.whole(dims[d]) {
			return 0, 0, false
		}
	}
	p := s.parts[0].axes[0].pats[0]
	return p.start, p.end(), true
}

// cursor goes through a selection in row-major order.
type cursor struct {
	s    *selection
	p    *part
	k    int
	idx  [maxRank]int64 // of p's axes
	at   [maxRank]int64 // the present element
	run  int64          // elements from it on along the last dimension
	left int64          // elements of the selection from it on
}

// seek goes to an element by its number.
func (c *cursor) seek(n int64) {
	c.left = c.s.n - n
	if c.left <= 0 {
		c.run = 0
		return
	}
	c.k = sort.Search(len(c.s.parts), func(i int) bool { return c.s.parts[i].first > n }) - 1
	c.p = &c.s.parts[c.k]
	n -= c.p.first
	for d := range c.p.axes {
		c.idx[d] = n / c.p.inner[d]
		n %= c.p.inner[d]
		c.at[d], c.run = c.p.axes[d].at(c.idx[d])
	}
}

// skip goes n elements further, at most run.
func (c *cursor) skip(n int64) {
	c.left -= n
	last := len(c.p.axes) - 1
	if n < c.run {
		c.idx[last] += n
		c.at[last] += n
		c.run -= n
		return
	}
	if c.left == 0 {
		c.run = 0
		return
	}
	c.idx[last] += n
	d := last
	for ; d > 0 && c.idx[d] == c.p.axes[d].n; d-- {
		c.idx[d] = 0
		c.at[d], _ = c.p.axes[d].at(0)
		c.idx[d-1]++
	}
	if d == 0 && c.idx[0] == c.p.axes[0].n {
		c.seek(c.s.n - c.left) // the next part
		return
	}
	c.at[d], _ = c.p.axes[d].at(c.idx[d])
	_, c.run = c.p.axes[last].at(c.idx[last])
}
