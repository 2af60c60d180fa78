package chunk

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// TestErrors has chunks fail, and checks that the error does not depend on the number of workers.
func TestErrors(t *testing.T) {
	h5test.Leaks(t)
	whole := newSynth(seeded(4), shape{dims: []uint64{500, 3}, chunk: []uint64{5, 2}, elem: 4, deflate: true, shuffle: true, shuffled: true})
	cs, _ := whole.dataset.chunks()
	b := make([]byte, whole.reads.Size())
	if _, err := whole.reads.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	for i := 20; i < len(cs); i += 7 {
		b[cs[i].Offset+3] ^= 0xff
		b[cs[i].Offset+4] ^= 0xff
	}
	whole.src = source.FromReaderAt(bytes.NewReader(b), int64(len(b)), "synth.h5")
	want := ""
	for _, workers := range []int{1, 2, 3, 8} {
		for range 20 {
			p := NewPool(workers)
			r := whole.reader(t, options{piece: 100, budget: NewBudget(1 << 20)})
			var calls atomic.Int64
			done := make(chan error, 10)
			r.Start(context.Background(), p, 3, 498, make([]byte, 495*12), StartOptions{}, func(err error) {
				calls.Add(1)
				done <- err
			})
			err := <-done
			p.Close()
			var e *h5err.Error
			if !errors.As(err, &e) || e.Kind != h5err.Corrupt || e.Offset < 0 || e.File != "synth.h5" || e.Object != "/x" {
				t.Fatalf("%d workers: %v", workers, err)
			}
			if want == "" {
				want = err.Error()
			}
			if err.Error() != want || calls.Load() != 1 {
				t.Fatalf("%d workers: %v, called %d times, want once %s", workers, err, calls.Load(), want)
			}
			if n := r.opts.budget.Used(); n != 0 {
				t.Fatalf("%d bytes are held after an error", n)
			}
		}
	}
}

// TestEachError ends a batch by the error of what it hands rows to.
func TestEachError(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	s := newSynth(seeded(4), shape{dims: []uint64{1000}, chunk: []uint64{10}, elem: 4, deflate: true})
	r := s.reader(t, options{piece: 100})
	stop := errors.New("enough")
	var after atomic.Int64
	err := start(r, p, 0, 1000, make([]byte, 4000), StartOptions{Align: 1, Each: func(lo, _ int64, _ []byte) error {
		if lo == 100 {
			return stop
		}
		if lo > 100 {
			after.Add(1)
		}
		return nil
	}})
	if !errors.Is(err, stop) || after.Load() > 900 {
		t.Errorf("%v, %d bands after it", err, after.Load())
	}
}

// TestCancel ends batches at any time: done is called once, nothing is written after it, nothing is left behind.
func TestCancel(t *testing.T) {
	h5test.Leaks(t)
	s := newSynth(seeded(5), shape{dims: []uint64{3000}, chunk: []uint64{7}, elem: 8, deflate: true, shuffle: true})
	for i := range 60 {
		rng := seeded(uint64(i))
		budget := NewBudget(1 << 20)
		r := s.reader(t, options{piece: 500, budget: budget})
		p := NewPool(1 + i%4)
		ctx, cancel := context.WithCancel(context.Background())
		stopAt := rng.Int64N(3000)
		var wg sync.WaitGroup
		var canceled atomic.Int64
		for a := int64(0); a < 3000; a += 250 {
			wg.Add(1)
			dst := make([]byte, 250*8)
			each := func(lo, _ int64, _ []byte) error {
				if lo >= stopAt {
					cancel()
				}
				return nil
			}
			r.Start(ctx, p, a, a+250, dst, StartOptions{Align: 1, Each: each}, func(err error) {
				switch {
				case errors.Is(err, context.Canceled):
					canceled.Add(1)
				case err != nil:
					t.Errorf("%v", err)
				}
				clear(dst) // a worker that still writes here is found by the race detector
				wg.Done()
			})
		}
		wg.Wait()
		p.Close()
		cancel()
		if err := r.Read(ctx, 0, 1, make([]byte, 8)); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
		r.Close()
		if n := budget.Used(); n != 0 {
			t.Errorf("%d bytes are held, %d of 12 batches were canceled", n, canceled.Load())
		}
	}
}

// TestTightBudget reads in steps that cut chunks while there is no memory to keep them.
func TestTightBudget(t *testing.T) {
	s := newSynth(seeded(9), shape{dims: []uint64{1000, 2}, chunk: []uint64{64, 1}, elem: 8, deflate: true})
	p := NewPool(3)
	defer p.Close()
	for _, size := range []int64{512, 600, 1100, 1 << 20} {
		budget := NewBudget(size)
		r := s.reader(t, options{budget: budget, piece: 100})
		got := dirty(len(s.want))
		var wg sync.WaitGroup
		for a := int64(0); a < 1000; a += 30 {
			wg.Add(1)
			b := min(1000, a+30)
			r.Start(context.Background(), p, a, b, got[a*16:b*16], StartOptions{}, func(err error) {
				if err != nil {
					t.Error(err)
				}
				if n := budget.Used(); n > size {
					t.Errorf("%d of %d bytes are used", n, size)
				}
				wg.Done()
			})
		}
		wg.Wait()
		if !bytes.Equal(got, s.want) {
			t.Errorf("budget of %d: %s", size, diff(got, s.want))
		}
		if c := r.Counters(); size == 1<<20 && c.Chunks != 32 || c.Chunks < 32 || c.Decoded != c.Chunks*512 {
			t.Errorf("budget of %d: %+v, there are 32 chunks", size, c)
		}
		// Memory that is only kept is there for whoever needs it.
		if err := budget.Acquire(context.Background(), size); err != nil {
			t.Error(err)
		}
		budget.Release(size)
	}
}

// TestLargeChunks has more workers than there is scratch memory for.
func TestLargeChunks(t *testing.T) {
	s := newSynth(seeded(9), shape{dims: []uint64{13 << 17}, chunk: []uint64{3 << 17}, elem: 8, deflate: true, shuffle: true})
	const chunkBytes = 3 << 20
	cs, _ := s.dataset.chunks()
	stored := int64(0)
	for _, c := range cs {
		stored = max(stored, c.Size)
	}
	for _, c := range []struct {
		budget int64
		ok     bool
	}{{chunkBytes, false}, {stored + 2*chunkBytes, true}, {stored + 5*chunkBytes, true}, {1 << 30, true}} {
		p := NewPool(4)
		budget := NewBudget(c.budget)
		r := s.reader(t, options{budget: budget})
		got := dirty(len(s.want))
		var wg sync.WaitGroup
		var failed atomic.Int64
		for a := int64(0); a < r.Rows(); a += 500000 { // whole chunks too
			wg.Add(1)
			b := min(r.Rows(), a+500000)
			r.Start(context.Background(), p, a, b, got[a*8:b*8], StartOptions{}, func(err error) {
				if err != nil {
					failed.Add(1)
					if c.ok || h5err.KindOf(err) != h5err.Memory {
						t.Error(err)
					}
				}
				wg.Done()
			})
		}
		wg.Wait()
		p.Close()
		if c.ok != (failed.Load() == 0) || c.ok && !bytes.Equal(got, s.want) {
			t.Errorf("budget of %d: %d batches failed", c.budget, failed.Load())
		}
		if n := r.Counters().Chunks; c.budget == 1<<30 && n != 5 {
			t.Errorf("%d chunks were decoded, there are 5", n)
		}
		r.Close()
		if budget.Used() != 0 || budget.working != 0 {
			t.Errorf("budget of %d: %d bytes are held, %d work", c.budget, budget.Used(), budget.working)
		}
	}
	change(s.dataset, func(c *h5.Chunk) { c.Offset += 7 }) // rubbish
	for _, b := range []int64{3 << 17, 1000} {
		budget := NewBudget(1 << 30)
		r := s.reader(t, options{budget: budget})
		if err := r.Read(context.Background(), 0, b, make([]byte, 8*b)); h5err.KindOf(err) != h5err.Corrupt {
			t.Errorf("a broken chunk: %v", err)
		}
		if budget.Used() != 0 || budget.working != 0 {
			t.Errorf("after an error: %d bytes are held, %d work", budget.Used(), budget.working)
		}
	}
}

// TestKeptChunk checks that a chunk is kept while the pass is in it, and no longer.
func TestKeptChunk(t *testing.T) {
	s := newSynth(seeded(9), shape{dims: []uint64{100}, chunk: []uint64{40}, elem: 8, deflate: true})
	budget := NewBudget(1 << 20)
	r := s.reader(t, options{budget: budget})
	dst := make([]byte, 800)
	for _, c := range []struct{ a, b, held, chunks int64 }{
		{0, 10, 320, 1}, {10, 30, 320, 1}, {30, 40, 0, 1}, {40, 41, 320, 2}, {41, 81, 320, 3}, {81, 100, 0, 3},
		{5, 6, 320, 4}, {50, 60, 320, 5}, // a leap drops what the pass was in
		{0, 100, 0, 8},
	} {
		if err := r.Read(context.Background(), c.a, c.b, dst[c.a*8:c.b*8]); err != nil {
			t.Fatal(err)
		}
		if used, n := budget.Used(), r.Counters().Chunks; used != c.held || n != c.chunks {
			t.Errorf("after rows %d to %d: %d bytes are held, %d chunks were decoded, want %d and %d", c.a, c.b, used, n, c.held, c.chunks)
		}
	}
	if !bytes.Equal(dst, s.want) {
		t.Error(diff(dst, s.want))
	}
	r.Read(context.Background(), 0, 10, dst[:80])
	r.Close()
	if budget.Used() != 0 {
		t.Errorf("%d bytes are held after Close", budget.Used())
	}
}

// TestCoalescing checks that small chunks that lie close together are read together.
func TestCoalescing(t *testing.T) {
	for _, c := range []struct {
		name     string
		s        shape
		maxReads int64
	}{
		{"neighbors", shape{dims: []uint64{100000}, chunk: []uint64{10}, elem: 4}, 2},
		{"gaps", shape{dims: []uint64{100000}, chunk: []uint64{10}, elem: 4, gap: 20}, 4},
		{"any order", shape{dims: []uint64{100000}, chunk: []uint64{10}, elem: 4, shuffled: true}, 4},
		{"deflate", shape{dims: []uint64{50000}, chunk: []uint64{50}, elem: 4, deflate: true}, 4},
		{"columns", shape{dims: []uint64{5000, 8}, chunk: []uint64{100, 1}, elem: 4}, 4},
	} {
		s := newSynth(seeded(1), c.s)
		r := s.reader(t, options{})
		got := dirty(len(s.want))
		if err := r.Read(context.Background(), 0, r.Rows(), got); err != nil || !bytes.Equal(got, s.want) {
			t.Fatalf("%s: %v, %s", c.name, err, diff(got, s.want))
		}
		if n := s.reads.calls.Load(); n > c.maxReads {
			t.Errorf("%s: %d reads, want at most %d", c.name, n, c.maxReads)
		}
	}
}

// TestOnlyWanted checks that what is not asked for is neither read nor decoded.
func TestOnlyWanted(t *testing.T) {
	s := newSynth(seeded(1), shape{dims: []uint64{1000}, chunk: []uint64{100}, elem: 8, deflate: true})
	r := s.reader(t, options{})
	cs, _ := s.dataset.chunks()
	if err := r.Read(context.Background(), 200, 400, make([]byte, 1600)); err != nil {
		t.Fatal(err)
	}
	want := Counters{Chunks: 2, Decoded: 1600, Read: cs[2].Size + cs[3].Size}
	if c := r.Counters(); c != want || s.reads.bytes.Load() != want.Read {
		t.Errorf("%+v, want %+v; %d bytes were read", c, want, s.reads.bytes.Load())
	}
	raw := newSynth(seeded(1), shape{dims: []uint64{1000}, chunk: []uint64{100}, elem: 8})
	r = raw.reader(t, options{})
	if err := r.Read(context.Background(), 250, 260, make([]byte, 80)); err != nil || raw.reads.bytes.Load() != 80 {
		t.Errorf("%v, %d bytes of an unfiltered chunk were read for 80", err, raw.reads.bytes.Load())
	}
	if n, err := r.ScratchBytes(); err != nil || n < 800 {
		t.Errorf("scratch of %d bytes, %v", n, err)
	}
}

// TestNoCopies checks that decoding straight into place allocates nothing for the chunks.
func TestNoCopies(t *testing.T) {
	s := newSynth(seeded(1), shape{dims: []uint64{1 << 16}, chunk: []uint64{1 << 13}, elem: 8, deflate: true, shuffle: true})
	r := s.reader(t, options{})
	dst := make([]byte, len(s.want))
	read := func() {
		if err := r.Read(context.Background(), 0, r.Rows(), dst); err != nil {
			t.Fatal(err)
		}
	}
	read()
	w := r.spare[0]
	if cap(w.out) != 0 || cap(w.own) != 0 || len(w.windows) != 0 {
		t.Errorf("%d bytes of scratch for whole chunks", cap(w.out))
	}
	if n := testing.AllocsPerRun(5, read); n > 40 {
		t.Errorf("%v allocations for 8 chunks", n)
	}
}

func eachOf(d *dataset) func(fn func(c h5.Chunk) error) error {
	return func(fn func(c h5.Chunk) error) error {
		cs, err := d.chunks()
		for i := 0; i < len(cs) && err == nil; i++ {
			err = fn(cs[i])
		}
		return err
	}
}

// TestSkippedFilter reads a dataset of which a filter that nobody knows was applied to no chunk.
func TestSkippedFilter(t *testing.T) {
	for _, applied := range []bool{false, true} {
		s := newSynth(seeded(3), shape{dims: []uint64{10, 3}, chunk: []uint64{4, 3}, elem: 2, deflate: true})
		s.each = eachOf(s.dataset)
		s.filters = append(s.filters, h5.Filter{ID: 9999, Name: "nobody's", Optional: true})
		cs, _ := s.chunks()
		for i := range cs {
			if !applied || i != 1 {
				cs[i].FilterMask |= 2
			}
		}
		r, err := newReader(s.dataset, options{})
		if applied {
			if !h5err.Is(err, h5err.Unsupported) || !strings.Contains(err.Error(), "filter 9999") {
				t.Errorf("applied to one chunk: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(s.want))
		if err := r.Read(context.Background(), 0, 10, got); err != nil || !bytes.Equal(got, s.want) {
			t.Errorf("applied to no chunk: % x, %v; want % x", got, err, s.want)
		}
		r.Close()
	}
}
