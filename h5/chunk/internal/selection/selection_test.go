package selection

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/selectiontest"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// randomSelection returns a union of up to three blocks, how many elements it has, and whether blocks share some.
func randomSelection(rng *rand.Rand, dims []uint64) (s h5.Selection, elements int, overlap bool) {
	s = h5.Selection{Blocks: []h5.Hyperslab{selectiontest.RandomSlab(rng, dims)}}
	seen := map[int]bool{}
	for _, i := range selectiontest.Points(s, dims) {
		seen[i] = true
	}
	for range rng.IntN(3) {
		h := selectiontest.RandomSlab(rng, dims)
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
		for _, i := range selectiontest.Points(h5.Selection{Blocks: []h5.Hyperslab{h}}, dims) {
			overlap = overlap || seen[i]
			seen[i] = true
		}
		s.Blocks = append(s.Blocks, h)
	}
	return s, len(seen), overlap
}

// TestSelections compares compiled selections with the naive list of their elements.
func TestSelections(t *testing.T) {
	irregular := 0
	for seed := range 2000 {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		var dims []uint64
		var extent []int64
		for range 1 + rng.IntN(3) {
			d := 1 + rng.Uint64N(9)
			dims, extent = append(dims, d), append(extent, int64(d))
		}
		s, elements, overlap := randomSelection(rng, dims)
		sel, err := New(&s, extent)
		if overlap || err != nil {
			if err == nil && sel.N != int64(elements) && !overlap {
				t.Fatalf("%+v: no error", s)
			}
			if h5err.KindOf(err) == h5err.Unsupported {
				irregular++
			} else if err != nil {
				t.Fatalf("%+v of %v: %v", s, dims, err)
			}
			continue
		}
		want := selectiontest.Points(s, dims)
		if sel.N != int64(len(want)) {
			t.Fatalf("%+v of %v: %d elements, want %d", s, dims, sel.N, len(want))
		}
		checkCursor(t, s, sel, dims, want)
		checkBelow(t, s, sel, dims, want)
	}
	if irregular > 1500 {
		t.Errorf("%d of 2000 selections were refused", irregular)
	}
}

// checkCursor walks a selection from every element on.
func checkCursor(t *testing.T, s h5.Selection, sel *Selection, dims []uint64, want []int) {
	t.Helper()
	for from := range len(want) + 1 {
		c := NewCursor(sel)
		c.Move(int64(from))
		for _, w := range want[from:] {
			at := 0
			for d := range dims {
				at = at*int(dims[d]) + int(c.At[d])
			}
			if at != w || c.Run < 1 {
				t.Fatalf("%+v of %v from %d: element %d, want %d", s, dims, from, at, w)
			}
			c.Skip(1) // one by one
		}
		if c.left != 0 || c.Run != 0 {
			t.Fatalf("%+v of %v from %d: %d elements are left", s, dims, from, c.left)
		}
	}
}

// checkBelow counts the elements before every row.
func checkBelow(t *testing.T, s h5.Selection, sel *Selection, dims []uint64, want []int) {
	t.Helper()
	perRow := 1
	for _, d := range dims[1:] {
		perRow *= int(d)
	}
	for row := range int(dims[0]) + 1 {
		n := 0
		for _, w := range want {
			if w < row*perRow {
				n++
			}
		}
		if got := sel.Below(int64(row)); got != int64(n) {
			t.Fatalf("%+v of %v: %d elements below row %d, want %d", s, dims, got, row, n)
		}
	}
}

// FuzzSelection compiles selections of any numbers, and compares small ones with the naive list of their elements.
func FuzzSelection(f *testing.F) {
	for _, s := range selectiontest.Seeds() {
		f.Add(s)
	}
	f.Add([]byte{0, 20, 3, 4, 3, 2, 1, 1, 1, 1})                           // of one dimension
	f.Add([]byte{1, 6, 8, 0, 1, 1, 1, 0, 1, 1, 2, 1, 1, 1, 2, 5, 1, 1, 3}) // two blocks of two dimensions
	f.Fuzz(func(t *testing.T, data []byte) {
		in := selectiontest.Numbers(data)
		rank := int(in.Next()%3) + 1
		var dims []uint64
		var extent []int64
		small := uint64(1)
		for range rank {
			d := in.Next() & math.MaxInt64
			dims, extent = append(dims, d), append(extent, int64(d))
			small *= min(d, 1<<20)
		}
		var s h5.Selection
		for len(in) > 0 && len(s.Blocks) < 8 {
			h := h5.Hyperslab{}
			for range rank {
				h.Start, h.Stride = append(h.Start, in.Next()), append(h.Stride, in.Next())
				h.Count, h.Block = append(h.Count, in.Next()), append(h.Block, in.Next())
			}
			s.Blocks = append(s.Blocks, h)
		}
		sel, err := New(&s, extent)
		if err != nil || small > 1<<12 || small == 0 {
			return
		}
		want := selectiontest.Points(s, dims)
		c := NewCursor(sel)
		c.Move(0)
		for _, w := range want {
			at := 0
			for d := range dims {
				at = at*int(dims[d]) + int(c.At[d])
			}
			if c.left <= 0 || at != w {
				t.Fatalf("%+v of %v: element %d, want %d", s, dims, at, w)
			}
			c.Skip(1)
		}
		if c.left != 0 {
			t.Fatalf("%+v of %v: %d elements are left", s, dims, c.left)
		}
	})
}
