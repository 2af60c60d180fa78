package chunk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// cellSynths calls fn for random datasets of all kinds of storage that are synthesized.
func cellSynths(rng *rand.Rand, n int, fn func(s *synth)) {
	for range n {
		s := randomShape(rng)
		fn(newSynth(rng, s))
		fn(linearSynth(rng, h5.StorageContiguous, s.dims, s.elem))
		fn(linearSynth(rng, h5.StorageCompact, s.dims, s.elem))
		fn(linearSynth(rng, h5.StorageNone, s.dims, s.elem))
		fn(newVirtualSynth(rng, s.elem, 1))
	}
}

// order returns a random order of cells of a dataset, and what they must read as.
func (s *synth) order(rng *rand.Rand) (o *grid.Order, want []byte) {
	rank := 1 + rng.IntN(len(s.dims))
	shape, block := make([]int64, rank), make([]int64, rank)
	for d := range shape {
		shape[d] = int64(s.dims[d])
		block[d] = 1 + rng.Int64N(shape[d]+1)
		if len(s.layout.ChunkDims) > d && rng.IntN(3) > 0 {
			block[d] = int64(s.layout.ChunkDims[d])
		}
		if rng.IntN(10) == 0 {
			shape[d] = 1 + rng.Int64N(shape[d])
		}
	}
	if rng.IntN(3) == 0 {
		block = nil
	}
	o, err := grid.New(shape, block)
	if err != nil {
		panic(err)
	}
	cell := s.elem
	for _, n := range s.dims[rank:] {
		cell *= int(n)
	}
	for row := range o.Cells() {
		at := 0
		// A box of one cell is where it is.
		if err := o.Boxes(row, row+1, func(_ int64, start, _ []int64) error {
			for d, i := range start {
				at = at*int(s.dims[d]) + int(i)
			}
			return nil
		}); err != nil {
			panic(err)
		}
		want = append(want, s.want[at*cell:(at+1)*cell]...)
	}
	return o, want
}

// Cells read as those of the dataset, in the order that was asked for, whatever the storage and the batches.
func TestCells(t *testing.T) {
	h5test.Leaks(t)
	p := NewPool(3)
	defer p.Close()
	rng := seeded(77)
	kinds := map[string]int{}
	cellSynths(rng, 60, func(s *synth) {
		o, want := s.order(rng)
		name := fmt.Sprintf("%s: cells of %v in blocks of %d", s.name, o.Shape(), o.BlockCells())
		budget := NewBudget(1 << 20)
		r, err := newCells(s.dataset, options{cells: o, piece: int64(50 + rng.IntN(3000)), budget: budget})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		kinds[fmt.Sprintf("%v%v", s.layout.Storage, r.cells != nil)]++
		n := o.Cells()
		cell := int64(len(want)) / n
		if r.Rows() != n || r.RowBytes() != cell {
			t.Fatalf("%s: %d rows of %d bytes", name, r.Rows(), r.RowBytes())
		}
		for a := int64(0); a < n; {
			b := min(n, a+1+rng.Int64N(n))
			got, seen := dirty(int((b-a)*cell)), make([]byte, (b-a)*cell)
			err := start(r, p, a, b, got, StartOptions{Align: 1, Each: func(lo, hi int64, rows []byte) error {
				copy(seen[(lo-a)*cell:(hi-a)*cell], rows) // complete when they are passed on
				return nil
			}})
			if part := want[a*cell : b*cell]; err != nil || !bytes.Equal(got, part) || !bytes.Equal(seen, part) {
				t.Fatalf("%s: rows %d to %d: %v, %s; %s", name, a, b, err, diff(got, part), diff(seen, part))
			}
			a = b
		}
		r.Close()
		if budget.Used() != 0 {
			t.Fatalf("%s: %d bytes are held after Close", name, budget.Used())
		}
	})
	for _, k := range []string{"chunkedtrue", "chunkedfalse", "contiguoustrue", "contiguousfalse", "virtualtrue"} {
		if kinds[k] < 5 {
			t.Errorf("%d datasets of kind %s: %v", kinds[k], k, kinds)
		}
	}
}

// Consecutive batches, of blocks that are chunks or of row-major order, decode each chunk once.
func TestCellsDecodeOnce(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	s := newSynth(seeded(5), shape{dims: []uint64{20, 30, 44}, chunk: []uint64{7, 11, 9}, elem: 4, deflate: true})
	for _, block := range [][]int64{{7, 11, 9}, nil} {
		o, err := grid.New([]int64{20, 30, 44}, block)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newCells(s.dataset, options{cells: o, budget: NewBudget(1 << 24)})
		if err != nil {
			t.Fatal(err)
		}
		for a := int64(0); a < o.Cells(); a += 100 {
			b := min(o.Cells(), a+100)
			if err := start(r, p, a, b, make([]byte, 4*(b-a)), StartOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.Counters().Chunks; n != 3*3*5 {
			t.Errorf("blocks of %v: %d chunks were decoded, there are %d", block, n, 3*3*5)
		}
		r.Close()
	}
}

// Files far away are read ahead, each chunk by one request at most.
func TestCellsFarAway(t *testing.T) {
	h5test.Leaks(t)
	s := newSynth(seeded(6), shape{dims: []uint64{64, 60, 60}, chunk: []uint64{32, 30, 20}, elem: 4, deflate: true, gap: 1 << 20})
	f := s.far(t, source.Hints{InFlight: 8, Join: 1 << 20, Gap: 1, Span: 1 << 20})
	p := NewPool(2)
	defer p.Close()
	o, err := grid.New([]int64{64, 60, 60}, []int64{32, 30, 20})
	if err != nil {
		t.Fatal(err)
	}
	r, err := newCells(s.dataset, options{cells: o, budget: NewBudget(1 << 26)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]byte, 0, len(s.want))
	for a := int64(0); a < o.Cells(); a += 50000 {
		b := min(o.Cells(), a+50000)
		part := make([]byte, 4*(b-a))
		if err := start(r, p, a, b, part, StartOptions{}); err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
	}
	if n := f.calls; n != 2*2*3 {
		t.Errorf("%d requests for %d chunks", n, 2*2*3)
	}
	if len(got) != len(s.want) {
		t.Errorf("%d bytes of %d", len(got), len(s.want))
	}
}

func TestCellsRefused(t *testing.T) {
	s := linearSynth(seeded(7), h5.StorageContiguous, []uint64{4, 5}, 2)
	for _, shape := range [][]int64{{}, {4, 5, 1}, {4, 6}} {
		o, err := grid.New(shape, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newCells(s.dataset, options{cells: o}); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%v: %v", shape, err)
		}
	}
}
