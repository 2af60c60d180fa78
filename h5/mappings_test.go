package h5

import (
	"fmt"
	"math"
	"testing"
)

func slab(v ...uint64) Hyperslab {
	return Hyperslab{Start: v[0:1], Stride: v[1:2], Count: v[2:3], Block: v[3:4]}
}

// indices lists what a hyperslab of one dimension selects below an extent, one by one.
func indices(h *Hyperslab, extent uint64) (out []uint64) {
	for c := uint64(0); c < h.Count[0]; c++ {
		first := h.Start[0] + c*h.Stride[0]
		for b := uint64(0); b < h.Block[0]; b++ {
			if first+b >= extent {
				return out
			}
			out = append(out, first+b)
		}
		if h.Block[0] == Unlimited {
			break
		}
	}
	return out
}

func TestUnlimitedSelections(t *testing.T) {
	for start := uint64(0); start < 4; start++ {
		for stride := uint64(1); stride < 6; stride++ {
			for block := uint64(1); block <= stride; block++ {
				for extent := uint64(0); extent < 23; extent++ {
					h := slab(start, stride, Unlimited, block)
					want := indices(&h, extent)
					n := h.slices(0, extent)
					if n != uint64(len(want)) {
						t.Fatalf("%v below %d: %d indices, want %d", h, extent, n, len(want))
					}
					if n == 0 {
						continue
					}
					var got []uint64
					for _, c := range h.cut(0, n) {
						got = append(got, indices(&c, math.MaxUint64)...)
						if end, ok := c.end(0); !ok || end != got[len(got)-1]+1 {
							t.Fatalf("%v ends at %d", c, end)
						}
					}
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Fatalf("%v below %d: %v, want %v", h, extent, got, want)
					}
				}
			}
		}
	}
	h := slab(3, 1, 1, Unlimited)
	if n := h.slices(0, 10); n != 7 {
		t.Errorf("a block without end from 3 has %d indices below 10", n)
	}
	c := h.cut(0, 7)
	if len(c) != 1 || fmt.Sprint(indices(&c[0], 100)) != "[3 4 5 6 7 8 9]" {
		t.Errorf("cut to %v", c)
	}
}

func TestHyperslabEnd(t *testing.T) {
	for _, c := range []struct {
		h    Hyperslab
		want uint64
		ok   bool
	}{
		{slab(2, 3, 4, 2), 13, true},
		{slab(2, 3, 0, 2), 0, true},
		{slab(0, 0, 1, 5), 5, true},
		{slab(math.MaxInt64, 1, 1, 1), 0, false},
		{slab(math.MaxUint64, 1, 1, 1), 0, false},
		{slab(0, 1<<40, 1<<40, 1), 0, false},
		{slab(0, math.MaxUint64, 2, 1), 0, false},
	} {
		if got, ok := c.h.end(0); ok != c.ok || ok && got != c.want {
			t.Errorf("%v ends at %d, %v", c.h, got, ok)
		}
	}
}

func TestSubstitute(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"f_%b.h5", "f_7.h5"}, {"%b%b", "77"}, {"100%%_%b", "100%_7"}, {"%%b", "%b"}, {"plain", "plain"}, {"%", "%"}, {"%d", "%d"}, {"", ""},
	} {
		if got := substitute(c.name, 7); got != c.want {
			t.Errorf("%q: %q, want %q", c.name, got, c.want)
		}
	}
	for name, want := range map[string]bool{"%b": true, "%%b": false, "a": false, "%%%b": true} {
		if numbered(name) != want {
			t.Errorf("numbered(%q) is %v", name, !want)
		}
	}
}
