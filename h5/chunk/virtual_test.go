package chunk

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/selectiontest"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/strided"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
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
		strided.Fill(want, pattern)
	case h5.StorageCompact:
		l.Data = want
	case h5.StorageContiguous:
		l.Offset, l.Size = lead, int64(len(want))
	}
	r := &readCounter{Reader: bytes.NewReader(file)}
	return &synth{want: want, reads: r, stored: file, name: fmt.Sprint(kind, dims, elem), dataset: &dataset{
		file: "linear.h5", path: "/x", dims: dims, elem: elem, layout: l, decoded: 1 << 32,
		src:  source.FromReaderAt(r, int64(len(file)), "linear.h5"),
		fill: func() ([]byte, error) { return pattern, nil },
	}}
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
	strided.Fill(want, pattern)
	taken := make([]bool, n)
	sources := map[string]*dataset{}
	var maps []h5.VirtualMapping
	for k := range 1 + rng.IntN(8) {
		h := selectiontest.RandomSlab(rng, dims)
		to := selectiontest.Points(h5.Selection{Blocks: []h5.Hyperslab{h}}, dims)
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
		from := selectiontest.Points(sel, src.dims)
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

// concatenation is a virtual dataset of n chunked sources one after the other.
func concatenation(n int, rows uint64) (*synth, map[string]*synth) {
	sources := map[string]*synth{}
	out := &synth{name: "concatenation", dataset: &dataset{
		file: "virtual.h5", path: "/v", dims: []uint64{uint64(n) * rows, 2}, elem: 4, decoded: 1 << 32,
		layout: &h5.Layout{Storage: h5.StorageVirtual}, fill: func() ([]byte, error) { return nil, nil },
	}}
	var maps []h5.VirtualMapping
	for i := range n {
		name := fmt.Sprint("/s", i)
		src := newSynth(seeded(uint64(i)), shape{dims: []uint64{rows, 2}, chunk: []uint64{7, 1}, elem: 4, deflate: true})
		src.dataset.addr = uint64(i + 1)
		sources[name] = src
		out.want = append(out.want, src.want...)
		maps = append(maps, h5.VirtualMapping{File: ".", Dataset: name, Source: h5.Selection{All: true}, Virtual: h5.Selection{Blocks: []h5.Hyperslab{{
			Start: []uint64{uint64(i) * rows, 0}, Stride: []uint64{1, 1}, Count: []uint64{1, 1}, Block: []uint64{rows, 2}}}}})
	}
	out.mappings = func() ([]h5.VirtualMapping, error) { return maps, nil }
	out.virtual = func(_, name string) (*dataset, error) { return sources[name].dataset, nil }
	return out, sources
}

// TestConcatenation reads many sources in batches that cut them anywhere: each chunk is decoded once, or hardly more
// often, and few sources are held ready.
func TestConcatenation(t *testing.T) {
	h5test.Leaks(t)
	for _, workers := range []int{1, 3} {
		for _, piece := range []int64{60, 400, 1 << 20} {
			s, _ := concatenation(100, 40)
			p := NewPool(workers)
			budget := NewBudget(1 << 20)
			r := s.reader(t, options{piece: piece, budget: budget})
			got := dirty(len(s.want))
			seen := make([]atomic.Int32, r.Rows())
			var wg sync.WaitGroup
			for a := int64(0); a < r.Rows(); a += 130 {
				b := min(a+130, r.Rows())
				wg.Add(1)
				each := func(lo, hi int64, rows []byte) error {
					for i := lo; i < hi; i++ {
						seen[i].Add(1)
					}
					if !bytes.Equal(rows, s.rows(lo, hi)) {
						t.Errorf("band %d to %d is not complete", lo, hi)
					}
					return nil
				}
				r.Start(context.Background(), p, a, b, got[a*8:b*8], StartOptions{Align: 1, Each: each}, func(err error) {
					if err != nil {
						t.Error(err)
					}
					wg.Done()
				})
			}
			wg.Wait()
			p.Close()
			if !bytes.Equal(got, s.want) {
				t.Errorf("pieces of %d: %s", piece, diff(got, s.want))
			}
			for i := range seen {
				if n := seen[i].Load(); n != 1 {
					t.Fatalf("row %d was in %d bands", i, n)
				}
			}
			// Bands come in any order: one that comes so late that its source was closed meanwhile decodes anew.
			if c := r.Counters(); c.Chunks < 1200 || c.Chunks > 1200 && workers == 1 || c.Chunks > 1300 {
				t.Errorf("pieces of %d, %d workers: %d chunks were decoded, there are 1200", piece, workers, c.Chunks)
			}
			if n := len(r.virt.open); n > maxSources {
				t.Errorf("%d sources are held ready", n)
			}
			r.Close()
			if budget.Used() != 0 {
				t.Errorf("%d bytes are held", budget.Used())
			}
		}
	}
}

// TestVirtualErrors checks mappings that contradict themselves or lead in circles.
func TestVirtualErrors(t *testing.T) {
	slab := func(start, count uint64) h5.Selection {
		return h5.Selection{Blocks: []h5.Hyperslab{{Start: []uint64{start, 0}, Stride: []uint64{1, 1}, Count: []uint64{1, 1}, Block: []uint64{count, 2}}}}
	}
	for name, c := range map[string]struct {
		change func(*synth, map[string]*synth, []h5.VirtualMapping)
		kind   h5err.Kind
	}{
		"overlap": {func(_ *synth, _ map[string]*synth, m []h5.VirtualMapping) { m[0].Virtual = slab(0, 20) }, h5err.Unsupported},
		"beyond":  {func(_ *synth, _ map[string]*synth, m []h5.VirtualMapping) { m[1].Virtual = slab(15, 10) }, h5err.Corrupt},
		"sizes":   {func(_ *synth, _ map[string]*synth, m []h5.VirtualMapping) { m[1].Source = slab(0, 9) }, h5err.Corrupt},
		"source":  {func(_ *synth, _ map[string]*synth, m []h5.VirtualMapping) { m[1].Source = slab(1, 10) }, h5err.Corrupt},
		"rank": {func(_ *synth, s map[string]*synth, _ []h5.VirtualMapping) {
			s["/s1"].dataset = linearSynth(seeded(1), h5.StorageNone, []uint64{20}, 4).dataset
		}, 0},
		"size of elements": {func(_ *synth, s map[string]*synth, _ []h5.VirtualMapping) { s["/s1"].elem = 0 }, h5err.Corrupt},
		"itself":           {func(v *synth, s map[string]*synth, _ []h5.VirtualMapping) { s["/s1"] = v }, h5err.Corrupt},
		"type": {func(_ *synth, s map[string]*synth, _ []h5.VirtualMapping) {
			s["/s1"].typ = &h5.Type{Class: h5.ClassFixed, Size: 4}
		}, h5err.Unsupported},
		"pointers": {func(v *synth, s map[string]*synth, _ []h5.VirtualMapping) {
			list := &h5.Type{Class: h5.ClassVLen, Size: 16}
			v.typ, s["/s0"].typ, s["/s1"].typ = list, list, list
			s["/s1"].file = "other.h5"
		}, h5err.Unsupported},
		"broken source": {func(v *synth, _ map[string]*synth, _ []h5.VirtualMapping) {
			v.virtual = func(string, string) (*dataset, error) { return nil, h5err.New(h5err.Corrupt, "broken") }
		}, h5err.Corrupt},
		"broken mappings": {func(v *synth, _ map[string]*synth, _ []h5.VirtualMapping) {
			v.mappings = func() ([]h5.VirtualMapping, error) { return nil, h5err.New(h5err.Corrupt, "broken") }
		}, h5err.Corrupt},
		"endless nesting": {func(v *synth, _ map[string]*synth, m []h5.VirtualMapping) {
			m[0].Virtual, m[1].Virtual = slab(0, 20), h5.Selection{None: true}
			n := uint64(100)
			v.virtual = func(string, string) (*dataset, error) {
				d := *v.dataset
				n++
				d.addr = n
				return &d, nil
			}
		}, h5err.Limit},
	} {
		for _, piece := range []int64{1, 1 << 20} {
			s, sources := concatenation(2, 10)
			m, _ := s.mappings()
			c.change(s, sources, m)
			budget := NewBudget(1 << 20)
			r, err := newReader(s.dataset, options{piece: piece, budget: budget})
			if err == nil {
				err = r.Read(context.Background(), 0, 20, make([]byte, 160))
				r.Close()
			}
			if h5err.KindOf(err) != c.kind {
				t.Errorf("%s: %v, want an error of kind %v", name, err, c.kind)
			}
			if budget.Used() != 0 {
				t.Errorf("%s: %d bytes are held", name, budget.Used())
			}
		}
	}
}
