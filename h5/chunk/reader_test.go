package chunk

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// dirty returns memory in which nothing is zero by chance.
func dirty(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xa5
	}
	return b
}

func diff(got, want []byte) string {
	for i := range want {
		if got[i] != want[i] {
			return fmt.Sprintf("byte %d is %#x, want %#x", i, got[i], want[i])
		}
	}
	return "equal"
}

// TestRandomShapes reads ranges of random datasets and compares with the elements that were laid out.
func TestRandomShapes(t *testing.T) {
	ctx := context.Background()
	n := 250
	if testing.Short() {
		n = 80
	}
	pools := map[int]*Pool{}
	for _, workers := range []int{1, 2, 3, 8} {
		pools[workers] = NewPool(workers)
		defer pools[workers].Close()
	}
	for seed := range n {
		rng := seeded(uint64(seed))
		s := newSynth(rng, randomShape(rng))
		r := s.reader(t, options{piece: 1 + rng.Int64N(3000)})
		rows := r.Rows()
		for k := range 6 {
			a := rng.Int64N(rows + 1)
			b := a + rng.Int64N(rows-a+1)
			if k == 0 {
				a, b = 0, rows
			}
			want := s.rows(a, b)
			got := dirty(len(want))
			if err := r.Read(ctx, a, b, got); err != nil {
				t.Fatalf("seed %d: rows %d to %d of %s: %v", seed, a, b, s.name, err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("seed %d: rows %d to %d of %s: %s", seed, a, b, s.name, diff(got, want))
			}
			for workers, p := range pools {
				got := dirty(len(want))
				if err := start(r, p, a, b, got, StartOptions{}); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("seed %d: %d workers: rows %d to %d of %s: %v, %s", seed, workers, a, b, s.name, err, diff(got, want))
				}
			}
		}
	}
}

func start(r *Reader, p *Pool, a, b int64, dst []byte, o StartOptions) error {
	done := make(chan error)
	r.Start(context.Background(), p, a, b, dst, o, func(err error) { done <- err })
	return <-done
}

// TestPass reads datasets in consecutive batches, many of which are under way at once.
func TestPass(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := NewPool(workers)
		defer p.Close()
		for seed := range 60 {
			rng := seeded(uint64(1000 + seed))
			s := newSynth(rng, randomShape(rng))
			budget := NewBudget(1 << 20)
			r := s.reader(t, options{budget: budget, piece: 1 + rng.Int64N(3000)})
			got := dirty(len(s.want))
			step := 1 + rng.Int64N(r.Rows())
			var wg sync.WaitGroup
			for a := int64(0); a < r.Rows(); a += step {
				b := min(a+step, r.Rows())
				wg.Add(1)
				r.Start(context.Background(), p, a, b, got[a*r.RowBytes():b*r.RowBytes()], StartOptions{}, func(err error) {
					if err != nil {
						t.Errorf("seed %d: rows %d to %d of %s: %v", seed, a, b, s.name, err)
					}
					wg.Done()
				})
			}
			wg.Wait()
			if !bytes.Equal(got, s.want) {
				t.Fatalf("seed %d: %s in steps of %d: %s", seed, s.name, step, diff(got, s.want))
			}
			filtered := int64(0)
			for _, c := range r.mustTable(t).cs {
				if !r.isRaw(&c) {
					filtered++
				}
			}
			if c := r.Counters(); c.Chunks != filtered {
				t.Fatalf("seed %d: %s in steps of %d: %d chunks were decoded, there are %d", seed, s.name, step, c.Chunks, filtered)
			}
			if n := budget.Used(); n != 0 {
				t.Fatalf("seed %d: %d bytes of budget are held after the pass", seed, n)
			}
		}
	}
}

func (r *Reader) mustTable(t *testing.T) *table {
	tab, err := r.table()
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// TestBands checks that Each sees every row once, complete, at aligned borders.
func TestBands(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	for seed := range 100 {
		rng := seeded(uint64(2000 + seed))
		s := newSynth(rng, randomShape(rng))
		r := s.reader(t, options{piece: 1 + rng.Int64N(3000)})
		a := rng.Int64N(r.Rows())
		b := a + 1 + rng.Int64N(r.Rows()-a)
		align := []int64{0, 1, 7, 64}[rng.IntN(4)]
		want := s.rows(a, b)
		got := dirty(len(want))
		var mu sync.Mutex
		seen := make([]int, b-a)
		err := start(r, p, a, b, got, StartOptions{Align: align, Each: func(lo, hi int64, rows []byte) error {
			mu.Lock()
			defer mu.Unlock()
			step := max(align, 1)
			if align == 0 {
				step = 64
			}
			if (lo-a)%step != 0 || hi != b && (hi-a)%step != 0 {
				t.Errorf("band %d to %d of %d to %d, aligned to %d", lo, hi, a, b, align)
			}
			if !bytes.Equal(rows, s.rows(lo, hi)) {
				t.Errorf("seed %d: band %d to %d: %s", seed, lo, hi, diff(rows, s.rows(lo, hi)))
			}
			for i := lo; i < hi; i++ {
				seen[i-a]++
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("seed %d: row %d was in %d bands", seed, i, n)
			}
		}
	}
}
