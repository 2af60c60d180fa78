package chunk

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// linearSynth is a dataset that is not chunked.
func linearSynth(rng *rand.Rand, kind h5.Storage, dims []uint64, elem int) *synth {
	want := make([]byte, product(dims)*elem)
	content(rng, want)
	pattern := make([]byte, elem)
	content(rng, pattern)
	const lead = 77
	file := append(make([]byte, lead), want...)
	l := &h5.Layout{Storage: kind}
	switch kind {
	case h5.StorageNone:
		fill(want, pattern)
	case h5.StorageCompact:
		l.Data = want
	case h5.StorageContiguous:
		l.Offset, l.Size = lead, int64(len(want))
	}
	r := &readCounter{Reader: bytes.NewReader(file)}
	return &synth{want: want, reads: r, name: fmt.Sprint(kind, dims, elem), dataset: &dataset{
		file: "linear.h5", path: "/x", dims: dims, elem: elem, layout: l, decoded: 1 << 32,
		src:  source.FromReaderAt(r, int64(len(file)), "linear.h5"),
		fill: func() ([]byte, error) { return pattern, nil },
	}}
}

// points lists the elements of a union of hyperslabs as row-major numbers, in row-major order.
func points(s h5.Selection, dims []uint64) (out []int) {
	at := make([]uint64, len(dims))
	in := func(h *h5.Hyperslab) bool {
		for d, x := range at {
			if x < h.Start[d] {
				return false
			}
			x -= h.Start[d]
			stride := max(h.Stride[d], 1)
			if h.Count[d] == 1 {
				if x >= h.Block[d] {
					return false
				}
			} else if x/stride >= h.Count[d] || x%stride >= h.Block[d] {
				return false
			}
		}
		return true
	}
	for i := 0; ; i++ {
		take := s.All
		for k := range s.Blocks {
			take = take || in(&s.Blocks[k])
		}
		if take && !s.None {
			out = append(out, i)
		}
		if !next(at, dims) {
			return out
		}
	}
}

func randomSlab(rng *rand.Rand, dims []uint64) h5.Hyperslab {
	h := h5.Hyperslab{}
	for _, d := range dims {
		start := rng.Uint64N(d)
		block := 1 + rng.Uint64N(d-start)
		if rng.IntN(3) == 0 {
			block = 1
		}
		if rng.IntN(4) == 0 {
			start, block = 0, d
		}
		stride := block + rng.Uint64N(4)
		count := 1 + (d-start-block)/stride
		if rng.IntN(2) == 0 {
			count = 1 + rng.Uint64N(count)
		}
		h.Start, h.Stride = append(h.Start, start), append(h.Stride, stride)
		h.Count, h.Block = append(h.Count, count), append(h.Block, block)
	}
	return h
}

// sourceFor makes a dataset and a selection of n of its elements that h (of them) go to.
func sourceFor(rng *rand.Rand, h h5.Hyperslab, n, elem int) (*synth, h5.Selection) {
	var dims []uint64
	sel := h5.Selection{}
	switch rng.IntN(5) {
	case 0: // the same shape, all of it
		for d := range h.Start {
			dims = append(dims, h.Count[d]*h.Block[d])
		}
		sel.All = true
	case 1: // flat, with a stride
		stride := 1 + rng.Uint64N(3)
		start := rng.Uint64N(3)
		dims = []uint64{start + uint64(n)*stride + rng.Uint64N(3)}
		sel.Blocks = []h5.Hyperslab{{Start: []uint64{start}, Stride: []uint64{stride}, Count: []uint64{uint64(n)}, Block: []uint64{1}}}
	case 2: // the same shape without the dimensions of 1, as a block of something larger
		b := h5.Hyperslab{}
		for d := range h.Start {
			k := h.Count[d] * h.Block[d]
			if k == 1 && rng.IntN(2) == 0 {
				continue
			}
			start := rng.Uint64N(3)
			dims = append(dims, start+k+rng.Uint64N(3))
			b.Start, b.Stride = append(b.Start, start), append(b.Stride, 1)
			b.Count, b.Block = append(b.Count, 1), append(b.Block, k)
		}
		if len(dims) == 0 {
			dims, b = []uint64{1}, h5.Hyperslab{Start: []uint64{0}, Stride: []uint64{1}, Count: []uint64{1}, Block: []uint64{1}}
		}
		sel.Blocks = []h5.Hyperslab{b}
	case 3: // rows and columns picked from two dimensions
		rows := 1
		for k := 2; k*k <= n; k++ {
			if n%k == 0 {
				rows = k
			}
		}
		cols := n / rows
		dims = []uint64{uint64(2*rows + 1), uint64(3*cols + 2)}
		sel.Blocks = []h5.Hyperslab{{Start: []uint64{1, 1}, Stride: []uint64{2, 3}, Count: []uint64{uint64(rows), uint64(cols)}, Block: []uint64{1, 1}}}
	default: // a list of ranges
		at := uint64(0)
		for left := n; left > 0; {
			k := 1 + rng.IntN(left)
			at += rng.Uint64N(3)
			sel.Blocks = append(sel.Blocks, h5.Hyperslab{Start: []uint64{at}, Stride: []uint64{1}, Count: []uint64{1}, Block: []uint64{uint64(k)}})
			at += uint64(k)
			left -= k
		}
		dims = []uint64{at + rng.Uint64N(3)}
	}
	switch rng.IntN(5) {
	case 0:
		return linearSynth(rng, h5.StorageContiguous, dims, elem), sel
	case 1:
		return linearSynth(rng, h5.StorageCompact, dims, elem), sel
	case 2:
		if rng.IntN(4) == 0 {
			return linearSynth(rng, h5.StorageNone, dims, elem), sel
		}
	}
	s := shape{dims: dims, elem: elem, deflate: rng.IntN(2) == 0, missing: rng.Float64() * 0.5, gap: 20}
	for _, d := range dims {
		s.chunk = append(s.chunk, 1+rng.Uint64N(min(d+1, 30)))
	}
	return newSynth(rng, s), sel
}

// newVirtualSynth makes a virtual dataset of random mappings that do not overlap.
func newVirtualSynth(rng *rand.Rand, elem, depth int) *synth {
	var dims []uint64
	for left, rank := 2000, 1+rng.IntN(3); rank > 0; rank-- {
		d := 1 + rng.IntN(max(1, min(left, 40)))
		left /= d
		dims = append(dims, uint64(d))
	}
	if rng.IntN(3) == 0 {
		dims[0] = 1 + rng.Uint64N(150)
	}
	n := product(dims)
	pattern := make([]byte, elem)
	content(rng, pattern)
	want := make([]byte, n*elem)
	fill(want, pattern)
	taken := make([]bool, n)
	sources := map[string]*dataset{}
	var maps []h5.VirtualMapping
	for k := range 1 + rng.IntN(8) {
		h := randomSlab(rng, dims)
		to := points(h5.Selection{Blocks: []h5.Hyperslab{h}}, dims)
		free := true
		for _, i := range to {
			free = free && !taken[i]
		}
		if !free {
			continue
		}
		for _, i := range to {
			taken[i] = true
		}
		name := fmt.Sprint("/s", k)
		src, sel := sourceFor(rng, h, len(to), elem)
		if depth > 0 && rng.IntN(3) == 0 { // another virtual dataset, if some of its elements do
			src = newVirtualSynth(rng, elem, depth-1)
			if product(src.dims) < len(to) {
				continue
			}
			sel = h5.Selection{Blocks: nil}
			if len(src.dims) != 1 {
				continue
			}
			sel.Blocks = []h5.Hyperslab{{Start: []uint64{src.dims[0] - uint64(len(to))}, Stride: []uint64{1}, Count: []uint64{1}, Block: []uint64{uint64(len(to))}}}
		}
		src.dataset.path, src.dataset.addr = name, rng.Uint64()
		maps = append(maps, h5.VirtualMapping{File: ".", Dataset: name, Source: sel, Virtual: h5.Selection{Blocks: []h5.Hyperslab{h}}})
		if rng.IntN(8) == 0 {
			continue // absent
		}
		sources[name] = src.dataset
		from := points(sel, src.dims)
		if len(from) != len(to) {
			panic("the test's selections differ in size")
		}
		for i := range to {
			copy(want[to[i]*elem:(to[i]+1)*elem], src.want[from[i]*elem:])
		}
	}
	return &synth{want: want, name: fmt.Sprintf("virtual %v of %d: %+v", dims, elem, maps), dataset: &dataset{
		file: "virtual.h5", path: "/v", dims: dims, elem: elem, layout: &h5.Layout{Storage: h5.StorageVirtual}, decoded: 1 << 32,
		fill:     func() ([]byte, error) { return pattern, nil },
		mappings: func() ([]h5.VirtualMapping, error) { return maps, nil },
		virtual: func(_, name string) (*dataset, error) {
			if d := sources[name]; d != nil {
				return d, nil
			}
			return nil, h5err.New(h5err.NotFound, "no such object")
		},
	}}
}

// TestRandomVirtual reads random virtual datasets and compares with their elements, mapped one by one.
func TestRandomVirtual(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	n := 400
	if testing.Short() {
		n = 80
	}
	for seed := range n {
		rng := seeded(uint64(5000 + seed))
		s := newVirtualSynth(rng, []int{1, 2, 3, 4, 8}[rng.IntN(5)], 2)
		budget := NewBudget(1 << 20)
		r := s.reader(t, options{budget: budget, piece: 1 + rng.Int64N(2000)})
		for k := range 5 {
			a := rng.Int64N(r.Rows() + 1)
			b := a + rng.Int64N(r.Rows()-a+1)
			if k == 0 {
				a, b = 0, r.Rows()
			}
			want := s.rows(a, b)
			got := dirty(len(want))
			if err := r.Read(context.Background(), a, b, got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("seed %d: rows %d to %d of %s: %v, %s", seed, a, b, s.name, err, diff(got, want))
			}
			got = dirty(len(want))
			if err := start(r, p, a, b, got, StartOptions{}); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("seed %d: workers: rows %d to %d of %s: %v, %s", seed, a, b, s.name, err, diff(got, want))
			}
		}
		r.Close()
		if budget.Used() != 0 {
			t.Fatalf("seed %d: %d bytes of budget are held after Close", seed, budget.Used())
		}
	}
}

// TestSelections compares compiled selections with the naive list of their elements.
func TestSelections(t *testing.T) {
	irregular := 0
	for seed := range 2000 {
		rng := seeded(uint64(seed))
		var dims []uint64
		var extent []int64
		for range 1 + rng.IntN(3) {
			d := 1 + rng.Uint64N(9)
			dims, extent = append(dims, d), append(extent, int64(d))
		}
		s := h5.Selection{Blocks: []h5.Hyperslab{randomSlab(rng, dims)}}
		seen := map[int]bool{}
		overlap := false
		for _, i := range points(s, dims) {
			seen[i] = true
		}
		for range rng.IntN(3) {
			h := randomSlab(rng, dims)
			if rng.IntN(2) == 0 { // the same but for one dimension
				k := rng.IntN(len(dims))
				o := h
				h = h5.Hyperslab{}
				for d := range dims {
					from := &s.Blocks[0]
					if d == k {
						from = &o
					}
					h.Start, h.Stride = append(h.Start, from.Start[d]), append(h.Stride, from.Stride[d])
					h.Count, h.Block = append(h.Count, from.Count[d]), append(h.Block, from.Block[d])
				}
			}
			for _, i := range points(h5.Selection{Blocks: []h5.Hyperslab{h}}, dims) {
				overlap = overlap || seen[i]
				seen[i] = true
			}
			s.Blocks = append(s.Blocks, h)
		}
		sel, err := newSelection(&s, extent)
		if overlap || err != nil {
			if err == nil && sel.n != int64(len(seen)) && !overlap {
				t.Fatalf("%+v: no error", s)
			}
			if h5err.KindOf(err) == h5err.Unsupported {
				irregular++
			} else if err != nil {
				t.Fatalf("%+v of %v: %v", s, dims, err)
			}
			continue
		}
		want := points(s, dims)
		if sel.n != int64(len(want)) {
			t.Fatalf("%+v of %v: %d elements, want %d", s, dims, sel.n, len(want))
		}
		for from := range len(want) + 1 {
			c := cursor{s: sel}
			c.seek(int64(from))
			for _, w := range want[from:] {
				at := 0
				for d := range dims {
					at = at*int(dims[d]) + int(c.at[d])
				}
				if at != w || c.run < 1 {
					t.Fatalf("%+v of %v from %d: element %d, want %d", s, dims, from, at, w)
				}
				c.skip(1 + rng.Int64N(1)) // one by one
			}
			if c.left != 0 || c.run != 0 {
				t.Fatalf("%+v of %v from %d: %d elements are left", s, dims, from, c.left)
			}
		}
		perRow := int(product(dims) / int(dims[0]))
		for row := range int(dims[0]) + 1 {
			n := 0
			for _, w := range want {
				if w < row*perRow {
					n++
				}
			}
			if got := sel.below(int64(row)); got != int64(n) {
				t.Fatalf("%+v of %v: %d elements below row %d, want %d", s, dims, got, row, n)
			}
		}
	}
	if irregular > 1500 {
		t.Errorf("%d of 2000 selections were refused", irregular)
	}
}
