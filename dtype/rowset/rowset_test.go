package rowset

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestRows adds runs of rows at random, and compares with a mark for each row what is known after each.
func TestRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		const n = 60
		var r Rows
		var want [n]bool
		for range 20 {
			a := rng.Int64N(n)
			b := a + rng.Int64N(min(9, n-a+1))
			r.Add(a, b)
			for i := a; i < b; i++ {
				want[i] = true
			}
			for from := range int64(n) {
				all := true
				for to := from; to < n; to++ {
					if r.Has(from, to) != all {
						t.Fatalf("rows [%d,%d): known is %v; %v", from, to, !all, r.spans)
					}
					all = all && want[to]
				}
			}
			last := int64(-1)
			for _, s := range r.spans {
				if s[0] <= last || s[1] <= s[0] {
					t.Fatalf("spans %v", r.spans)
				}
				last = s[1]
			}
		}
	}
}

func TestRowsOfNil(t *testing.T) {
	var r *Rows
	r.Add(0, 5)
	if r.Has(0, 5) {
		t.Error("nil knows rows")
	}
}

// TestRowsAreBounded adds single rows with gaps between them.
func TestRowsAreBounded(t *testing.T) {
	var r Rows
	for i := range int64(3 * maxSpans) {
		r.Add(2*i, 2*i+1)
	}
	if n := len(r.spans); n != maxSpans || !r.Has(0, 1) || r.Has(0, 2) {
		t.Errorf("%d spans", n)
	}
	r.Add(0, 10*maxSpans)
	if n := len(r.spans); n != 1 || !r.Has(0, 10*maxSpans) {
		t.Errorf("%d spans", n)
	}
}

func TestConcurrently(t *testing.T) {
	var r Rows
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range int64(500) {
				r.Add(i, i+int64(g))
				r.Has(0, i)
			}
		})
	}
	wg.Wait()
	if !r.Has(0, 502) {
		t.Errorf("spans %v", r.spans)
	}
}
