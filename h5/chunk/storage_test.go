package chunk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// TestLinear reads storage that is not chunked, in pieces of any size.
func TestLinear(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	for seed := range 200 {
		rng := seeded(uint64(seed))
		kind := []h5.Storage{h5.StorageNone, h5.StorageCompact, h5.StorageContiguous}[seed%3]
		var dims []uint64
		for range rng.IntN(4) {
			dims = append(dims, 1+rng.Uint64N(25))
		}
		s := linearSynth(rng, kind, dims, 1+rng.IntN(9))
		r := s.reader(t, options{piece: 1 + rng.Int64N(500)})
		for range 5 {
			a := rng.Int64N(r.Rows() + 1)
			b := a + rng.Int64N(r.Rows()-a+1)
			want := s.rows(a, b)
			if len(dims) == 0 {
				a, b, want = 0, 1, s.want
			}
			got := dirty(len(want))
			rows := int64(0)
			var mu sync.Mutex
			err := start(r, p, a, b, got, StartOptions{Align: 1, Each: func(lo, hi int64, part []byte) error {
				mu.Lock()
				defer mu.Unlock()
				rows += hi - lo
				if !bytes.Equal(part, want[(lo-a)*r.RowBytes():(hi-a)*r.RowBytes()]) {
					t.Errorf("seed %d: band %d to %d is not complete", seed, lo, hi)
				}
				return nil
			}})
			if err != nil || !bytes.Equal(got, want) || rows != b-a {
				t.Fatalf("seed %d: rows %d to %d of %s: %v, %s, %d rows in bands", seed, a, b, s.name, err, diff(got, want), rows)
			}
		}
		if r.ChunkRows() != 0 {
			t.Errorf("%s has chunks of %d rows", s.name, r.ChunkRows())
		}
	}
}

// TestEmpty reads shapes without rows, and rows without elements.
func TestEmpty(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	for _, dims := range [][]uint64{{0}, {0, 5}, {7, 0}, {7, 0, 3}, {0, 0}} {
		for _, kind := range []h5.Storage{h5.StorageNone, h5.StorageContiguous, h5.StorageChunked, h5.StorageVirtual} {
			ds := linearSynth(seeded(1), kind, dims, 4).dataset
			ds.mappings = func() ([]h5.VirtualMapping, error) { return nil, nil }
			ds.chunks = func() ([]h5.Chunk, error) { return nil, nil }
			ds.layout.ChunkBytes = 4
			for range dims {
				ds.layout.ChunkDims = append(ds.layout.ChunkDims, 3)
				ds.layout.ChunkBytes *= 3
			}
			r, err := newReader(ds, options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Rows() != int64(dims[0]) {
				t.Errorf("%v: %d rows", dims, r.Rows())
			}
			calls := 0
			err = start(r, p, 0, r.Rows(), []byte{}, StartOptions{Each: func(lo, hi int64, rows []byte) error {
				calls += int(hi - lo)
				return nil
			}})
			if err != nil || calls != int(dims[0]) {
				t.Errorf("%v %v: %v, %d rows were handed on", kind, dims, err, calls)
			}
			if _, _, ok := r.View(0, r.Rows()); ok {
				t.Errorf("%v %v: a view of nothing", kind, dims)
			}
			if err := r.Read(context.Background(), 0, r.Rows(), nil); err != nil {
				t.Errorf("%v %v: %v", kind, dims, err)
			}
			r.Close()
		}
	}
}

// TestExternal reads extents of files that are too short, absent, or many.
func TestExternal(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	dir := t.TempDir()
	rng := seeded(3)
	var want []byte
	l := &h5.Layout{Storage: h5.StorageExternal}
	for i := range 200 { // more files than are kept open
		b := make([]byte, 10+rng.IntN(20))
		content(rng, b)
		name := fmt.Sprint("part", i)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		e := h5.ExternalExtent{Name: name, Offset: int64(rng.IntN(30)), Size: int64(1 + rng.IntN(30))}
		if i == 199 {
			e.Size = -1
		}
		for k := range max(e.Size, 30) {
			if e.Size >= 0 && k >= e.Size {
				break
			}
			x := byte(0) // beyond the end of the file
			if e.Offset+k < int64(len(b)) {
				x = b[e.Offset+k]
			}
			want = append(want, x)
		}
		l.External = append(l.External, e)
	}
	opened := 0
	ds := &dataset{file: "f.h5", path: "/x", dims: []uint64{uint64(len(want))}, elem: 1, layout: l,
		fill: func() ([]byte, error) { return []byte{9}, nil },
		external: func(name string) (*source.Source, error) {
			opened++
			return source.Open(filepath.Join(dir, name))
		}}
	r, err := newReader(ds, options{piece: 100})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got := dirty(len(want))
		if err := r.Read(context.Background(), 0, r.Rows(), got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v, %s", err, diff(got, want))
		}
	}
	if n := source.LiveMappings(); n > maxOpenFiles+1 {
		t.Errorf("%d files are open", n)
	}
	a := r.Rows() / 2
	got := dirty(10)
	if err := r.Read(context.Background(), a, a+10, got); err != nil || !bytes.Equal(got, want[a:a+10]) {
		t.Errorf("rows in the middle: %v, %s", err, diff(got, want[a:a+10]))
	}
	r.Close()

	l.External = l.External[:1]
	l.External[0].Size = 5
	r, _ = newReader(ds, options{})
	if err := r.Read(context.Background(), 0, 6, make([]byte, 6)); h5err.KindOf(err) != h5err.Corrupt {
		t.Errorf("extents that end before the data: %v", err)
	}
	r.Close()
	l.External[0].Name = "gone"
	r, _ = newReader(ds, options{})
	if err := r.Read(context.Background(), 0, 5, make([]byte, 5)); h5err.KindOf(err) != h5err.IO {
		t.Errorf("a file that is gone: %v", err)
	}
	r.Close()
}

// TestArguments checks what a caller may ask for.
func TestArguments(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	s := newSynth(seeded(1), shape{dims: []uint64{10, 3}, chunk: []uint64{4, 3}, elem: 2})
	r := s.reader(t, options{pool: p})
	if r.RowBytes() != 6 || r.Rows() != 10 || r.ChunkRows() != 4 {
		t.Errorf("%d rows of %d bytes in chunks of %d rows", r.Rows(), r.RowBytes(), r.ChunkRows())
	}
	for _, c := range []struct {
		a, b int64
		n    int
	}{{-1, 2, 18}, {3, 2, 0}, {0, 11, 66}, {0, 2, 11}, {0, 2, 13}, {math.MinInt64, math.MaxInt64, 0}} {
		if err := r.Read(context.Background(), c.a, c.b, make([]byte, c.n)); h5err.KindOf(err) != h5err.Argument {
			t.Errorf("rows %d to %d into %d bytes: %v", c.a, c.b, c.n, err)
		}
	}
	if err := start(r, p, 0, 1, make([]byte, 6), StartOptions{Align: -1}); h5err.KindOf(err) != h5err.Argument {
		t.Errorf("a negative alignment: %v", err)
	}
	if err := r.Read(context.Background(), 10, 10, nil); err != nil {
		t.Errorf("no rows: %v", err)
	}
	got := dirty(60)
	if err := r.Read(context.Background(), 0, 10, got); err != nil || !bytes.Equal(got, s.want) {
		t.Errorf("by a pool: %v", err)
	}
}

// TestDescriptions checks datasets that contradict themselves, as hostile files do.
func TestDescriptions(t *testing.T) {
	good := func() *dataset {
		return newSynth(seeded(1), shape{dims: []uint64{10, 3}, chunk: []uint64{4, 3}, elem: 2, deflate: true}).dataset
	}
	for name, c := range map[string]struct {
		change func(*dataset)
		kind   h5err.Kind
	}{
		"no element":        {func(d *dataset) { d.elem = 0 }, h5err.Corrupt},
		"rank":              {func(d *dataset) { d.layout.ChunkDims = []uint64{4} }, h5err.Corrupt},
		"many dimensions":   {func(d *dataset) { d.dims = make([]uint64, 33) }, h5err.Corrupt},
		"empty chunk":       {func(d *dataset) { d.layout.ChunkDims = []uint64{4, 0} }, h5err.Corrupt},
		"chunk bytes":       {func(d *dataset) { d.layout.ChunkBytes = 25 }, h5err.Corrupt},
		"huge row":          {func(d *dataset) { d.dims = []uint64{1, math.MaxInt64} }, h5err.Limit},
		"huge rows":         {func(d *dataset) { d.dims = []uint64{1 << 63, 1} }, h5err.Limit},
		"huge grid":         {func(d *dataset) { d.dims = []uint64{1 << 62, 1 << 60} }, h5err.Limit},
		"no storage":        {func(d *dataset) { d.layout.Storage = 0 }, h5err.Unsupported},
		"unknown filter":    {func(d *dataset) { d.each = eachOf(d); d.filters = []h5.Filter{{ID: 9999, Name: "nobody's"}} }, h5err.Unsupported},
		"outside the file":  {func(d *dataset) { change(d, func(c *h5.Chunk) { c.Offset = 1 << 40 }) }, h5err.Corrupt},
		"beyond the file":   {func(d *dataset) { change(d, func(c *h5.Chunk) { c.Size = math.MaxInt64 }) }, h5err.Corrupt},
		"negative offset":   {func(d *dataset) { change(d, func(c *h5.Chunk) { c.Offset = -1 }) }, h5err.Corrupt},
		"unfiltered, short": {func(d *dataset) { change(d, func(c *h5.Chunk) { c.FilterMask = 1 }) }, h5err.Corrupt},
		"too large":         {func(d *dataset) { d.decoded = 23 }, h5err.Limit},
		"fill value":        {func(d *dataset) { change(d, nil); d.fill = func() ([]byte, error) { return []byte{1}, nil } }, h5err.Corrupt},
		"no index":          {func(d *dataset) { d.chunks = func() ([]h5.Chunk, error) { return nil, errors.New("broken") } }, h5err.IO},
	} {
		d := good()
		c.change(d)
		r, err := newReader(d, options{})
		if err == nil {
			err = r.Read(context.Background(), 0, min(r.Rows(), 10), make([]byte, min(r.Rows(), 10)*r.RowBytes()))
			r.Close()
		}
		if h5err.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want an error of kind %v", name, err, c.kind)
		}
	}
	d := good()
	d.elem, d.layout.ChunkBytes = 2, 24
	r, _ := newReader(d, options{budget: NewBudget(23)})
	if err := r.Read(context.Background(), 0, 10, make([]byte, 60)); h5err.KindOf(err) != h5err.Memory {
		t.Errorf("a chunk larger than the budget: %v", err)
	}
	r.Close()
}

// change alters the first chunk; without a function it removes it.
func change(d *dataset, fn func(*h5.Chunk)) {
	cs, _ := d.chunks()
	if fn == nil {
		cs = cs[1:]
	} else {
		fn(&cs[0])
	}
	d.chunks = func() ([]h5.Chunk, error) { return cs, nil }
}

// TestVastGrids reads a little of shapes that no memory could list the chunks of.
func TestVastGrids(t *testing.T) {
	for _, c := range []struct{ dims, chunk []uint64 }{
		{[]uint64{1 << 47}, []uint64{1}},
		{[]uint64{1 << 30, 16}, []uint64{1, 4}},
		{[]uint64{1 << 20, 16}, []uint64{1, 1 << 20}}, // chunks far wider than the rows
		{[]uint64{100, 1 << 14, 1}, []uint64{100, 1, 1 << 12}},
		{[]uint64{1 << 16}, []uint64{1 << 40}},
	} {
		s := linearSynth(seeded(1), h5.StorageChunked, []uint64{1}, 1)
		chunkBytes := int64(1)
		for _, n := range c.chunk {
			chunkBytes *= int64(n)
		}
		if chunkBytes > math.MaxInt {
			continue // no chunk is as large where int has 32 bits
		}
		s.dataset.dims = c.dims
		s.dataset.layout = &h5.Layout{Storage: h5.StorageChunked, ChunkDims: c.chunk, ChunkBytes: chunkBytes}
		s.dataset.decoded = math.MaxInt64
		s.dataset.fill = func() ([]byte, error) { return nil, nil }
		s.dataset.chunks = func() ([]h5.Chunk, error) { return nil, nil }
		r := s.reader(t, options{})
		rows := min(r.Rows(), (1<<20)/r.RowBytes())
		got := dirty(int(rows * r.RowBytes()))
		if err := r.Read(context.Background(), r.Rows()-rows, r.Rows(), got); err != nil {
			t.Errorf("%v in %v: %v", c.dims, c.chunk, err)
		}
		for i, x := range got {
			if x != 0 {
				t.Errorf("%v in %v: byte %d is %#x", c.dims, c.chunk, i, x)
				break
			}
		}
		var p plan
		if err := r.plan(&p, 0, rows, got); err != nil || len(p.pieces) > 20 {
			t.Errorf("%v in %v: %v, %d pieces for a megabyte", c.dims, c.chunk, err, len(p.pieces))
		}
		p.abandon()
	}
}

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
		var cancelled atomic.Int64
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
					cancelled.Add(1)
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
			t.Errorf("%d bytes are held, %d of 12 batches were cancelled", n, cancelled.Load())
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
		name string
		s    shape
		most int64
	}{
		{"neighbours", shape{dims: []uint64{100000}, chunk: []uint64{10}, elem: 4}, 2},
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
		if n := s.reads.calls.Load(); n > c.most {
			t.Errorf("%s: %d reads, want at most %d", c.name, n, c.most)
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
