package nonnull

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/source"
)

// TestRows adds spans at random, and compares what is known with a row for each.
func TestRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		const n = 60
		k := Key{8, "timestamp[ns]"}
		var r Rows
		var want [n]bool
		for range 20 {
			a := rng.Int64N(n)
			b := a + rng.Int64N(min(9, n-a+1))
			r.Add(k, a, b)
			for i := a; i < b; i++ {
				want[i] = true
			}
			for from := range int64(n) {
				all := true
				for to := from; to < n; to++ {
					if r.Has(k, from, to) != all {
						t.Fatalf("rows [%d,%d): known is %v; %v", from, to, !all, r.of[k])
					}
					all = all && want[to]
				}
			}
			last := int64(-1)
			for _, s := range r.of[k] {
				if s.from <= last || s.to <= s.from {
					t.Fatalf("spans %v", r.of[k])
				}
				last = s.to
			}
		}
		if r.Has(Key{8, "double"}, 0, 1) || r.Has(Key{16, k.Type}, 0, 1) {
			t.Fatal("rows of another column are known")
		}
	}
}

func TestRowsOfNil(t *testing.T) {
	var r *Rows
	r.Add(Key{}, 0, 5)
	if r.Has(Key{}, 0, 5) {
		t.Error("nil knows rows")
	}
}

// TestRowsAreBounded adds single rows with gaps between them.
func TestRowsAreBounded(t *testing.T) {
	var r Rows
	for i := range int64(3 * maxSpans) {
		r.Add(Key{}, 2*i, 2*i+1)
	}
	if n := len(r.of[Key{}]); n != maxSpans {
		t.Errorf("%d spans", n)
	}
	r.Add(Key{}, 0, 10*maxSpans)
	if n := len(r.of[Key{}]); n != 1 || !r.Has(Key{}, 0, 10*maxSpans) {
		t.Errorf("%d spans", n)
	}
}

func TestCache(t *testing.T) {
	c := NewCache(2)
	id := func(n uint64) source.Identity { return source.Identity{Number: n} }
	one := c.Rows(id(1))
	one.Add(Key{}, 0, 5)
	c.Rows(id(2))
	if c.Rows(id(1)) != one {
		t.Error("rows are forgotten")
	}
	c.Rows(id(3)) // 2 is the oldest
	if c.Rows(id(1)) != one || len(c.of) != 2 || len(c.order) != 2 {
		t.Errorf("%d files, %d in order", len(c.of), len(c.order))
	}
	if c.Rows(id(1)).Has(Key{}, 0, 5) != true || c.Rows(id(2)).Has(Key{}, 0, 5) {
		t.Error("other rows")
	}
}

func TestConcurrently(t *testing.T) {
	c := NewCache(4)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range int64(500) {
				r := c.Rows(source.Identity{Number: uint64(i) % 6})
				r.Add(Key{Type: "x"}, i, i+int64(g))
				r.Has(Key{Type: "x"}, 0, i)
			}
		})
	}
	wg.Wait()
}
