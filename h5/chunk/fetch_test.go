package chunk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// farFile is a file in memory whose reads take their time: that of a synctest bubble.
type farFile struct {
	data  []byte
	hints source.Hints
	delay time.Duration
	stuck bool                        // reads end with their context only
	fail  func(off, size int64) error // may be nil
	watch func()                      // called by every read; may be nil

	mu                   sync.Mutex
	calls, now, maxNow   int
	total, held, maxHeld int64 // bytes: read, being read
}

func (f *farFile) Hints() source.Hints { return f.hints }

func (f *farFile) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	n := int64(len(p))
	f.mu.Lock()
	f.calls++
	f.now++
	f.total += n
	f.held += n
	f.maxNow, f.maxHeld = max(f.maxNow, f.now), max(f.maxHeld, f.held)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.held -= n
		f.mu.Unlock()
	}()
	if f.watch != nil {
		f.watch()
	}
	if f.stuck {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if f.fail != nil {
		if err := f.fail(off, n); err != nil {
			return 0, err
		}
	}
	return copy(p, f.data[off:]), nil
}

// far moves a dataset, until the test ends, to a file that is read with hints.
func (s *synth) far(t testing.TB, h source.Hints) *farFile {
	f := &farFile{data: s.stored, hints: h}
	s.src = source.New(f, int64(len(f.data)), "far.h5")
	t.Cleanup(s.src.Release)
	return f
}

// chunksOf64K is 64 filtered chunks of 64 KiB each.
func chunksOf64K() *synth {
	return newSynth(seeded(1), shape{dims: []uint64{64 * 8192}, chunk: []uint64{8192}, elem: 8, deflate: true, gap: 3})
}

// TestFarInFlight counts reads that are under way at once, and how long reading takes.
func TestFarInFlight(t *testing.T) {
	const delay = 50 * time.Millisecond
	for _, c := range []struct {
		name     string
		inFlight int
		workers  int
		want     int // reads at once
	}{{"workers read", 0, 2, 2}, {"in flight", 16, 2, 16}, {"fewer than workers", 2, 5, 2}, {"one by one", 1, 3, 1}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := chunksOf64K()
				f := s.far(t, source.Hints{InFlight: c.inFlight, Join: 1})
				f.delay = delay
				r := s.reader(t, options{budget: NewBudget(64 << 20), piece: 1})
				p := NewPool(c.workers)
				defer p.Close()
				got := dirty(len(s.want))
				begin := time.Now()
				if err := start(r, p, 0, r.Rows(), got, StartOptions{}); err != nil || !bytes.Equal(got, s.want) {
					t.Fatal(err, diff(got, s.want))
				}
				if f.maxNow != c.want || f.calls != 64 {
					t.Errorf("%d reads, %d at once, want 64 and %d", f.calls, f.maxNow, c.want)
				}
				if d := time.Since(begin); d != 64*delay/time.Duration(c.want) {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

// TestFarMemory has rows wait while chunks arrive faster than they are used.
func TestFarMemory(t *testing.T) {
	for _, size := range []int64{32 << 10, 200 << 10, 1 << 20, 64 << 20} {
		synctest.Test(t, func(t *testing.T) {
			s := chunksOf64K()
			f := s.far(t, source.Hints{InFlight: 8, Span: 128 << 10})
			f.delay = time.Millisecond
			budget := NewBudget(size)
			f.watch = func() {
				budget.mu.Lock()
				defer budget.mu.Unlock()
				if budget.used > size || budget.fetched > size/2 {
					t.Errorf("%d bytes are used, %d of them fetched, of %d", budget.used, budget.fetched, size)
				}
			}
			r := s.reader(t, options{budget: budget, piece: 1})
			p := NewPool(1)
			defer p.Close()
			got := dirty(len(s.want))
			slow := StartOptions{Each: func(lo, hi int64, rows []byte) error {
				time.Sleep(10 * time.Millisecond)
				return nil
			}}
			err := start(r, p, 0, r.Rows(), got, slow)
			if size < r.geo.chunkBytes {
				if !h5err.Is(err, h5err.Memory) {
					t.Errorf("a budget of %d: %v", size, err)
				}
				return
			}
			if err != nil || !bytes.Equal(got, s.want) {
				t.Fatalf("a budget of %d: %v, %s", size, err, diff(got, s.want))
			}
			if limit := min(size/2, 2*128<<10); f.maxHeld > max(limit, s.largest()) {
				t.Errorf("a budget of %d: %d bytes being read at once", size, f.maxHeld)
			}
			if size == 64<<20 && f.maxNow < 2 {
				t.Errorf("%d reads at once, want 2 or more", f.maxNow)
			}
			r.Close()
			p.Close()
			if n := budget.Used(); n != 0 || budget.fetched != 0 || f.calls == 0 {
				t.Errorf("a budget of %d: %d bytes are held after Close, %d of them fetched", size, n, budget.fetched)
			}
		})
	}
}

// largest is the largest stored size of a chunk.
func (s *synth) largest() int64 {
	return slices.MaxFunc(s.list(), func(a, b h5.Chunk) int { return int(a.Size - b.Size) }).Size
}

// TestFarRecycled reads 4 MiB in fetches of 256 KiB, of which few are in memory at a time, and allocates no more than those.
func TestFarRecycled(t *testing.T) {
	s := chunksOf64K()
	s.far(t, source.Hints{InFlight: 4, Span: 256 << 10})
	r := s.reader(t, options{budget: NewBudget(64 << 20)})
	p := NewPool(1)
	defer p.Close()
	got := dirty(len(s.want))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := start(r, p, 0, r.Rows(), got, StartOptions{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	n := after.TotalAlloc - before.TotalAlloc
	if n > 2<<20 || !bytes.Equal(got, s.want) {
		t.Errorf("%d bytes were allocated to read %d", n, len(s.stored))
	}
}

// TestFarCancel ends reads that are stuck: those of workers, those in flight, those that wait for others, and batches that
// wait for a chunk that another batch reads.
func TestFarCancel(t *testing.T) {
	for _, inFlight := range []int{0, 1, 4} {
		synctest.Test(t, func(t *testing.T) {
			s := chunksOf64K()
			f := s.far(t, source.Hints{InFlight: inFlight})
			f.stuck = true
			budget := NewBudget(64 << 20)
			r := s.reader(t, options{budget: budget})
			p := NewPool(2)
			defer p.Close()
			var cancels []context.CancelFunc
			var ends []chan error
			for i := range int64(4) { // each cuts a chunk with the next one
				ctx, cancel := context.WithCancel(t.Context())
				end := make(chan error, 1)
				cancels, ends = append(cancels, cancel), append(ends, end)
				a, b := i*100_000, (i+1)*100_000
				r.Start(ctx, p, a, b, make([]byte, (b-a)*8), StartOptions{}, func(err error) { end <- err })
			}
			synctest.Wait()
			if inFlight > 0 && f.now != inFlight {
				t.Errorf("%d reads are under way, want %d", f.now, inFlight)
			}
			for i := range ends {
				i = len(ends) - 1 - i // the last first: it must not wait for others where reads are in flight
				if len(ends[i]) > 0 {
					t.Fatal("a batch ended by itself")
				}
				cancels[i]()
				synctest.Wait()
				if inFlight == 0 {
					continue // it may wait for a worker
				}
				select {
				case err := <-ends[i]:
					if !errors.Is(err, context.Canceled) {
						t.Errorf("batch %d: %v", i, err)
					}
				default:
					t.Errorf("batch %d waits after its context ended", i)
				}
			}
			for _, end := range ends {
				if inFlight == 0 {
					if err := <-end; !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}
			}
			f.stuck = false // what was broken off is read by who comes next
			got := dirty(len(s.want))
			if err := start(r, p, 0, r.Rows(), got, StartOptions{}); err != nil || !bytes.Equal(got, s.want) {
				t.Error(err, diff(got, s.want))
			}
			r.Close()
			p.Close()
			if n := budget.Used(); n != 0 {
				t.Errorf("%d bytes are held", n)
			}
		})
	}
}

// TestFarOnce reads batches that cut chunks: each byte is fetched once.
func TestFarOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chunksOf64K()
		f := s.far(t, source.Hints{InFlight: 3, Span: 256 << 10, Gap: 1})
		f.delay = time.Millisecond
		r := s.reader(t, options{budget: NewBudget(64 << 20)})
		p := NewPool(2)
		defer p.Close()
		got := dirty(len(s.want))
		const step = 50_001 // six chunks and a bit
		var wg sync.WaitGroup
		for a := int64(0); a < r.Rows(); a += step {
			b := min(a+step, r.Rows())
			wg.Add(1)
			r.Start(t.Context(), p, a, b, got[a*8:b*8], StartOptions{}, func(err error) {
				if err != nil {
					t.Error(err)
				}
				wg.Done()
			})
		}
		wg.Wait()
		if !bytes.Equal(got, s.want) {
			t.Error(diff(got, s.want))
		}
		stored, gaps := int64(0), int64(64*3)
		for _, c := range s.list() {
			stored += c.Size
		}
		if f.total < stored || f.total > stored+gaps {
			t.Errorf("%d bytes were read, %d are stored", f.total, stored)
		}
		if f.calls >= 64 {
			t.Errorf("%d reads of 64 chunks: they were not joined", f.calls)
		}
	})
}

func (s *synth) list() []h5.Chunk {
	cs, _ := s.dataset.chunks()
	return cs
}

// TestFarErrors has a read fail, and checks that the error does not depend on the number of workers.
func TestFarErrors(t *testing.T) {
	broken := errors.New("connection reset")
	for _, c := range []struct {
		name string
		err  error
		want string
	}{{"broken", broken, "connection reset"}, {"short", io.EOF, "the file ends early"}} {
		texts := map[string]bool{}
		for _, workers := range []int{1, 4} {
			s := chunksOf64K()
			f := s.far(t, source.Hints{InFlight: 4, Join: 1})
			bad := s.list()[20].Offset
			f.fail = func(off, size int64) error {
				if bad >= off && bad < off+size {
					return c.err
				}
				return nil
			}
			budget := NewBudget(64 << 20)
			r := s.reader(t, options{budget: budget})
			p := NewPool(workers)
			err := start(r, p, 0, r.Rows(), dirty(len(s.want)), StartOptions{})
			p.Close()
			var e *h5err.Error
			if !errors.As(err, &e) || e.Kind != h5err.IO || e.File != "far.h5" || e.Offset != bad {
				t.Errorf("%s: %v", c.name, err)
			}
			texts[err.Error()] = true
			r.Close()
			if budget.Used() != 0 {
				t.Errorf("%s: %d bytes are held", c.name, budget.Used())
			}
		}
		if len(texts) != 1 {
			t.Errorf("%s: %v", c.name, texts)
		}
	}
}

// TestFarPoolClose closes a pool while reads are in flight: it waits for them.
func TestFarPoolClose(t *testing.T) {
	h5test.Leaks(t)
	synctest.Test(t, func(t *testing.T) {
		s := chunksOf64K()
		s.far(t, source.Hints{InFlight: 4}).delay = time.Second
		r := s.reader(t, options{})
		p := NewPool(2)
		got := dirty(len(s.want))
		ended := false
		r.Start(t.Context(), p, 0, r.Rows(), got, StartOptions{}, func(err error) { ended = err == nil })
		p.Close()
		if !ended || !bytes.Equal(got, s.want) {
			t.Errorf("the pool was closed before the rows were there")
		}
		got = dirty(len(s.want)) // by a pool without workers
		if err := start(r, p, 0, r.Rows(), got, StartOptions{}); err != nil || !bytes.Equal(got, s.want) {
			t.Error(err, diff(got, s.want))
		}
	})
}

// TestFarRandom reads random datasets with all kinds of hints and budgets: what is read does not depend on them.
func TestFarRandom(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 60
	}
	for seed := range n {
		rng := seeded(uint64(9000 + seed))
		var s *synth
		if rng.IntN(4) == 0 {
			s = linearSynth(rng, h5.StorageContiguous, randomShape(rng).dims, 4)
		} else {
			s = newSynth(rng, randomShape(rng))
		}
		h := source.Hints{
			Gap: 1 + rng.Int64N(200), Span: 1 + rng.Int64N(20_000), Join: 1 + rng.Int64N(5000), InFlight: 1 + rng.IntN(9),
		}
		s.far(t, h)
		budget := NewBudget(1 << 20)
		if rng.IntN(2) == 0 {
			budget = NewBudget(s.layout.ChunkBytes + rng.Int64N(10_000))
		}
		r := s.reader(t, options{budget: budget, piece: 1 + rng.Int64N(3000), unordered: rng.IntN(2)})
		p := NewPool(1 + rng.IntN(3))
		got := dirty(len(s.want))
		var wg sync.WaitGroup
		for a := int64(0); a < r.Rows(); {
			b := a + 1 + rng.Int64N(r.Rows()-a)
			wg.Add(1)
			bands := int64(0)
			var mu sync.Mutex
			each := func(lo, hi int64, _ []byte) error {
				mu.Lock()
				bands += hi - lo
				mu.Unlock()
				return nil
			}
			from := a
			r.Start(context.Background(), p, a, b, got[a*r.RowBytes():b*r.RowBytes()], StartOptions{Each: each}, func(err error) {
				if err != nil || bands != b-from {
					t.Errorf("seed %d: %v, bands of %d rows of %d", seed, err, bands, b-from)
				}
				wg.Done()
			})
			a = b
		}
		wg.Wait()
		p.Close()
		r.Close()
		if !bytes.Equal(got, s.want) {
			t.Errorf("seed %d: %s, %+v: %s", seed, s.name, h, diff(got, s.want))
		}
		if budget.Used() != 0 {
			t.Errorf("seed %d: %d bytes are held", seed, budget.Used())
		}
	}
}
